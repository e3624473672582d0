"""Convergence to float64: with every tensor in a format of F fraction bits, errors halve with every further bit."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import sqrt

from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import TENSORS, Precision
from nmsim.stop.fixed.layer_formats import layer_formats
from nmsim.stop.fixed.parameters import quantized_parameters
from nmsim.stop.protocol import Batch, Parameters
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.numerics.measured import ComparedWith, ConvergencePoint
from nmsim.validate.numerics.three_passes import Compared, compare

INTEGER_BITS = 10
"""Range of every tensor but leak factors and phi: wide enough that only fraction bits matter."""
MEASURED = ("weight_trace", "leak_trace", "membrane", "error", "delta")
ACCUMULATOR = "s128"


def wide_precision(base: Precision, fraction_bits: int) -> Precision:
    """Every tensor with F fraction bits and a range that nothing leaves; table sizes and rounding modes stay."""
    signed = str(QFormat(signed=True, total_bits=INTEGER_BITS + fraction_bits, fraction_bits=fraction_bits))
    unit = str(QFormat(signed=False, total_bits=fraction_bits, fraction_bits=fraction_bits))
    tensors = (name for name in TENSORS if name != "leak_factor")
    accumulators = (
        "current", "error", "weight_gradient", "threshold_gradient", "leak_gradient", "bias_gradient",
        "static_gradient", "velocity",
    )  # fmt: skip
    kept = base.model_dump(include={"rounding", "update_rounding", "overflow", "threshold_rounding"})
    table = base.surrogate.model_dump(mode="json") | {"format": unit}
    return Precision.model_validate(
        kept
        | dict.fromkeys(tensors, signed)
        | dict.fromkeys(accumulators, ACCUMULATOR)
        | {"leak_factor": unit, "surrogate": table}
    )


def converge(
    chip: FixedSide,
    real: Parameters,
    batch: Batch,
    bits: Iterable[int],
    against: ComparedWith = ComparedWith.FORCED,
) -> Iterator[ConvergencePoint]:
    """Errors with F fraction bits, for every F: the formats of `chip` are replaced, its parameters rounded from `real`.

    At every F both sides have the same rounded parameters, so that what is left is the arithmetic.
    """
    for fraction_bits in bits:
        precision = wide_precision(chip.precision, fraction_bits)
        formats = layer_formats(chip.network, precision, chip.input_format, chip.seed)
        raw = quantized_parameters(replace(real), formats, chip.training)
        wide = replace(chip, precision=precision, parameters=raw, real=None)
        yield ConvergencePoint(fraction_bits, _errors(compare(wide, iter([batch])), against))


def _errors(found: Compared, against: ComparedWith) -> dict[str, float]:
    """Relative distances by tensor, all layers together; of gradients the largest of any layer."""
    errors = {}
    for name in MEASURED:
        sums = [
            item.errors[against] for item in found.tensors if item.tensor == name and against in item.errors
        ]
        signal = sum(float(item.signal.sum()) for item in sums)
        errors[name] = sqrt(sum(float(item.noise.sum()) for item in sums) / signal) if signal > 0 else 0.0
    gradients = [item.relative_error[against] for item in found.gradients if item.parameter == "weight"]
    errors["weight_gradient"] = max((error for error in gradients if error is not None), default=0.0)
    return errors
