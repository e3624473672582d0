"""Currents from active inputs alone: lists of the inputs that are not zero, and sums of the weights that they meet.

The inputs of a layer behind spikes are 0, 1, or small numbers (pooled spikes, sums of branches). Each line of a map has one
list for every value; the inputs under a line of a kernel are then one run of each list. An entry is the place of the
weights that the input meets, up to what the position of the kernel adds to it: `held.backward` has the weights of an input
channel and a kernel element in one run.
"""

from typing import Any, NamedTuple

from numba.extending import register_jitable

from nmsim.stop.fixed.compress import list_equal
from nmsim.stop.fixed.row_adder import SEGMENT, add_rows, columns_at_once

LARGEST_VALUE = 4
"""Largest input that is listed: every value is a pass over the inputs, and a list of its own."""
LISTED_SUMS = 131072
"""Sums formed at a time: rows enough to use weights again that came from the third cache."""
SLICE = 1 << 17
"""Weights that all rows meet before others are read: the second cache holds them."""


class Lists(NamedTuple):
    """Active inputs of a layer: `entries` by line and value; `marks (lines, values, width + 1)`, where columns begin.

    `segments` is scratch: what one row of sums is added from.
    """

    entries: Any
    marks: Any
    segments: Any


class Grid(NamedTuple):
    """The inputs of a layer as a map: of a dense layer one position with all of them, under a kernel of one element."""

    kernel: Any
    channels: Any
    height: Any
    width: Any


@register_jitable
def grid_of(layer):
    """The grid of a layer's inputs."""
    if layer.kernel:
        return Grid(layer.kernel, layer.input_channels, layer.input_height, layer.input_width)
    return Grid(1, layer.inputs, 1, 1)


@register_jitable
def rows_listed(columns):
    """Rows of sums formed at a time."""
    return max(4, min(256, LISTED_SUMS // columns))


@register_jitable
def group_within(largest):
    """How many weights, each at most `largest` in magnitude, 16 bits can add up.

    >>> group_within(32767), group_within(32768), group_within(1000)
    (1, 0, 32)
    """
    return 32767 // max(largest, 1)


@register_jitable
def list_active(lists, memory, layer, slots):
    """List the inputs of the first slots that are not zero; how many there are."""
    entries, marks, total = lists.entries, lists.marks, 0
    _, channels, height, width = grid_of(layer)
    for line in range(slots * height):
        place = line // height * layer.words + layer.source_values + line % height * width * channels
        first = count = line * width * channels
        for value in range(1, layer.listed + 1):
            mark = (line * layer.listed + value - 1) * (width + 1)
            for x in range(width):
                marks[mark + x] = count
                count = list_equal(
                    entries, count, memory, place + x * channels, channels, value, -x * layer.channels,
                    layer.error_depth,
                )  # fmt: skip
            marks[mark + width] = count
        total += count - first
    return total


@register_jitable
def adding_pays(layer, slots, active, group):
    """Whether adding the weights of so many active inputs of all takes less time than products with every input.

    A vector of weights takes as long as two multiply-adds of a tile; widening a group, as long as four vectors.
    """
    return 2 * active * (group + 4) < slots * layer.inputs * group


@register_jitable
def list_if_it_pays(lists, memory, layer, slots, largest):
    """List the active inputs; how many of their weights, up to `largest`, 16 bits add up, or 0 if adding does not pay."""
    group = group_within(largest)
    active = list_active(lists, memory, layer, slots)
    return group if adding_pays(layer, slots, active, group) else 0


@register_jitable
def active_sums_into(out, lists, weights, layer, start, stop, group):
    """Sums over the active inputs of rows `start..stop-1` of `(slot, position)`, `out (rows, channels)`.

    `weights` are `held.backward`, `group` as many of them as 16 bits add up.
    """
    kernel, channels, height, width = grid_of(layer)
    marks, segments, elements = lists.marks, lists.segments, kernel * kernel
    at = 0
    while at < layer.channels:
        columns = columns_at_once(layer.channels - at)
        lines = max(1, SLICE // (kernel * channels * columns))
        for first in range(0, kernel, lines):
            for row in range(start, stop):
                slot, position = row // layer.positions, row % layer.positions
                top, left = position // layer.width, position % layer.width
                top, left = top * layer.stride - layer.padding, left * layer.stride - layer.padding
                low, high = min(max(left, 0), width), max(min(left + kernel, width), 0)
                count = 0
                for y in range(max(first, -top), min(first + lines, kernel, height - top)):
                    base = layer.backward + (elements - 1 - y * kernel + left) * layer.channels + at
                    mark = (slot * height + top + y) * layer.listed * (width + 1)
                    for value in range(1, layer.listed + 1):
                        begin, end = marks[mark + low], marks[mark + high]
                        if end > begin:
                            place = SEGMENT * count
                            segments[place], segments[place + 1] = begin, end
                            segments[place + 2], segments[place + 3] = base, value
                            count += 1
                        mark += width + 1
                sums = out[(row - start) * layer.channels + at :]
                add_rows(columns, weights, lists.entries, segments, count, group, sums, 1 if first else 0)
        at += columns
