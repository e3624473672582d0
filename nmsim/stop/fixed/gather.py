"""Rows of a convolution: what meets the kernel at one position.

Maps are stored `(H, W, C)`; a gathered row is `(row, column, channel)` of the kernel, zero outside the map, padded with
zeros to the layer's depth.
"""

from typing import Any, NamedTuple

from numba.extending import register_jitable

from nmsim.stop.fixed.runs import clear_run, copy_run


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
    """Rows `start..stop-1` of `(map, position)`; map m lies at `m * stride + place`.

    The last numbers of `out` are scratch for what a line of the kernel passes over, zeros outside the map included: rows are
    then copies of one length, without conditions that a processor would have to guess.
    """
    depth, channels, height, width, kernel, step, padding, out_size, out_width = window
    strip, line, row = out.size - strip_numbers(window), kernel * channels, start
    while row < stop:
        position, origin = row % out_size, row // out_size * stride + place
        y, x = position // out_width * step - padding, position % out_width
        count, left, begin = min(out_width - x, stop - row), x * step - padding, (row - start) * depth
        span = (count - 1) * step + kernel
        low = min(max(0, -left), span)
        high = max(low, min(span, width - left))
        for element in range(kernel):
            if 0 <= y + element < height:
                clear_run(out, strip, low * channels)
                from_ = origin + ((y + element) * width + left + low) * channels
                copy_run(out, strip + low * channels, memory, from_, (high - low) * channels)
                clear_run(out, strip + high * channels, (span - high) * channels)
            else:
                clear_run(out, strip, span * channels)
            to, from_ = begin + element * line, strip
            for _ in range(count):
                copy_run(out, to, out, from_, line)
                to += depth
                from_ += step * channels
        if depth > kernel * line:
            for number in range(count):
                clear_run(out, begin + number * depth + kernel * line, depth - kernel * line)
        row += count


@register_jitable
def strip_numbers(window):
    """Numbers that a line of a kernel passes over, beside a line of its outputs."""
    return ((window.out_width - 1) * window.step + window.kernel) * window.channels


@register_jitable
def input_window(layer):
    """How the kernel moves over the inputs."""
    return Window(
        layer.depth, layer.input_channels, layer.input_height, layer.input_width, layer.kernel, layer.stride,
        layer.padding, layer.positions, layer.width,
    )  # fmt: skip


@register_jitable
def delta_window(layer):
    """How the kernel, turned round, moves over the deltas if its stride is 1."""
    return Window(
        layer.error_depth, layer.channels, layer.height, layer.width, layer.kernel, 1,
        layer.kernel - 1 - layer.padding, layer.input_height * layer.input_width, layer.input_width,
    )  # fmt: skip


@register_jitable
def gather_inputs(out, memory, stride, place, layer, start, stop):
    """Rows `start..stop-1` of `(map, output position)`: the inputs that the kernel meets.

    `out` has one row of `layer.depth` elements for each: a convolution is then a product of these rows with the kernels, as
    a dense layer is.
    """
    gather_rows(out, memory, stride, place, input_window(layer), start, stop)


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
        gather_rows(out, memory, layer.words, layer.delta, delta_window(layer), start, stop)
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
