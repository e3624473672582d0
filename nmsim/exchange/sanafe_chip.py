"""A chip of SANA-FE in nmsim's words: a chip described by the times of whole events, and the prices of those events.

What each of SANA-FE's units does becomes one event:

| SANA-FE | event |
|---|---|
| synapse `process_spike`, and the dendrite `update` that follows every one | `synaptic_op` |
| soma `access` and `update` of a neuron that something reached | `neuron_update_active` |
| soma `access` of any other | `neuron_update_inactive` |
| soma `spike_out`, axon `message_in` and `message_out` | `spike_out`, `axon_in`, `axon_out` |
| hop, by direction | `hop_east_west`, `hop_north_south` |
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nmsim import units
from nmsim.contents import STORED
from nmsim.errors import DataError
from nmsim.exchange.sanafe_file import (
    Architecture,
    Core,
    Dendrite,
    HopCosts,
    Soma,
    Synapse,
    Tile,
    read_architecture,
)

__all__ = ["Choice", "TranslatedChip", "read_architecture", "translated"]

CLOCK_HZ = 1e9
"""There is no clock: one cycle is the nanosecond in which times are counted."""
WORD_BITS, WORDS = 64, 2**30
KINDS = ("dense", "conv")
SOURCE = "file"
STIMULI = "input"
"""Model of somas that play back what a user gives."""
DIRECTIONS = {"hop_east_west": ("east", "west"), "hop_north_south": ("north", "south")}
NOTHING = "the file gives it no energy"


@dataclass(frozen=True)
class Choice:
    """What the file leaves open: names of units where a core has several, and labels of the process.

    `synapse` by kind of connection (`dense`, `conv`), or `""` for both.
    """

    synapse: Mapping[str, str] = field(default_factory=dict)
    dendrite: str | None = None
    soma: str | None = None
    node_nm: int = 28
    voltage_v: float = 0.9


@dataclass(frozen=True)
class TranslatedChip:
    """A chip and its price table as plain data, and a sentence for everything that could not be carried over."""

    chip: dict[str, Any]
    prices: dict[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Pipeline:
    """The units that serve every spike of a core."""

    synapse: Mapping[str, Synapse]
    dendrite: Dendrite
    soma: Soma
    core: Core

    def energies_pj(self) -> dict[str, float]:
        """Energy of every event but hops."""
        soma, added = self.soma.attributes, self.dendrite.attributes.energy_update
        served = {
            f"synaptic_op/{kind}": unit.attributes.energy_process_spike + added
            for kind, unit in self.synapse.items()
        }
        joules = {
            **(served if len(set(served.values())) > 1 else {"synaptic_op": served["synaptic_op/dense"]}),
            "neuron_update_active": soma.energy_access_neuron + soma.energy_update_neuron,
            "neuron_update_inactive": soma.energy_access_neuron,
            "spike_out": soma.energy_spike_out,
            "axon_in": self.core.axon_in[0].attributes.energy_message_in,
            "axon_out": self.core.axon_out[0].attributes.energy_message_out,
        }
        return {event: value * units.PJ_PER_J for event, value in joules.items()}

    def timing(self) -> dict[str, float]:
        """Time of every event but hops, in the words of a chip file."""
        soma, added = self.soma.attributes, self.dendrite.attributes.latency_update
        seconds = {
            "synaptic_op_ns": self.synapse["dense"].attributes.latency_process_spike + added,
            "synaptic_op_conv_ns": self.synapse["conv"].attributes.latency_process_spike + added,
            "neuron_update_active_ns": soma.latency_access_neuron + soma.latency_update_neuron,
            "neuron_update_inactive_ns": soma.latency_access_neuron,
            "spike_out_ns": soma.latency_spike_out,
            "axon_in_ns": self.core.axon_in[0].attributes.latency_message_in,
            "axon_out_ns": self.core.axon_out[0].attributes.latency_message_out,
        }
        return {key: _ns(value) for key, value in seconds.items()}


def translated(found: Architecture, name: str, table: str, choice: Choice) -> TranslatedChip:
    """The chip `name` of an architecture, priced by the table `table`.

    Raises:
        DataError: a core has several units of a kind and nothing says which serves, or the file describes what one chip
            here cannot be: cores of several kinds in a tile, or tiles with prices of their own.
    """
    pipelines = [_pipeline(tile, choice) for tile in found.tile]
    _agree(found, pipelines)
    mesh = found.attributes
    chip: dict[str, Any] = {
        "name": name,
        "description": f"'{found.name}' of SANA-FE: event times and energies as its architecture file states them.",
        "sources": [
            f"architecture file of SANA-FE, '{found.name}'",
            "no static power: SANA-FE counts none",
            "node and supply: labels, not in the file",
        ],
        "tech_node_nm": choice.node_nm,
        "voltage_v": choice.voltage_v,
        "clock_hz": CLOCK_HZ,
        "technology": table,
        "mesh": {"columns": mesh.width, "rows": mesh.height},
        "core_types": _core_types(found, pipelines),
        "noc": {
            "casting": "unicast",
            "buffer_flits": mesh.link_buffer_size,
            **{f"{axis}_ns": _hop(found.tile[0].attributes, axis, "latency", _ns) for axis in DIRECTIONS},
        },
        "barrier": _barrier(found),
        "options": {"spread": "compact", "static_input_once": False},
        "power": {"control_overhead_factor": 1},
    }
    return TranslatedChip(
        chip, _prices(found, pipelines[0], table, choice), tuple(_notes(found, pipelines, choice))
    )


def _pipeline(tile: Tile, choice: Choice) -> _Pipeline:
    core = tile.core[0]
    if any(other.model_copy(update={"name": core.name}) != core for other in tile.core[1:]):
        raise DataError(
            f"tile '{tile.name}' holds cores of several kinds, and a tile here holds one; give each kind tiles of its own"
        )
    for kind in ("axon_in", "axon_out"):
        _one(core, kind, getattr(core, kind), None)
    known = set(choice.synapse) - {"", *KINDS}
    if known:
        raise DataError(
            f"--synapse {min(known)}=...: there are the kinds {' and '.join(KINDS)}; name one of them"
        )
    synapse = {
        kind: _one(core, "synapse", core.synapse, choice.synapse.get(kind, choice.synapse.get("")))
        for kind in KINDS
    }
    somas = [unit for unit in core.soma if unit.attributes.model != STIMULI] or list(core.soma)
    return _Pipeline(
        synapse,
        _one(core, "dendrite", core.dendrite, choice.dendrite),
        _one(core, "soma", somas, choice.soma),
        core,
    )


def _one(core: Core, kind: str, every: Sequence[Any], wanted: str | None) -> Any:
    """The unit of a kind that serves: the one asked for, or the only one, or any if all cost the same."""
    names = ", ".join(unit.stem for unit in every)
    if wanted is not None:
        chosen = next((unit for unit in every if wanted in {unit.stem, unit.name}), None)
        if chosen is None:
            raise DataError(f"--{kind} {wanted}: core '{core.stem}' has no such unit; use one of {names}")
        return chosen
    if len({tuple(sorted(_costs(unit).items())) for unit in every}) > 1:
        remedy = (
            f"say which serves with --{kind} NAME" if kind in {"synapse", "dendrite", "soma"} else "keep one"
        )
        raise DataError(f"core '{core.stem}' has the {kind} units {names} at different costs; {remedy}")
    return every[0]


def _costs(unit: Any) -> dict[str, float]:
    values = unit.attributes.model_dump()
    return {key: value for key, value in values.items() if key.startswith(("energy", "latency"))}


def _agree(found: Architecture, pipelines: Sequence[_Pipeline]) -> None:
    """One chip has one price table and one latency of a hop."""
    first, hops = pipelines[0].energies_pj(), _costs(found.tile[0])
    for tile, pipeline in zip(found.tile[1:], pipelines[1:], strict=True):
        own = {**pipeline.energies_pj(), **_costs(tile)}
        other = {**first, **hops}
        differing = [key for key in own if own[key] != other.get(key)]
        if differing:
            raise DataError(
                f"tile '{tile.name}' has another {differing[0]} than '{found.tile[0].name}', and a chip here has one price"
                " of an event; make them equal, or import a file for each kind of tile"
            )


def _core_types(found: Architecture, pipelines: Sequence[_Pipeline]) -> list[dict[str, Any]]:
    types, first, names = [], 0, set[str]()
    whole = sum(tile.instances for tile in found.tile) == found.attributes.width * found.attributes.height
    for tile, pipeline in zip(found.tile, pipelines, strict=True):
        core = pipeline.core
        name = core.stem if core.stem not in names else f"{tile.stem}-{core.stem}"
        names.add(name)
        entry: dict[str, Any] = {"name": name}
        if not (whole and len(found.tile) == 1):
            entry["tiles"] = [_place(found, number) for number in range(first, first + tile.instances)]
        first += tile.instances
        entry |= {
            "per_tile": sum(core.instances for core in tile.core),
            "neuron_slots": core.attributes.max_neurons_supported,
            "memories": [
                {
                    "name": "memory",
                    "holds": [str(item) for item in STORED],
                    "words": WORDS,
                    "word_bits": WORD_BITS,
                }
            ],
            "event_timing": pipeline.timing(),
        }
        types.append(entry)
    return types


def _place(found: Architecture, number: int) -> list[int]:
    """Column and row of a tile: SANA-FE numbers them up the columns, from the south-western corner."""
    column, row = divmod(number, found.attributes.height)
    return [column, found.attributes.height - 1 - row]


def _barrier(found: Architecture) -> dict[str, Any]:
    sync = found.attributes.latency_sync
    if isinstance(sync, dict):
        return {"points": [[tiles, _ns(sync[tiles])] for tiles in sorted(sync)]}
    return {"base_cycles": _ns(sync)}


def _hop(costs: HopCosts, axis: str, what: str, unit: Any) -> Any:
    """One figure for both directions of an axis, or a pair where they differ."""
    pair = [unit(getattr(costs, f"{what}_{direction}_hop")) for direction in DIRECTIONS[axis]]
    return pair[0] if pair[0] == pair[1] else pair


def _prices(found: Architecture, pipeline: _Pipeline, table: str, choice: Choice) -> dict[str, Any]:
    energies = pipeline.energies_pj()
    for axis, directions in DIRECTIONS.items():
        pair = _hop(found.tile[0].attributes, axis, "energy", lambda joules: joules * units.PJ_PER_J)
        energies |= (
            dict(zip((f"{axis}/{direction}" for direction in directions), pair, strict=True))
            if isinstance(pair, list)
            else {axis: pair}
        )
    constant = {"unit": "pJ", "kind": "derived", "source": SOURCE, "node_nm": choice.node_nm}
    return {
        "level": "event",
        "name": table.removesuffix(".yaml"),
        "description": f"Energies of the events of '{found.name}', as its architecture file states them.",
        "node_nm": choice.node_nm,
        "sources": {
            SOURCE: f"architecture file of SANA-FE, '{found.name}'",
            "sanafe": "SANA-FE counts no static power",
        },
        "events": {key: {"value": _digits(value), **constant} for key, value in energies.items()},
        "not_priced": {
            "packet_local": "SANA-FE counts nothing for a message that stays in its tile, besides its axons",
            "barrier": "SANA-FE counts the time of a barrier, not its energy",
            "bit": "one chip: no links between chips",
        },
        "static_power_w": {
            "value": 0.0,
            "unit": "W",
            "kind": "assumed",
            "source": "sanafe",
            "node_nm": choice.node_nm,
        },
    }


def _notes(found: Architecture, pipelines: Sequence[_Pipeline], choice: Choice) -> Iterator[str]:
    yield (
        f"the file names no process: {choice.node_nm} nm and {choice.voltage_v:g} V are labels, which no energy or time"
        " depends on (--node-nm, --voltage)"
    )
    yield (
        "SANA-FE bounds the neurons of a core, not its memory: memories here hold whatever is asked of them"
        f" ({WORDS * WORD_BITS / units.BITS_PER_BYTE / 2**30:g} GiB); set core_types.0.memories.0.words if you know better"
    )
    yield "SANA-FE counts no static power, so neither does this chip; set power.static_power_w if you know it"
    yield (
        "a core here receives and updates in turn; SANA-FE lets the two overlap, so times here are longer (docs/activity.md)"
    )
    if isinstance(found.attributes.latency_sync, dict):
        yield "the time of a barrier is read off a line between the points of latency_sync; SANA-FE takes the point below"
    core = pipelines[0].core
    stimuli = [unit.stem for unit in core.soma if unit.attributes.model == STIMULI]
    if stimuli:
        yield (
            f"soma units {', '.join(stimuli)} play back stimuli: inputs enter here as packets without a core of their own;"
            " make them a first layer to have their messages priced"
        )
    used = {id(unit) for unit in (*pipelines[0].synapse.values(), pipelines[0].dendrite, pipelines[0].soma)}
    for kind in ("synapse", "dendrite", "soma"):
        unused = [
            unit.stem for unit in getattr(core, kind) if id(unit) not in used and unit.stem not in stimuli
        ]
        if unused:
            yield f"{kind} units {', '.join(unused)} are left out: every neuron and synapse of a core is served alike here"
    costs = pipelines[0].dendrite.attributes
    if costs.update_every_timestep or costs.force_update:
        yield (
            f"dendrite '{pipelines[0].dendrite.stem}' is updated in every time step in SANA-FE; here only where a synapse is"
            " served"
            + ("" if costs.energy_update or costs.latency_update else ", which changes nothing: it costs 0")
        )
    yield from _left_out(found, pipelines[0])


def _left_out(found: Architecture, pipeline: _Pipeline) -> Iterator[str]:
    """Attributes that nothing here stands for."""
    parts: list[Any] = [found, found.tile[0], pipeline.core, pipeline.dendrite, pipeline.soma]
    parts += [*pipeline.synapse.values(), pipeline.core.axon_in[0], pipeline.core.axon_out[0]]
    said = set[str]()
    for unit in parts:
        for key in unit.attributes.unread():
            if f"{unit.name}.{key}" not in said:
                said.add(f"{unit.name}.{key}")
                yield f"'{unit.name}': attribute '{key}' has no counterpart here and is left out"


def _ns(seconds: float) -> float:
    return _digits(seconds / units.S_PER_NS)


def _digits(value: float) -> float:
    """Without the last bits that a change of units leaves: 4.1, not 4.1000000000000005."""
    return float(f"{value:.12g}")
