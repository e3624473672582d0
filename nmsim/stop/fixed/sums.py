"""Sums of products: rows of activations, errors or traces against rows of weights or deltas.

Three ways to one result. NARROW: 16-bit operands in 32-bit registers, where a bound shows that the sums fit. WIDE: 64-bit
registers, or Python integers. ORDERED: one product at a time, saturating after each, where a saturating accumulator may
overflow on the way. `a` and `b` are flat arrays of rows with a common `depth`.
"""

from typing import Any

from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import HIGH, LOW, MASK, WRAP, bring_into_range
from nmsim.stop.fixed.tile import narrow_tile, wide_tile

LANES = 32
"""Rows are padded with zeros to a multiple of this, so that inner loops have no remainder."""
PIECE = 1024
"""Terms of a sum taken at a time; a multiple of the lanes."""
NARROW, WIDE, ORDERED = range(3)


def way_of_summing(bound: int, low: int, high: int, *, whole: bool, narrow: bool) -> tuple[int, bool]:
    """The fastest exact way for sums of absolute products up to `bound`, and whether complete sums may be out of range.

    `whole`: the accumulator looks at complete sums only, because it wraps or saturates at the end.
    """
    fits = bound <= high and -bound >= low
    if not (fits or whole):
        return ORDERED, False
    return (NARROW if narrow and bound < 1 << 31 else WIDE), not fits


