"""The innermost product: sixteen sums of products of 16-bit integers, four rows by four rows.

On x86 the multiply-add of neighbouring pairs (`vpmaddwd`, fused to `vpdpwssd` where there is VNNI) does two to four times
the work of what compilers make of the plain loop, which is used everywhere else. Sums are modulo 2**32 either way.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable


def pair_lanes() -> int:
    """16-bit lanes of the processor's multiply-add of pairs; 0 if it has none, or numba builds for another."""
    if numba.config.CPU_NAME or numba.config.CPU_FEATURES:  # type: ignore[attr-defined]
        return 0
    features = binding.get_host_cpu_features()
    if features.get("avx512bw"):
        return 32
    return 16 if features.get("avx2") else 0


class Block(NamedTuple):
    """Where a tile's sums go: up to `rows` times `columns` of `out`, from `place` on, rows `stride` apart.

    They are added to what is there if `keep` is 1, and replace it if it is 0.
    """

    out: Any
    place: Any
    stride: Any
    rows: Any
    columns: Any
    keep: Any


@register_jitable
def put_sums(block, row, s0, s1, s2, s3):
    """Write, or add, up to four neighbouring sums of a row of the block, which may not exist."""
    out, place, keep = block.out, block.place + row * block.stride, block.keep
    if row >= block.rows:
        return
    out[place] = out[place] * keep + s0
    if block.columns > 1:
        out[place + 1] = out[place + 1] * keep + s1
    if block.columns > 2:
        out[place + 2] = out[place + 2] * keep + s2
    if block.columns > 3:
        out[place + 3] = out[place + 3] * keep + s3


def plain_tile(cast: Any) -> Any:
    """Tile kernel with running sums of type `cast`: rows of `a` from places `p` on, of `b` from `q` on, `depth` terms.

    Its sums go into a block; rows that do not exist there may be any.
    """

    @register_jitable
    def tile(a, p, b, q, depth, block):
        (p0, p1, p2, p3), (q0, q1, q2, q3) = p, q
        a0, a1, a2, a3 = a[p0 : p0 + depth], a[p1 : p1 + depth], a[p2 : p2 + depth], a[p3 : p3 + depth]
        b0, b1, b2, b3 = b[q0 : q0 + depth], b[q1 : q1 + depth], b[q2 : q2 + depth], b[q3 : q3 + depth]
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = cast(0)
        s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = cast(0)
        for k in range(depth):
            x0, x1, x2, x3 = cast(a0[k]), cast(a1[k]), cast(a2[k]), cast(a3[k])
            y0, y1, y2, y3 = cast(b0[k]), cast(b1[k]), cast(b2[k]), cast(b3[k])
            s00, s01, s02, s03 = (
                cast(s00 + x0 * y0),
                cast(s01 + x0 * y1),
                cast(s02 + x0 * y2),
                cast(s03 + x0 * y3),
            )
            s10, s11, s12, s13 = (
                cast(s10 + x1 * y0),
                cast(s11 + x1 * y1),
                cast(s12 + x1 * y2),
                cast(s13 + x1 * y3),
            )
            s20, s21, s22, s23 = (
                cast(s20 + x2 * y0),
                cast(s21 + x2 * y1),
                cast(s22 + x2 * y2),
                cast(s23 + x2 * y3),
            )
            s30, s31, s32, s33 = (
                cast(s30 + x3 * y0),
                cast(s31 + x3 * y1),
                cast(s32 + x3 * y2),
                cast(s33 + x3 * y3),
            )
        put_sums(block, 0, s00, s01, s02, s03)
        put_sums(block, 1, s10, s11, s12, s13)
        put_sums(block, 2, s20, s21, s22, s23)
        put_sums(block, 3, s30, s31, s32, s33)

    return tile


SIDE = 4
"""Rows and columns of a tile, and 32-bit lanes of the 128 bits that shuffles work in."""


def _added(builder: Any, first: Any, second: Any, *shuffles: list[int]) -> Any:
    """Sum of two shuffles of the same two vectors."""
    masks = (ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes) for lanes in shuffles)
    return builder.add(*(builder.shuffle_vector(first, second, mask) for mask in masks))


def _row_sums(builder: Any, sums: list[Any]) -> Any:
    """Four vectors to the four sums over their lanes, by adding halves of all four at a time."""
    count = sums[0].type.count

    def lanes(*chosen: int) -> list[int]:
        """In every 128 bits: lanes 0 to 3 of the first vector, 4 to 7 of the second."""
        return [
            piece + lane % SIDE + lane // SIDE * count for piece in range(0, count, SIDE) for lane in chosen
        ]

    first = _added(builder, sums[0], sums[1], lanes(0, 4, 1, 5), lanes(2, 6, 3, 7))
    second = _added(builder, sums[2], sums[3], lanes(0, 4, 1, 5), lanes(2, 6, 3, 7))
    found = _added(builder, first, second, lanes(0, 1, 4, 5), lanes(2, 3, 6, 7))
    while found.type.count > SIDE:
        half = found.type.count // 2
        found = _added(builder, found, found, list(range(half)), list(range(half, 2 * half)))
    return found


