"""Small float engines and samples for the tests of this folder."""

from typing import Any

import numpy as np

from nmsim.fixedpoint.format import QFormat
from nmsim.network.spec import NetworkSpec
from nmsim.stop.float import FloatEngine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.spec import TrainingSpec
from nmsim.stop.stbp import StbpEngine

INTENSITY = QFormat.parse("u8.8")
DENSE = {"input_shape": [12], "layers": [{"kind": "dense", "units": 9}, {"kind": "dense", "units": 5}]}
MAPS = {
    "input_shape": [2, 8, 8],
    "layers": [
        {"kind": "conv", "channels": 4, "kernel": 3, "padding": 1, "threshold_sharing": "neuron"},
        {"kind": "avg_pool", "size": 2},
        {"kind": "residual", "body": [{"kind": "conv", "channels": 4, "kernel": 3, "padding": 1}]},
        {"kind": "max_pool", "size": 2},
        {"kind": "conv", "channels": 2, "kernel": 2},
    ],
}
RATES = UpdateRates(0.2, 0.05, 0.3)


def engine(
    network: dict[str, Any] = DENSE, *, time_steps: int = 5, kind: type = FloatEngine, **options: Any
) -> FloatEngine:
    spec = NetworkSpec.model_validate({"time_steps": time_steps, "neuron": {"threshold": 0.5}, **network})
    own = {"arithmetic": "float64", "batch_size": 4}
    if kind is StbpEngine:
        own["rule"] = "stbp"
    in_flight = {key: options.pop(key) for key in ("max_samples_in_flight", "precision") if key in options}
    return kind(spec, TrainingSpec.model_validate(own | options), 7, **in_flight)


def samples(one: FloatEngine, count: int = 4, *, static: bool = False, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    steps = 1 if static else one.network.time_steps
    raw = rng.integers(0, 256, (count, steps, *one.network.input_shape))
    return Batch(raw, INTENSITY, rng.integers(0, one.network.classes, count))


def arrays(one: FloatEngine) -> list[np.ndarray]:
    own = one.parameters
    return [*own.weights, *own.thresholds, np.array(own.leak)]
