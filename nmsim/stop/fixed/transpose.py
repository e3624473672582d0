"""Transposition of runs of integers, in vectors."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

SIDE = 8
"""Rows and columns of a block: eight vectors of eight numbers."""


def _typed(_context, out, place, out_stride, values, start, stride):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source = (
            builder.gep(
                context.make_array(signature.args[k])(context, builder, arguments[k]).data, [arguments[k + 1]]
            )
            for k in (0, 3)
        )
        number, item = ir.IntType(64), source.type.pointee
        vector, bytes_each = ir.VectorType(item, SIDE), item.width // 8

        def at(begin: Any, apart: Any, row: int) -> Any:
            place = builder.gep(begin, [builder.mul(apart, ir.Constant(number, row))])
            return builder.bitcast(place, vector.as_pointer())

        rows = []
        for row in range(SIDE):
            rows.append(builder.load(at(source, arguments[5], row)))
            rows[-1].align = bytes_each
        # three times the perfect shuffle of rows 0 to 3 with rows 4 to 7: every number then stands where its mirror was
        halves = [
            ir.Constant(
                ir.VectorType(ir.IntType(32), SIDE), [k // 2 + k % 2 * SIDE + half for k in range(SIDE)]
            )
            for half in (0, SIDE // 2)
        ]
        for _ in range(3):
            rows = [
                builder.shuffle_vector(rows[k], rows[k + SIDE // 2], half)
                for k in range(SIDE // 2)
                for half in halves
            ]
        for row, own in enumerate(rows):
            builder.store(own, at(target, arguments[2], row)).align = bytes_each
        return context.get_dummy_value()

    number = types.intp
    return types.void(out, number, number, values, number, number), generate


transpose_block: Any = intrinsic(_typed)
"""`out[place + c * out_stride + r] = values[start + r * stride + c]` for `SIDE` rows r and columns c, of one type."""


@register_jitable
def transpose_plainly(out, out_start, out_stride, values, start, stride, rows, columns):
    """`out[c, r] = values[r, c]`, in tiles that fit the cache."""
    for first_row in range(0, rows, 32):
        last_row = min(first_row + 32, rows)
        for first_column in range(0, columns, 32):
            for column in range(first_column, min(first_column + 32, columns)):
                place, from_ = out_start + column * out_stride, start + column
                for row in range(first_row, last_row):
                    out[place + row] = values[from_ + row * stride]


@register_jitable
def transpose_into(out, out_start, out_stride, values, start, stride, rows, columns):
    """`out[c, r] = values[r, c]`: rows of `values` lie `stride` apart from `start` on, those of `out` likewise."""
    # 64-bit items are Python integers, for which this runs interpreted
    whole_rows, whole_columns = 0, 0
    if values.itemsize < 8:
        whole_rows, whole_columns = rows // SIDE * SIDE, columns // SIDE * SIDE
        for column in range(0, whole_columns, SIDE):
            for row in range(0, whole_rows, SIDE):
                place, from_ = out_start + column * out_stride + row, start + row * stride + column
                transpose_block(out, place, out_stride, values, from_, stride)
    behind = start + whole_rows * stride
    transpose_plainly(
        out, out_start + whole_rows, out_stride, values, behind, stride, rows - whole_rows, whole_columns
    )
    place = out_start + whole_columns * out_stride
    transpose_plainly(
        out, place, out_stride, values, start + whole_columns, stride, rows, columns - whole_columns
    )
