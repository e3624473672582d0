"""`Q`: an exact integer to a format, by five rounding modes and the overflow modes (docs/arithmetic.md, "Formats")."""

from enum import IntEnum
from typing import Any

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.format import Overflow, QFormat, Rounding

SAFE_BITS = 62
"""Compiled kernels hold intermediates in 64-bit integers; values are kept below 2**62 in magnitude."""

UNLIMITED_BITS = 512
"""No value of an interpreted run is larger: formats have at most 128 bits."""


class Step(IntEnum):
    """Columns of a requantization's row of numbers: everything `Q` needs once formats and modes are fixed."""

    UP = 0
    DOWN = 1
    ADD = 2
    EVEN = 3
    ZERO = 4
    DRAW_UP = 5
    DRAW_DOWN = 6
    LOW = 7
    HIGH = 8
    MASK = 9
    WRAP = 10
    STOCHASTIC = 11
    OFFSET = 12
    LEFT_P = 13
    LEFT_Q = 14
    SPREAD = 15
    WHOLE = 16


UP, DOWN, ADD, EVEN, ZERO = (int(step) for step in (Step.UP, Step.DOWN, Step.ADD, Step.EVEN, Step.ZERO))
DRAW_UP, DRAW_DOWN, LOW, HIGH = (int(step) for step in (Step.DRAW_UP, Step.DRAW_DOWN, Step.LOW, Step.HIGH))
MASK, WRAP, STOCHASTIC, OFFSET = (int(step) for step in (Step.MASK, Step.WRAP, Step.STOCHASTIC, Step.OFFSET))
LEFT_P, LEFT_Q = int(Step.LEFT_P), int(Step.LEFT_Q)
SPREAD, WHOLE = int(Step.SPREAD), int(Step.WHOLE)


def range_numbers(fmt: QFormat, overflow: Overflow) -> list[int]:
    """Row of numbers that only brings values into a format's range.

    `WHOLE` is set where an accumulator saturates only when its sum is complete.
    """
    row = [0] * len(Step)
    row[LOW], row[HIGH] = fmt.min_raw, fmt.max_raw
    row[MASK], row[WRAP] = (1 << fmt.total_bits) - 1, int(overflow is Overflow.WRAP)
    row[WHOLE] = int(overflow is Overflow.SATURATE_END)
    return row


def step_numbers(fraction_bits: int, fmt: QFormat, rounding: Rounding, overflow: Overflow) -> list[int]:
    """Row of numbers of `Q(v, fraction_bits -> fmt)`.

    All modes are one expression, `(v + add + even*odd(v >> d) + zero*(v < 0) + draw) >> d`, of which each mode uses a part.
    """
    row = range_numbers(fmt, overflow)
    down = fraction_bits - fmt.fraction_bits
    if down <= 0:
        row[UP] = -down
        return row
    row[DOWN] = down
    match rounding:
        case Rounding.NEAREST:
            row[ADD] = 1 << (down - 1)
        case Rounding.NEAREST_EVEN:
            row[ADD], row[EVEN] = (1 << (down - 1)) - 1, 1
        case Rounding.TOWARD_ZERO:
            row[ZERO] = (1 << down) - 1
        case Rounding.STOCHASTIC:
            # a draw has 16 bits and `down` bits are dropped: it is moved so that its highest bit is the highest dropped one
            row[DRAW_UP], row[DRAW_DOWN] = max(down - 16, 0), max(16 - down, 0)
            row[STOCHASTIC] = 1
        case Rounding.FLOOR:
            pass
    return row


@register_jitable
def magnitude(v):
    """`|v|` in at least 64 bits: the most negative integer of a narrower type has no magnitude in that type.

    Kernels use it in place of `abs`, which keeps the type, as `-v` does; a difference has 64 bits.
    """
    return max(v, 0 - v)


@register_jitable
def round_shift(base, v, down, add, even, zero):
    """`base + v * 2**-down`, rounded; `add` holds the mode's constant and its draw."""
    floor = base + (v >> down)  # its lowest bit decides a tie to even, its sign the way toward zero
    return base + ((v + add + even * (floor & 1) + zero * (floor < 0)) >> down)


