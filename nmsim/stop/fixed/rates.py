"""The rows of numbers of an update: learning rates as mantissa and shift, aligned to gradients and parameters."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.format import QFormat, Rounding
from nmsim.fixedpoint.lfsr import Role, offset, spread
from nmsim.fixedpoint.quantize import (
    DOWN,
    HIGH,
    LEFT_P,
    LEFT_Q,
    LOW,
    OFFSET,
    SAFE_BITS,
    SPREAD,
    UNLIMITED_BITS,
    WRAP,
    step_numbers,
)  # fmt: skip
from nmsim.network.precision import TensorPrecision
from nmsim.stop.fixed.layer_formats import MANTISSA_BITS, LayerFormats
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.protocol import UpdateRates
from nmsim.stop.spec import Rate, TrainingSpec


def momentum_raw(training: TrainingSpec) -> int:
    """The momentum factor as u8.8, to the nearest (ties to even)."""
    return min(round(training.momentum * 256), 255)


def update_rate(rate: float, training: TrainingSpec) -> tuple[int, int]:
    """Mantissa and shift of one update, the mean over the batch included.

    `shift`: the rate's own shift plus log2 of the batch size; `folded`: the rate nearest to rate / batch size.
    """
    if training.batch_division == "folded":
        folded = Rate.nearest(Fraction(rate) / training.batch_size)
        return folded.mantissa, folded.shift
    nearest = Rate.nearest(rate)
    return nearest.mantissa, nearest.shift + training.batch_size.bit_length() - 1


@dataclass(frozen=True)
class UpdateNumbers:
    """Rows of numbers of one layer's update (see `update.subtract_into`).

    `weights (3, steps)`: gradient, velocity, weight; `thresholds (2, steps)`: gradient, threshold; `leak (2, steps)`:
    gradient, leak factor. `exact`, `exact_neurons`: 64 bits could overflow, so the update of weights, or of thresholds and
    leak factors, must run interpreted.
    `gradient_range`: of dW's accumulator. `biases (3, steps)` as `weights`, None where there are none.
    """

    weights: NDArray[Any]
    thresholds: NDArray[Any]
    leak: NDArray[Any]
    exact: bool
    exact_neurons: bool
    gradient_range: tuple[int, int]
    biases: NDArray[Any] | None


def update_numbers(
    own: LayerFormats, numbers: NDArray[Any], rates: UpdateRates, training: TrainingSpec, seed: int
) -> UpdateNumbers:
    """Rows of one layer for given rates; `numbers` are the layer's rows in the plan."""
    layer, stored = own.layer, own.precision
    exact = numbers.dtype == object
    gradient = numbers[Tensor.WEIGHT_GRADIENT].tolist()
    if training.update == "in_place":  # there is no accumulator that could overflow
        unlimited = 1 << (UNLIMITED_BITS if exact else SAFE_BITS)
        gradient[LOW], gradient[HIGH], gradient[WRAP] = -unlimited, unlimited, 0
    fraction = own.weight_gradient_fraction
    velocity = step_numbers(
        fraction + MANTISSA_BITS, own.accumulator(Tensor.VELOCITY), stored.velocity.rounding or Rounding.NEAREST,
        stored.velocity.overflow or stored.membrane.overflow,  # type: ignore[arg-type]
    )  # fmt: skip
    velocity[OFFSET] = offset(seed, layer.index, Role.VELOCITY)
    weight = _subtraction(stored.weight, fraction, update_rate(rates.weight, training))
    weight[OFFSET] = offset(seed, layer.index, Role.WEIGHT)
    theta = TensorPrecision(
        format=stored.membrane.format, rounding=stored.threshold_rounding, overflow=stored.membrane.overflow
    )
    threshold = _subtraction(theta, own.threshold_gradient_fraction, update_rate(rates.threshold, training))
    threshold[OFFSET] = offset(seed, layer.index, Role.THRESHOLD)
    mantissa, shift = update_rate(rates.leak, training)
    leak = _subtraction(
        stored.leak_factor, own.leak_gradient_fraction, (mantissa, shift + (layer.neurons - 1).bit_length())
    )
    leak[OFFSET] = offset(seed, layer.index, Role.LEAK_FACTOR)
    threshold[SPREAD], leak[SPREAD] = spread(layer.threshold_count), spread(1)
    exact_neurons = exact or any(
        _too_large(row, own.accumulator(tensor))
        for row, tensor in ((threshold, Tensor.THRESHOLD_GRADIENT), (leak, Tensor.LEAK_GRADIENT))
    )
    tensor = Tensor.VELOCITY if training.momentum > 0 else Tensor.WEIGHT_GRADIENT
    exact = exact or _too_large(weight, own.accumulator(tensor))
    if training.gradient_centralization:
        largest = _largest(own.accumulator(Tensor.WEIGHT_GRADIENT))
        exact = exact or (2 * largest + 1) * layer.fan_in >= 1 << SAFE_BITS
    biases = _bias_rows(own, numbers, rates, training, seed) if layer.bias else None
    if biases is not None:
        exact = exact or _too_large(biases[2], own.bias_velocity)
    kind: Any = object if exact else np.int64
    of_neurons: Any = object if exact_neurons else np.int64
    return UpdateNumbers(
        np.array([gradient, velocity, weight], kind),
        np.array([numbers[Tensor.THRESHOLD_GRADIENT].tolist(), threshold], of_neurons),
        np.array([numbers[Tensor.LEAK_GRADIENT].tolist(), leak], of_neurons),
        exact,
        exact_neurons,
        (gradient[LOW], gradient[HIGH]),
        None if biases is None else np.array(biases, kind),
    )


