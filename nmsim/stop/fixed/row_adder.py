"""The innermost sum of a sparse product: rows of 16-bit weights added up, for the inputs that are not zero.

Spikes are few: a row of weights per spike is less work than a multiply-add for every input. As many rows are added in 16-bit
lanes as cannot overflow them (a *group*); its sum, times the value that its inputs have in common, goes to 32-bit lanes by a
multiply-add of pairs, of which one is zero.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from nmsim.stop.fixed.tile import multiply_add, pair_lanes

SEGMENT = 4
"""Numbers of a segment: start and stop in the list of places, what is added to each of them, the value of its inputs."""


def plain_adder(columns: int) -> Any:
    """Kernel of `out[j] = keep * out[j] + sum of value * weights[base + lists[i] + j]`, j below `columns`.

    The sum is over i from `start` to `stop - 1` of each of `count` segments `(start, stop, base, value)`. `group` rows add
    up to what 16 bits hold.
    """

    @register_jitable
    def add_rows(weights, lists, segments, count, group, out, keep):
        for j in range(columns):
            total = 0
            for number in range(count):
                start, stop, base, value = segments[SEGMENT * number : SEGMENT * number + SEGMENT]
                for i in range(start, stop):
                    total += value * weights[base + lists[i] + j]
            out[j] = keep * out[j] + total

    return add_rows


def vector_adder(lanes: int, vectors: int) -> Any:
    """`plain_adder(lanes * vectors)` for int16 weights and int64 sums, in so many vectors of 16-bit lanes."""
    narrow = ir.VectorType(ir.IntType(16), lanes)
    half = ir.VectorType(ir.IntType(32), lanes // 2)
    number = ir.IntType(64)

    def constant(value: int) -> Any:
        return ir.Constant(number, value)

    def load_row(builder: Any, weights: Any, place: Any, vector: int) -> Any:
        at = builder.gep(builder.gep(weights, [place]), [constant(lanes * vector)])
        row = builder.load(builder.bitcast(at, narrow.as_pointer()))
        row.align = 2
        return row

    def splat(builder: Any, value: Any) -> Any:
        """A 32-bit value in every lane of 32 bits, seen as 16-bit lanes."""
        single = builder.insert_element(
            ir.Constant(half, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes // 2), [0] * (lanes // 2))
        return builder.bitcast(builder.shuffle_vector(single, ir.Constant(half, ir.Undefined), mask), narrow)

    def put(builder: Any, out: Any, even: Any, odd: Any, keep: Any) -> None:
        """Sums of the even and the odd lanes to neighbouring places."""
        for part in range(2):
            chosen = [lanes // 4 * part + k // 2 + k % 2 * (lanes // 2) for k in range(lanes // 2)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes // 2), chosen)
            wide = ir.VectorType(number, lanes // 2)
            sums = builder.sext(builder.shuffle_vector(even, odd, mask), wide)
            place = builder.bitcast(builder.gep(out, [constant(lanes // 2 * part)]), wide.as_pointer())
            old = builder.load(place)
            old.align = 8
            builder.store(
                builder.add(builder.select(keep, old, ir.Constant(wide, None)), sums), place
            ).align = 8

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weights, lists, segments, out = (
            context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in (0, 1, 2, 5)
        )
        count, group, keep = (arguments[k] for k in (3, 4, 6))
        group_sums = [cgutils.alloca_once(builder, narrow) for _ in range(vectors)]
        sums = [
            [cgutils.alloca_once_value(builder, ir.Constant(half, None)) for _ in range(2)]
            for _ in range(vectors)
        ]
        for pair in sums:  # allocated once, but zero at every call
            for place in pair:
                builder.store(ir.Constant(half, None), place)
        with cgutils.for_range(builder, count) as segment:
            begin = builder.mul(segment.index, constant(SEGMENT))
            start, stop, base, value = (
                builder.load(builder.gep(segments, [builder.add(begin, constant(k))])) for k in range(SEGMENT)
            )
            low = builder.and_(builder.trunc(value, ir.IntType(32)), ir.Constant(ir.IntType(32), 0xFFFF))
            factors = (
                splat(builder, low), splat(builder, builder.shl(low, ir.Constant(ir.IntType(32), 16))),
            )  # fmt: skip
            with cgutils.for_range_slice(builder, start, stop, group, inc=True) as (first, _):
                behind = builder.add(first, group)
                last = builder.select(builder.icmp_signed("<", behind, stop), behind, stop)
                for place in group_sums:
                    builder.store(ir.Constant(narrow, None), place)
                with cgutils.for_range_slice(builder, first, last, constant(1), inc=True) as (i, _):
                    row = builder.add(base, builder.sext(builder.load(builder.gep(lists, [i])), number))
                    for vector, place in enumerate(group_sums):
                        added = load_row(builder, weights, row, vector)
                        builder.store(builder.add(builder.load(place), added), place)
                for place, pair in zip(group_sums, sums, strict=True):
                    own = builder.load(place)
                    for factor, total in zip(factors, pair, strict=True):
                        product = multiply_add(builder, lanes, own, factor)
                        builder.store(builder.add(builder.load(total), product), total)
        keep = builder.icmp_signed("!=", keep, ir.Constant(keep.type, 0))
        for vector, (even, odd) in enumerate(sums):
            place = builder.gep(out, [constant(lanes * vector)])
            put(builder, place, builder.load(even), builder.load(odd), keep)
        return context.get_dummy_value()

    @intrinsic
    def add_rows(_context, weights, lists, segments, count, group, out, keep):
        return types.void(weights, lists, segments, types.intp, types.intp, out, types.intp), generate

    return add_rows


def _adder(columns: int) -> Any:
    lanes = pair_lanes()
    return vector_adder(lanes, columns // lanes) if lanes else plain_adder(columns)


WIDEST = 256 if pair_lanes() == 32 else 64
"""Most columns whose sums the processor's registers hold."""
_add_256, _add_128, _add_64, _add_32 = (_adder(columns) for columns in (256, 128, 64, 32))


@register_jitable
def columns_at_once(left):
    """Columns of the widest adder for so many that are left, a multiple of 32."""
    columns = WIDEST
    while columns > left:
        columns //= 2
    return columns


@register_jitable
def add_rows(columns, weights, lists, segments, count, group, out, keep):
    """`plain_adder` of so many columns, one of `columns_at_once`."""
    if columns == 256:
        _add_256(weights, lists, segments, count, group, out, keep)
    elif columns == 128:
        _add_128(weights, lists, segments, count, group, out, keep)
    elif columns == 64:
        _add_64(weights, lists, segments, count, group, out, keep)
    else:
        _add_32(weights, lists, segments, count, group, out, keep)
