"""Places of the values in a run that equal a given one, by compressing vectors where the processor can (AVX-512)."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from nmsim.stop.fixed.tile import pair_lanes

BEHIND = 16
"""Entries behind a list that may be written."""


@register_jitable
def list_plainly(entries, count, values, begin, size, value, entry, apart):
    """Append `entry + k * apart` to `entries`, behind `count` of them, where `values[begin + k] == value`, `k < size`.

    Returns the new count. What is behind it is overwritten.
    """
    for k in range(size):
        entries[count] = entry + k * apart  # stays if the count goes on
        count += values[begin + k] == value
    return count


def _compress(builder: Any, entries: Any, mask: Any) -> Any:
    """The entries whose bit is set, side by side."""
    function = ir.FunctionType(entries.type, [entries.type, entries.type, mask.type])
    own = cgutils.get_or_insert_function(builder.module, function, "llvm.x86.avx512.mask.compress.v16i32")
    return builder.call(own, [entries, ir.Constant(entries.type, None), mask])


def _generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    entries, values = (
        context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in (0, 2)
    )
    count, begin, size, value, entry, apart = (arguments[k] for k in (1, 3, 4, 5, 6, 7))
    lane, word, number = ir.IntType(32), ir.IntType(16), ir.IntType(64)
    row, line = ir.VectorType(lane, BEHIND), ir.VectorType(word, BEHIND)

    def splat(scalar: Any, vector: Any) -> Any:
        single = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(lane, 0))
        return builder.shuffle_vector(single, single, ir.Constant(row, [0] * BEHIND))

    step = builder.trunc(apart, lane)
    first = builder.add(
        splat(builder.trunc(entry, lane), row),
        builder.mul(splat(step, row), ir.Constant(row, list(range(BEHIND)))),
    )
    wanted = splat(builder.trunc(value, word), line)
    found = cgutils.alloca_once(builder, number)
    builder.store(count, found)
    source = builder.gep(values, [begin])
    with cgutils.for_range_slice(
        builder, ir.Constant(number, 0), size, ir.Constant(number, BEHIND), inc=True
    ) as (k, _):
        own = builder.load(builder.bitcast(builder.gep(source, [k]), line.as_pointer()))
        own.align = 2
        mask = builder.icmp_signed("==", own, wanted)
        listed = builder.add(first, splat(builder.mul(builder.trunc(k, lane), step), row))
        old = builder.load(found)
        place = builder.bitcast(builder.gep(entries, [old]), row.as_pointer())
        builder.store(_compress(builder, listed, mask), place).align = 4
        ones = builder.ctpop(builder.bitcast(mask, word))
        builder.store(builder.add(old, builder.zext(ones, number)), found)
    return builder.load(found)


def _typed(_context, entries, count, values, begin, size, value, entry, apart):
    return types.intp(entries, types.intp, values, *[types.intp] * 5), _generate


_list_vectors: Any = intrinsic(_typed)


@register_jitable
def _list_equal(entries, count, values, begin, size, value, entry, apart):
    whole = size // BEHIND * BEHIND
    count = _list_vectors(entries, count, values, begin, whole, value, entry, apart)
    return list_plainly(
        entries, count, values, begin + whole, size - whole, value, entry + whole * apart, apart
    )


list_equal = _list_equal if pair_lanes() == 32 else list_plainly
