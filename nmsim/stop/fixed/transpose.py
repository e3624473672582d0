"""Transposition of runs of integers, in vectors."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from nmsim.stop.fixed.tile import splat

SIDE = 8
"""Rows and columns of a block: eight vectors of eight numbers."""


def _typed(_context, out, place, out_stride, values, start, stride, columns):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source = (
            builder.gep(
                context.make_array(signature.args[k])(context, builder, arguments[k]).data, [arguments[k + 1]]
            )
            for k in (0, 3)
        )
        number, lane, item = ir.IntType(64), ir.IntType(32), source.type.pointee
        vector, bytes_each = ir.VectorType(item, SIDE), item.width // 8
        columns = arguments[6]
        lanes = ir.Constant(ir.VectorType(number, SIDE), list(range(SIDE)))
        mask = builder.icmp_signed("<", lanes, splat(builder, columns, lanes.type))
        kind = ir.FunctionType(vector, [vector.as_pointer(), lane, mask.type, vector])
        name = f"llvm.masked.load.v{SIDE}i{item.width}.p0"
        load = cgutils.get_or_insert_function(builder.module, kind, name)

        def at(begin: Any, apart: Any, row: int) -> Any:
            place = builder.gep(begin, [builder.mul(apart, ir.Constant(number, row))])
            return builder.bitcast(place, vector.as_pointer())

        rows, nothing = [], ir.Constant(vector, None)
        for row in range(SIDE):
            place = at(source, arguments[5], row)
            rows.append(builder.call(load, [place, ir.Constant(lane, bytes_each), mask, nothing]))
        # three times the perfect shuffle of rows 0 to 3 with rows 4 to 7: every number then stands where its mirror was
        halves = [
            ir.Constant(ir.VectorType(lane, SIDE), [k // 2 + k % 2 * SIDE + half for k in range(SIDE)])
            for half in (0, SIDE // 2)
        ]
        for _ in range(3):
            rows = [
                builder.shuffle_vector(rows[k], rows[k + SIDE // 2], half)
                for k in range(SIDE // 2)
                for half in halves
            ]
        for row, own in enumerate(rows):
            with builder.if_then(builder.icmp_signed("<", ir.Constant(number, row), columns)):
                builder.store(own, at(target, arguments[2], row)).align = bytes_each
        return context.get_dummy_value()

    number = types.intp
    return types.void(out, number, number, values, number, number, number), generate


transpose_block: Any = intrinsic(_typed)
"""`out[place + c * out_stride + r] = values[start + r * stride + c]` for `SIDE` rows r, up to `SIDE` columns c."""


@register_jitable
def transpose_into(out, out_start, out_stride, values, start, stride, rows, columns):
    """`out[c, r] = values[r, c]`: rows of `values` lie `stride` apart from `start` on, those of `out` likewise."""
    # 64-bit items are Python integers, for which this runs interpreted
    if rows < SIDE or values.itemsize == 8:
        for column in range(columns):
            place, from_ = out_start + column * out_stride, start + column
            for row in range(rows):
                out[place + row] = values[from_ + row * stride]
        return
    for column in range(0, columns, SIDE):
        for first in range(0, rows, SIDE):
            row = min(first, rows - SIDE)  # the last rows are taken with some of those before
            place, from_ = out_start + column * out_stride + row, start + row * stride + column
            transpose_block(out, place, out_stride, values, from_, stride, columns - column)
