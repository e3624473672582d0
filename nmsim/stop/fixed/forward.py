"""A layer's forward steps: weight traces, currents, membranes, spikes."""

from typing import Any

from numba.extending import register_jitable

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.lfsr import draw_into
from nmsim.fixedpoint.quantize import LEFT_P, LEFT_Q, OFFSET, SPREAD, STOCHASTIC, quantize_into
from nmsim.stop.fixed.gather import copy_run, gather_inputs
from nmsim.stop.fixed.neuron import (
    combine_into,
    keep_large,
    largest_magnitude,
    reset_to_zero_into,
    residual_into,
    spikes_into,
)
from nmsim.stop.fixed.sums import NARROW, ORDERED, WIDE, add_biases, input_kernel, sum_kernel
from nmsim.stop.fixed.tensor import (
    CONSTANT_TRACE,
    CURRENT,
    LEAK_TRACE,
    MEMBRANE,
    RESIDUAL,
    THRESHOLD_TRACE,
    WEIGHT_TRACE,
)

BLOCK_SUMS = 32768
"""Sums formed at a time, so that they are used while they are in the cache."""


@register_jitable
def rows_at_once(columns):
    """Rows of a product formed at a time; a multiple of four."""
    return max(4, min(64, BLOCK_SUMS // columns // 4 * 4))


@register_jitable
def drawn(table, draws, slot, row, count, size, channels, start):
    """Row of the draws of a tensor's `count`-th requantization: `slot`, filled when `start` is 0, or 0, which is zero."""
    if not row[STOCHASTIC]:
        return 0
    if start == 0:
        draw_into(draws[slot], table, row[OFFSET] + (count << row[SPREAD]), size, channels)
    return slot


@register_jitable
def slot_before(slot, group):
    """Slot of the same sample's time step before."""
    return slot - 1 if slot % group else slot + group - 1


@register_jitable
def update_traces(memory, layer, numbers, alpha, table, draws, exact, samples, step, first):
    """`w~ = Q(alpha * w~ + x)` in every slot, and what counts of it in gradients; overflows and the largest magnitude."""
    row = numbers[WEIGHT_TRACE]
    keep, take = alpha << row[LEFT_P], 1 << row[LEFT_Q]
    size, over, largest = layer.inputs, 0, 0
    for slot in range(samples * layer.group):
        place = slot * layer.words + layer.weight_trace
        before = slot_before(slot, layer.group) * layer.words + layer.weight_trace
        values = slot * layer.words + layer.source_values
        # counted from the start of the run by sample and step: a draw does not depend on how samples share workers
        count = (first + slot // layer.group) * layer.time_steps + step + slot % layer.group
        bits = draws[drawn(table, draws, 1, row, count, size, layer.input_channels, 0)]
        out = memory[place : place + size]
        over += combine_into(
            out, memory[before : before + size], keep, memory[values : values + size], take, row, bits, exact
        )
        largest = max(largest, largest_magnitude(out))
        if layer.trace_threshold:
            place = slot * layer.words + layer.counted_trace
            keep_large(memory[place : place + size], out, layer.trace_threshold)
    return over, largest


@register_jitable
def update_constants(
    constants, layers, index, layer, numbers, alpha, table, draws, exact, samples, step, first
):
    """`c = Q(alpha * c + 1)` in every slot, one number per layer: the trace of an input of 1; overflows."""
    row, over = numbers[CONSTANT_TRACE], 0
    for slot in range(samples * layer.group):
        count = (first + slot // layer.group) * layer.time_steps + step + slot % layer.group
        before = constants[slot_before(slot, layer.group) * layers + index]
        exact[0] = (alpha << row[LEFT_P]) * before + (1 << row[LEFT_Q])
        bits = draws[drawn(table, draws, 7, row, count, 1, 1, 0)]
        place = slot * layers + index
        over += quantize_into(constants[place : place + 1], exact[:1], row, bits)
    return over


@register_jitable
def integrate(
    memory,
    layer,
    numbers,
    alpha,
    theta,
    currents,
    table,
    draws,
    exact,
    counts,
    slot,
    start,
    stop,
    count,
    training,
):
    """Neurons `start..stop-1` of one slot, as stored: residual, traces, membrane, spikes. `currents` are theirs."""
    begin, before = slot * layer.words + start, slot_before(slot, layer.group) * layer.words + start
    size = stop - start
    membrane = memory[begin + layer.membrane : begin + layer.membrane + size]
    residual = memory[begin + layer.residual : begin + layer.residual + size]
    spikes = memory[begin + layer.values : begin + layer.values + size]
    old_spikes = memory[before + layer.values : before + layer.values + size]
    own_theta = theta[layer.theta + start : layer.theta + stop]
    old_membrane = memory[before + layer.membrane : before + layer.membrane + size]
    # the order matters: both traces take the residual and the spike of the step before, which the membrane overwrites
    if layer.resets_to_zero:
        reset_to_zero_into(residual, old_membrane, old_spikes)
    else:
        counts[RESIDUAL] += residual_into(residual, old_membrane, old_spikes, own_theta, numbers[RESIDUAL])
    if training and layer.learns_leak:
        row = numbers[LEAK_TRACE]
        bits = draws[drawn(table, draws, 2, row, count, layer.neurons, layer.channels, start)][start:stop]
        out = memory[begin + layer.leak_trace : begin + layer.leak_trace + size]
        old = memory[before + layer.leak_trace : before + layer.leak_trace + size]
        counts[LEAK_TRACE] += combine_into(
            out, old, alpha << row[LEFT_P], residual, 1 << row[LEFT_Q], row, bits, exact
        )
    if training and layer.learns_thresholds:
        row = numbers[THRESHOLD_TRACE]
        bits = draws[drawn(table, draws, 3, row, count, layer.neurons, layer.channels, start)][start:stop]
        out = memory[begin + layer.threshold_trace : begin + layer.threshold_trace + size]
        old = memory[before + layer.threshold_trace : before + layer.threshold_trace + size]
        # alpha (th~ - s) in one rounding: the spike is leaked too, hence its factor -alpha
        counts[THRESHOLD_TRACE] += combine_into(
            out, old, alpha << row[LEFT_P], old_spikes, -(alpha << row[LEFT_Q]), row, bits, exact
        )
    row = numbers[MEMBRANE]
    bits = draws[drawn(table, draws, 4, row, count, layer.neurons, layer.channels, start)][start:stop]
    counts[MEMBRANE] += combine_into(
        membrane, residual, alpha << row[LEFT_P], currents, 1 << row[LEFT_Q], row, bits, exact
    )
    spikes_into(spikes, membrane, own_theta)


def _forward_kernel(way: int) -> Any:
    """Kernel of `layer.group` forward steps of one layer from time step `step` on, for all samples.

    `static`: the network's input is the same at every time step; its currents are formed, and their overflows counted,
    once.
    """
    sums = sum_kernel(way)

    add_inputs = input_kernel(way)

    @register_jitable
    def weighted_sums_into(
        out, memory, layer, row, used, backward, orders, gathered, nonzero, start, stop, stride, settles
    ):
        """Sums over the inputs for rows `start..stop-1` of `(sample or slot, position)`; overflows."""
        if layer.factored:  # rows by input: only those of non-zero inputs are read
            order, over = orders[layer.order : layer.order + layer.inputs], 0
            for line in range(start, stop):
                own = out[(line - start) * layer.channels : (line - start + 1) * layer.channels]
                place = line * stride + layer.source_values
                over += add_inputs(
                    own, memory, place, backward, layer.backward, layer.error_depth, order, row, settles
                )
            return over
        rows, begin, row_stride = memory, start * stride + layer.source_values, stride
        if layer.kernel:
            gather_inputs(gathered, memory, stride, layer.source_values, layer, start, stop)
            rows, begin, row_stride = gathered, 0, layer.depth
        order = orders[layer.order : layer.order + layer.fan_in]
        return sums(
            rows,
            begin,
            row_stride,
            stop - start,
            used,
            layer.used,
            layer.channels,
            layer.depth,
            order,
            row,
            out,
            nonzero,
            settles,
        )

    @register_jitable
    def currents_into(
        out,
        memory,
        layer,
        row,
        used,
        backward,
        biases,
        orders,
        gathered,
        nonzero,
        start,
        stop,
        stride,
        settles,
    ):
        """Currents of rows `start..stop-1` of `(sample or slot, position)`, biases included; overflows."""
        # an accumulator saturates when its sum is complete, and a bias is the last of its terms
        early = settles and not layer.biased
        over = weighted_sums_into(
            out, memory, layer, row, used, backward, orders, gathered, nonzero, start, stop, stride, early
        )
        if layer.biased:
            own = biases[layer.rows : layer.rows + layer.channels]
            over += add_biases(out, stop - start, layer.channels, own, row, way == ORDERED, settles)
        return over

    def forward(
        memory, layers, index, all_numbers, alphas, used, backward, biases, theta, constants, orders, table, draws, exact,
        block, kept,
        gathered, nonzero, largest, all_counts, log, samples, step, first, training, static, settles,
    ):  # fmt: skip
        layer, numbers, counts, alpha = layers[index], all_numbers[index], all_counts[index], alphas[index]
        if training:
            if not layer.scalar:
                over, magnitude = update_traces(
                    memory, layer, numbers, alpha, table, draws, exact, samples, step, first
                )
                counts[WEIGHT_TRACE] += over
                largest[index] = max(largest[index], magnitude)
            if layer.biased or layer.scalar:
                counts[CONSTANT_TRACE] += update_constants(
                    constants,
                    len(layers),
                    index,
                    layer,
                    numbers,
                    alpha,
                    table,
                    draws,
                    exact,
                    samples,
                    step,
                    first,
                )
        # the currents of a static input are the same at every step: one row per sample instead of one per slot
        keep = static and layer.static
        stride = layer.words * (layer.group if keep else 1)
        rows = layer.positions * samples * (1 if keep else layer.group)
        at_once = rows_at_once(layer.channels)
        if keep and step == 0:
            for start in range(0, rows, at_once):
                stop = min(start + at_once, rows)
                out = kept[layer.sums * samples + start * layer.channels :]
                counts[CURRENT] += currents_into(
                    out,
                    memory,
                    layer,
                    numbers[CURRENT],
                    used,
                    backward,
                    biases,
                    orders,
                    gathered,
                    nonzero,
                    start,
                    stop,
                    stride,
                    settles,
                )
        if keep:
            for slot in range(samples * layer.group):
                sample = slot // layer.group
                begin = layer.sums * samples + sample * layer.neurons
                if log.size:
                    copy_run(log, layer.theta, kept, begin, layer.neurons)
                count = (first + sample) * layer.time_steps + step + slot % layer.group
                integrate(
                    memory, layer, numbers, alpha, theta, kept[begin : begin + layer.neurons], table, draws, exact, counts,
                    slot, 0, layer.neurons, count, training,
                )  # fmt: skip
            return
        for start in range(0, rows, at_once):
            stop = min(start + at_once, rows)
            counts[CURRENT] += currents_into(
                block,
                memory,
                layer,
                numbers[CURRENT],
                used,
                backward,
                biases,
                orders,
                gathered,
                nonzero,
                start,
                stop,
                stride,
                settles,
            )
            row = start
            while (
                row < stop
            ):  # a block may begin and end inside a map; neurons of one slot are integrated together
                slot, position = row // layer.positions, row % layer.positions
                end = min(layer.positions, position + stop - row)
                begin = (row - start) * layer.channels
                if log.size:
                    copy_run(
                        log,
                        layer.theta + position * layer.channels,
                        block,
                        begin,
                        (end - position) * layer.channels,
                    )
                count = (first + slot // layer.group) * layer.time_steps + step + slot % layer.group
                integrate(
                    memory, layer, numbers, alpha, theta, block[begin : begin + (end - position) * layer.channels], table,
                    draws, exact, counts, slot, position * layer.channels, end * layer.channels, count, training,
                )  # fmt: skip
                row += end - position

    return kernel(forward, str(way))


FORWARD = tuple(_forward_kernel(way) for way in (NARROW, WIDE, ORDERED))
"""Forward kernels by way of summing."""