def _bias_rows(
    own: LayerFormats, numbers: NDArray[Any], rates: UpdateRates, training: TrainingSpec, seed: int
) -> list[list[int]]:
    """Rows of gradient, velocity and bias: those of weights with the fraction bits and roles of biases."""
    stored, fraction = own.precision, own.bias_gradient_fraction
    gradient = numbers[Tensor.BIAS_GRADIENT].tolist()
    if training.update == "in_place":
        unlimited = 1 << (UNLIMITED_BITS if numbers.dtype == object else SAFE_BITS)
        gradient[LOW], gradient[HIGH], gradient[WRAP] = -unlimited, unlimited, 0
    velocity = step_numbers(
        fraction + MANTISSA_BITS, own.bias_velocity, stored.velocity.rounding or Rounding.NEAREST,
        stored.velocity.overflow or stored.membrane.overflow,  # type: ignore[arg-type]
    )  # fmt: skip
    velocity[OFFSET] = offset(seed, own.layer.index, Role.BIAS_VELOCITY)
    bias = _subtraction(stored.weight, fraction, update_rate(rates.weight, training))
    bias[OFFSET] = offset(seed, own.layer.index, Role.BIAS)
    return [gradient, velocity, bias]


def _subtraction(target: TensorPrecision, fraction: int, rate: tuple[int, int]) -> list[int]:
    """Row of `Q(value - mantissa * sum * 2**-shift)` for a sum with `fraction` bits."""
    mantissa, shift = rate
    aligned = max(target.format.fraction_bits, fraction + shift)
    row = step_numbers(aligned, target.format, target.rounding or Rounding.STOCHASTIC, target.overflow)  # type: ignore[arg-type]
    row[LEFT_P], row[LEFT_Q] = aligned - fraction - shift, mantissa
    return row


def _too_large(row: list[int], accumulator: QFormat) -> bool:
    """Whether an update's intermediates may leave 62 bits."""
    largest = _largest(accumulator)
    return row[DOWN] > SAFE_BITS - 2 or (largest * row[LEFT_Q] << row[LEFT_P]) >= 1 << SAFE_BITS


def _largest(accumulator: QFormat) -> int:
    """The largest magnitude that machine integers hold for an accumulator."""
    return min(max(accumulator.max_raw, -accumulator.min_raw), 1 << SAFE_BITS - MANTISSA_BITS - 1)
