"""Gradients of the chip against the float64 passes, and what rounding does to the resulting updates."""

import numpy as np

from nmsim.fixedpoint.format import QFormat, Rounding
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.float.gradients import Gradients
from nmsim.stop.protocol import FloatArray
from nmsim.stop.raw import RawRun
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.numerics.measured import ComparedWith, GradientNumerics, UpdateNumerics

HALF_LSB = 0.5
CHIP = "chip"
ACCUMULATORS = {
    "weight": Tensor.WEIGHT_GRADIENT, "threshold": Tensor.THRESHOLD_GRADIENT, "leak_factor": Tensor.LEAK_GRADIENT,
    "bias": Tensor.BIAS_GRADIENT,
}  # fmt: skip


class GradientSums:
    """Gradients of all samples so far, by parameter and layer."""

    def __init__(self, chip: FixedSide) -> None:
        self.chip, self.samples = chip, 0
        self._sums: dict[tuple[str, str, int], FloatArray] = {}
        self._batch: dict[tuple[str, int], FloatArray] = {}
        self._batch_samples = 0

    def add(self, run: RawRun, forced: Gradients, free: Gradients, samples: int) -> None:
        """Take the gradients of more samples."""
        sides = {CHIP: self._of_run(run), ComparedWith.FORCED: _of(forced), ComparedWith.FREE: _of(free)}
        for side, kinds in sides.items():
            for (kind, layer), gradient in kinds.items():
                place = (str(side), kind, layer)
                self._sums[place] = self._sums[place] + gradient if place in self._sums else gradient
        self.samples += samples
        if self.samples <= self.chip.training.batch_size or not self._batch:
            self._batch = {place[1:]: array.copy() for place, array in self._sums.items() if place[0] == CHIP}
            self._batch_samples = self.samples

    def _of_run(self, run: RawRun) -> dict[tuple[str, int], FloatArray]:
        found: dict[tuple[str, int], FloatArray] = {}
        for index, (layer, own) in enumerate(zip(run.layers, self.chip.formats, strict=True)):
            arrays = (
                layer.weight_gradient, layer.threshold_gradient, layer.leak_gradient, layer.bias_gradient
            )  # fmt: skip
            for (kind, accumulator), raw in zip(ACCUMULATORS.items(), arrays, strict=True):
                if raw is not None:
                    last = np.atleast_1d(raw[-1]).astype(np.float64)
                    found[kind, index] = last * own.accumulator(accumulator).lsb
        return found

    def record(self) -> tuple[GradientNumerics, ...]:
        """One record per layer and learned parameter."""
        layers = range(len(self.chip.formats))
        return tuple(
            self._one(kind, layer) for layer in layers for kind in ACCUMULATORS if self._learned(kind, layer)
        )

    def _learned(self, kind: str, layer: int) -> bool:
        rule = self.chip.training.rule
        match kind:
            case "threshold":
                return rule.learns_thresholds
            case "leak_factor":
                return rule.learns_leak
            case "bias":
                return self.chip.formats[layer].layer.bias
        return True

    def _one(self, kind: str, layer: int) -> GradientNumerics:
        own = self._sums[CHIP, kind, layer]
        cosine: dict[ComparedWith, float | None] = {}
        error: dict[ComparedWith, float | None] = {}
        for reference in (ComparedWith.FORCED, ComparedWith.FREE):
            other = self._sums[str(reference), kind, layer]
            product = float(np.linalg.norm(own) * np.linalg.norm(other))
            cosine[reference] = float(own @ other) / product if product > 0 and own.size > 1 else None
            norm = float(np.linalg.norm(other))
            error[reference] = float(np.linalg.norm(own - other)) / norm if norm > 0 else None
        held = self.chip.formats[layer].accumulator(ACCUMULATORS[kind])
        whole_batch = max(1.0, self.chip.training.batch_size / self._batch_samples)
        largest = float(np.abs(self._batch[kind, layer]).max()) * whole_batch
        return GradientNumerics(
            layer, kind, held, own.size, largest, cosine, error, self._update(kind, layer)
        )

    def _update(self, kind: str, layer: int) -> UpdateNumerics:
        fmt, rounding, rate = self._parameter(kind, layer)
        step = np.abs(self._batch[kind, layer]) * (rate / self._batch_samples / fmt.lsb)
        step = step[step > 0]
        median = float(np.median(step)) if step.size else None
        return UpdateNumerics(
            fmt, str(rounding), median, float((step < HALF_LSB).mean()) if step.size else 0.0
        )

    def _parameter(self, kind: str, layer: int) -> tuple[QFormat, Rounding | None, float]:
        """Format and rounding of a parameter, and the learning rate of its mean gradient."""
        own, rates = self.chip.formats[layer].precision, self.chip.training.learning_rates
        if kind in {"weight", "bias"}:
            return own.weight.format, own.weight.rounding, rates.weight
        if kind == "threshold":
            return own.membrane.format, own.threshold_rounding, rates.threshold
        neurons = 1 << (self.chip.formats[layer].layer.neurons - 1).bit_length()
        return own.leak_factor.format, own.leak_factor.rounding, rates.leak / neurons


def _of(gradients: Gradients) -> dict[tuple[str, int], FloatArray]:
    found: dict[tuple[str, int], FloatArray] = {}
    for index, weights in enumerate(gradients.weights):
        found["weight", index] = np.asarray(weights, np.float64).ravel()
        found["threshold", index] = np.asarray(gradients.thresholds[index], np.float64)
        found["leak_factor", index] = np.array([gradients.leak[index]])
        if (biases := gradients.biases[index]) is not None:
            found["bias", index] = np.asarray(biases, np.float64)
    return found
