"""The most negative stored integer has no magnitude in its own width; bounds on sums must count it in full.

Each network sums numbers whose magnitude, taken in the stored width, would be negative: the engine would then believe that
no partial sum can overflow. All are checked against the twin, as raw runs and as training runs them.
"""

import copy
from itertools import pairwise
from typing import Any

import engine_runs
import pytest
import twin
from difference import first_difference

BATCHES = (1, 2, 8)


def network(units: list[int], inputs: int, *, batch: int, **formats: Any) -> dict[str, Any]:
    """Dense layers in the default formats but those given by name, on one static sample per place of a batch."""

    def q(text: str, rounding: str = "nearest") -> dict[str, str]:
        return {"format": text, "rounding": rounding, "overflow": "saturate"}

    usual = {
        "w": q("s16.13", "stochastic"),
        "U": q("s16.10"), "theta": q("s16.10", "stochastic"), "alpha": q("u16.16", "stochastic"),
        "w_trace": q("u12.8"), "theta_trace": q("s12.8"), "leak_trace": q("s16.10"), "delta": q("s16.14"),
        "phi": {"format": "u9.8", "entries": 64, "range_log2": 3},
    }  # fmt: skip
    sums = {"I": "s32", "e_acc": "s32", "dW": "s32", "dTheta": "s48", "dAlpha": "s48"}
    for name, text in formats.items():
        if name in sums:
            sums[name] = text
        else:
            usual[name] = usual[name] | {"format": text}
    modes = {
        "I": "saturate",
        "e_acc": "saturate",
        "dW": "saturate",
        "dTheta": "saturate",
        "dAlpha": "saturate",
    }
    precision = usual | {name: {"format": text, "overflow": modes[name]} for name, text in sums.items()}
    fraction = sum(int(precision[name]["format"].split(".")[1]) for name in ("delta", "w_trace"))
    precision["v"] = q(f"s32.{fraction}")
    widths = [inputs, *units]
    least = -(1 << int(precision["w"]["format"][1:].split(".")[0]) - 1)
    return {
        "time_steps": 6,
        "seed": 5,
        "nodes": [
            {"kind": "input", "shape": [inputs], "format": "u8.8"},
            *(
                {"kind": "dense", "inputs": [i], "units": n, "theta_sharing": "neuron"}
                for i, n in enumerate(units)
            ),
        ],
        "precision": [copy.deepcopy(precision) for _ in units],
        "surrogate": "rectangle",
        "loss": "squared_error",
        "rule": "WTL",
        "training": {
            "batch_size": batch, "division": "shift", "in_place": False, "accumulation": "default", "momentum": 0,
            "learning_rates": {"w": [[1, 12]], "theta": [[1, 12]], "alpha": [[1, 12]]}, "updates_per_epoch": None,
            "theta_min": None, "alpha_max": None,
        },
        "parameters": [
            {"w": [least] * (fan_in * fan_out), "theta": [512] * fan_out, "alpha": 65535}
            for fan_in, fan_out in pairwise(widths)
        ],
        "inputs": [[[255] * inputs] for _ in range(batch)],
        "labels": [0] * batch,
    }  # fmt: skip


def agrees(d: dict[str, Any]) -> dict[str, Any]:
    """The twin's record, after the engine has been compared with it in both ways."""
    expected = twin.run(d)
    result = engine_runs.raw(d)
    actual = engine_runs.record(result, len(result.predictions), d["time_steps"])
    assert first_difference(expected, actual) is None
    assert first_difference(expected | {"steps": []}, engine_runs.trained(d)) is None
    return expected


def first_step(record: dict[str, Any], layer: int, tensor: str) -> list[int]:
    found: list[int] = record["steps"][0][0][layer][tensor]
    return found


@pytest.mark.parametrize("batch", BATCHES)
def test_a_current_of_many_most_negative_weights(batch: int) -> None:
    d = network([2], 300, batch=batch)
    record = agrees(d)
    assert first_step(record, 0, "I") == [-(2**31)] * 2
    assert record["overflows"][0]["I"] == batch * 2 * 43  # at every addition behind the 257th
    assert not any(first_step(record, 0, "s"))
    for own in d["precision"]:
        own["I"]["overflow"] = "saturate_end"
    assert agrees(d)["overflows"][0]["I"] == batch * 2


@pytest.mark.parametrize("batch", BATCHES)
def test_a_current_of_one_most_negative_weight_in_a_narrow_accumulator(batch: int) -> None:
    record = agrees(network([2], 1, batch=batch, I="s20"))
    assert first_step(record, 0, "I") == [-524288] * 2
    assert record["overflows"][0]["I"] == batch * 2


def test_a_current_of_the_most_negative_32_bit_weight() -> None:
    record = agrees(network([2], 1, batch=2, w="s32.13", I="s36"))
    assert first_step(record, 0, "I") == [-(2**35)] * 2


@pytest.mark.parametrize("batch", BATCHES)
def test_an_error_sum_of_opposite_extremes(batch: int) -> None:
    d = network([1, 2], 1, batch=batch, e_acc="s12")
    d["parameters"][1]["w"] = [32767, -32768]
    d["parameters"][1]["theta"] = [-1 + 2, 1]
    record = agrees(d)
    assert record["overflows"][1]["e_acc"] > 0


@pytest.mark.parametrize("batch", BATCHES)
def test_few_most_negative_weights_among_many(batch: int) -> None:
    d = network([3], 64, batch=batch, I="s24")
    d["parameters"][0]["w"] = [8192 if i % 64 not in {5, 40} else -32768 for i in range(3 * 64)]
    assert agrees(d)["overflows"][0]["I"] > 0


def falling(batch: int, dW: str) -> dict[str, Any]:
    """Deltas of a hidden layer at their least value, traces at their largest, for many time steps.

    Nobody spikes. The label's output should: its error is -1, and the weight of 4 makes -4 of it, which saturates to -2.
    """
    d = network([2, 4], 5, batch=batch, dW=dW)
    d["time_steps"] = 24
    d["parameters"][0]["w"] = [0] * 10
    d["parameters"][1]["w"] = [32767] * 8
    for own in d["parameters"]:
        own["theta"] = [256] * len(own["theta"])
    return d


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("width", ["s32", "s48"])
def test_gradients_of_most_negative_deltas(batch: int, width: str) -> None:
    d = falling(batch, width)
    record = agrees(d)
    deltas = [v for sample in record["steps"] for step in sample for v in step[0]["delta"]]
    assert -32768 in deltas
    assert (record["overflows"][0]["dW"] > 0) == (width == "s32")
