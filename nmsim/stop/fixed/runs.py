"""Short runs of numbers, in vectors: copied, cleared, summed over a window of a map and spread over it.

Lines under a kernel and channels of a map are a handful to some hundred numbers. A call of `memcpy`, or a loop whose last
turns are single numbers, costs more than they do: here whole vectors are followed by a masked one. Where the processor has
no masked vectors of 16-bit numbers, and for Python integers, `memcpy` and the loops below are what runs; the integers are
the same.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from nmsim.stop.fixed.tile import pair_lanes, splat

VECTOR_BYTES = 32
"""Vectors of 64 bytes were slower: nearly all of them lie on two lines of the cache."""
MASKED_LANES = 32
"""16-bit lanes of the processors (AVX-512) that have masked vectors of such numbers."""
LONG_BYTES = 256
"""From here on `memcpy` is as fast."""
NUMBER = ir.IntType(64)


def in_vectors(*arrays: Any) -> bool:
    """Whether masked vectors are used for arrays of these numba types: of equal integers, without gaps."""
    first = arrays[0].dtype
    alike = all(array.dtype == first and array.layout == "C" for array in arrays)
    return alike and isinstance(first, types.Integer) and pair_lanes() == MASKED_LANES


def address(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    """Pointer to element `place` of an array of numba type `kind`."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


class _Piece:
    """Some numbers of a run: as many as a vector has lanes, or the first `count` of them."""

    def __init__(self, builder: Any, item: Any, count: Any = None) -> None:
        self.builder, self.item, self.mask = builder, item, None
        lanes = VECTOR_BYTES // (item.width // 8)
        self.vector, self.zero = ir.VectorType(item, lanes), ir.Constant(ir.VectorType(item, lanes), None)
        if count is not None:
            bits = ir.IntType(lanes)
            missing = builder.trunc(builder.sub(ir.Constant(NUMBER, lanes), count), bits)
            ones = builder.lshr(ir.Constant(bits, -1), missing)  # a count of 0 never comes here
            self.mask = builder.bitcast(ones, ir.VectorType(ir.IntType(1), lanes))

    def _call(self, name: str, result: Any, *arguments: Any) -> Any:
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.masked.{name}.v{self.vector.count}i{self.item.width}.p0"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def load(self, place: Any) -> Any:
        """Its numbers from an address on, zeros behind them."""
        pointer, align = self.builder.bitcast(place, self.vector.as_pointer()), self.item.width // 8
        if self.mask is not None:
            alignment = ir.Constant(ir.IntType(32), align)
            return self._call("load", self.vector, pointer, alignment, self.mask, self.zero)
        values = self.builder.load(pointer)
        values.align = align
        return values

    def store(self, values: Any, place: Any) -> None:
        """Write its numbers from an address on."""
        pointer, align = self.builder.bitcast(place, self.vector.as_pointer()), self.item.width // 8
        if self.mask is None:
            self.builder.store(values, pointer).align = align
        else:
            alignment = ir.Constant(ir.IntType(32), align)
            self._call("store", ir.VoidType(), values, pointer, alignment, self.mask)


