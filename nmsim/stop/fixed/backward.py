"""A layer's backward steps: error, surrogate, delta, the sums its gradients need, and the error it sends down.

STOP has no pass back through time: errors of a step use the states of the same step, which lie in the same slot. Layers are
visited from the last to the first, and every layer finds the exact sum of the errors sent to it in `errors`.
"""

from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import HIGH, LEFT_P, LEFT_Q, LOW, quantize_into
from nmsim.stop.fixed.forward import Draws, draw_count, drawn, rows_at_once
from nmsim.stop.fixed.gather import gather_deltas
from nmsim.stop.fixed.neuron import (
    add_magnitudes,
    add_scaled,
    add_threshold_gradient,
    largest_magnitude,
    leak_gradient,
    multiply_into,
    sum_of_squares,
    surrogate_into,
)  # fmt: skip
from nmsim.stop.fixed.runs import copy_run
from nmsim.stop.fixed.sums import Rows, sums_into
from nmsim.stop.fixed.tensor import (
    CONSTANT_TRACE,
    DELTA,
    ERROR,
    ERROR_SUM,
    LEAK_TRACE,
    STATIC_GRADIENT,
    THRESHOLD_GRADIENT,
    THRESHOLD_TRACE,
)


@register_jitable
def count_spikes(memory, layers, spikes, samples):
    """Add the output spikes of a group of time steps to `spikes (S, C)`, neurons as stored."""
    layer = layers[len(layers) - 1]
    for slot in range(samples * layer.group):
        begin = slot * layer.words + layer.values
        for output in range(layer.neurons):
            spikes[slot // layer.group, output] += memory[begin + output]


@register_jitable
def output_errors(plan, work, loss, labels, samples):
    """Errors of the output layer in every slot, and the tally of their loss.

    `e = y - target`, where `y` is the spike itself if the loss is `squared`, or the softmax of the spikes of this step. The
    latter depends on two numbers alone, the output's own spike and how many outputs spike: `probabilities` is a table of it.
    `one` is 1.0 in the error's format, `labels (S,)` are classes in C order.
    """
    index, memory, one, over = len(plan.layers) - 1, work.memory, loss.one, 0
    layer, row = plan.layers[index], plan.numbers[index, ERROR]
    for slot in range(samples * layer.group):
        sample, begin = slot // layer.group, slot * layer.words
        spiking = 0
        for output in range(layer.neurons):
            spiking += memory[begin + layer.values + output]
        # labels count outputs in C order; they are stored channels last
        label = labels[sample] % layer.positions * layer.channels + labels[sample] // layer.positions
        # the loss of a step depends on these two numbers alone, so counting them is enough to add it up exactly
        work.tally[memory[begin + layer.values + label], spiking] += 1
        for output in range(layer.neurons):
            spike = memory[begin + layer.values + output]
            error = spike * one if loss.squared else plan.probabilities[spike, spiking]
            if output == label:
                error -= one
            over += (error < row[LOW]) | (error > row[HIGH])
            memory[begin + layer.error + output] = min(max(error, row[LOW]), row[HIGH])
    work.counts[index, ERROR] += over


@register_jitable
def layer_deltas(plan, held, work, index, span, gradients, biases, statics):
    """`e = Q(error sum)` (hidden layers), `delta = Q(e * phi)`, and what they add to sums.

    `phi` is the surrogate derivative at `|U - theta|`, from the layer's table. Exact dTheta and dAlpha if `gradients`,
    exact db if `biases`, g of a scalar trace in the order of the definition if `statics`. Sums of |delta| by neuron go to
    `magnitudes`: the bounds on what gradients may have become on the way are made from them.

    Returns the largest |delta|, and of all slots the largest sum of squares (of 16-bit deltas, else 0).
    """
    layer, own_numbers, own_counts = plan.layers[index], plan.numbers[index], work.counts[index]
    memory, draws, chance = work.memory, work.draws, Draws(plan.draw_table, work.draws)
    size, channels, largest, energy, samples = layer.neurons, layer.channels, 0, 0, span.samples
    own_theta, own_factors = held.theta[layer.theta : layer.theta + size], work.factors[:size]
    for slot in range(samples * layer.group):
        begin = slot * layer.words
        count = draw_count(layer, span, slot)
        error = memory[begin + layer.error : begin + layer.error + size]
        if not layer.output:  # errors of the output are table entries and already have their format
            row = own_numbers[ERROR]
            place = slot * layer.error_words + layer.own_error
            bits = draws[drawn(chance, 5, row, count, size, channels, 0)]
            own_counts[ERROR] += quantize_into(error, work.errors[place : place + size], row, bits)
        row = own_numbers[DELTA]
        membrane = memory[begin + layer.membrane : begin + layer.membrane + size]
        surrogate_into(own_factors, membrane, own_theta, plan.surrogates[index], row[LEFT_P], row[LEFT_Q])
        deltas = memory[begin + layer.delta : begin + layer.delta + size]
        bits = draws[drawn(chance, 6, row, count, size, channels, 0)]
        own_counts[DELTA] += multiply_into(deltas, error, own_factors, row, bits)
        largest = max(largest, largest_magnitude(deltas))
        if layer.narrow:  # squares of wider deltas need not fit 64 bits
            energy = max(energy, sum_of_squares(deltas))
        if biases and layer.biased:
            constant = work.constants[slot * len(plan.layers) + index]
            for position in range(layer.positions):
                for channel in range(channels):
                    work.bias_sums[layer.rows + channel] += deltas[position * channels + channel] * constant
        if statics and layer.scalar:
            place = layer.static_sum * samples + slot // layer.group * size
            constant = work.constants[slot * len(plan.layers) + index]
            own_counts[STATIC_GRADIENT] += add_scaled(
                work.static_sums[place : place + size], deltas, constant, own_numbers[STATIC_GRADIENT]
            )
        if gradients:
            add_magnitudes(work.magnitudes[layer.theta : layer.theta + size], deltas)
            if layer.learns_thresholds:
                row = own_numbers[THRESHOLD_GRADIENT]
                trace = memory[begin + layer.threshold_trace : begin + layer.threshold_trace + size]
                sums = work.threshold_sums[layer.theta : layer.theta + size]
                add_threshold_gradient(sums, deltas, trace, row[LEFT_P], row[LEFT_Q])
            if layer.learns_leak:
                trace = memory[begin + layer.leak_trace : begin + layer.leak_trace + size]
                work.leak_sums[index] += leak_gradient(deltas, trace)
    return largest, energy


@register_jitable
def bound_gradients(layers, numbers, magnitudes, largest, bounds):
    """Add to `bounds (L, 4)` what a pass may have added to any dW, dTheta, dAlpha, db in absolute terms, and start afresh.

    Sums of |delta| times the largest trace; the largest possible trace where the actual one was not looked for.
    """
    for index in range(len(layers)):
        layer, own_numbers = layers[index], numbers[index]
        own = magnitudes[layer.theta : layer.theta + layer.neurons]
        total, of_channel = 0, 0
        for channel in range(layer.channels):
            here = 0
            for position in range(layer.positions):
                here += own[position * layer.channels + channel]
                own[position * layer.channels + channel] = 0
            total += here
            of_channel = max(of_channel, here)
        bounds[index, 0] += of_channel * largest[index]
        largest[index] = 0
        trace, row = own_numbers[THRESHOLD_TRACE], own_numbers[THRESHOLD_GRADIENT]
        factor = (max(trace[HIGH], -trace[LOW]) << row[LEFT_P]) + row[LEFT_Q]
        bounds[index, 1] += (total if layer.thresholds == 1 else of_channel) * factor
        trace = own_numbers[LEAK_TRACE]
        bounds[index, 2] += total * max(trace[HIGH], -trace[LOW])
        trace = own_numbers[CONSTANT_TRACE]
        bounds[index, 3] += layer.biased * of_channel * max(trace[HIGH], -trace[LOW])


@register_jitable
def send_errors(plan, held, work, index, samples, summing):
    """Error sums `sum_k w_use[k] * delta[k]` in every slot, sent to the node that the layer reads.

    A convolution gathers the deltas that each input meets, with the kernel turned by half a turn, and then is a product like
    a dense layer. Sums are aligned to the target's fraction (`error_left`), since branches may meet there.
    """
    layer, row = plan.layers[index], plan.numbers[index, ERROR_SUM]
    block, log = work.block, work.error_log
    positions = layer.input_height * layer.input_width if layer.kernel else 1
    columns = layer.input_channels if layer.kernel else layer.inputs
    order = plan.orders[layer.error_order : layer.error_order + layer.error_terms]
    weights = Rows(held.backward, layer.backward, layer.error_depth, columns)
    at_once = rows_at_once(columns)
    lines = samples * layer.group * positions
    for start in range(0, lines, at_once):
        stop = min(start + at_once, lines)
        values, begin, apart = work.memory, start * layer.words + layer.delta, layer.words
        if layer.kernel:
            gather_deltas(work.gathered, work.memory, layer, start, stop)
            values, begin, apart = work.gathered, 0, layer.error_depth
        deltas = Rows(values, begin, apart, stop - start)
        work.counts[index, ERROR_SUM] += sums_into(summing, deltas, weights, order, row, block, work.nonzero)
        line = start
        while line < stop:  # the lines of one slot lie side by side in its errors
            slot, position = line // positions, line % positions
            size, begin = min(positions - position, stop - line) * columns, (line - start) * columns
            target = slot * layer.error_words + layer.source_error + position * columns
            arrived, own = work.errors[target : target + size], block[begin : begin + size]
            if log.size:
                copy_run(log, layer.log + position * columns, own, 0, size)
            if layer.error_writes:  # the first to arrive overwrites, so that nobody has to clear the sums
                for k in range(size):
                    arrived[k] = own[k] << layer.error_left
            else:
                for k in range(size):
                    arrived[k] += own[k] << layer.error_left
            line += size // columns
