"""What a raw run accepts: every array in its shape, in integers, in its format, one per layer."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from nmsim.errors import ConfigError, DataError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.layer_formats import LayerFormats, layer_formats
from nmsim.stop.fixed.parameters import highest_leak, lowest_threshold
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.protocol import IntArray, Parameters, UpdateRates
from nmsim.stop.spec import TrainingSpec

MOST_RATE = 255


def check_samples(inputs: IntArray, labels: IntArray, batch_size: int, updates: int | None) -> None:
    """Samples in whole batches, one label each, as many rates as updates; shapes beyond that are the engine's to check.

    Raises:
        DataError: they are not.
    """
    integers(inputs, "inputs")
    integers(labels, "labels")
    if not len(inputs) or len(inputs) % batch_size:
        raise DataError(
            f"{len(inputs)} samples are no whole number of batches of {batch_size}; give a multiple of batch_size"
        )
    if labels.shape != (len(inputs),):
        raise DataError(f"labels of shape {labels.shape} do not go with {len(inputs)} samples; give one each")
    if updates is not None and updates != len(inputs) // batch_size:
        raise DataError(
            f"{updates} learning rates do not go with {len(inputs) // batch_size} updates; give one per update"
        )


def check_rates(rates: Sequence[UpdateRates] | None, training: TrainingSpec, seed: Any) -> None:
    """Rates are real numbers that a mantissa and a shift can stand for; the seed is a number of draws to start from.

    Raises:
        ConfigError: they are not.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ConfigError(f"run_raw: seed {seed!r} is not an integer of 0 or more; use one")
    most = MOST_RATE * (training.batch_size if training.batch_division == "folded" else 1)
    for number, rate in enumerate(rates or ()):
        for name in ("weight", "threshold", "leak"):
            value = getattr(rate, name)
            if (
                not isinstance(value, (int, float, np.integer, np.floating, Fraction))
                or not 0 <= value <= most
            ):
                raise ConfigError(
                    f"run_raw: rates[{number}].{name} {value!r} is not a number from 0 to {most}, which is what a"
                    " mantissa of eight bits and a right shift reach; use one"
                )


def check_parameters(
    network: NetworkSpec,
    precision: Precision,
    training: TrainingSpec,
    parameters: Parameters,
    input_format: QFormat,
) -> None:
    """Raw parameters have the network's shapes; velocities lie in their format, the engine checks all others.

    Raises:
        ConfigError: rule stbp, which has no fixed-point training.
        DataError: an array is missing or has another shape or another kind of number.
    """
    if training.rule.through_time:
        raise ConfigError(f"run_raw: rule {training.rule} has no fixed-point training; use a stop rule")
    formats = layer_formats(network, precision, input_format, 0)
    unknown = [index for index in precision.layers if not 0 <= index < len(formats)]
    if unknown:
        raise ConfigError(
            f"precision.layers names layer {unknown[0]}, but the network has synaptic layers 0..{len(formats) - 1}; use"
            " one of them"
        )
    given = parameters
    counts = {
        "weights": (len(given.weights), False),
        "thresholds": (len(given.thresholds), False),
        "leak": (len(given.leak), False),
        "velocity": (len(given.velocity), True),
        "mask": (len(given.mask), True),
        "bias": (len(given.bias), True),
        "bias_velocity": (len(given.bias_velocity), True),
    }
    for name, (count, may_be_absent) in counts.items():
        if count != len(formats) and not (may_be_absent and count == 0):
            raise DataError(f"{name}: {count} entries for {len(formats)} synaptic layers; give one per layer")
    for index, own in enumerate(formats):
        layer, place = own.layer, f"layer {index}"
        _shaped(given.weights[index], layer.weight_shape, f"{place}, weights")
        _shaped(given.thresholds[index], (layer.threshold_count,), f"{place}, thresholds")
        _shaped(np.asarray(given.leak[index]), (), f"{place}, leak")
        if given.mask and given.mask[index] is not None:
            _shaped(given.mask[index], layer.weight_shape, f"{place}, mask")
        _clipped(given, own, training)
        rows = layer.weight_shape[:1]
        if (bias := given.bias_of(index)) is not None:
            _shaped(bias, rows, f"{place}, bias")
        if (moving := given.bias_velocity_of(index)) is not None:
            _velocity(moving, rows, own.bias_velocity, training, f"{place}, bias")
        velocity = given.velocity[index] if given.velocity else None
        if velocity is not None:
            _velocity(velocity, layer.weight_shape, own.accumulator(Tensor.VELOCITY), training, place)


def _clipped(given: Parameters, own: LayerFormats, training: TrainingSpec) -> None:
    """Thresholds and leak factors lie where updates would leave them."""
    index, lowest, highest = own.layer.index, lowest_threshold(own, training), highest_leak(own, training)
    least = min(int(value) for value in np.ravel(given.thresholds[index]))
    if least < lowest:
        raise DataError(
            f"layer {index}, thresholds: the raw value {least} is below theta_min, which is {lowest} here; use"
            f" {lowest} or more"
        )
    if int(given.leak[index]) > highest:
        raise DataError(
            f"layer {index}, leak: the raw value {int(given.leak[index])} is above alpha_max, which is {highest} here; use"
            f" {highest} or less"
        )


def _velocity(values: Any, shape: tuple[int, ...], fmt: QFormat, training: TrainingSpec, place: str) -> None:
    _shaped(values, shape, f"{place}, velocity")
    if training.momentum == 0:
        raise DataError(f"{place}, velocity: there is none without momentum; give None")
    low, high = int(np.min(values)), int(np.max(values))
    if low < fmt.min_raw or high > fmt.max_raw:
        raise DataError(
            f"{place}, velocity: raw values {low}..{high} are outside {fmt}; use a wider precision.velocity"
        )


def _shaped(values: Any, shape: Sequence[int], place: str) -> None:
    found = np.asarray(values)
    if found.shape != tuple(shape):
        raise DataError(f"{place}: shape {found.shape} is not {tuple(shape)}; give the network's")
    integers(found, place)


def integers(values: Any, place: str) -> None:
    """Raw integers are integers.

    Raises:
        DataError: they are of another kind.
    """
    found = np.asarray(values)
    if found.dtype.kind in "biu" or (
        found.dtype == object and all(isinstance(item, (int, np.integer)) for item in found.ravel())
    ):
        return
    raise DataError(
        f"{place}: {found.dtype} values are no raw integers; multiply by 2**F of their format and round"
    )
