"""Rows of a convolution: what meets the kernel at one position.

Maps are stored `(H, W, C)`; a gathered row is `(row, column, channel)` of the kernel, zero outside the map, padded with
zeros to the layer's depth. Copies are no slice assignments, which compile to much more code.
"""

from typing import Any, NamedTuple

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable


def _typed(_context, out, to, values, start, size):
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source = (
            builder.gep(
                context.make_array(signature.args[k])(context, builder, arguments[k]).data, [arguments[k + 1]]
            )
            for k in (0, 2)
        )
        cgutils.raw_memcpy(builder, target, source, arguments[4], source.type.pointee.width // 8)
        return context.get_dummy_value()

    if out.dtype != values.dtype:
        return None
    return types.void(out, types.intp, values, types.intp, types.intp), generate


_copy_bytes: Any = intrinsic(_typed)


def copy_run(out, to, values, start, size):
    """`out[to + k] = values[start + k]`, of one type; the runs do not overlap."""
    for k in range(size):
        out[to + k] = values[start + k]


@overload(copy_run)
def _copy_run(out, to, values, start, size):
    def copy(out, to, values, start, size):
        _copy_bytes(out, to, values, start, size)

    return copy


@register_jitable
def clear_run(out, start, size):
    """`out[start + k] = 0`."""
    target = out[start : start + size]
    for k in range(size):
        target[k] = 0


class Window(NamedTuple):
    """A kernel that moves over a map by `step`, to `out_size` positions, `out_width` in a line; its rows have a `depth`."""

    depth: Any
    channels: Any
    height: Any
    width: Any
    kernel: Any
    step: Any
    padding: Any
    out_size: Any
    out_width: Any


@register_jitable
def gather_rows(out, memory, stride, place, window, start, stop):
    """Rows `start..stop-1` of `(map, position)`; map m lies at `m * stride + place`."""
    depth, channels, height, width, kernel, step, padding, out_size, out_width = window
    line = kernel * channels
    for row in range(start, stop):
        position = row % out_size
        top, left = position // out_width * step - padding, position % out_width * step - padding
        origin = row // out_size * stride + place
        begin = (row - start) * depth
        low, high = min(max(0, -left), kernel), max(0, min(kernel, width - left))
        for y in range(top, top + kernel):
            if y < 0 or y >= height or high <= low:
                clear_run(out, begin, line)
            else:
                if low:
                    clear_run(out, begin, low * channels)
                copy_run(
                    out,
                    begin + low * channels,
                    memory,
                    origin + (y * width + left + low) * channels,
                    (high - low) * channels,
                )
                if high < kernel:
                    clear_run(out, begin + high * channels, (kernel - high) * channels)
            begin += line
        clear_run(out, begin, depth - kernel * line)


@register_jitable
def gather_inputs(out, memory, stride, place, layer, start, stop):
    """Rows `start..stop-1` of `(map, output position)`: the inputs that the kernel meets.

    `out` has one row of `layer.depth` elements for each: a convolution is then a product of these rows with the kernels, as
    a dense layer is.
    """
    window = Window(
        layer.depth, layer.input_channels, layer.input_height, layer.input_width, layer.kernel, layer.stride,
        layer.padding, layer.positions, layer.width,
    )  # fmt: skip
    gather_rows(out, memory, stride, place, window, start, stop)


@register_jitable
def gather_deltas(out, memory, layer, start, stop):
    """Rows `start..stop-1` of `(slot, input position)`: deltas of the outputs that it reaches, the kernel turned round."""
    positions, channels, stride, kernel = (
        layer.input_height * layer.input_width,
        layer.channels,
        layer.stride,
        layer.kernel,
    )
    if stride == 1:
        window = Window(
            layer.error_depth, channels, layer.height, layer.width, kernel, 1, kernel - 1 - layer.padding, positions,
            layer.input_width,
        )  # fmt: skip
        gather_rows(out, memory, layer.words, layer.delta, window, start, stop)
        return
    for row in range(start, stop):
        slot, position = row // positions, row % positions
        y, x = position // layer.input_width + layer.padding, position % layer.input_width + layer.padding
        begin = (row - start) * layer.error_depth
        for element in range(kernel * kernel - 1, -1, -1):
            from_row, from_column = y - element // kernel, x - element % kernel
            inside = (
                from_row >= 0 and from_column >= 0 and from_row % stride == 0 and from_column % stride == 0
            )
            from_row, from_column = from_row // stride, from_column // stride
            if inside and from_row < layer.height and from_column < layer.width:
                at = slot * layer.words + layer.delta + (from_row * layer.width + from_column) * channels
                copy_run(out, begin, memory, at, channels)
            else:
                clear_run(out, begin, channels)
            begin += channels
        clear_run(out, begin, layer.error_depth - layer.error_terms)
