"""Gradient sums of one sample in the order of the definition, for saturating accumulators that may overflow on the way.

The sample owns the first slots of the memory. `weight_sums`, `group_sums` and `leak_sums` are the batch's accumulators,
carried from sample to sample.
"""

from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import HIGH, LEFT_P, LEFT_Q, LOW, WHOLE, WRAP
from nmsim.stop.fixed.gather import gather_inputs
from nmsim.stop.fixed.sums import settle_sums
from nmsim.stop.fixed.tensor import BIAS_GRADIENT, LEAK_GRADIENT, THRESHOLD_GRADIENT, WEIGHT_GRADIENT


@register_jitable
def add_saturating(total, product, row):
    """One addition into an accumulator, and whether it saturated.

    A wrapping one wraps its exact sum at the update, one that saturates at the end does so after the time step.
    """
    total += product
    if row[WRAP] or row[WHOLE]:
        return total, 0
    if total < row[LOW]:
        return row[LOW], 1
    if total > row[HIGH]:
        return row[HIGH], 1
    return total, 0


@register_jitable
def add_weight_gradient(plan, held, work, index):
    """DW of a group of time steps, position by position; pruned synapses take part in no sum."""
    layer, row, over = plan.layers[index], plan.numbers[index, WEIGHT_GRADIENT], 0
    memory, gathered, weight_sums, synapses = work.memory, work.gathered, work.weight_sums, held.synapses
    order = plan.orders[layer.order : layer.order + layer.fan_in]
    size = layer.channels * layer.fan_in
    for line in range(layer.group * layer.positions):
        slot, position = line // layer.positions, line % layer.positions
        place = slot * layer.words + layer.counted_trace
        traces = memory[place : place + layer.inputs]
        if layer.kernel:
            gather_inputs(gathered, memory, layer.words, layer.counted_trace, layer, line, line + 1)
            traces = gathered[: layer.depth]
        for channel in range(layer.channels):
            delta = memory[slot * layer.words + layer.delta + position * layer.channels + channel]
            if delta == 0:
                continue
            for k in range(layer.fan_in):
                place = layer.weight + channel * layer.fan_in + k
                if synapses[place]:
                    weight_sums[place], saturated = add_saturating(
                        weight_sums[place], delta * traces[order[k]], row
                    )
                    over += saturated
        if row[WHOLE] and position == layer.positions - 1:
            over += settle_sums(weight_sums[layer.weight : layer.weight + size], size, row)
    work.counts[index, WEIGHT_GRADIENT] += over


@register_jitable
def add_neuron_gradients(plan, work, index, biases):
    """DTheta and dAlpha, and db if `biases`, of a group of time steps, neurons in C order."""
    layer, numbers, counts, memory = plan.layers[index], plan.numbers, work.counts, work.memory
    group_sums, leak_sums, bias_sums = work.group_sums, work.leak_sums, work.bias_sums
    theta_row, leak_row = numbers[index, THRESHOLD_GRADIENT], numbers[index, LEAK_GRADIENT]
    theta_over, leak_over, shared = 0, 0, layer.neurons // layer.thresholds
    bias_row, bias_over = numbers[index, BIAS_GRADIENT], 0
    for slot in range(layer.group):
        for neuron in range(layer.neurons):
            place = slot * layer.words + neuron % layer.positions * layer.channels + neuron // layer.positions
            delta = memory[layer.delta + place]
            if layer.learns_thresholds:
                factor = (memory[layer.threshold_trace + place] << theta_row[LEFT_P]) - theta_row[LEFT_Q]
                group = layer.threshold + neuron // shared
                group_sums[group], saturated = add_saturating(group_sums[group], delta * factor, theta_row)
                theta_over += saturated
            if layer.learns_leak:
                product = delta * memory[layer.leak_trace + place]
                leak_sums[index], saturated = add_saturating(leak_sums[index], product, leak_row)
                leak_over += saturated
            if biases and layer.biased:
                channel = layer.rows + neuron // layer.positions
                product = delta * work.constants[slot * len(plan.layers) + index]
                bias_sums[channel], saturated = add_saturating(bias_sums[channel], product, bias_row)
                bias_over += saturated
        if biases and layer.biased and bias_row[WHOLE]:
            sums = bias_sums[layer.rows : layer.rows + layer.channels]
            bias_over += settle_sums(sums, layer.channels, bias_row)
        if theta_row[WHOLE]:
            groups = group_sums[layer.threshold : layer.threshold + layer.thresholds]
            theta_over += settle_sums(groups, layer.thresholds, theta_row)
        if leak_row[WHOLE]:
            leak_over += settle_sums(leak_sums[index : index + 1], 1, leak_row)
    counts[index, THRESHOLD_GRADIENT] += theta_over
    counts[index, LEAK_GRADIENT] += leak_over
    counts[index, BIAS_GRADIENT] += bias_over
