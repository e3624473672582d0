"""A layer's forward steps: weight traces, currents, membranes, spikes.

The equations are those of docs/arithmetic.md, in its order. A kernel works on one layer and on all samples of a pass,
slot by slot (see `memory_plan`). Numbers of a tensor's requantization are a row of `numbers`, by `tensor` and `Step`.
"""

from typing import Any, NamedTuple

from numba.extending import register_jitable

from nmsim.fixedpoint.lfsr import draw_into
from nmsim.fixedpoint.quantize import LEFT_P, LEFT_Q, OFFSET, SPREAD, STOCHASTIC, WRAP, quantize_into
from nmsim.stop.fixed.active import Lists, active_sums_into, list_if_it_pays, rows_listed
from nmsim.stop.fixed.gather import gather_inputs
from nmsim.stop.fixed.lanes import advance_in_lanes, subtract_spikes
from nmsim.stop.fixed.neuron import (
    combine_into,
    keep_large,
    largest_magnitude,
    reset_to_zero_into,
    residual_into,
    spikes_into,
)
from nmsim.stop.fixed.runs import copy_run
from nmsim.stop.fixed.sums import (
    NARROW,
    ORDERED,
    Rows,
    Summing,
    add_biases,
    inputs_into,
    settle_sums,
    sums_into,
)
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


class Draws(NamedTuple):
    """Draws of stochastic rounding: the unrolled `table`, and `rows` of scratch that are filled from it.

    Row 0 stays zero: it is what tensors that round otherwise add.
    """

    table: Any
    rows: Any


class Span(NamedTuple):
    """What a pass works on: so many samples, the first of which is number `first` of the run, from time step `step` on."""

    samples: Any
    step: Any
    first: Any


class Dynamics(NamedTuple):
    """What the neurons and traces of one layer read and write.

    `memory` and `theta` are those of all layers, `numbers (tensors, steps)`, `counts (tensors,)` and `alpha` the layer's
    own. `exact` holds values before they are rounded.
    """

    memory: Any
    theta: Any
    numbers: Any
    alpha: Any
    draws: Draws
    exact: Any
    counts: Any


class Terms(NamedTuple):
    """What the currents of a layer are summed from: stored inputs, used weights, biases, orders of addition.

    `gathered` and `nonzero` are scratch: rows under a convolution's kernel, and terms of a row that are not zero. `lists`
    are the active inputs, and `group` of their weights are added in 16 bits; 0 if all inputs are multiplied.
    """

    memory: Any
    used: Any
    backward: Any
    bias: Any
    orders: Any
    gathered: Any
    nonzero: Any
    lists: Any
    group: Any


