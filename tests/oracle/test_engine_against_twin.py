"""The engine and the slow twin agree bit for bit on random networks, formats, roundings and overflow modes.

The twin is written from docs/arithmetic.md alone. It computes threshold and leak traces under every rule; an engine
whose rule keeps none has none to compare. Every case runs twice: as a raw run, tensor by tensor and step by step, and as
training runs it: in batches, on several threads, with small gradient panels, from factors where batches have one sample.
"""

from collections import defaultdict
from typing import Any

import cases
import engine_runs
import numpy as np
import pytest
import twin
from difference import first_difference
from twin_arithmetic import parse_accumulator, parse_format

from nmsim.stop.fixed import accumulate, shapes

FAST, THOROUGH = 60, 5000
REMEMBERED = (4124,)
"""Cases that once differed. 4124: a sample's gradient was lost, because sums of the sample before it had to be ordered."""
EXECUTIONS: tuple[dict[str, Any], ...] = (
    {"workers": 1},
    {"workers": 2},
    {"workers": 1, "max_samples_in_flight": 2},
    {"workers": 3, "max_samples_in_flight": 3},
    {"workers": 1, "storage": np.int32},
)


def disagreement(seed: int) -> str | None:
    d = cases.case(seed)
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
def test_a_random_case(seed: int) -> None:
    assert disagreement(seed) is None


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", REMEMBERED)
def test_a_case_that_once_differed(seed: int) -> None:
    assert disagreement(seed) is None


@pytest.mark.slow
@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("start", range(FAST, FAST + THOROUGH, 100))
def test_thousands_of_random_cases(start: int) -> None:
    found = {seed: text for seed in range(start, start + 100) if (text := disagreement(seed)) is not None}
    assert not found


def test_a_wrong_bit_is_found() -> None:
    """The comparison can fail: one changed integer anywhere is a disagreement."""
    d = cases.case(0)
    expected, result = twin.run(d), engine_runs.raw(d)
    actual = engine_runs.record(result, len(result.predictions), d["time_steps"])
    actual["steps"][0][0][0]["U"][0] += 1
    assert first_difference(expected, actual) is not None


def test_random_cases_reach_both_ends_of_every_format() -> None:
    """Least and largest stored integers are where arithmetic breaks; weights, inputs, states and sums all hold them."""
    reached: dict[str, set[str]] = defaultdict(set)
    for seed in range(FAST):
        d = cases.case(seed)
        inputs = parse_format(d["nodes"][0]["format"])
        record = twin.run(d)
        for index, precision in enumerate(d["precision"]):
            formats = {name: parse_format(precision[name]["format"]) for name in STORED}
            formats |= {name: parse_accumulator(precision[name]["format"]) for name in SUMS}
            formats |= {"e": formats["delta"], "R": formats["U"]}
            seen = {"w": d["parameters"][index]["w"], "theta": d["parameters"][index]["theta"]}
            seen |= {"alpha": [d["parameters"][index]["alpha"]]}
            layers = [step[index] for sample in record["steps"] for step in sample]
            seen |= {name: [v for layer in layers for v in layer.get(name, [])] for name in SEEN}
            for name, values in seen.items():
                ends = {"least": formats[name].lowest, "largest": formats[name].highest}
                reached[name] |= {
                    end for end, value in ends.items() if formats[name].signed and value in values
                }
                reached[name] |= {"largest"} if formats[name].highest in values else set()
        pixels = [pixel for sample in d["inputs"] for row in sample for pixel in row]
        if inputs.signed and inputs.lowest in pixels:
            reached["x"].add("least")
    one_end = {"x": "least", "theta": "largest", "alpha": "largest"}  # inputs: the end that no other test has
    one_end |= {
        "R": "least",
        "theta_trace": "least",
    }  # what is above its threshold is reset; spikes only subtract
    assert {name: ends for name, ends in reached.items() if len(ends) < 2} == {
        name: {end} for name, end in one_end.items()
    }


STORED = ("w", "U", "theta", "alpha", "w_trace", "theta_trace", "leak_trace", "delta")
SUMS = ("I", "e_acc", "dW", "dTheta", "dAlpha")
SEEN = ("R", "U", "w_trace", "theta_trace", "leak_trace", "e", "delta", *SUMS)
