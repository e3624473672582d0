"""dW of layers with a scalar trace: at the end of a sample, the sums of delta times c meet the sample itself.

The sums g are formed step by step with the deltas (`backward.layer_deltas`), saturating as their accumulator does.
"""

from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import WHOLE, WRAP, magnitude
from nmsim.stop.fixed.gather import gather_inputs
from nmsim.stop.fixed.ordered import add_saturating
from nmsim.stop.fixed.sums import settle_sums
from nmsim.stop.fixed.tensor import STATIC_GRADIENT, WEIGHT_GRADIENT


@register_jitable
def largest_row(sums, channels, positions):
    """Largest sum of `|sums|` over the positions of a channel."""
    largest = 0
    for channel in range(channels):
        total = 0
        for position in range(positions):
            total += magnitude(sums[position * channels + channel])
        largest = max(largest, total)
    return largest


@register_jitable
def add_static_gradient(plan, held, work, index, samples, in_order):
    """`dW += g x^T` of every sample, position by position: `in_order` of the definition, or exactly.

    The latter adds to `bounds (L, 4)` what the samples may have added to any dW in absolute terms.
    """
    layer, numbers, row, over = plan.layers[index], plan.numbers, plan.numbers[index, WEIGHT_GRADIENT], 0
    memory, gathered, weight_sums, counts = work.memory, work.gathered, work.weight_sums, work.counts
    order, fan_in, channels = (
        plan.orders[layer.order : layer.order + layer.fan_in],
        layer.fan_in,
        layer.channels,
    )
    size = channels * fan_in
    for sample in range(samples):
        begin = layer.static_sum * samples + sample * layer.neurons
        sums, slot = work.static_sums[begin : begin + layer.neurons], sample * layer.group
        if numbers[index, STATIC_GRADIENT, WRAP]:
            counts[index, STATIC_GRADIENT] += settle_sums(
                sums, layer.neurons, numbers[index, STATIC_GRADIENT]
            )
        for position in range(layer.positions):
            place = slot * layer.words + layer.source_values
            values = memory[place : place + layer.inputs]
            if layer.kernel:
                line = slot * layer.positions + position
                gather_inputs(gathered, memory, layer.words, layer.source_values, layer, line, line + 1)
                values = gathered[: layer.depth]
            for channel in range(channels):
                summed, first = sums[position * channels + channel], layer.weight + channel * fan_in
                if summed == 0:
                    continue
                if not in_order:
                    own = weight_sums[first : first + fan_in]
                    for k in range(fan_in):
                        own[k] += summed * values[order[k]]
                    continue
                for k in range(fan_in):
                    if held.synapses[first + k]:
                        weight_sums[first + k], saturated = add_saturating(
                            weight_sums[first + k], summed * values[order[k]], row
                        )
                        over += saturated
        if in_order and row[WHOLE]:
            over += settle_sums(weight_sums[layer.weight : layer.weight + size], size, row)
        work.bounds[index, 0] += (
            0 if in_order else largest_row(sums, channels, layer.positions) * layer.largest_input
        )
    counts[index, WEIGHT_GRADIENT] += over