@register_jitable
def rows_at_once(columns):
    """Rows of a product formed at a time; a multiple of four."""
    return max(4, min(64, BLOCK_SUMS // columns // 4 * 4))


@register_jitable
def drawn(draws, slot, row, count, size, channels, start):
    """Row of the draws of a tensor's `count`-th requantization: `slot`, filled when `start` is 0, or 0, which is zero.

    Every tensor has a row of its own (`slot`), so that a tensor which is requantized piece by piece (`start` above 0) finds
    the draws of its first piece still there.
    """
    if not row[STOCHASTIC]:
        return 0
    if start == 0:
        draw_into(draws.rows[slot], draws.table, row[OFFSET] + (count << row[SPREAD]), size, channels)
    return slot


@register_jitable
def draw_count(layer, span, slot):
    """Index of a requantization: by sample of the run and time step, so that a draw does not depend on who runs it."""
    return (span.first + slot // layer.group) * layer.time_steps + span.step + slot % layer.group


@register_jitable
def slot_before(slot, group):
    """Slot of the same sample's time step before."""
    return slot - 1 if slot % group else slot + group - 1


@register_jitable
def update_traces(own, layer, span):
    """`w~ = Q(alpha * w~ + x)` in every slot, and what counts of it in gradients; overflows and the largest magnitude."""
    memory, row = own.memory, own.numbers[WEIGHT_TRACE]
    keep, take = own.alpha << row[LEFT_P], 1 << row[LEFT_Q]
    size, over, largest = layer.inputs, 0, 0
    for slot in range(span.samples * layer.group):
        place = slot * layer.words + layer.weight_trace
        before = slot_before(slot, layer.group) * layer.words + layer.weight_trace
        values = slot * layer.words + layer.source_values
        out, old, inputs = (
            memory[place : place + size],
            memory[before : before + size],
            memory[values : values + size],
        )
        if layer.trace_in_lanes:
            if before != place:
                copy_run(memory, place, memory, before, size)
            outside, most = advance_in_lanes(out, keep, inputs, take, row)
        else:
            count = draw_count(layer, span, slot)
            bits = own.draws.rows[drawn(own.draws, 1, row, count, size, layer.input_channels, 0)]
            outside = combine_into(out, old, keep, inputs, take, row, bits, own.exact)
            most = largest_magnitude(out)
        over, largest = over + outside, max(largest, most)
        if layer.trace_threshold:
            place = slot * layer.words + layer.counted_trace
            keep_large(memory[place : place + size], out, layer.trace_threshold)
    return over, largest


@register_jitable
def update_constants(own, layer, constants, layers, index, span):
    """`c = Q(alpha * c + 1)` in every slot, one number per layer: the trace of an input of 1; overflows."""
    row, over, exact = own.numbers[CONSTANT_TRACE], 0, own.exact
    for slot in range(span.samples * layer.group):
        count = draw_count(layer, span, slot)
        before = constants[slot_before(slot, layer.group) * layers + index]
        exact[0] = (own.alpha << row[LEFT_P]) * before + (1 << row[LEFT_Q])
        bits = own.draws.rows[drawn(own.draws, 7, row, count, 1, 1, 0)]
        place = slot * layers + index
        over += quantize_into(constants[place : place + 1], exact[:1], row, bits)
    return over


@register_jitable
def integrate(own, layer, currents, slot, start, stop, count, training):
    """Neurons `start..stop-1` of one slot, as stored: residual, traces, membrane, spikes. `currents` are theirs."""
    memory, numbers, alpha, draws, counts = own.memory, own.numbers, own.alpha, own.draws, own.counts
    begin, before = slot * layer.words + start, slot_before(slot, layer.group) * layer.words + start
    size = stop - start
    membrane = memory[begin + layer.membrane : begin + layer.membrane + size]
    residual = memory[begin + layer.residual : begin + layer.residual + size]
    spikes = memory[begin + layer.values : begin + layer.values + size]
    old_spikes = memory[before + layer.values : before + layer.values + size]
    own_theta = own.theta[layer.theta + start : layer.theta + stop]
    old_membrane = memory[before + layer.membrane : before + layer.membrane + size]
    # the order matters: both traces take the residual and the spike of the step before, which the membrane overwrites
    if layer.resets_to_zero:
        reset_to_zero_into(residual, old_membrane, old_spikes)
    elif layer.narrow and not numbers[RESIDUAL, WRAP]:
        counts[RESIDUAL] += subtract_spikes(residual, old_membrane, old_spikes, own_theta, numbers[RESIDUAL])
    else:
        counts[RESIDUAL] += residual_into(residual, old_membrane, old_spikes, own_theta, numbers[RESIDUAL])
    if training and layer.learns_leak:
        row = numbers[LEAK_TRACE]
        bits = draws.rows[drawn(draws, 2, row, count, layer.neurons, layer.channels, start)][start:stop]
        out = memory[begin + layer.leak_trace : begin + layer.leak_trace + size]
        old = memory[before + layer.leak_trace : before + layer.leak_trace + size]
        counts[LEAK_TRACE] += combine_into(
            out, old, alpha << row[LEFT_P], residual, 1 << row[LEFT_Q], row, bits, own.exact
        )
    if training and layer.learns_thresholds:
        row = numbers[THRESHOLD_TRACE]
        out = memory[begin + layer.threshold_trace : begin + layer.threshold_trace + size]
        old = memory[before + layer.threshold_trace : before + layer.threshold_trace + size]
        # alpha (th~ - s) in one rounding: the spike is leaked too, hence its factor -alpha
        keep, take = alpha << row[LEFT_P], -(alpha << row[LEFT_Q])
        if layer.threshold_in_lanes:
            if before != begin:
                copy_run(memory, begin + layer.threshold_trace, memory, before + layer.threshold_trace, size)
            counts[THRESHOLD_TRACE] += advance_in_lanes(out, keep, old_spikes, take, row)[0]
        else:
            bits = draws.rows[drawn(draws, 3, row, count, layer.neurons, layer.channels, start)][start:stop]
            counts[THRESHOLD_TRACE] += combine_into(out, old, keep, old_spikes, take, row, bits, own.exact)
    row = numbers[MEMBRANE]
    bits = draws.rows[drawn(draws, 4, row, count, layer.neurons, layer.channels, start)][start:stop]
    counts[MEMBRANE] += combine_into(
        membrane, residual, alpha << row[LEFT_P], currents, 1 << row[LEFT_Q], row, bits, own.exact
    )
    spikes_into(spikes, membrane, own_theta)


class Lines(NamedTuple):
    """Rows `start..stop-1` of `(sample or slot, position)`; samples or slots lie `stride` apart."""

    start: Any
    stop: Any
    stride: Any


@register_jitable
def weighted_sums_into(out, terms, layer, row, lines, summing):
    """Sums over the inputs of rows; overflows."""
    memory, orders = terms.memory, terms.orders
    if terms.group:
        active_sums_into(out, terms.lists, terms.backward, layer, lines.start, lines.stop, terms.group)
        return settle_sums(out, (lines.stop - lines.start) * layer.channels, row) if summing.settles else 0
    if layer.factored:  # rows by input: only those of non-zero inputs are read
        order, over = orders[layer.order : layer.order + layer.inputs], 0
        weights = Rows(terms.backward, layer.backward, layer.error_depth, layer.inputs)
        for line in range(lines.start, lines.stop):
            begin = (line - lines.start) * layer.channels
            place = line * lines.stride + layer.source_values
            own = out[begin : begin + layer.channels]
            over += inputs_into(summing, own, memory, place, weights, order, row, terms.nonzero)
        return over
    values, begin, apart = memory, lines.start * lines.stride + layer.source_values, lines.stride
    if layer.kernel:
        gather_inputs(
            terms.gathered, memory, lines.stride, layer.source_values, layer, lines.start, lines.stop
        )
        values, begin, apart = terms.gathered, 0, layer.depth
    order = orders[layer.order : layer.order + layer.fan_in]
    inputs = Rows(values, begin, apart, lines.stop - lines.start)
    rows = Rows(terms.used, layer.used, layer.depth, layer.channels)
    return sums_into(summing, inputs, rows, order, row, out, terms.nonzero)


@register_jitable
def currents_into(out, terms, layer, row, lines, summing):
    """Currents of rows, biases included; overflows."""
    # an accumulator saturates when its sum is complete, and a bias is the last of its terms
    early = Summing(summing.way, summing.settles and not layer.biased)
    over = weighted_sums_into(out, terms, layer, row, lines, early)
    if layer.biased:
        biases, count = terms.bias[layer.rows : layer.rows + layer.channels], lines.stop - lines.start
        over += add_biases(out, count, layer.channels, biases, row, summing.way == ORDERED, summing.settles)
    return over


@register_jitable
def forward_layer(plan, held, work, index, span, summing, training, static):
    """`layer.group` forward steps of layer `index` from time step `span.step` on, for all samples.

    The inputs of the layer lie in the slots already, as do its states of the step before. What it leaves there: the
    weight trace (if `training`), the membrane, its traces, the spikes. Overflows go to `counts`, the largest weight trace to
    `largest`. `static`: the network's input is the same at every time step; its currents are formed, and their overflows
    counted, once.
    """
    layer, samples, block, kept = plan.layers[index], span.samples, work.block, work.kept
    keep = static and layer.static
    lists, group = Lists(work.entries, work.marks, work.segments), 0
    if layer.listed and summing.way == NARROW and not keep:
        group = list_if_it_pays(
            lists, work.memory, layer, samples * layer.group, held.weight_bounds[index, 4]
        )
    terms = Terms(
        work.memory, held.used, held.backward, held.bias, plan.orders, work.gathered, work.nonzero, lists, group
    )  # fmt: skip
    own = Dynamics(
        work.memory, held.theta, plan.numbers[index], held.alpha[index], Draws(plan.draw_table, work.draws),
        work.exact, work.counts[index],
    )  # fmt: skip
    if training:
        if not layer.scalar:
            over, magnitude = update_traces(own, layer, span)
            own.counts[WEIGHT_TRACE] += over
            work.largest[index] = max(work.largest[index], magnitude)
        if layer.biased or layer.scalar:
            own.counts[CONSTANT_TRACE] += update_constants(
                own, layer, work.constants, len(plan.layers), index, span
            )
    # the currents of a static input are the same at every step: one row per sample instead of one per slot
    stride = layer.words * (layer.group if keep else 1)
    rows = layer.positions * samples * (1 if keep else layer.group)
    at_once = rows_listed(layer.channels) if group else rows_at_once(layer.channels)
    row, watched = own.numbers[CURRENT], work.current_log.size
    if keep and span.step == 0:
        for start in range(0, rows, at_once):
            lines = Lines(start, min(start + at_once, rows), stride)
            out = kept[layer.sums * samples + start * layer.channels :]
            own.counts[CURRENT] += currents_into(out, terms, layer, row, lines, summing)
    if keep:
        for slot in range(samples * layer.group):
            begin = layer.sums * samples + slot // layer.group * layer.neurons
            if watched:
                copy_run(work.current_log, layer.theta, kept, begin, layer.neurons)
            count, currents = draw_count(layer, span, slot), kept[begin : begin + layer.neurons]
            integrate(own, layer, currents, slot, 0, layer.neurons, count, training)
        return
    for start in range(0, rows, at_once):
        lines = Lines(start, min(start + at_once, rows), stride)
        own.counts[CURRENT] += currents_into(block, terms, layer, row, lines, summing)
        line = start
        while line < lines.stop:
            # a block may begin and end inside a map; neurons of one slot are integrated together
            slot, position = line // layer.positions, line % layer.positions
            end = min(layer.positions, position + lines.stop - line)
            begin, size = (line - start) * layer.channels, (end - position) * layer.channels
            if watched:
                copy_run(work.current_log, layer.theta + position * layer.channels, block, begin, size)
            count, currents = draw_count(layer, span, slot), block[begin : begin + size]
            place = position * layer.channels
            integrate(own, layer, currents, slot, place, place + size, count, training)
            line += end - position
