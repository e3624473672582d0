"""Structure steps of the twin: sorted lists of (score, number), one pair at a time; no import of the package under test.

description["structure"] = {
  "method": "prune" | "grow" | "prune_and_grow", "from": Fraction, "to": Fraction, "exchange": Fraction,
  "pattern": ["unstructured"] | ["n_of_m", keep, group] | ["blocks", rows, columns], "scope": "layer" | "global",
  "prune_by": "magnitude" | "gradient", "grow_by": "gradient" | "random", "power": 3 | 1,
  "first": update, "last": update, "every": updates, "dense_layers": [...]}
"""

from fractions import Fraction
from typing import Any

from twin_arithmetic import Stream
from twin_layer import Layer

ROLE_STRUCTURE = 15
Unit = tuple[int, ...]  # numbers of its synapses


def due(structure: dict[str, Any], updates: int) -> bool:
    """Whether a step follows that many updates."""
    return updates in range(structure["first"], structure["last"] + 1, structure["every"])


def gathers(structure: dict[str, Any] | None, updates: int) -> bool:
    """Whether absent synapses gather dW in the batch that ends with this update."""
    if structure is None or structure["method"] == "prune" or structure["grow_by"] == "random":
        return False
    return due(structure, updates)


def units_of(layer: Layer, pattern: list[Any]) -> list[Unit]:
    """Units of a layer in order of their first synapse."""
    rows = layer.shape[0]
    fan_in = len(layer.w) // rows
    if pattern[0] != "blocks":
        return [(i,) for i in range(len(layer.w))]
    height, width = pattern[1:]
    return [
        tuple(
            r * fan_in + c
            for r in range(top, min(top + height, rows))
            for c in range(left, min(left + width, fan_in))
        )
        for top in range(0, rows, height)
        for left in range(0, fan_in, width)
    ]


def score(structure: dict[str, Any], layer: Layer, unit: Unit, kind: str) -> int:
    """What a unit is ranked by."""
    if structure[kind] == "magnitude":
        return sum(abs(layer.w[i]) for i in unit)
    return sum(abs(layer.dW[i].value) for i in unit)


def step(structure: dict[str, Any], layers: list[Layer], updates: int) -> None:
    """The step after so many updates."""
    left = Fraction(0)
    if structure["last"] > structure["first"]:
        left = (
            Fraction(structure["last"] - updates, structure["last"] - structure["first"])
            ** structure["power"]
        )
    sparsity = structure["to"] + (structure["from"] - structure["to"]) * left
    share = structure["exchange"] * (left if structure["last"] > structure["first"] else 1)
    contests: list[list[tuple[Layer, int, Unit, int]]] = []
    for layer in layers:
        if layer.index in structure["dense_layers"]:
            continue
        units = units_of(layer, structure["pattern"])
        entries = [(layer, number, unit, len(units)) for number, unit in enumerate(units)]
        if structure["pattern"][0] == "n_of_m":
            fan_in, group = len(layer.w) // layer.shape[0], structure["pattern"][2]
            for line in range(layer.shape[0]):
                row = entries[line * fan_in : (line + 1) * fan_in]
                contests += [row[k : k + group] for k in range(0, fan_in, group)]
        elif structure["scope"] == "global" and contests:
            contests[0] += entries
        else:
            contests.append(entries)
    changes = [contest(structure, entries, sparsity, share, updates) for entries in contests]
    for goes, comes in changes:
        for layer, unit in (*goes, *comes):
            for i in unit:
                layer.mask[i] = int((layer, unit) in comes)
                layer.w[i] = layer.velocity[i] = 0


def contest(
    structure: dict[str, Any],
    entries: list[tuple[Layer, int, Unit, int]],
    sparsity: Fraction,
    share: Fraction,
    updates: int,
) -> tuple[list[tuple[Layer, Unit]], list[tuple[Layer, Unit]]]:
    """Which units of those that are ranked together go, and which come."""
    present = [k for k, (layer, _, unit, _) in enumerate(entries) if any(layer.mask[i] for i in unit)]
    absent = [k for k in range(len(entries)) if k not in set(present)]
    target = sparsity.numerator * len(entries) // sparsity.denominator

    def weakness(k: int) -> tuple[int, int]:
        layer, _, unit, _ = entries[k]
        return score(structure, layer, unit, "prune_by"), k

    def strength(k: int) -> tuple[int, int]:
        layer, number, unit, count = entries[k]
        if structure["grow_by"] == "random":
            return -Stream(layer.seed, layer.index, ROLE_STRUCTURE).draw(updates, count, number), k
        return -score(structure, layer, unit, "grow_by"), k

    goes = comes = 0
    if structure["method"] == "prune":
        goes = max(0, target - len(absent))
    elif structure["method"] == "grow":
        comes = max(0, len(absent) - target)
    else:
        goes = comes = min(share.numerator * len(present) // share.denominator, len(absent))
    out = sorted(present, key=weakness)[:goes] if goes else []
    new = sorted(absent, key=strength)[:comes] if comes else []
    return [(entries[k][0], entries[k][2]) for k in out], [(entries[k][0], entries[k][2]) for k in new]
