"""The engine and the slow twin agree bit for bit on random networks, formats, roundings and overflow modes.

The twin is written from docs/arithmetic.md alone. It computes threshold and leak traces under every rule; an engine
whose rule keeps none has none to compare.
"""

from typing import Any

import cases
import numpy as np
import pytest
import translation
import twin
from difference import first_difference

from nmsim.stop.protocol import UpdateRates
from nmsim.stop.raw import RawLayer, RawRun, run_raw

FAST, THOROUGH = 40, 1000
STEP_TENSORS = {
    "x": "inputs", "R": "residual", "leak_trace": "leak_trace", "theta_trace": "threshold_trace", "w_trace": "weight_trace",
    "I": "current", "U": "membrane", "s": "spikes", "e": "error", "phi": "surrogate", "delta": "delta", "e_acc": "error_sum",
}  # fmt: skip
COUNTED = {
    "weight": "w", "weight_used": "w_use", "membrane": "U", "residual": "R", "threshold": "theta", "weight_trace": "w_trace",
    "threshold_trace": "theta_trace", "leak_trace": "leak_trace", "error": "e", "delta": "delta", "current": "I",
    "error_sum": "e_acc", "weight_gradient": "dW", "threshold_gradient": "dTheta", "leak_gradient": "dAlpha",
    "velocity": "v", "leak_factor": "alpha",
}  # fmt: skip
ALWAYS = {"x", "R", "w_trace", "I", "U", "s", "e", "phi", "delta"}


def integers(values: Any) -> list[int]:
    return [int(value) for value in np.ravel(values)]


def run(d: dict[str, Any]) -> RawRun:
    network, training = translation.network_of(d), translation.training_of(d)
    batches = translation.batches_of(d)
    rates = [translation.rates_of(d, update) for update in range(len(batches))]
    if training.batch_division == "folded":  # the twin's rates have the batch size in them already
        size = training.batch_size
        rates = [UpdateRates(r.weight * size, r.threshold * size, r.leak * size) for r in rates]
    return run_raw(
        network,
        translation.precision_of(d),
        training,
        translation.parameters_of(d, network),
        np.concatenate([batch.inputs for batch in batches]),
        batches[0].format,
        np.concatenate([batch.labels for batch in batches]),
        d["seed"],
        rates,
    )


def step(layer: RawLayer, sample: int, t: int, *, last: bool) -> dict[str, Any]:
    """What one layer holds after one time step, in the twin's words; gradients after the sample's last step."""
    found = {
        name: integers(getattr(layer, attribute)[sample, t])
        for name, attribute in STEP_TENSORS.items()
        if getattr(layer, attribute) is not None
    }
    assert found.keys() >= ALWAYS
    if last:
        gradients = {"dW": layer.weight_gradient, "dTheta": layer.threshold_gradient}
        found |= {name: integers(array[sample]) for name, array in gradients.items() if array is not None}
        if layer.leak_gradient is not None:
            found["dAlpha"] = [int(layer.leak_gradient[sample])]
    return found


def record(result: RawRun, samples: int, time_steps: int) -> dict[str, Any]:
    """The engine's result in the shape of the twin's."""
    overflows: list[dict[str, int]] = [{} for _ in result.layers]
    for key, count in result.overflows.items():
        layer, _, name = key.partition(".")
        overflows[int(layer.removeprefix("layer"))][COUNTED[name]] = count
    updates = [
        [
            {
                "w": integers(after.weights[i]),
                "theta": integers(after.thresholds[i]),
                "alpha": int(after.leak[i]),
                **({} if after.velocity[i] is None else {"v": integers(after.velocity[i])}),
            }
            for i in range(len(result.layers))
        ]
        for after in result.updates
    ]
    steps = [
        [[step(layer, s, t, last=t == time_steps - 1) for layer in result.layers] for t in range(time_steps)]
        for s in range(samples)
    ]
    return {
        "steps": steps,
        "updates": updates,
        "overflows": overflows,
        "spike_counts": result.spike_counts.tolist(),
        "predictions": result.predictions.tolist(),
    }


def not_kept(rule: str) -> set[str]:
    """Counters of tensors that an engine of this rule does not have."""
    learned = rule.rpartition("-")[2].lower()
    thresholds = set() if "t" in learned else {"theta_trace", "dTheta", "theta"}
    return thresholds | (set() if "l" in learned else {"leak_trace", "dAlpha"})


def disagreement(seed: int) -> str | None:
    d = cases.case(seed)
    expected, result = twin.run(d), run(d)
    actual = record(result, len(result.predictions), d["time_steps"])
    for counters in (*expected["overflows"], *actual["overflows"]):
        for name in not_kept(d["rule"]):
            counters.pop(name, None)
    return first_difference(expected, actual)


@pytest.mark.parametrize("seed", range(FAST))
def test_a_random_case(seed: int) -> None:
    assert disagreement(seed) is None


@pytest.mark.slow
def test_a_thousand_random_cases() -> None:
    found = {seed: text for seed in range(FAST, FAST + THOROUGH) if (text := disagreement(seed)) is not None}
    assert not found


def test_a_wrong_bit_is_found() -> None:
    """The comparison can fail: one changed integer anywhere is a disagreement."""
    d = cases.case(0)
    expected, result = twin.run(d), run(d)
    actual = record(result, len(result.predictions), d["time_steps"])
    actual["steps"][0][0][0]["U"][0] += 1
    assert first_difference(expected, actual) is not None
