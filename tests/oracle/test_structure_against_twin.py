"""Masks that change while a network learns: engine and twin agree in every bit on random cases."""

import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from random import Random
from typing import Any

import cases
import engine_runs
import numpy as np
import pytest
import translation
import twin
from difference import first_difference

from nmsim.exchange.array_file import as_arrays, from_arrays
from nmsim.stop.engines import real_parameters
from nmsim.stop.fixed import accumulate, shapes
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.protocol import Parameters

FAST, THOROUGH = 32, 1500
EXECUTIONS: tuple[dict[str, Any], ...] = (
    {"workers": 1},
    {"workers": 2},
    {"workers": 1, "max_samples_in_flight": 2},
    {"workers": 1, "storage": np.int32},
)


def with_structure(seed: int) -> dict[str, Any]:
    """A random case with a random structure section; more samples than usual, so that several steps happen."""
    d, rng = cases.case(seed), Random(seed + 1_000_000)
    in_place = d["training"]["in_place"]
    method = rng.choice(("prune", "grow", "prune_and_grow"))
    patterns: list[list[Any]] = [["unstructured"], ["blocks", rng.randint(1, 3), rng.randint(1, 4)]]
    if method == "prune":
        patterns.append(["n_of_m", *rng.choice(((1, 2), (2, 4), (1, 4), (3, 5)))])
    pattern = rng.choice(patterns)
    prune_by = "magnitude" if in_place else rng.choice(("magnitude", "gradient"))
    grow_by = "random" if in_place else rng.choice(("gradient", "gradient", "random"))
    fractions = {
        name: {sum(cases.parse_format(own[one]["format"]).fraction for one in ones) for own in d["precision"]}
        for name, ones in (("w", ("w",)), ("dW", ("delta", "w_trace")))
    }
    scalar = any(own.get("static_trace") == "scalar" for own in d["precision"])
    same = not scalar and all(len(found) == 1 for found in fractions.values())
    goal = Fraction(rng.randint(1, 9), 10)
    if pattern[0] == "n_of_m":
        goal = 1 - Fraction(pattern[1], pattern[2])
    looks = prune_by == "gradient" or (method != "prune" and grow_by == "gradient") or method != "prune"
    first = rng.randint(1 if looks else 0, 1)
    every = rng.randint(1, 2)
    d["structure"] = {
        "method": method,
        "from": Fraction(0) if method == "prune" else goal,
        "to": goal,
        "exchange": Fraction(rng.randint(1, 5), 10),
        "pattern": pattern,
        "scope": "global" if same and pattern[0] != "n_of_m" and rng.random() < 0.5 else "layer",
        "prune_by": prune_by,
        "grow_by": grow_by,
        "power": rng.choice((1, 3)),
        "first": first,
        "every": every,
        "last": first + every * rng.randint(0, 2),
        "dense_layers": [],
    }
    if method == "grow":
        d["structure"]["from"] = Fraction(95, 100)
    size = d["training"]["batch_size"]
    while len(d["labels"]) < 4 * size and len(d["labels"]) < 12:
        d["inputs"], d["labels"] = d["inputs"] + d["inputs"][:size], d["labels"] + d["labels"][:size]
    return d


def disagreement(seed: int) -> str | None:
    d = with_structure(seed)
    expected = engine_runs.without_counters(twin.run(d), d["rule"])
    result = engine_runs.raw(d)
    actual = engine_runs.record(result, len(result.predictions), d["time_steps"])
    found = first_difference(expected, engine_runs.without_counters(actual, d["rule"]))
    if found is not None:
        return f"raw run: {found}"
    execution = EXECUTIONS[seed % len(EXECUTIONS)]
    actual = engine_runs.without_counters(engine_runs.trained(d, **execution), d["rule"])
    found = first_difference(expected | {"steps": []}, actual)
    return found and f"training with {execution}: {found}"


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds of the engine set so low that small networks are split as large ones are."""
    monkeypatch.setattr(accumulate, "MINIMUM_MACS", 1)
    monkeypatch.setattr(shapes, "PANEL_ROWS", 8)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", range(FAST))
def test_a_random_case_with_structure_steps(seed: int) -> None:
    assert disagreement(seed) is None


@pytest.mark.slow
@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("start", range(FAST, FAST + THOROUGH, 100))
def test_many_random_cases_with_structure_steps(start: int) -> None:
    found = {seed: text for seed in range(start, start + 100) if (text := disagreement(seed)) is not None}
    assert not found


def test_random_cases_reach_every_method_pattern_and_ranking() -> None:
    seen = {
        (d["structure"]["method"], d["structure"]["pattern"][0])
        for d in (with_structure(seed) for seed in range(FAST))
    }
    assert {method for method, _ in seen} == {"prune", "grow", "prune_and_grow"}
    assert {pattern for _, pattern in seen} == {"unstructured", "blocks", "n_of_m"}


def test_a_structure_step_changes_masks_and_weights() -> None:
    """The comparison sees masks: the same run without its last step is another run."""
    d = next(d for d in map(with_structure, range(FAST)) if d["structure"]["method"] == "prune")
    with_steps, without = twin.run(d), twin.run({**d, "structure": None})
    masks = [layer["mask"] for layer in with_steps["updates"][-1]]
    assert any(0 in mask for mask in masks)
    assert [layer["w"] for layer in with_steps["updates"][-1]] != [
        layer["w"] for layer in without["updates"][-1]
    ]


def read_back(engine: FixedEngine, d: dict[str, Any]) -> Parameters:
    """Trained parameters as a start file keeps them."""
    stream = io.BytesIO()
    np.savez(stream, **as_arrays(real_parameters(engine, translation.precision_of(d))))
    stream.seek(0)
    with np.load(stream) as file:
        arrays = {name: np.asarray(file[name], np.float64) for name in file.files}
    return from_arrays(arrays, translation.network_of(d), "start.npz").parameters


def pruned_cases() -> Iterator[tuple[dict[str, Any], FixedEngine, list[dict[str, Any]]]]:
    """Small cases that end with absent synapses: the engine that trained them, and its parameters by layer."""
    for d in map(with_structure, range(FAST)):
        wide = any(
            cases.parse_format(own[name]["format"]).total > 50
            for own in d["precision"]
            for name in ("w", "theta")
        )
        if wide or sum(len(own["w"]) for own in d["parameters"]) > 200:
            continue
        engine = engine_runs.engine_of(d, workers=1)
        last = engine_runs.trained_by(engine, d)["updates"][-1]
        if not all(all(layer["mask"]) for layer in last):
            yield d, engine, last


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("again", [False, True])
def test_a_training_from_a_pruned_network_keeps_its_synapses_absent(*, again: bool) -> None:
    """With a structure section or without one: twin and engine go on from masks that went through a file."""
    found = list(islice(pruned_cases(), 5))
    assert len(found) == 5
    for d, engine, last in found:
        own = [
            {**given, **{name: after[name] for name in ("w", "theta", "alpha", "mask", "b") if name in after}}
            for given, after in zip(d["parameters"], last, strict=True)
        ]
        on = {**d, "parameters": own, "structure": d["structure"] if again else None}
        expected = engine_runs.without_counters(twin.run(on), d["rule"])
        actual = engine_runs.trained_by(engine_runs.engine_of(on, read_back(engine, d), workers=1), on)
        actual = engine_runs.without_counters(actual, d["rule"])
        assert first_difference(expected | {"steps": []}, actual) is None
        if not again:
            after = actual["updates"][-1]
            assert [layer["mask"] for layer in last] == [layer["mask"] for layer in after]
