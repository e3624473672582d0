"""Ranges of every tensor over a float64 training run: what the integer bits of formats have to hold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmsim.stop.protocol import Batch
from nmsim.stop.train import Progress, Samples, train
from nmsim.validate.numerics.fixed_side import QUANTITIES
from nmsim.validate.numerics.float_side import ReferenceEngine

SETTING_OF = {quantity.name: quantity.setting for quantity in QUANTITIES if quantity.accumulator is None}
INPUTS, ROW_SUM, COLUMN_SUM = "inputs", "row_sum", "column_sum"
"""Inputs; sums of the magnitudes of the weights of a neuron, and of those that an input reaches."""
DELTA_SUM, DELTA_TOTAL = "delta_sum", "delta_total"
"""Sums of the magnitudes of delta over a batch, its time steps and positions: of a neuron or channel, and of a layer."""


@dataclass
class Ranges:
    """Extremes by layer and setting of the precision section, and of the sums named above."""

    ends: dict[tuple[int, str], tuple[float, float]] = field(default_factory=dict)

    def take(self, layer: int, setting: str, low: float, high: float) -> None:
        """Widen a range."""
        old = self.ends.get((layer, setting), (0.0, 0.0))
        self.ends[layer, setting] = (min(old[0], low), max(old[1], high))

    def merge(self, other: "Ranges") -> None:
        """Widen every range by another run's."""
        for (layer, setting), ends in other.ends.items():
            self.take(layer, setting, *ends)

    def data(self) -> list[list[Any]]:
        """Plain data for JSON."""
        return [[layer, setting, *ends] for (layer, setting), ends in self.ends.items()]

    @classmethod
    def from_data(cls, data: list[list[Any]]) -> "Ranges":
        """Inverse of `data`."""
        return cls({(layer, setting): (low, high) for layer, setting, low, high in data})


def watch(engine: ReferenceEngine, batch: Batch, ranges: Ranges) -> None:
    """Take the ranges of a training pass over a batch, with the engine's parameters as they are."""
    found = engine.observe(batch)
    whole_batch = max(1.0, engine.training.batch_size / len(batch.labels))
    own = engine.parameters
    for layer, tensors in enumerate(found.layers):
        named = [(setting, tensors[name]) for name, setting in SETTING_OF.items() if name in tensors]
        weight, delta = np.abs(own.weights[layer]), np.abs(tensors["delta"])
        sums = delta.reshape(*delta.shape[:2], len(weight), -1).sum(axis=(0, 1, 3)) * whole_batch
        named += [
            ("weight", own.weights[layer]), ("membrane", own.thresholds[layer]),
            ("leak_factor", np.asarray([own.leak[layer]], np.float64)), (INPUTS, tensors["inputs"]),
            (ROW_SUM, weight.reshape(len(weight), -1).sum(axis=1)),
            (COLUMN_SUM, weight.reshape(*weight.shape[:2], -1).sum(axis=(0, 2))),
            (DELTA_SUM, sums), (DELTA_TOTAL, sums.sum(keepdims=True)),
        ]  # fmt: skip
        for setting, values in named:
            ranges.take(layer, setting, float(values.min()), float(values.max()))


def calibrate(
    engine: ReferenceEngine,
    train_samples: Samples,
    test_samples: Samples,
    seed: int,
    together: int,
    listen: Callable[[Progress], None] = lambda _: None,
) -> tuple[float, Ranges]:
    """Train in float64; held-out accuracy, and the ranges at the start and after every epoch.

    Ranges are those of one batch of training samples, or of `together` samples if a batch is larger.
    """
    ranges = Ranges()
    count = min(engine.training.batch_size, together, len(train_samples))
    batch = train_samples.batch(np.arange(count), 0)
    watch(engine, batch, ranges)

    def at_epochs(step: Progress) -> None:
        if step.row is not None:
            watch(engine, batch, ranges)
        listen(step)

    history = train(engine, train_samples, test_samples, seed=seed, run_hash="", listen=at_epochs)
    return history.test_accuracy or 0.0, ranges