def _put_row(builder: Any, sums: Any, start: Any, columns: Any, keep: Any) -> None:
    """Write, or add, the first `columns` of four sums from the address `start` of 32 or 64 bits each on."""
    item = start.type.pointee
    wide, aligned = ir.VectorType(item, SIDE), item.width // 8
    values = builder.sext(sums, wide) if item.width > sums.type.element.width else sums
    complete = builder.icmp_signed(">=", columns, ir.Constant(columns.type, SIDE))
    with builder.if_else(complete) as (whole, part):
        with whole:
            place = builder.bitcast(start, wide.as_pointer())
            old = builder.load(place)
            old.align = aligned
            old = builder.select(keep, old, ir.Constant(wide, None))
            builder.store(builder.add(old, values), place).align = aligned
        with part:
            for column in range(SIDE - 1):
                with builder.if_then(builder.icmp_signed(">", columns, ir.Constant(columns.type, column))):
                    place = builder.gep(start, [ir.Constant(ir.IntType(64), column)])
                    old = builder.select(keep, builder.load(place), ir.Constant(item, 0))
                    value = builder.extract_element(values, ir.Constant(ir.IntType(32), column))
                    builder.store(builder.add(old, value), place)


def splat(builder: Any, value: Any, vector: Any) -> Any:
    """A vector with a value in every lane."""
    undefined, lane = ir.Constant(vector, ir.Undefined), ir.IntType(32)
    single = builder.insert_element(undefined, value, ir.Constant(lane, 0))
    mask = ir.Constant(ir.VectorType(lane, vector.count), [0] * vector.count)
    return builder.shuffle_vector(single, undefined, mask)


def multiply_add(builder: Any, lanes: int, left: Any, right: Any) -> Any:
    """Products of 16-bit lanes, those of neighbours added: a vector of half as many 32-bit lanes."""
    operand = ir.VectorType(ir.IntType(16), lanes)
    total = ir.VectorType(ir.IntType(32), lanes // 2)
    name = "llvm.x86.avx512.pmaddw.d.512" if lanes == 32 else "llvm.x86.avx2.pmadd.wd"
    own = cgutils.get_or_insert_function(builder.module, ir.FunctionType(total, [operand, operand]), name)
    return builder.call(own, [left, right])


def _pair_tile(lanes: int) -> Any:
    """The same for int16 arrays, 32- or 64-bit sums and a depth that is a multiple of `lanes`, by multiply-add of pairs."""
    operand = ir.VectorType(ir.IntType(16), lanes)
    total = ir.VectorType(ir.IntType(32), lanes // 2)

    def sums_of_products(builder: Any, rows: list[list[Any]], depth: Any) -> list[Any]:
        sums = [cgutils.alloca_once_value(builder, ir.Constant(total, None)) for _ in range(SIDE * SIDE)]
        blocks = builder.udiv(depth, ir.Constant(depth.type, lanes))
        with cgutils.for_range(builder, blocks) as loop:
            offset = builder.mul(loop.index, ir.Constant(loop.index.type, lanes))

            def load(row: Any) -> Any:
                value = builder.load(builder.bitcast(builder.gep(row, [offset]), operand.as_pointer()))
                value.align = 2
                return value

            left = [load(row) for row in rows[0]]
            for column, row in enumerate(rows[1]):
                right = load(row)
                for line in range(SIDE):
                    place = sums[SIDE * line + column]
                    product = multiply_add(builder, lanes, left[line], right)
                    builder.store(builder.add(builder.load(place), product), place)
        return [builder.load(place) for place in sums]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = []
        for side in (0, 2):
            array = context.make_array(signature.args[side])(context, builder, arguments[side]).data
            places = cgutils.unpack_tuple(builder, arguments[side + 1], SIDE)
            rows.append([builder.gep(array, [place]) for place in places])
        out, place, stride, count, columns, keep = cgutils.unpack_tuple(builder, arguments[5])
        target = context.make_array(signature.args[5].types[0])(context, builder, out).data
        sums = sums_of_products(builder, rows, arguments[4])
        keep = builder.icmp_signed("!=", keep, ir.Constant(keep.type, 0))
        for line in range(SIDE):
            own = _row_sums(builder, sums[SIDE * line : SIDE * line + SIDE])
            number = ir.Constant(count.type, line)
            with builder.if_then(builder.icmp_signed("<", number, count)):
                start = builder.gep(target, [builder.add(place, builder.mul(number, stride))])
                _put_row(builder, own, start, columns, keep)
        return context.get_dummy_value()

    @intrinsic
    def tile(_context, a, p, b, q, depth, block):
        places = types.UniTuple(types.intp, SIDE)
        whole = types.NamedTuple([block.types[0], *[types.intp] * (len(block) - 1)], Block)
        return types.void(a, places, b, places, types.intp, whole), generate

    return tile


narrow_tile = _pair_tile(pair_lanes()) if pair_lanes() else plain_tile(np.int32)
wide_tile = plain_tile(int)
