"""Used weights: what products read, formed from the stored weights after every change of them."""

from numba.extending import register_jitable

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.quantize import DOWN, HIGH, LOW, MASK, UP, WRAP, bring_into_range, magnitude
from nmsim.stop.fixed.lanes import LONGEST, sum_in_lanes
from nmsim.stop.fixed.neuron import largest_magnitude, sum_of_squares
from nmsim.stop.fixed.transpose import transpose_into


@register_jitable
def use_weights(weights, used, row):
    """`w_use = Q(w)`; overflows and the sum of magnitudes."""
    low, high, mask, wrap, left, down = row[LOW], row[HIGH], row[MASK], row[WRAP], row[UP], row[DOWN]
    over, total = 0, 0
    for k in range(weights.size):
        v = (weights[k] << left) >> down
        over += (v < low) | (v > high)
        v = bring_into_range(v, low, high, mask, wrap)
        used[k] = v
        total += magnitude(v)
    return over, total


@register_jitable
def sum_magnitudes(values):
    """Sum of |values|."""
    if values.itemsize == 2 and values.size <= LONGEST:
        return sum_in_lanes(values)
    total = 0
    for k in range(values.size):
        total += magnitude(values[k])
    return total


def arrange_weights(layers, index, weights, row, order, used, row_sums, scratch, begin, end):
    """Used weights of output channels `begin..end-1` as products read them, terms as stored; overflows of `w_use`.

    Called after every change of a layer's weights, before the next forward pass. `weights (C_out, fan_in or more)` are in
    C order, `order` says where a dense layer's inputs are stored. `row_sums (C_out,)` is the sum of magnitudes of every
    row. `scratch (widest sum,)` of the weights' type.
    """
    layer = layers[index]
    fan_in, over = layer.fan_in, 0
    for channel in range(begin, end):
        own = weights[channel, :fan_in]
        target = used[channel * layer.depth : channel * layer.depth + fan_in]
        if layer.kernel:
            elements, channels = layer.kernel * layer.kernel, layer.input_channels
            overflows, total = use_weights(own, scratch, row)
            transpose_into(target, 0, channels, scratch, 0, elements, channels, elements)
        elif layer.permuted:
            overflows, total = use_weights(own, scratch, row)
            for k in range(fan_in):
                target[order[k]] = scratch[k]
        elif layer.shared:  # products read the stored weights themselves: nothing to copy
            overflows, total = 0, sum_magnitudes(own)
        else:
            overflows, total = use_weights(own, target, row)
        over += overflows
        row_sums[channel] = total
    return over


def arrange_backward(layers, index, used, backward, begin, end):
    """Used weights of inputs (input channels) `begin..end-1` as error sums read them, kernels turned round.

    After `arrange_weights` of all output channels.

    Returns the largest sum of magnitudes of a row, its largest sum of squares (of 16-bit weights, else 0), and the largest
    magnitude.
    """
    layer, most = layers[index], 0
    rows = layer.input_channels if layer.kernel else layer.inputs
    elements = max(1, layer.kernel * layer.kernel)
    for element in range(elements):
        # an error goes back through the kernel turned by half a turn: last element first
        place = (elements - 1 - element) * layer.channels
        transpose_into(
            backward, place + begin * layer.error_depth, layer.error_depth, used, element * rows + begin, layer.depth,
            layer.channels, end - begin,
        )  # fmt: skip
    largest, energy = 0, 0
    for line in range(begin, end):
        place = line * layer.error_depth
        own = backward[place : place + layer.error_terms]
        largest, most = max(largest, sum_magnitudes(own)), max(most, largest_magnitude(own))
        if layer.narrow:
            energy = max(energy, sum_of_squares(own))
    return largest, energy, most


ARRANGE_WEIGHTS, ARRANGE_BACKWARD = kernel(arrange_weights), kernel(arrange_backward)