def _each_piece(builder: Any, item: Any, size: Any, visit: Callable[[Any, _Piece], None]) -> None:
    """Visit the pieces of a run of `size` numbers: where each begins, and the piece."""
    lanes = ir.Constant(NUMBER, VECTOR_BYTES // (item.width // 8))
    whole = builder.sdiv(size, lanes)
    with cgutils.for_range(builder, whole) as loop:
        visit(builder.mul(loop.index, lanes), _Piece(builder, item))
    begin = builder.mul(whole, lanes)
    rest = builder.sub(size, begin)
    with builder.if_then(builder.icmp_signed(">", rest, ir.Constant(NUMBER, 0))):
        visit(begin, _Piece(builder, item, rest))


def _typed_copy(_context, out, to, values, start, size):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source = (
            address(context, builder, signature.args[k], arguments[k], arguments[k + 1]) for k in (0, 2)
        )
        bytes_each, size = source.type.pointee.width // 8, arguments[4]
        if not in_vectors(out, values):
            cgutils.raw_memcpy(builder, target, source, size, bytes_each)
            return context.get_dummy_value()
        short = builder.icmp_signed("<", size, ir.Constant(NUMBER, LONG_BYTES // bytes_each))
        with builder.if_else(short) as (then, otherwise):
            with then:

                def move(begin: Any, piece: _Piece) -> None:
                    piece.store(piece.load(builder.gep(source, [begin])), builder.gep(target, [begin]))

                _each_piece(builder, source.type.pointee, size, move)
            with otherwise:
                cgutils.raw_memcpy(builder, target, source, size, bytes_each)
        return context.get_dummy_value()

    if out.dtype != values.dtype or out.layout != "C" or values.layout != "C":
        return None
    return types.void(out, types.intp, values, types.intp, types.intp), generate


def _typed_clear(_context, out, start, size):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = address(context, builder, signature.args[0], arguments[0], arguments[1])

        def clear(begin: Any, piece: _Piece) -> None:
            piece.store(piece.zero, builder.gep(target, [begin]))

        _each_piece(builder, target.type.pointee, arguments[2], clear)
        return context.get_dummy_value()

    return types.void(out, types.intp, types.intp), generate


def _over_window(builder: Any, place: Any, window: Any, visit: Callable[[Any], None]) -> None:
    """Visit the addresses of a window: `height` lines `down` apart of `width` numbers `across` apart, from `place` on."""
    height, down, width, across = cgutils.unpack_tuple(builder, window)
    with cgutils.for_range(builder, height) as lines, cgutils.for_range(builder, width) as columns:
        offset = builder.add(builder.mul(lines.index, down), builder.mul(columns.index, across))
        visit(builder.gep(place, [offset]))


def _typed_sum(_context, out, to, values, start, size, window):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source = (
            address(context, builder, signature.args[k], arguments[k], arguments[k + 1]) for k in (0, 2)
        )

        def sum_piece(begin: Any, piece: _Piece) -> None:
            total = cgutils.alloca_once(builder, piece.vector)
            builder.store(piece.zero, total)

            def add(place: Any) -> None:
                builder.store(builder.add(builder.load(total), piece.load(place)), total)

            _over_window(builder, builder.gep(source, [begin]), arguments[5], add)
            piece.store(builder.load(total), builder.gep(target, [begin]))

        _each_piece(builder, source.type.pointee, arguments[4], sum_piece)
        return context.get_dummy_value()

    return types.void(
        out, types.intp, values, types.intp, types.intp, types.UniTuple(types.intp, 4)
    ), generate


def _typed_spread(_context, out, to, values, start, size, window, factor, keep):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source = (
            address(context, builder, signature.args[k], arguments[k], arguments[k + 1]) for k in (0, 2)
        )
        factor, keep = arguments[6:]
        keeps = builder.icmp_signed("!=", keep, ir.Constant(keep.type, 0))

        def spread_piece(begin: Any, piece: _Piece) -> None:
            own = builder.mul(piece.load(builder.gep(source, [begin])), splat(builder, factor, piece.vector))
            place = builder.gep(target, [begin])

            def put(at: Any) -> None:
                piece.store(own, at)

            def add(at: Any) -> None:
                piece.store(builder.add(piece.load(at), own), at)

            with builder.if_else(keeps) as (then, otherwise):
                with then:
                    _over_window(builder, place, arguments[5], add)
                with otherwise:
                    _over_window(builder, place, arguments[5], put)

        _each_piece(builder, source.type.pointee, arguments[4], spread_piece)
        return context.get_dummy_value()

    window = types.UniTuple(types.intp, 4)
    own = types.void(out, types.intp, values, types.intp, types.intp, window, values.dtype, types.intp)
    return own, generate


_copy: Any = intrinsic(_typed_copy)
_clear: Any = intrinsic(_typed_clear)
_sum: Any = intrinsic(_typed_sum)
_spread: Any = intrinsic(_typed_spread)


def copy_run(out, to, values, start, size):
    """`out[to + k] = values[start + k]`, of one type; the runs do not overlap."""
    for k in range(size):
        out[to + k] = values[start + k]


def clear_run(out, start, size):
    """`out[start + k] = 0`."""
    target = out[start : start + size]
    for k in range(size):
        target[k] = 0


def sum_window(out, to, values, start, size, window):
    """`out[to + k]` is the sum of `values[start + y * down + x * across + k]` over a window; the runs do not overlap.

    `window` is (height, down, width, across): its lines and how far they lie apart, its columns likewise.
    """
    height, down, width, across = window
    target = out[to : to + size]
    for k in range(size):
        target[k] = 0
    for y in range(height):
        for x in range(width):
            begin = start + y * down + x * across
            own = values[begin : begin + size]
            for k in range(size):
                target[k] += own[k]


def spread_over_window(out, to, values, start, size, window, factor, keep):
    """`out[to + y * down + x * across + k] = values[start + k] * factor` over a window, added to what is there if `keep`."""
    height, down, width, across = window
    own = values[start : start + size]
    for y in range(height):
        for x in range(width):
            begin = to + y * down + x * across
            target = out[begin : begin + size]
            if keep:
                for k in range(size):
                    target[k] += own[k] * factor
            else:
                for k in range(size):
                    target[k] = own[k] * factor


@overload(copy_run)
def _copy_run(out, to, values, start, size):
    def copy(out, to, values, start, size):
        _copy(out, to, values, start, size)

    return copy


@overload(clear_run)
def _clear_run(out, start, size):
    def clear(out, start, size):
        _clear(out, start, size)

    return clear if in_vectors(out) else clear_run


@overload(sum_window)
def _sum_window(out, to, values, start, size, window):
    def add(out, to, values, start, size, window):
        _sum(out, to, values, start, size, window)

    return add if in_vectors(out, values) else sum_window


@overload(spread_over_window)
def _spread_over_window(out, to, values, start, size, window, factor, keep):
    def spread(out, to, values, start, size, window, factor, keep):
        _spread(out, to, values, start, size, window, factor, keep)

    return spread if in_vectors(out, values) else spread_over_window
