"""Requantizations in 32-bit lanes, for 16-bit states whose exact values a bound shows to fit.

They are those of `neuron.py` and `update.py` in the usual modes, and take a third to a half of the time: numba widens every
operation on narrow integers to 64 bits, which the intrinsics below do not.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from nmsim.fixedpoint.quantize import (
    ADD,
    DOWN,
    DRAW_DOWN,
    DRAW_UP,
    EVEN,
    HIGH,
    LEFT_P,
    LEFT_Q,
    LOW,
    STOCHASTIC,
    UP,
    WRAP,
    ZERO,
)  # fmt: skip

LANE = ir.IntType(32)
LONGEST = 65535
"""Magnitudes of 16-bit numbers whose sum is sure to fit 32 bits."""


def _in_lanes(builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """The lowest 32 bits of integers, or all of them."""
    found = []
    for kind, value in zip(signature.args, arguments, strict=True):
        if value.type.width > LANE.width:
            found.append(builder.trunc(value, LANE))
        elif value.type.width < LANE.width:
            found.append(builder.sext(value, LANE) if kind.signed else builder.zext(value, LANE))
        else:
            found.append(value)
    return found


def _typed_sum(_context, factor_p, p, factor_q, q, add, down):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        factor_p, p, factor_q, q, add, down = _in_lanes(builder, signature, arguments)
        exact = builder.add(builder.mul(factor_p, p), builder.mul(factor_q, q))
        return builder.ashr(builder.add(exact, add), down)

    return types.int32(factor_p, p, factor_q, q, add, down), generate


def step_in_lanes(
    builder: Any, mantissa: Any, step: Any, draw: Any, draw_up: Any, add: Any, down: Any
) -> Any:
    """`rounded_step` of 32-bit integers, or of vectors of them."""

    def constant(value: int) -> Any:
        kind = step.type
        return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)

    low, high = builder.and_(step, constant(0xFF)), builder.ashr(step, constant(8))
    added = builder.add(add, builder.shl(draw, draw_up))
    rest = builder.ashr(builder.sub(added, builder.mul(mantissa, low)), constant(8))
    return builder.ashr(builder.sub(rest, builder.mul(mantissa, high)), builder.sub(down, constant(8)))


def _typed_step(_context, mantissa, step, draw, draw_up, add, down):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return step_in_lanes(builder, *_in_lanes(builder, signature, arguments))

    return types.int32(mantissa, step, draw, draw_up, add, down), generate


rounded_sum: Any = intrinsic(_typed_sum)
"""`(factor_p * p + factor_q * q + add) >> down`, all in 32 bits."""
rounded_step: Any = intrinsic(_typed_step)
"""`(add + (draw << draw_up) - mantissa * step) >> down` for any 32-bit step and a mantissa of 8 bits, in 32 bits.

The step's lowest byte is multiplied and shifted first; floors of floors are floors.
"""


def fits_lanes(row: Any, keep: int, take: int, largest_input: int) -> bool:
    """Whether `advance_in_lanes` may be used for factors and inputs up to these magnitudes, a state of the row's format."""
    usual = not (row[EVEN] or row[ZERO] or row[STOCHASTIC] or row[WRAP] or row[UP])
    exact = keep * max(row[HIGH], -row[LOW]) + take * largest_input
    return bool(usual and row[DOWN] < 32 and exact + row[ADD] < 1 << 31)


@register_jitable
def advance_in_lanes(state, keep, inputs, take, row):
    """`state = Q(keep * state + take * inputs)`, in place; overflows and the largest magnitude.

    There is no other output: states that overlapped their predecessors would not be vectorised.
    """
    add, down, low, high = row[ADD], row[DOWN], np.int32(row[LOW]), np.int32(row[HIGH])
    over, least, most = np.int32(0), np.int32(0), np.int32(0)
    for k in range(state.size):
        v = rounded_sum(keep, state[k], take, inputs[k], add, down)
        inside = min(max(v, low), high)
        over = np.int32(over + np.int32(inside != v))
        least, most = min(least, inside), max(most, inside)
        state[k] = inside
    return int(over), max(int(most), -int(least))


@register_jitable
def subtract_spikes(out, membrane, spikes, theta, row):
    """`R = Q(U - theta * s)` in saturating 16-bit formats; overflows."""
    low, high, over = np.int32(row[LOW]), np.int32(row[HIGH]), np.int32(0)
    for k in range(out.size):
        v = rounded_sum(1, membrane[k], -1, theta[k] * spikes[k], 0, 0)
        inside = min(max(v, low), high)
        over = np.int32(over + np.int32(inside != v))
        out[k] = inside
    return int(over)


@register_jitable
def holds_small(row):
    """Whether all numbers of an accumulator have 32 bits."""
    return row[LOW] >= -(1 << 31) and row[HIGH] < 1 << 31


@register_jitable
def subtract_fits(values, row):
    """Whether `subtract_in_lanes` may be used, for steps of 32 bits: in 16-bit formats without ties or wrapping."""
    usual = not (row[EVEN] or row[ZERO] or row[WRAP] or row[LEFT_P] or row[DRAW_DOWN])
    return usual and values.itemsize == 2 and 16 <= row[DOWN] < 32


@register_jitable
def subtract_in_lanes(values, steps, row, draws):
    """`values = Q(values - mantissa * steps * 2**-shift)` of 32-bit steps; overflows."""
    mantissa, draw_up, add, down = row[LEFT_Q], row[DRAW_UP], row[ADD], row[DOWN]
    low, high, over = np.int32(row[LOW]), np.int32(row[HIGH]), np.int32(0)
    for k in range(values.size):
        v = np.int32(values[k] + rounded_step(mantissa, steps[k], draws[k], draw_up, add, down))
        inside = min(max(v, low), high)
        over = np.int32(over + np.int32(inside != v))
        values[k] = inside
    return int(over)


@register_jitable
def sum_in_lanes(values):
    """Sum of |values| of a run of 16-bit numbers, no longer than `LONGEST`."""
    total = np.int32(0)
    for k in range(values.size):
        v = np.int32(values[k])
        total = np.int32(total + max(v, np.int32(-v)))
    return int(total)
