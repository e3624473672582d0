"""The innermost product: sixteen sums of products of 16-bit integers, four rows by four rows.

On x86 the multiply-add of neighbouring pairs (`vpmaddwd`, fused to `vpdpwssd` where there is VNNI) does two to four times
the work of what compilers make of the plain loop, which is used everywhere else. Sums are modulo 2**32 either way.
"""

from typing import Any

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


def plain_tile(cast: Any) -> Any:
    """Tile kernel with running sums of type `cast`: rows of `a` from places `p` on, of `b` from `q` on, `depth` terms."""

    @register_jitable
    def tile(a, p, b, q, depth):
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
        return s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33

    return tile


def _pair_tile(lanes: int) -> Any:
    """The same for int16 arrays and a depth that is a multiple of `lanes`, by multiply-add of pairs."""
    operand = ir.VectorType(ir.IntType(16), lanes)
    total = ir.VectorType(ir.IntType(32), lanes // 2)
    multiply_add = "llvm.x86.avx512.pmaddw.d.512" if lanes == 32 else "llvm.x86.avx2.pmadd.wd"

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        module = builder.module
        multiply = cgutils.get_or_insert_function(
            module, ir.FunctionType(total, [operand, operand]), multiply_add
        )
        add_up = cgutils.get_or_insert_function(
            module, ir.FunctionType(ir.IntType(32), [total]), f"llvm.vector.reduce.add.v{lanes // 2}i32"
        )
        rows, depth = [], arguments[4]
        for side in (0, 2):
            array = context.make_array(signature.args[side])(context, builder, arguments[side]).data
            places = cgutils.unpack_tuple(builder, arguments[side + 1], 4)
            rows.append([builder.gep(array, [place]) for place in places])
        sums = [cgutils.alloca_once_value(builder, ir.Constant(total, None)) for _ in range(16)]
        blocks = builder.udiv(depth, ir.Constant(depth.type, lanes))
        with cgutils.for_range(builder, blocks) as loop:
            offset = builder.mul(loop.index, ir.Constant(loop.index.type, lanes))

            def load(row: Any) -> Any:
                pointer = builder.bitcast(builder.gep(row, [offset]), operand.as_pointer())
                value = builder.load(pointer)
                value.align = 2
                return value

            left = [load(row) for row in rows[0]]
            for column, row in enumerate(rows[1]):
                right = load(row)
                for line in range(4):
                    place = sums[4 * line + column]
                    builder.store(
                        builder.add(builder.load(place), builder.call(multiply, [left[line], right])), place
                    )
        return context.make_tuple(
            builder, signature.return_type, [builder.call(add_up, [builder.load(s)]) for s in sums]
        )

    @intrinsic
    def tile(_context, a, p, b, q, depth):
        places = types.UniTuple(types.intp, 4)
        return types.UniTuple(types.int32, 16)(a, places, b, places, types.intp), generate

    return tile


narrow_tile = _pair_tile(pair_lanes()) if pair_lanes() else plain_tile(np.int32)
wide_tile = plain_tile(int)
