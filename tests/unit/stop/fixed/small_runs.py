"""Small engines and batches that the engine's tests share."""

from typing import Any

import numpy as np

from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.spec import TrainingSpec

PIXELS = QFormat.parse("u8.8")
SPIKES = QFormat.parse("u1.0")
RATES = UpdateRates(weight=0.05, threshold=0.01, leak=0.01)

DENSE = NetworkSpec.model_validate(
    {
        "input_shape": [40],
        "time_steps": 4,
        "layers": [{"kind": "dense", "units": 21}, {"kind": "dense", "units": 5}],
    }
)
MAPS = NetworkSpec.model_validate(
    {
        "input_shape": [2, 9, 9],
        "time_steps": 3,
        "layers": [
            {"kind": "conv", "channels": 3, "kernel": 3, "padding": 1, "threshold_sharing": "neuron"},
            {"kind": "avg_pool", "size": 2},
            {
                "kind": "residual",
                "body": [{"kind": "conv", "channels": 4, "kernel": 3, "stride": 2, "padding": 1}],
                "shortcut": [{"kind": "conv", "channels": 4, "kernel": 1, "stride": 2}],
            },
            {"kind": "max_pool", "size": 2},
            {"kind": "dense", "units": 5},
        ],
    }
)


def engine(
    network: NetworkSpec, precision: dict[str, Any] | None = None, seed: int = 3, **options: Any
) -> FixedEngine:
    """An engine; options of the training section by name, the engine's own under `engine`."""
    own = options.pop("engine", {"workers": 1})
    training = TrainingSpec.model_validate({"batch_size": 8} | options)
    return FixedEngine(network, Precision.model_validate(precision or {}), training, PIXELS, seed, **own)


def batches(
    network: NetworkSpec, count: int, size: int, *, static: bool = True, seed: int = 0
) -> list[Batch]:
    """Random pixels and labels."""
    rng = np.random.default_rng(seed)
    steps = 1 if static else network.time_steps
    pixels = rng.integers(0, 256, (count * size, steps, *network.input_shape))
    pixels *= rng.random(pixels.shape) < 0.6
    labels = rng.integers(0, network.classes, count * size)
    return [
        Batch(pixels[k : k + size], PIXELS, labels[k : k + size], first_sample=k)
        for k in range(0, count * size, size)
    ]


def outcome(trained: FixedEngine) -> dict[str, Any]:
    """Everything that must be the same for two runs to be the same."""
    own = trained.parameters
    return {
        "weights": [[int(v) for v in array.ravel()] for array in own.weights],
        "thresholds": [[int(v) for v in array] for array in own.thresholds],
        "leak": own.leak,
        "velocity": [None if array is None else [int(v) for v in array.ravel()] for array in own.velocity],
        "overflows": trained.overflow_counts(),
    }


def train(
    trained: FixedEngine, given: list[Batch], rates: UpdateRates = RATES
) -> tuple[dict[str, Any], list[Any]]:
    """Outcome and results of training on batches."""
    results = [trained.train_batch(batch, rates) for batch in given]
    return outcome(trained), [(one.correct, one.loss_sum, one.spike_counts.tolist()) for one in results]