def _dot_kernel(tile: Any) -> Any:
    """Kernel of `out[i, j] = add * out[i, j] + sum_k a[i, k] * b[j, k]`.

    Row j of `b` starts at `places[j]`, or at `b_start + j * b_stride` if there are no places. Long rows are taken in pieces,
    and rows of `a` in groups, that stay in the cache while rows of `b` pass by.
    """

    @register_jitable
    def dot(a, a_start, a_stride, rows, b, b_start, b_stride, places, columns, depth, out, add):
        for begin in range(0, depth, PIECE):
            piece = min(PIECE, depth - begin)
            keep = add if begin == 0 else 1
            group = max(4, 65536 // piece // 4 * 4)
            for first in range(0, rows, group):
                last_row = min(first + group, rows) - 1
                for j in range(0, columns, 4):
                    j1, j2, j3 = min(j + 1, columns - 1), min(j + 2, columns - 1), min(j + 3, columns - 1)
                    if places.size:
                        q0, q1, q2, q3 = (
                            places[j] + begin,
                            places[j1] + begin,
                            places[j2] + begin,
                            places[j3] + begin,
                        )
                    else:
                        q0, q1 = b_start + j * b_stride + begin, b_start + j1 * b_stride + begin
                        q2, q3 = b_start + j2 * b_stride + begin, b_start + j3 * b_stride + begin
                    for i in range(first, last_row + 1, 4):
                        p0, p1 = (
                            a_start + i * a_stride + begin,
                            a_start + min(i + 1, last_row) * a_stride + begin,
                        )
                        p2 = a_start + min(i + 2, last_row) * a_stride + begin
                        p3 = a_start + min(i + 3, last_row) * a_stride + begin
                        s = tile(a, p0, p1, p2, p3, b, q0, q1, q2, q3, piece)
                        put_sums(out, i * columns + j, columns - j, s[0], s[1], s[2], s[3], keep)
                        if i < last_row:
                            put_sums(out, (i + 1) * columns + j, columns - j, s[4], s[5], s[6], s[7], keep)
                        if i + 1 < last_row:
                            put_sums(out, (i + 2) * columns + j, columns - j, s[8], s[9], s[10], s[11], keep)
                        if i + 2 < last_row:
                            put_sums(
                                out, (i + 3) * columns + j, columns - j, s[12], s[13], s[14], s[15], keep
                            )

    return dot


@register_jitable
def put_sums(out, place, left, s0, s1, s2, s3, keep):
    """Write (or add, if `keep` is 1) up to four neighbouring sums, `left` of which exist."""
    out[place] = out[place] * keep + s0
    if left > 1:
        out[place + 1] = out[place + 1] * keep + s1
    if left > 2:
        out[place + 2] = out[place + 2] * keep + s2
    if left > 3:
        out[place + 3] = out[place + 3] * keep + s3


dot_narrow, dot_wide = _dot_kernel(narrow_tile), _dot_kernel(wide_tile)
DOTS = (dot_narrow, dot_wide)


@register_jitable
def dot_ordered(a, a_start, a_stride, rows, b, b_start, b_stride, columns, order, row, out, nonzero):
    """`out[i, j] = sum_k a[i, k] * b[j, k]` for k in the given order, saturating after every addition; saturations."""
    low, high = row[LOW], row[HIGH]
    over = 0
    for i in range(rows):
        count = 0
        for k in order:
            if a[a_start + i * a_stride + k] != 0:
                nonzero[count] = k
                count += 1
        for j in range(columns):
            total = 0
            for n in range(count):
                k = nonzero[n]
                total += a[a_start + i * a_stride + k] * b[b_start + j * b_stride + k]
                if total < low:
                    total = low
                    over += 1
                elif total > high:
                    total = high
                    over += 1
            out[i * columns + j] = total
    return over


@register_jitable
def settle_sums(out, size, row):
    """Complete exact sums into the accumulator's range, by its mode; number of sums that were outside."""
    low, high, mask, wrap = row[LOW], row[HIGH], row[MASK], row[WRAP]
    over = 0
    for k in range(size):
        v = out[k]
        over += (v < low) | (v > high)
        out[k] = bring_into_range(v, low, high, mask, wrap)
    return over


@register_jitable
def add_biases(out, rows, columns, biases, row, in_order, settles):
    """The last term of every sum in `out (rows, columns)`: the bias of its column; overflows.

    `in_order`: the accumulator saturates after this addition as after all before; `settles`: the sums are complete only now.
    """
    low, high = row[LOW], row[HIGH]
    over = 0
    for i in range(rows):
        for j in range(columns):
            out[i * columns + j] += biases[j]
    if in_order:
        for k in range(rows * columns):
            v = out[k]
            over += (v < low) | (v > high)
            out[k] = min(max(v, low), high)
    elif settles:
        over += settle_sums(out, rows * columns, row)
    return over


def sum_kernel(way: int) -> Any:
    """Kernel of sums into an accumulator, `out (rows, columns)`, by one of the three ways; returns overflows.

    `row` holds the accumulator's numbers, `order` its order of additions; `settles`: complete
    sums may leave its range.
    """
    if way == ORDERED:

        @register_jitable
        def sums(a, a_start, a_stride, rows, b, b_start, columns, depth, order, row, out, nonzero, settles):
            return dot_ordered(
                a, a_start, a_stride, rows, b, b_start, depth, columns, order, row, out, nonzero
            )

        return sums
    dot = DOTS[way]

    @register_jitable
    def sums_by_dot(
        a, a_start, a_stride, rows, b, b_start, columns, depth, order, row, out, nonzero, settles
    ):
        dot(a, a_start, a_stride, rows, b, b_start, depth, order[:0], columns, depth, out, 0)
        if settles:
            return settle_sums(out, rows * columns, row)
        return 0

    return sums_by_dot


def input_kernel(way: int) -> Any:
    """Kernel of the sums of one row, `out[j] = sum_k x[k] * b[k, j]`, for `b` stored by input; returns overflows.

    Input k lies at `memory[place + k]`, its weights at `b[start + k * stride]`; inputs that are zero cost nothing.
    """

    @register_jitable
    def add_inputs(out, memory, place, b, start, stride, order, row, settles):
        size, over = out.size, 0
        low, high = row[LOW], row[HIGH]
        for j in range(size):
            out[j] = 0
        for k in order:
            x = memory[place + k]
            if x == 0:
                continue
            own = b[start + k * stride : start + k * stride + size]
            if way == ORDERED:
                for j in range(size):
                    v = out[j] + x * own[j]
                    over += (v < low) | (v > high)
                    out[j] = min(max(v, low), high)
            else:
                for j in range(size):
                    out[j] += x * own[j]
        if settles:
            over += settle_sums(out, size, row)
        return over

    return add_inputs
