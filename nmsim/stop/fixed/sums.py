"""Sums of products: rows of activations, errors or traces against rows of weights or deltas.

Three ways to one result. NARROW: 16-bit operands in 32-bit registers, where a bound shows that the sums fit. WIDE: 64-bit
registers, or Python integers. ORDERED: one product at a time, saturating after each, where a saturating accumulator may
overflow on the way. `a` and `b` are `Rows` with a common depth.
"""

from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import HIGH, LOW, MASK, WRAP, bring_into_range
from nmsim.stop.fixed.row_sums import ROW_COLUMNS, rows_fill_vectors, sum_rows
from nmsim.stop.fixed.tile import Block, narrow_tile, wide_tile

LANES = 32
"""Rows are padded with zeros to a multiple of this, so that inner loops have no remainder."""
PIECE = 1024
"""Terms of a sum taken at a time; a multiple of the lanes."""
NARROW, WIDE, ORDERED = range(3)


@register_jitable
def way_of_summing(bound, low, high, whole, narrow):
    """The fastest exact way for sums of absolute products up to `bound`, and whether complete sums may be out of range.

    Exact sums and sums that saturate after every addition are the same integers as long as no partial sum, in any order,
    can leave the accumulator, whose range is `low..high`: that is what the bound shows (docs/decisions/0005). `whole`: the
    accumulator looks at complete sums only, because it wraps or saturates at the end.

    >>> way_of_summing(100, -128, 127, whole=False, narrow=True), NARROW
    ((0, False), 0)
    >>> way_of_summing(200, -128, 127, whole=False, narrow=True), ORDERED
    ((2, False), 2)
    """
    fits = bound <= high and -bound >= low
    if not (fits or whole):
        return ORDERED, False
    return (NARROW if narrow and bound < 1 << 31 else WIDE), not fits


class Rows(NamedTuple):
    """`count` rows in a flat array: row i starts at `start + i * stride`."""

    values: Any
    start: Any
    stride: Any
    count: Any


