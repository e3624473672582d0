"""Sums of a few rows of 16-bit weights, each times its input, that never leave the registers: currents at batch size 1.

Two rows are interleaved, so that a multiply-add of pairs takes an element of each; it does so within 128 bits, and the sums
are put in order once at the end.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from nmsim.stop.fixed.tile import multiply_add, pair_lanes, splat

VECTORS = 4
"""Vectors of columns whose sums are formed together, each in two registers."""
ROW_COLUMNS = VECTORS * (pair_lanes() or 32)
"""Columns summed at a time."""
VECTORISED = pair_lanes() > 0
"""Whether the processor has a multiply-add of pairs."""
UNIT = 8
"""16-bit lanes of 128 bits."""


def _interleaved(lanes: int, half: int) -> list[int]:
    """In every 128 bits: four lanes of the first vector and four of the second in turn, the lower or the upper half."""
    return [
        unit + UNIT // 2 * half + k // 2 + k % 2 * lanes
        for unit in range(0, lanes, UNIT)
        for k in range(UNIT)
    ]


def _in_order(lanes: int, part: int) -> list[int]:
    """Where the sums of the columns of half a vector are in the sums of its lower and upper halves."""
    columns, quarter = range(lanes // 2 * part, lanes // 2 * (part + 1)), UNIT // 2
    return [
        column // UNIT * quarter + column % quarter + column % UNIT // quarter * (lanes // 2)
        for column in columns
    ]


def _typed(_context, out, values, start, stride, memory, place, chosen, pairs):
    lanes, number, lane = pair_lanes(), ir.IntType(64), ir.IntType(32)
    operand, total = ir.VectorType(ir.IntType(16), lanes), ir.VectorType(lane, lanes // 2)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(k: int) -> Any:
            return context.make_array(signature.args[k])(context, builder, arguments[k]).data

        def masks(of: Any) -> list[Any]:
            kind = ir.VectorType(lane, len(of(lanes, 0)))
            return [ir.Constant(kind, of(lanes, half)) for half in range(2)]

        target, weights = data(0), builder.gep(data(1), [arguments[2]])
        inputs, list_of = builder.gep(data(4), [arguments[5]]), data(6)
        sums = [[cgutils.alloca_once(builder, total) for _ in range(2)] for _ in range(VECTORS)]
        for halves in sums:
            for own in halves:  # allocated once, but zero at every call
                builder.store(ir.Constant(total, None), own)
        with cgutils.for_range(builder, arguments[7]) as loop:
            rows, words = [], []
            for side in range(2):
                at = builder.add(builder.mul(loop.index, ir.Constant(number, 2)), ir.Constant(number, side))
                row = builder.load(builder.gep(list_of, [at]))
                words.append(builder.zext(builder.load(builder.gep(inputs, [row])), lane))
                rows.append(builder.gep(weights, [builder.mul(row, arguments[3])]))
            pair = builder.or_(words[0], builder.shl(words[1], ir.Constant(lane, 16)))
            factor = builder.bitcast(splat(builder, pair, total), operand)
            for vector, halves in enumerate(sums):
                both = []
                for row in rows:
                    begin = builder.gep(row, [ir.Constant(number, lanes * vector)])
                    both.append(builder.load(builder.bitcast(begin, operand.as_pointer())))
                    both[-1].align = 2
                for own, mask in zip(halves, masks(_interleaved), strict=True):
                    product = multiply_add(builder, lanes, builder.shuffle_vector(*both, mask), factor)
                    builder.store(builder.add(builder.load(own), product), own)
        wide = ir.VectorType(number, lanes // 2)
        for vector, halves in enumerate(sums):
            found = [builder.load(own) for own in halves]
            for part, mask in enumerate(masks(_in_order)):
                begin = builder.gep(target, [ir.Constant(number, lanes * vector + lanes // 2 * part)])
                ordered = builder.sext(builder.shuffle_vector(*found, mask), wide)
                builder.store(ordered, builder.bitcast(begin, wide.as_pointer())).align = 8
        return context.get_dummy_value()

    size = types.intp
    return types.void(out, values, size, size, memory, size, chosen, size), generate


@register_jitable
def plain_sum_rows(out, values, start, stride, memory, place, chosen, pairs):
    """`sum_rows` of so many pairs of rows and any number of columns."""
    for j in range(out.size):
        out[j] = 0
        for i in range(2 * pairs):
            out[j] += memory[place + chosen[i]] * values[start + chosen[i] * stride + j]


_sum_rows: Any = intrinsic(_typed) if pair_lanes() else plain_sum_rows


@register_jitable
def sum_rows(out, values, start, stride, memory, place, chosen, count):
    """`out[j] = sum over i of memory[place + chosen[i]] * values[start + chosen[i] * stride + j]`, j below `ROW_COLUMNS`.

    For 16-bit numbers and a sum that fits 32 bits; `count` is even.
    """
    _sum_rows(out, values, start, stride, memory, place, chosen, count // 2)


@register_jitable
def rows_fill_vectors(values, size):
    """Whether `sum_rows` may be used for rows of 16-bit numbers of that size."""
    return VECTORISED and values.itemsize == 2 and size % ROW_COLUMNS == 0
