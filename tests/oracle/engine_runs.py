"""The engine on a twin's description, in the shape of the twin's record: as a raw run, and as training runs it."""

from typing import Any

import numpy as np
import translation

from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.protocol import Parameters, UpdateRates
from nmsim.stop.raw import RawLayer, RawRun, run_raw

STEP_TENSORS = {
    "x": "inputs", "R": "residual", "leak_trace": "leak_trace", "theta_trace": "threshold_trace", "w_trace": "weight_trace",
    "I": "current", "U": "membrane", "s": "spikes", "e": "error", "phi": "surrogate", "delta": "delta", "e_acc": "error_sum",
}  # fmt: skip
COUNTED = {
    "weight": "w", "weight_used": "w_use", "membrane": "U", "residual": "R", "threshold": "theta", "weight_trace": "w_trace",
    "threshold_trace": "theta_trace", "leak_trace": "leak_trace", "error": "e", "delta": "delta", "current": "I",
    "error_sum": "e_acc", "weight_gradient": "dW", "threshold_gradient": "dTheta", "leak_gradient": "dAlpha",
    "velocity": "v", "leak_factor": "alpha", "constant_trace": "c", "bias_gradient": "db", "bias": "b",
    "static_gradient": "g",
}  # fmt: skip
ALWAYS = {"x", "R", "I", "U", "s", "e", "phi", "delta"}


def integers(values: Any) -> list[int]:
    """An array as the twin holds it."""
    return [int(value) for value in np.ravel(values)]


def rates_of(d: dict[str, Any]) -> list[UpdateRates]:
    """Learning rates of every update."""
    training = translation.training_of(d)
    rates = [translation.rates_of(d, update) for update in range(len(d["labels"]) // training.batch_size)]
    if training.batch_division == "folded":  # the twin's rates have the batch size in them already
        size = training.batch_size
        rates = [UpdateRates(r.weight * size, r.threshold * size, r.leak * size) for r in rates]
    return rates


def raw(d: dict[str, Any]) -> RawRun:
    """The description as a raw run: one sample and one time step at a time."""
    network, batches = translation.network_of(d), translation.batches_of(d)
    return run_raw(
        network,
        translation.precision_of(d),
        translation.training_of(d),
        translation.parameters_of(d, network),
        np.concatenate([batch.inputs for batch in batches]),
        batches[0].format,
        np.concatenate([batch.labels for batch in batches]),
        d["seed"],
        rates_of(d),
        translation.structure_of(d),
    )


def engine_of(d: dict[str, Any], start: Parameters | None = None, **execution: Any) -> FixedEngine:
    """The engine of a description, with its raw parameters or real ones; `execution`: options of the engine."""
    network, batches = translation.network_of(d), translation.batches_of(d)
    return FixedEngine(
        network,
        translation.precision_of(d),
        translation.training_of(d),
        batches[0].format,
        d["seed"],
        start,
        raw_parameters=translation.parameters_of(d, network) if start is None else None,
        structure=translation.structure_of(d),
        **execution,
    )


def trained(d: dict[str, Any], **execution: Any) -> dict[str, Any]:
    """The description as training runs it, in batches; `execution`: options of the engine. No tensors of time steps."""
    return trained_by(engine_of(d, **execution), d)


def trained_by(engine: FixedEngine, d: dict[str, Any]) -> dict[str, Any]:
    """The samples of a description as an engine trains on them."""
    updates, spikes = [], []
    for batch, rates in zip(translation.batches_of(d), rates_of(d), strict=True):
        spikes += engine.train_batch(batch, rates).spike_counts.tolist()
        updates.append(parameters(engine.parameters))
    predictions = [counts.index(max(counts)) for counts in spikes]
    return {
        "updates": updates,
        "overflows": overflows(engine.overflow_counts(), len(engine.network.synaptic_layers)),
        "spike_counts": spikes,
        "predictions": predictions,
    }


def parameters(after: Parameters) -> list[dict[str, Any]]:
    """Parameters after an update, by layer."""
    return [
        {
            "w": integers(after.weights[i]),
            "theta": integers(after.thresholds[i]),
            "alpha": int(after.leak[i]),
            "mask": integers(np.ones(after.weights[i].size) if after.mask[i] is None else after.mask[i]),
            **({} if after.velocity[i] is None else {"v": integers(after.velocity[i])}),
            **({} if (b := after.bias_of(i)) is None else {"b": integers(b)}),
            **({} if (v := after.bias_velocity_of(i)) is None else {"vb": integers(v)}),
        }
        for i in range(len(after.weights))
    ]


def overflows(counts: dict[str, int], layers: int) -> list[dict[str, int]]:
    """Overflow counts by layer, in the twin's names."""
    found: list[dict[str, int]] = [{} for _ in range(layers)]
    for key, count in counts.items():
        layer, _, name = key.partition(".")
        found[int(layer.removeprefix("layer"))][COUNTED[name]] = count
    return found


def step(layer: RawLayer, sample: int, t: int, *, last: bool) -> dict[str, Any]:
    """What one layer holds after one time step, in the twin's words; gradients after the sample's last step."""
    found = {
        name: integers(getattr(layer, attribute)[sample, t])
        for name, attribute in STEP_TENSORS.items()
        if getattr(layer, attribute) is not None
    }
    assert found.keys() >= ALWAYS
    assert "w_trace" in found or layer.static_gradient is not None
    if layer.constant_trace is not None:
        found["c"] = [int(layer.constant_trace[sample, t])]
    if last:
        gradients = {
            "dW": layer.weight_gradient,
            "dTheta": layer.threshold_gradient,
            "db": layer.bias_gradient,
            "g": layer.static_gradient,
        }
        found |= {name: integers(array[sample]) for name, array in gradients.items() if array is not None}
        if layer.leak_gradient is not None:
            found["dAlpha"] = [int(layer.leak_gradient[sample])]
    return found


def record(result: RawRun, samples: int, time_steps: int) -> dict[str, Any]:
    """A raw run in the shape of the twin's record."""
    steps = [
        [[step(layer, s, t, last=t == time_steps - 1) for layer in result.layers] for t in range(time_steps)]
        for s in range(samples)
    ]
    return {
        "steps": steps,
        "updates": [parameters(after) for after in result.updates],
        "overflows": overflows(result.overflows, len(result.layers)),
        "spike_counts": result.spike_counts.tolist(),
        "predictions": result.predictions.tolist(),
    }


def not_kept(rule: str) -> set[str]:
    """Counters of tensors that an engine of this rule does not have."""
    learned = rule.rpartition("-")[2].lower()
    thresholds = set() if "t" in learned else {"theta_trace", "dTheta", "theta"}
    return thresholds | (set() if "l" in learned else {"leak_trace", "dAlpha"})


def without_counters(record: dict[str, Any], rule: str) -> dict[str, Any]:
    """A record without the counters of tensors that the rule does not keep."""
    gone = not_kept(rule)
    kept = [{name: count for name, count in own.items() if name not in gone} for own in record["overflows"]]
    return record | {"overflows": kept}
