"""dW: deltas and traces of many time steps collected into panels, multiplied when a panel is full.

A product sums over (slot, position). A dense layer's rows are collected as they come, `(rows, M)` traces and `(rows, N)`
deltas, and multiplied two rows at a time, or transposed where 32 bits do not hold the sums. A convolution's maps are
collected transposed, `(C, rows)`, with zeros between the lines of a map: an element of the kernel then meets the traces of
its channel at a fixed distance, and no input is copied once per element. With a stride s, the traces are dealt out to s x s
planes by their padded coordinates modulo s. Memory does not depend on the number of time steps.
"""

from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import magnitude
from nmsim.stop.fixed.neuron import add_magnitudes, largest_magnitude
from nmsim.stop.fixed.pair_product import PAIR_COLUMNS, STRIP, add_pair_products, pair_rows
from nmsim.stop.fixed.runs import clear_run, copy_run
from nmsim.stop.fixed.sums import LANES, Rows, dot_narrow, dot_wide
from nmsim.stop.fixed.transpose import transpose_into


@register_jitable
def collect_rows(memory, panels, layers, orders, index, slot, count, filled):
    """Add `count` slots from `slot` on to a dense layer's panel, behind `filled` slots; traces in C order."""
    layer = layers[index]
    order = orders[layer.order : layer.order + layer.inputs]
    for row in range(filled, filled + count):
        from_, to = slot * layer.words + layer.counted_trace, layer.panel + row * layer.inputs
        if layer.permuted:
            for k in range(layer.inputs):
                panels[to + k] = memory[from_ + order[k]]
        else:
            copy_run(panels, to, memory, from_, layer.inputs)
        to = layer.panel + layer.panel_rows * layer.inputs + row * layer.neurons
        copy_run(panels, to, memory, slot * layer.words + layer.delta, layer.neurons)
        slot += 1


@register_jitable
def collect_maps(memory, panels, layers, index, slot, count, filled):
    """Add `count` slots from `slot` on to a convolution's panel, behind `filled` slots.

    Deltas lie at `(channel, slot, y, x)` with lines `pitch` apart, traces likewise on padded planes: the trace that meets
    the delta at (y, x) through kernel element (i, j) is then always the same distance away.
    """
    layer = layers[index]
    channels, width, stride, padding = layer.input_channels, layer.input_width, layer.stride, layer.padding
    traces = layer.panel + layer.channels * layer.panel_rows
    for column in range(filled, filled + count):
        place = column * layer.plane
        for y in range(layer.height):
            from_ = slot * layer.words + layer.delta + y * layer.width * layer.channels
            to = layer.panel + place + y * layer.pitch
            transpose_into(
                panels, to, layer.panel_rows, memory, from_, layer.channels, layer.width, layer.channels
            )
        for y in range(layer.input_height):
            from_ = slot * layer.words + layer.counted_trace + y * width * channels
            line = (y + padding) // stride * layer.pitch + place
            if (
                stride == 1
            ):  # maps lie on a padded plane, so that a kernel element is the same plane from another place
                transpose_into(
                    panels,
                    traces + line + padding,
                    layer.trace_stride,
                    memory,
                    from_,
                    channels,
                    width,
                    channels,
                )
            else:
                # inputs that one kernel element meets are `stride` apart: each phase gets a plane in which they touch
                for x in range(width):
                    phase = (y + padding) % stride * stride + (x + padding) % stride
                    to = traces + phase * layer.trace_stride + line + (x + padding) // stride
                    for channel in range(channels):
                        panels[to + channel * stride * stride * layer.trace_stride] = memory[
                            from_ + x * channels + channel
                        ]
        slot += 1


@register_jitable
def delta_rows(layer, slots):
    """Terms of a panel's product, padded: its depth."""
    return -(-slots * layer.plane // LANES) * LANES


@register_jitable
def largest_delta_sum(layer, panels, slots, scratch):
    """Largest sum of |delta| over what an element of dW adds up in a panel of `slots` slots.

    With the largest trace it bounds every element of the product, and so decides whether 32-bit registers hold it.
    """
    rows, largest = slots * layer.plane, 0
    if layer.kernel:
        for channel in range(layer.channels):
            place = layer.panel + channel * layer.panel_rows
            own, total = panels[place : place + rows], 0
            for k in range(rows):
                total += magnitude(own[k])
            largest = max(largest, total)
        return largest
    clear_run(scratch, 0, layer.neurons)
    sums = scratch[: layer.neurons]
    for row in range(rows):
        place = layer.panel + layer.panel_rows * layer.inputs + row * layer.neurons
        add_magnitudes(sums, panels[place : place + layer.neurons])
    return largest_magnitude(sums)


@register_jitable
def multiply_panel(plan, work, index):
    """`dW += delta w~^T` over what is in a layer's panel, and empty it."""
    layer, slots = plan.layers[index], work.filled[index]
    if slots == 0:
        return
    work.filled[index] = 0
    panels, channels, inputs, stride = work.panels, layer.channels, layer.inputs, layer.panel_rows
    out = work.weight_sums[layer.weight : layer.weight + channels * layer.fan_in]
    largest = largest_delta_sum(layer, panels, slots, work.factors)
    narrow = layer.narrow != 0 and largest * work.largest[index] < 1 << 31
    panel, begin, depth, places = work.transposed, 0, slots, plan.orders[:0]
    deltas = layer.panel + stride * inputs
    if layer.kernel:
        panel, begin, depth = panels, layer.panel, delta_rows(layer, slots)
        places = plan.orders[layer.trace_rows : layer.trace_rows + layer.fan_in]
        for channel in range(channels):  # zeros fill the last lanes: they add nothing to a product
            rows = slots * layer.plane
            clear_run(panel, begin + channel * stride + rows, depth - rows)
    elif narrow:
        traces = 2 * ((slots + 1) // 2) * (-(-channels // STRIP) * STRIP)
        pair_rows(panel, 0, panels, deltas, channels, slots, channels, STRIP)
        pair_rows(panel, traces, panels, layer.panel, inputs, slots, inputs, PAIR_COLUMNS)
        add_pair_products(out, panel, traces, slots, channels, inputs)
        return
    else:
        transpose_into(panel, 0, stride, panels, deltas, channels, slots, channels)
        transpose_into(panel, channels * stride, stride, panels, layer.panel, inputs, slots, inputs)
    a, b = Rows(panel, begin, stride, channels), Rows(panel, begin + channels * stride, stride, layer.fan_in)
    if narrow:
        dot_narrow(a, b, places, depth, out, 1)
    else:
        dot_wide(a, b, places, depth, out, 1)


@register_jitable
def collect(plan, work, index, slots):
    """Add the first `slots` slots to a layer's panel, multiplying it whenever it is full."""
    layer, slot = plan.layers[index], 0
    while slot < slots:
        filled = work.filled[index]
        count = min(slots - slot, layer.panel_slots - filled)
        if count == 0:
            multiply_panel(plan, work, index)
            continue
        if layer.kernel:
            collect_maps(work.memory, work.panels, plan.layers, index, slot, count, filled)
        else:
            collect_rows(work.memory, work.panels, plan.layers, plan.orders, index, slot, count, filled)
        slot += count
        work.filled[index] += count
