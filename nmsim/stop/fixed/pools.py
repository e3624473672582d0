"""Exact kernels between synaptic layers: loading the input, pools, sums of branches, and the way back of their errors.

Maps are stored `(H, W, C)`. An average is a sum whose fraction grew; nothing rounds here. Every kernel serves all slots.
"""

from numba.extending import register_jitable

from nmsim.fixedpoint.compiled import kernel
from nmsim.stop.fixed.runs import clear_run, copy_run, spread_over_window, sum_window


def take_inputs(out, inputs, labels):
    """Copy raw inputs, flat arrays, to the type of stored integers.

    Returns the smallest and the largest of them and 0, and those of the labels and 0.
    """
    smallest, largest = 0, 0
    for k in range(out.size):
        v = inputs[k]
        smallest, largest = min(smallest, v), max(largest, v)
        out[k] = v
    least, most = 0, 0
    for label in labels:
        least, most = min(least, label), max(most, label)
    return smallest, largest, least, most


@register_jitable
def load_inputs(memory, nodes, inputs, samples, step):
    """Raw inputs `(S, T or 1, size)` of a group of time steps, from C order to channels last."""
    node = nodes[0]
    positions = node.height * node.width
    moves = inputs.shape[1] > 1
    for sample in range(samples):
        for offset in range(node.group):
            values = inputs[sample, step + offset if moves else 0]
            place = (sample * node.group + offset) * node.words + node.values
            if positions == 1 or node.channels == 1:
                copy_run(memory, place, values, 0, values.size)
                continue
            for channel in range(node.channels):
                for position in range(positions):
                    memory[place + position * node.channels + channel] = values[
                        channel * positions + position
                    ]


@register_jitable
def window_over(node, source, channels):
    """A pool's window over its source's map (see `sum_window`)."""
    return node.window_height, source.width * channels, node.window_width, channels


@register_jitable
def average_pool(memory, nodes, index, samples):
    """Sum over each window, times a factor where the mean is not a shift of it."""
    node, source = nodes[index], nodes[nodes[index].first]
    channels = node.channels
    window = window_over(node, source, channels)
    for slot in range(samples * node.group):
        place, from_ = slot * node.words + node.values, slot * node.words + source.values
        to = place
        for y in range(node.height):
            begin = from_ + y * node.window_height * source.width * channels
            for x in range(node.width):
                at = begin + x * node.window_width * channels
                sum_window(memory, to, memory, at, channels, window)
                to += channels
        if node.factor != 1:
            out = memory[place : place + node.size]
            for k in range(node.size):
                out[k] *= node.factor


@register_jitable
def maximum_pool(memory, nodes, index, samples):
    """Largest value of each window."""
    node, source = nodes[index], nodes[nodes[index].first]
    channels = node.channels
    for slot in range(samples * node.group):
        place, from_ = slot * node.words + node.values, slot * node.words + source.values
        for position in range(node.height * node.width):
            top, left = position // node.width * node.window_height, position % node.width * node.window_width
            begin = place + position * channels
            out = memory[begin : begin + channels]
            at = from_ + (top * source.width + left) * channels
            for k in range(channels):
                out[k] = memory[at + k]
            for y in range(top, top + node.window_height):
                for x in range(left, left + node.window_width):
                    at = from_ + (y * source.width + x) * channels
                    values = memory[at : at + channels]
                    for k in range(channels):
                        out[k] = max(out[k], values[k])


@register_jitable
def add_branches(memory, nodes, index, samples):
    """Sum of two branches, aligned."""
    node = nodes[index]
    first, second = nodes[node.first], nodes[node.second]
    for slot in range(samples * node.group):
        place = slot * node.words
        for k in range(node.size):
            left, right = memory[place + first.values + k], memory[place + second.values + k]
            memory[place + node.values + k] = (left << node.left_first) + (right << node.left_second)


@register_jitable
def copy_errors(errors, nodes, index, samples):
    """A sum's error goes to both branches: written by the first sender, added by the others."""
    node = nodes[index]
    for branch in range(2):
        source = nodes[node.second if branch else node.first]
        left = node.error_left_second if branch else node.error_left_first
        writes = node.writes_second if branch else node.writes_first
        if not source.needs_error:
            continue
        for slot in range(samples * node.group):
            place = slot * node.error_words
            if writes:
                for k in range(node.size):
                    errors[place + source.error + k] = errors[place + node.error + k] << left
            else:
                for k in range(node.size):
                    errors[place + source.error + k] += errors[place + node.error + k] << left


@register_jitable
def spread_average_errors(errors, nodes, index, samples):
    """Every input of a window receives the window's error; inputs outside all windows receive none."""
    node, source = nodes[index], nodes[nodes[index].first]
    channels, factor, keep = node.channels, node.factor << node.error_left_first, 1 - node.writes_first
    window = window_over(node, source, channels)
    covered = node.size * node.window_height * node.window_width
    for slot in range(samples * node.group):
        place, from_ = slot * node.error_words + source.error, slot * node.error_words + node.error
        if covered < source.size and not keep:
            clear_run(errors, place, source.size)
        for y in range(node.height):
            begin = place + y * node.window_height * source.width * channels
            for x in range(node.width):
                at = begin + x * node.window_width * channels
                spread_over_window(errors, at, errors, from_, channels, window, factor, keep)
                from_ += channels


@register_jitable
def route_maximum_errors(errors, nodes, memory, index, samples):
    """The first maximal input of a window, in row-major order, receives the window's error."""
    node, source = nodes[index], nodes[nodes[index].first]
    channels, left = node.channels, node.error_left_first
    for slot in range(samples * node.group):
        target, from_ = slot * node.error_words + source.error, slot * node.error_words + node.error
        values, outputs = slot * node.words + source.values, slot * node.words + node.values
        if node.writes_first:
            for k in range(source.size):
                errors[target + k] = 0
        for element in range(node.size):
            position, channel = element // channels, element % channels
            top, start = (
                position // node.width * node.window_height,
                position % node.width * node.window_width,
            )
            largest, chosen = memory[outputs + element], -1
            for y in range(top, top + node.window_height):
                for x in range(start, start + node.window_width):
                    at = (y * source.width + x) * channels + channel
                    if chosen < 0 and memory[values + at] == largest:
                        chosen = at
            errors[target + chosen] += errors[from_ + element] << left


TAKE_INPUTS = kernel(take_inputs)
