"""dW: deltas and traces of many time steps collected into panels, multiplied when a panel is full.

A product sums over (slot, position), so a panel keeps that axis last. A dense layer's rows are collected as they come,
`(rows, M)` traces and `(rows, N)` deltas, and transposed when they are multiplied. A convolution's maps are collected
transposed, `(C, rows)`, with zeros between the lines of a map: an element of the kernel then meets the traces of its channel
at a fixed distance, and no input is copied once per element. With a stride s, the traces are dealt out to s x s planes by
their padded coordinates modulo s. Memory does not depend on the number of time steps.
"""

from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import magnitude
from nmsim.stop.fixed.gather import clear_run, copy_run, transpose_into
from nmsim.stop.fixed.sums import LANES, Rows, dot_narrow, dot_wide


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
def close_panel(panels, transposed, layers, index, slots):
    """Bring a panel of `slots` slots into the form of `multiply`; the largest sum of |delta| over a row.

    With the largest trace it bounds every element of the product, and so decides whether 32-bit registers hold it.
    """
    layer = layers[index]
    rows, depth = slots * layer.plane, delta_rows(layer, slots)
    panel, begin = panels, layer.panel
    if not layer.kernel:
        panel, begin = transposed, 0
        deltas = layer.panel + layer.panel_rows * layer.inputs
        transpose_into(panel, 0, layer.panel_rows, panels, deltas, layer.channels, rows, layer.channels)
        traces = layer.channels * layer.panel_rows
        transpose_into(panel, traces, layer.panel_rows, panels, layer.panel, layer.inputs, rows, layer.inputs)
    largest = 0
    for channel in range(layer.channels):
        place = begin + channel * layer.panel_rows
        clear_run(
            panel, place + rows, depth - rows
        )  # zeros fill the last lanes: they add nothing to a product
        own, total = panel[place : place + rows], 0
        for k in range(rows):
            total += magnitude(own[k])
        largest = max(largest, total)
    return largest


@register_jitable
def multiply(plan, work, index, slots, narrow):
    """`dW += delta w~^T` over a closed panel; `narrow`: 32-bit registers hold every element of it."""
    layer = plan.layers[index]
    out = work.weight_sums[layer.weight : layer.weight + layer.channels * layer.fan_in]
    panel, begin, places = work.transposed, 0, plan.orders[:0]
    if layer.kernel:
        panel, begin = work.panels, layer.panel
        places = plan.orders[layer.trace_rows : layer.trace_rows + layer.fan_in]
    stride, depth = layer.panel_rows, delta_rows(layer, slots)
    deltas = Rows(panel, begin, stride, layer.channels)
    traces = Rows(panel, begin + layer.channels * stride, stride, layer.fan_in)
    if narrow:
        dot_narrow(deltas, traces, places, depth, out, 1)
    else:
        dot_wide(deltas, traces, places, depth, out, 1)


@register_jitable
def multiply_panel(plan, work, index):
    """`dW += delta w~^T` over what is in a layer's panel, and empty it."""
    layer, slots = plan.layers[index], work.filled[index]
    if slots == 0:
        return
    work.filled[index] = 0
    largest = close_panel(work.panels, work.transposed, plan.layers, index, slots)
    multiply(plan, work, index, slots, layer.narrow != 0 and largest * work.largest[index] < 1 << 31)


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
