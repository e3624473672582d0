"""Parameters against what they were rounded from: real initial values, and stored weights against used ones."""

from collections.abc import Iterator

import numpy as np

from nmsim.fixedpoint.format import QFormat
from nmsim.stop.protocol import FloatArray
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.numerics.measured import ComparedWith, TensorNumerics
from nmsim.validate.numerics.tally import Tally


def compare_parameters(chip: FixedSide) -> Iterator[TensorNumerics]:
    """Weights, used weights, thresholds and leak factors of every layer, as tensors of one time step.

    Without real parameters the stored ones are their own reference: their range is reported, and no error.
    """
    for index, own in enumerate(chip.formats):
        stored, raw, real = own.precision, chip.parameters, chip.real
        weight = _real(raw.weights[index], stored.weight.format)
        theta = _real(raw.thresholds[index], stored.membrane.format)
        alpha = _real([raw.leak[index]], stored.leak_factor.format)
        exact = (weight, theta, alpha)
        if real is not None:
            exact = (real.weights[index], real.thresholds[index], np.asarray([real.leak[index]], np.float64))
        yield _compared(
            index, "weight", "weight", stored.weight.format, str(stored.weight.rounding), weight, exact[0]
        )
        if stored.weight_used is not None:
            used = chip.used_weights(index)
            yield _compared(index, "weight_used", "weight_used", stored.weight_used, "floor", used, weight)
        membrane, leak = stored.membrane.format, stored.leak_factor
        yield _compared(
            index, "threshold", "membrane", membrane, str(stored.threshold_rounding), theta, exact[1]
        )
        if (bias := raw.bias_of(index)) is not None:
            held = _real(bias, stored.weight.format)
            before = None if real is None else real.bias_of(index)
            yield _compared(
                index, "bias", "weight", stored.weight.format, str(stored.weight.rounding), held,
                held if before is None else before,
            )  # fmt: skip
        yield _compared(index, "leak_factor", "leak_factor", leak.format, str(leak.rounding), alpha, exact[2])


def _compared(
    layer: int, name: str, setting: str, fmt: QFormat, rounding: str, held: FloatArray, exact: FloatArray
) -> TensorNumerics:
    tally = Tally(layer, name, setting, fmt, rounding, 1)
    tally.add(held.reshape(1, 1, -1), {ComparedWith.OWN: np.asarray(exact, np.float64).reshape(1, 1, -1)})
    return tally.record()


def _real(raw: object, fmt: QFormat) -> FloatArray:
    return np.asarray(raw).astype(np.float64) * fmt.lsb
