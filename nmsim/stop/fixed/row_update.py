"""Rows of weights updated from the factors of their gradient, in vectors: dW of an input never leaves the registers.

The weights of an input are one row. Two time steps of all deltas lie side by side (`pair_rows`), so that a multiply-add
gives their part of dW for a vector of outputs.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from nmsim.fixedpoint.quantize import ADD, DOWN, DRAW_UP, HIGH, LEFT_Q, LOW
from nmsim.stop.fixed.lanes import LANE, step_in_lanes, subtract_fits
from nmsim.stop.fixed.pair_product import pair_rows
from nmsim.stop.fixed.runs import clear_run
from nmsim.stop.fixed.tile import multiply_add, pair_lanes, splat
from nmsim.stop.fixed.update import BLOCK

ROW_LANES = pair_lanes() // 2
"""Outputs of a vector; 0 where the processor has no multiply-add of pairs."""


def _typed(_context, weights, deltas, pairs, factors, draws, changes, outputs, numbers):
    lanes, number = ROW_LANES, ir.IntType(64)
    narrow, wide = ir.VectorType(ir.IntType(16), lanes), ir.VectorType(LANE, lanes)
    operand = ir.VectorType(ir.IntType(16), 2 * lanes)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(k: int) -> Any:
            return context.make_array(signature.args[k])(context, builder, arguments[k]).data

        def load(start: Any, offset: Any, vector: Any) -> Any:
            value = builder.load(builder.bitcast(builder.gep(start, [offset]), vector.as_pointer()))
            value.align = 2
            return value

        def store(value: Any, start: Any, offset: Any) -> None:
            place = builder.bitcast(builder.gep(start, [offset]), value.type.as_pointer())
            builder.store(value, place).align = 2

        own, panel, pair_factors, random, changed = (data(k) for k in (0, 1, 3, 4, 5))
        pairs, outputs = arguments[2], arguments[6]
        mantissa, draw_up, add, down, low, high = (
            splat(builder, builder.trunc(value, LANE), wide)
            for value in cgutils.unpack_tuple(builder, arguments[7])
        )
        over = cgutils.alloca_once(builder, wide)
        builder.store(ir.Constant(wide, None), over)
        total = cgutils.alloca_once(builder, wide)
        width = ir.Constant(number, lanes)
        with cgutils.for_range_slice(builder, ir.Constant(number, 0), outputs, width, inc=True) as (first, _):
            builder.store(ir.Constant(wide, None), total)
            strip = builder.gep(panel, [builder.mul(builder.mul(first, pairs), ir.Constant(number, 2))])
            with cgutils.for_range(builder, pairs) as loop:
                delta = load(strip, builder.mul(loop.index, ir.Constant(number, 2 * lanes)), operand)
                pair = builder.load(builder.gep(pair_factors, [loop.index]))
                factor = builder.bitcast(splat(builder, pair, wide), operand)
                product = multiply_add(builder, 2 * lanes, factor, delta)
                builder.store(builder.add(builder.load(total), product), total)
            draw = builder.zext(load(random, first, narrow), wide)
            old = builder.sext(load(own, first, narrow), wide)
            step = step_in_lanes(builder, mantissa, builder.load(total), draw, draw_up, add, down)
            value = builder.add(old, step)
            above = builder.select(builder.icmp_signed("<", value, low), low, value)
            inside = builder.select(builder.icmp_signed(">", above, high), high, above)
            outside = builder.zext(builder.icmp_signed("!=", inside, value), wide)
            builder.store(builder.add(builder.load(over), outside), over)
            store(builder.trunc(inside, narrow), own, first)
            change = builder.sub(inside, old)
            back = builder.sub(old, inside)
            change = builder.select(builder.icmp_signed("<", change, back), back, change)
            store(builder.add(load(changed, first, wide), change), changed, first)
        of_lanes = ir.FunctionType(LANE, [wide])
        name = f"llvm.vector.reduce.add.v{lanes}i32"
        add_lanes = cgutils.get_or_insert_function(builder.module, of_lanes, name)
        return builder.sext(builder.call(add_lanes, [builder.load(over)]), number)

    size = types.intp
    return size(weights, deltas, size, factors, draws, changes, size, numbers), generate


_update_row: Any = intrinsic(_typed)


@register_jitable
def rows_fit(layer, weights, row):
    """Whether `update_row` may be used: a run of draws serves a row, and sums of changes, each below 2**16, fit 32 bits."""
    short = layer.error_depth <= BLOCK and layer.inputs < 1 << 15
    return ROW_LANES > 0 and short and subtract_fits(weights, row)


@register_jitable
def pair_deltas(deltas, memory, layer):
    """The deltas of a sample's slots in pairs of time steps, outputs in vectors; zeros behind the last."""
    clear_run(deltas, 0, deltas.size)
    pair_rows(deltas, 0, memory, layer.delta, layer.words, layer.group, layer.channels, ROW_LANES)


@register_jitable
def pair_traces(factors, memory, layer, place):
    """The trace of an input in pairs of time steps, as 32-bit words."""
    first = layer.counted_trace + place
    for slot in range(0, layer.group, 2):
        one, two = memory[first + slot * layer.words], 0
        if slot + 1 < layer.group:
            two = memory[first + (slot + 1) * layer.words]
        factors[slot // 2] = (one & 0xFFFF) | (two << 16)


@register_jitable
def update_row(weights, deltas, layer, factors, draws, changes, row):
    """A row of weights by the deltas and its input's trace, and |changes|, added up; overflows.

    `weights` and `changes` have whole vectors behind the last output, which stay zero: dW is zero there.
    """
    numbers = row[LEFT_Q], row[DRAW_UP], row[ADD], row[DOWN], row[LOW], row[HIGH]
    pairs = (layer.group + 1) // 2
    return _update_row(weights, deltas, pairs, factors, draws, changes, layer.channels, numbers)