@register_jitable
def bring_into_range(v, low, high, mask, wrap):
    """A rounded value saturated to `[low, high]`, or wrapped modulo `mask + 1`."""
    if wrap:  # counted from the lowest value, so that the mask is the modulus for negative numbers too
        return ((v - low) & mask) + low
    return min(max(v, low), high)


def quantize(
    value: int, fraction_bits: int, fmt: QFormat, rounding: Rounding, overflow: Overflow, draw: int = 0
) -> tuple[int, bool]:
    """`Q(value, fraction_bits -> fmt)` of one integer of any size, and whether it overflowed.

    `draw` is the 16-bit draw of stochastic rounding, unused by the other modes.
    """
    row = step_numbers(fraction_bits, fmt, rounding, overflow)
    add = row[ADD] + ((draw << row[DRAW_UP]) >> row[DRAW_DOWN]) * row[STOCHASTIC]
    result = round_shift(0, value << row[UP], row[DOWN], add, row[EVEN], row[ZERO])
    over = not row[LOW] <= result <= row[HIGH]
    return bring_into_range(result, row[LOW], row[HIGH], row[MASK], row[WRAP]), over


@register_jitable
def quantize_into(out, values, row, draws):
    """`out = Q(values)`, flat arrays; number of overflows. The usual modes have loops without the others' work."""
    up, down, add, even, zero = row[UP], row[DOWN], row[ADD], row[EVEN], row[ZERO]
    low, high, mask, wrap = row[LOW], row[HIGH], row[MASK], row[WRAP]
    over = 0
    if even or zero:
        for k in range(out.size):
            v = round_shift(0, values[k], down, add, even, zero)
            over += (v < low) | (v > high)
            out[k] = bring_into_range(v, low, high, mask, wrap)
    elif row[STOCHASTIC]:
        draw_up, draw_down = row[DRAW_UP], row[DRAW_DOWN]
        for k in range(out.size):
            v = (values[k] + ((draws[k] << draw_up) >> draw_down)) >> down
            over += (v < low) | (v > high)
            out[k] = bring_into_range(v, low, high, mask, wrap)
    else:
        for k in range(out.size):
            v = ((values[k] << up) + add) >> down
            over += (v < low) | (v > high)
            out[k] = bring_into_range(v, low, high, mask, wrap)
    return over


_quantize = kernel(quantize_into)


def quantize_array(
    values: NDArray[Any],
    fraction_bits: int,
    fmt: QFormat,
    rounding: Rounding,
    overflow: Overflow,
    draws: NDArray[np.uint16] | None = None,
) -> tuple[NDArray[Any], int]:
    """`Q` of every element of an integer array of any shape, and the number of overflows.

    `draws` has the shape of `values` and is needed by stochastic rounding only. The result is int64 where the format
    fits it, else Python integers (dtype object); so are the intermediates where 64 bits could overflow.
    """
    row = step_numbers(fraction_bits, fmt, rounding, overflow)
    if row[STOCHASTIC] and draws is None:
        raise ValueError(
            "stochastic rounding needs one draw per value; pass draws=lfsr.draws(start, values.size)"
        )
    flat = np.ascontiguousarray(values).ravel()
    used = (
        np.zeros(flat.size, np.uint16)
        if draws is None or not row[STOCHASTIC]
        else np.ascontiguousarray(draws).ravel()
    )
    bound = max(magnitude(int(flat.max())), magnitude(int(flat.min()))) if flat.size else 0
    # the largest intermediate of `quantize_into`: the shifted value and what rounding adds to it
    safe = (bound << row[UP]) + (1 << row[DOWN]) < 1 << SAFE_BITS and fmt.total_bits <= SAFE_BITS
    if safe and flat.dtype != object:
        out = np.empty(flat.size, np.int64)
        over = _quantize.machine(out, flat.astype(np.int64), np.array(row, np.int64), used)
        return out.reshape(values.shape), int(over)
    exact = np.empty(flat.size, object)
    over = quantize_into(exact, flat.astype(object), row, used.astype(object))
    return exact.reshape(values.shape), int(over)
