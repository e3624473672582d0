"""The requantizations of every tensor as shifts and modes, written from docs/arithmetic.md alone (not from the engine)."""

from dataclasses import dataclass

from nmsim.fixedpoint.format import QFormat, Rounding
from nmsim.network.precision import ResolvedPrecision
from nmsim.rtl.design import Design
from nmsim.validate.vectors.manifest import learning

ROUNDINGS = {
    Rounding.FLOOR: 0, Rounding.NEAREST: 1, Rounding.NEAREST_EVEN: 2, Rounding.TOWARD_ZERO: 3, Rounding.STOCHASTIC: 4,
}  # fmt: skip
LEAK_GUARD_BITS = 96
"""Width of a leak factor before its clip, which has no overflow of its own."""


@dataclass(frozen=True)
class Quantizer:
    """`range(round((p * 2^left_p + q * 2^left_q) * 2^up * 2^-down))`, the fields of `quant_t` in stop_pkg."""

    left_p: int
    left_q: int
    up: int
    down: int
    rounding: int
    wrap: bool
    signed: bool
    bits: int


def quantizer(target: QFormat, rounding: Rounding, overflow: str, p: int, q: int | None = None) -> Quantizer:
    """Q to a target of operands with p (and q) fraction bits."""
    aligned = p if q is None else max(p, q)
    down = aligned - target.fraction_bits
    return Quantizer(
        aligned - p, 0 if q is None else aligned - q, max(-down, 0), max(down, 0), ROUNDINGS[rounding],
        overflow == "wrap", target.signed, target.total_bits,
    )  # fmt: skip


def tables(design: Design) -> dict[str, list[Quantizer]]:
    """Quantizers of every layer by the name of their table in stop_pkg."""
    found: dict[str, list[Quantizer]] = {}
    for layer in range(design.layers):
        own = {**_state(design, layer), **_sums(design, layer), **_updates(design, layer)}
        for name, value in own.items():
            found.setdefault(name, []).append(value)
    return found


def threshold_base(own: ResolvedPrecision) -> int:
    """Fraction bits in which th~ and a spike are both exact."""
    return max(own.threshold_trace.format.fraction_bits, 0)


def _state(design: Design, layer: int) -> dict[str, Quantizer]:
    formats = design.side.formats[layer]
    own, alpha = formats.precision, formats.precision.leak_factor.format.fraction_bits
    membrane, delta = own.membrane.format.fraction_bits, own.delta.format.fraction_bits
    x, used = formats.input.fraction_bits, formats.used.fraction_bits

    def stored(name: str, p: int, q: int | None = None) -> Quantizer:
        setting = getattr(own, name)
        return quantizer(setting.format, setting.rounding, setting.overflow, p, q)

    above = design.side.formats[min(layer + 1, design.layers - 1)]
    arriving = above.delta.fraction_bits + above.used.fraction_bits
    return {
        "RESIDUAL": stored("membrane", membrane, membrane),
        "MEMBRANE": stored("membrane", alpha + membrane, x + used),
        "LEAK_TRACE": stored("leak_trace", alpha + own.leak_trace.format.fraction_bits, membrane),
        "THRESHOLD_TRACE": stored("threshold_trace", alpha + threshold_base(own)),
        "WEIGHT_TRACE": stored("weight_trace", alpha + own.weight_trace.format.fraction_bits, x),
        "ERROR": stored("delta", arriving),
        "DELTA": stored("delta", delta + own.surrogate.format.fraction_bits),
    }


def _sums(design: Design, layer: int) -> dict[str, Quantizer]:
    own = design.precision[layer]
    above = min(layer + 1, design.layers - 1)
    return {
        "CURRENT_ADD": _add(design, "current", layer),
        "CURRENT_END": _end(design, "current", layer),
        "ERROR_ADD": _add(design, "error", layer),
        "ERROR_END": _end(design, "error", above),
        "GRADIENT": _plain(own.weight_gradient.format.with_fraction(0), str(own.weight_gradient.overflow)),
        "THRESHOLD_ADD": _plain(
            own.threshold_gradient.format.with_fraction(0), str(own.threshold_gradient.overflow)
        ),
        "LEAK_ADD": _add(design, "leak_gradient", layer),
        "LEAK_END": _end(design, "leak_gradient", layer),
    }


def _plain(fmt: QFormat, overflow: str) -> Quantizer:
    return quantizer(fmt, Rounding.FLOOR, overflow, 0, 0)


def _add(design: Design, name: str, layer: int) -> Quantizer:
    """One addition: in the accumulator's own range, or exact where it saturates at its end only."""
    setting = getattr(design.precision[layer], name)
    if setting.overflow != "saturate_end":
        return _plain(setting.format.with_fraction(0), str(setting.overflow))
    held = design.accumulator(name)
    return _plain(QFormat(held.signed, held.bits, 0), "wrap")


def _end(design: Design, name: str, layer: int) -> Quantizer:
    setting = getattr(design.precision[layer], name)
    return _plain(setting.format.with_fraction(0), "wrap" if str(setting.overflow) == "wrap" else "saturate")


def _updates(design: Design, layer: int) -> dict[str, Quantizer]:
    formats, rates = design.side.formats[layer], learning(design.side, design.training)
    own, delta = formats.precision, formats.delta.fraction_bits
    membrane = own.membrane
    leak = QFormat(
        signed=True, total_bits=LEAK_GUARD_BITS, fraction_bits=own.leak_factor.format.fraction_bits
    )
    extra = rates["layers"][layer]["leak_factor_extra_shift"]
    return {
        "WEIGHT": quantizer(
            own.weight.format, own.weight.rounding or Rounding.STOCHASTIC, str(own.weight.overflow),
            own.weight.format.fraction_bits,
            delta + own.weight_trace.format.fraction_bits + rates["weight"]["shift"],
        ),
        "WEIGHT_USED": quantizer(
            formats.used, Rounding.FLOOR, str(own.weight.overflow), own.weight.format.fraction_bits
        ),
        "THRESHOLD": quantizer(
            membrane.format, own.threshold_rounding, str(membrane.overflow), membrane.format.fraction_bits,
            delta + threshold_base(own) + rates["threshold"]["shift"],
        ),
        "LEAK_FACTOR": quantizer(
            leak, own.leak_factor.rounding or Rounding.STOCHASTIC, "saturate", leak.fraction_bits,
            delta + own.leak_trace.format.fraction_bits + rates["leak_factor"]["shift"] + extra,
        ),
    }  # fmt: skip


COUNTED_ACCUMULATORS = {
    "CURRENT": "current", "ERROR_SUM": "error", "WEIGHT_GRADIENT": "weight_gradient",
    "THRESHOLD_GRADIENT": "threshold_gradient", "LEAK_GRADIENT": "leak_gradient",
}  # fmt: skip
TENSORS = (
    "WEIGHT_TRACE", "CURRENT", "RESIDUAL", "LEAK_TRACE", "THRESHOLD_TRACE", "MEMBRANE", "ERROR", "DELTA", "ERROR_SUM",
    "WEIGHT_GRADIENT", "THRESHOLD_GRADIENT", "LEAK_GRADIENT", "WEIGHT", "WEIGHT_USED", "THRESHOLD",
)  # fmt: skip
"""Tensors whose overflows are counted, in the order of the counters; names as in docs/arithmetic.md, in capitals."""


def counted(design: Design, tensor: str, layer: int) -> bool:
    """Whether hardware can count a tensor's overflows: a wrapping accumulator would need guard bits for it."""
    name = COUNTED_ACCUMULATORS.get(tensor)
    return name is None or str(getattr(design.precision[layer], name).overflow) != "wrap"