def _dot_kernel(tile: Any) -> Any:
    """Kernel of `out[i, j] = add * out[i, j] + sum_k a[i, k] * b[j, k]`, k below `depth`.

    Row j of `b` starts at `places[j]` if there are places. Long rows are taken in pieces, and rows of `a` in groups, that
    stay in the cache while rows of `b` pass by.
    """

    @register_jitable
    def dot(a, b, places, depth, out, add):
        columns = b.count
        for begin in range(0, depth, PIECE):
            piece = min(PIECE, depth - begin)
            keep = add if begin == 0 else 1
            group = max(4, 65536 // piece // 4 * 4)
            for first in range(0, a.count, group):
                last_row = min(first + group, a.count) - 1
                for j in range(0, columns, 4):
                    j1, j2, j3 = min(j + 1, columns - 1), min(j + 2, columns - 1), min(j + 3, columns - 1)
                    if places.size:
                        q = places[j] + begin, places[j1] + begin, places[j2] + begin, places[j3] + begin
                    else:
                        start = b.start + begin
                        q = (
                            start + j * b.stride,
                            start + j1 * b.stride,
                            start + j2 * b.stride,
                            start + j3 * b.stride,
                        )
                    for i in range(first, last_row + 1, 4):
                        start = a.start + begin
                        p = (
                            start + i * a.stride,
                            start + min(i + 1, last_row) * a.stride,
                            start + min(i + 2, last_row) * a.stride,
                            start + min(i + 3, last_row) * a.stride,
                        )
                        block = Block(out, i * columns + j, columns, last_row + 1 - i, columns - j, keep)
                        tile(a.values, p, b.values, q, piece, block)

    return dot


dot_narrow, dot_wide = _dot_kernel(narrow_tile), _dot_kernel(wide_tile)


@register_jitable
def dot_ordered(a, b, order, row, out, nonzero):
    """`out[i, j] = sum_k a[i, k] * b[j, k]` for k in the given order, saturating after every addition; saturations."""
    low, high = row[LOW], row[HIGH]
    over = 0
    for i in range(a.count):
        start, count = a.start + i * a.stride, 0
        for k in order:
            if a.values[start + k] != 0:
                nonzero[count] = k
                count += 1
        for j in range(b.count):
            weights, total = b.start + j * b.stride, 0
            for n in range(count):
                k = nonzero[n]
                total += a.values[start + k] * b.values[weights + k]
                if total < low:
                    total = low
                    over += 1
                elif total > high:
                    total = high
                    over += 1
            out[i * b.count + j] = total
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


class Summing(NamedTuple):
    """How sums are formed: `way` of `way_of_summing`, and `settles` where complete sums may be out of range."""

    way: Any
    settles: Any


@register_jitable
def sums_into(summing, a, b, order, row, out, nonzero):
    """Sums into an accumulator, `out (rows of a, rows of b)`, by one of the three ways; returns overflows.

    `row` holds the accumulator's numbers, `order` its order of additions. Rows of `b` lie one behind the other, and rows are
    as deep as they are apart.
    """
    if summing.way == ORDERED:
        return dot_ordered(a, b, order, row, out, nonzero)
    if summing.way == NARROW:
        dot_narrow(a, b, order[:0], b.stride, out, 0)
    else:
        dot_wide(a, b, order[:0], b.stride, out, 0)
    if summing.settles:
        return settle_sums(out, a.count * b.count, row)
    return 0


@register_jitable
def add_narrow(out, rows, chosen, factors):
    """`out[j] += sum of factors[i] * rows[chosen[i]][j]` for four rows of 16-bit integers, whose sums fit 32 bits."""
    (i, k, m, n), (w, x, y, z) = chosen, factors
    values, start, stride, size = rows.values, rows.start, rows.stride, out.size
    a, b = values[start + i * stride :][:size], values[start + k * stride :][:size]
    c, d = values[start + m * stride :][:size], values[start + n * stride :][:size]
    for j in range(size):
        first = np.int32(np.int32(w * np.int32(a[j])) + np.int32(x * np.int32(b[j])))
        second = np.int32(np.int32(y * np.int32(c[j])) + np.int32(z * np.int32(d[j])))
        out[j] += np.int32(first + second)


@register_jitable
def inputs_into(summing, out, memory, place, b, order, row, nonzero):
    """Sums of one row, `out[j] = sum_k x[k] * b[k, j]`, for `b` stored by input; returns overflows.

    Input k lies at `memory[place + k]`; inputs that are zero cost nothing.
    """
    size, over, count = out.size, 0, 0
    low, high = row[LOW], row[HIGH]
    for j in range(size):
        out[j] = 0
    for k in order:
        nonzero[count] = k  # stays if the count goes on: no branch to guess
        count += memory[place + k] != 0
    done = 0
    if summing.way == NARROW and count > 1 and rows_fill_vectors(b.values, size):
        done = count // 2 * 2
        for column in range(0, size, ROW_COLUMNS):
            sum_rows(out[column:], b.values, b.start + column, b.stride, memory, place, nonzero, done)
    elif summing.way == NARROW:
        while done + 4 <= count:
            i, k, m, n = nonzero[done], nonzero[done + 1], nonzero[done + 2], nonzero[done + 3]
            p, q = np.int32(memory[place + i]), np.int32(memory[place + k])
            r, s = np.int32(memory[place + m]), np.int32(memory[place + n])
            add_narrow(out, b, (i, k, m, n), (p, q, r, s))
            done += 4
    for n in range(done, count):
        x, begin = memory[place + nonzero[n]], b.start + nonzero[n] * b.stride
        own = b.values[begin : begin + size]
        if summing.way == ORDERED:
            for j in range(size):
                v = out[j] + x * own[j]
                over += (v < low) | (v > high)
                out[j] = min(max(v, low), high)
        else:
            for j in range(size):
                out[j] += x * own[j]
    if summing.settles:
        over += settle_sums(out, size, row)
    return over
