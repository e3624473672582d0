"""Products summed over rows: dW of a dense layer, from two rows of deltas and of traces at a time.

The pairs that a multiply-add takes are neighbouring rows here, not neighbouring inputs: a vector holds the sums of sixteen
inputs, so that nothing is added across lanes and no row is transposed.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from nmsim.stop.fixed.tile import Block, multiply_add, pair_lanes, splat

SIDE = 4
"""Rows of a tile, and its vectors where there are registers for sixteen sums."""
STRIP = 16
"""Columns of deltas in a strip: a line of the cache holds a pair of each."""
PIECE = 96
"""Pairs of rows multiplied at a time: a strip of their traces stays in the first cache."""


@register_jitable
def pair_rows(out, to, values, start, stride, rows, columns, width):
    """Rows of `values (rows, columns)`, `stride` apart, in pairs: `out[strip, pair, column, 2]` from `to` on.

    A strip is `width` columns. The last row is paired with zeros where it has no neighbour; what lies behind the last
    column stays as it is.
    """
    for first in range(0, columns, width):
        size = min(width, columns - first)
        for row in range(0, rows, 2):
            begin = start + row * stride + first
            own, one = out[to : to + 2 * size], values[begin : begin + size]
            if row + 1 < rows:
                two = values[begin + stride : begin + stride + size]
                for k in range(size):
                    own[2 * k] = one[k]
                    own[2 * k + 1] = two[k]
            else:
                for k in range(size):
                    own[2 * k] = one[k]
                    own[2 * k + 1] = 0
            to += 2 * width


@register_jitable
def plain_pair_tile(a, p, b, q, pairs, block):
    """Add `sum over pairs and both of a pair of a[p + pair, row] * b[q + pair, column]` to a block, within 32 bits.

    `a` and `b` are strips of `STRIP` and `PAIR_COLUMNS` columns; of the block's rows and columns a tile has no more than
    `SIDE` and `PAIR_COLUMNS`.
    """
    columns = min(block.columns, PAIR_COLUMNS)
    for row in range(min(block.rows, SIDE)):
        begin = block.place + row * block.stride
        own = block.out[begin : begin + columns]
        for pair in range(pairs):
            place = p + 2 * (pair * STRIP + row)
            x, y = np.int32(a[place]), np.int32(a[place + 1])
            place = q + 2 * pair * PAIR_COLUMNS
            values = b[place : place + 2 * columns]
            for k in range(columns):
                own[k] += np.int32(x * np.int32(values[2 * k]) + y * np.int32(values[2 * k + 1]))


def _vector_pair_tile(lanes: int, vectors: int) -> Any:
    """`plain_pair_tile` for int16 strips and sums in int32 or int64, in so many vectors of 16-bit lanes."""
    lane, number = ir.IntType(32), ir.IntType(64)
    operand, total = ir.VectorType(ir.IntType(16), lanes), ir.VectorType(lane, lanes // 2)

    def constant(value: int) -> Any:
        return ir.Constant(number, value)

    def sums_of_products(builder: Any, left: Any, right: Any, pairs: Any) -> Any:
        sums = [[cgutils.alloca_once(builder, total) for _ in range(vectors)] for _ in range(SIDE)]
        for places in sums:
            for place in places:  # allocated once, but zero at every call
                builder.store(ir.Constant(total, None), place)
        with cgutils.for_range(builder, pairs) as loop:
            own = builder.gep(right, [builder.mul(loop.index, constant(lanes * vectors))])
            values = []
            for vector in range(vectors):
                place = builder.gep(own, [constant(lanes * vector)])
                values.append(builder.load(builder.bitcast(place, operand.as_pointer())))
                values[-1].align = 2
            own = builder.gep(left, [builder.mul(loop.index, constant(2 * STRIP))])
            for row in range(SIDE):
                pair = builder.load(builder.bitcast(builder.gep(own, [constant(2 * row)]), lane.as_pointer()))
                pair.align = 2
                factor = builder.bitcast(splat(builder, pair, total), operand)
                for place, value in zip(sums[row], values, strict=True):
                    product = multiply_add(builder, lanes, factor, value)
                    builder.store(builder.add(builder.load(place), product), place)
        return [[builder.load(place) for place in places] for places in sums]

    def masked(builder: Any, name: str, result: Any, arguments: list[Any], bits: int) -> Any:
        own = ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.masked.{name}.v{lanes // 2}i{bits}.p0"
        return builder.call(cgutils.get_or_insert_function(builder.module, own, name), arguments)

    def add_row(builder: Any, start: Any, columns: Any, sums: list[Any]) -> None:
        """Add sums to the first `columns` of the places of 32 or 64 bits from `start` on."""
        bits = start.type.pointee.width
        wide, places = ir.VectorType(start.type.pointee, lanes // 2), ir.VectorType(number, lanes // 2)
        for vector, own in enumerate(sums):
            first = lanes // 2 * vector
            left = splat(builder, builder.sub(columns, constant(first)), places)
            mask = builder.icmp_signed("<", ir.Constant(places, list(range(lanes // 2))), left)
            place = builder.bitcast(builder.gep(start, [constant(first)]), wide.as_pointer())
            align = ir.Constant(lane, bits // 8)
            old = masked(builder, "load", wide, [place, align, mask, ir.Constant(wide, None)], bits)
            added = builder.add(old, builder.sext(own, wide) if bits > lane.width else own)
            masked(builder, "store", ir.VoidType(), [added, place, align, mask], bits)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = (
            builder.gep(
                context.make_array(signature.args[k])(context, builder, arguments[k]).data, [arguments[k + 1]]
            )
            for k in (0, 2)
        )
        out, place, stride, rows, columns, _ = cgutils.unpack_tuple(builder, arguments[5])
        target = context.make_array(signature.args[5].types[0])(context, builder, out).data
        for row, sums in enumerate(sums_of_products(builder, left, right, arguments[4])):
            with builder.if_then(builder.icmp_signed("<", constant(row), rows)):
                start = builder.gep(target, [builder.add(place, builder.mul(constant(row), stride))])
                add_row(builder, start, columns, sums)
        return context.get_dummy_value()

    @intrinsic
    def tile(_context, a, p, b, q, pairs, block):
        whole = types.NamedTuple([block.types[0], *[types.intp] * (len(block) - 1)], Block)
        return types.void(a, types.intp, b, types.intp, types.intp, whole), generate

    return tile


_VECTORS = {32: SIDE, 16: SIDE // 2}
"""Vectors of a tile by their 16-bit lanes: of 256 bits there are half as many registers."""
PAIR_COLUMNS = pair_lanes() // 2 * _VECTORS[pair_lanes()] if pair_lanes() else 64
"""Columns of a tile, and of a strip of traces."""
pair_tile: Any = _vector_pair_tile(pair_lanes(), _VECTORS[pair_lanes()]) if pair_lanes() else plain_pair_tile


def strips(columns, width):
    """Elements of one row in strips of `width` columns."""
    return -(-columns // width) * width


@register_jitable
def add_pair_products(out, panel, start, rows, channels, inputs):
    """`out[channel, input] += sum over rows of deltas[row, channel] * traces[row, input]`, within 32 bits.

    In the panel deltas lie in strips of `STRIP` from 0 on, traces in strips of `PAIR_COLUMNS` from `start` on, both as
    `pair_rows` leaves them.
    """
    pairs = (rows + 1) // 2
    for column in range(0, inputs, PAIR_COLUMNS):
        for first in range(0, pairs, PIECE):
            depth = min(PIECE, pairs - first)
            q = start + 2 * (column * pairs + first * PAIR_COLUMNS)
            for row in range(0, channels, SIDE):
                p = 2 * (row // STRIP * STRIP * pairs + first * STRIP + row % STRIP)
                block = Block(out, row * inputs + column, inputs, channels - row, inputs - column, 1)
                pair_tile(panel, p, panel, q, depth, block)
