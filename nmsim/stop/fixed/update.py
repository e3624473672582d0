"""Parameter updates: weights with velocity, thresholds, and the copies of the weights that products read."""

from typing import Any, NamedTuple

from numba.extending import register_jitable

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.lfsr import PERIOD
from nmsim.fixedpoint.quantize import (
    ADD,
    DOWN,
    DRAW_DOWN,
    DRAW_UP,
    EVEN,
    HIGH,
    LEFT_P,
    LEFT_Q,
    LOW,
    MASK,
    OFFSET,
    STOCHASTIC,
    UP,
    WRAP,
    ZERO,
    bring_into_range,
    magnitude,
    quantize_into,
    round_shift,
)  # fmt: skip
from nmsim.stop.fixed.centralization import centre_into, row_mean
from nmsim.stop.fixed.lanes import LONGEST, subtract_fits, subtract_in_lanes, sum_in_lanes
from nmsim.stop.fixed.neuron import largest_magnitude, sum_of_squares
from nmsim.stop.fixed.tensor import (
    BIAS,
    BIAS_GRADIENT,
    THRESHOLD,
    THRESHOLD_GRADIENT,
    VELOCITY,
    WEIGHT,
    WEIGHT_GRADIENT,
)
from nmsim.stop.fixed.transpose import transpose_into

BLOCK = 1024
"""Elements updated at a time, so that the intermediate steps stay in the cache; no longer than a run of draws."""


@register_jitable
def run_of_draws(row, table, start):
    """Place of the draws `L[OFFSET + start + k]`, `k < BLOCK`, in the table, or of its zeros where nothing is drawn."""
    if not row[STOCHASTIC]:
        return table.size - BLOCK
    return (row[OFFSET] + start) % PERIOD


@register_jitable
def take_sums(out, sums, row):
    """Move accumulated sums out, into the accumulator's range; overflows (none unless it wraps)."""
    low, high, mask, wrap = row[LOW], row[HIGH], row[MASK], row[WRAP]
    over = 0
    for k in range(out.size):
        v = sums[k]
        sums[k] = 0  # the next batch adds from here
        over += (v < low) | (v > high)
        out[k] = bring_into_range(v, low, high, mask, wrap)
    return over


@register_jitable
def holds_small(row):
    """Whether all numbers of an accumulator have 32 bits."""
    return row[LOW] >= -(1 << 31) and row[HIGH] < 1 << 31


def subtract_kernel(cast: Any) -> Any:
    """Kernel of `values = Q(values - mantissa * steps * 2**-shift)`; overflows. `cast` is the type of the steps.

    The row holds `LEFT_P` (left shift of the step) and `LEFT_Q` (the mantissa). The value itself is a multiple of the
    result's LSB and stays out of the shift, which keeps the intermediate small.
    """

    @register_jitable
    def subtract(values, steps, row, draws):
        down, constant, even, zero = row[DOWN], row[ADD], row[EVEN], row[ZERO]
        left, mantissa, draw_up, draw_down = row[LEFT_P], cast(row[LEFT_Q]), row[DRAW_UP], row[DRAW_DOWN]
        low, high, mask, wrap = row[LOW], row[HIGH], row[MASK], row[WRAP]
        over = 0
        if even or zero:
            for k in range(values.size):
                v = round_shift(values[k], -((mantissa * steps[k]) << left), down, constant, even, zero)
                over += (v < low) | (v > high)
                values[k] = bring_into_range(v, low, high, mask, wrap)
        else:
            for k in range(values.size):
                # 16 random bits, moved to where the shift drops bits; drawn or not, the loop is the same
                add = constant + ((draws[k] << draw_up) >> draw_down)
                v = values[k] + ((add - ((mantissa * steps[k]) << left)) >> down)
                over += (v < low) | (v > high)
                values[k] = bring_into_range(v, low, high, mask, wrap)
        return over

    return subtract


subtract_into = subtract_kernel(int)


@register_jitable
def advance_velocity(velocity, steps, momentum, row, draws, scratch):
    """`v = Q(mu * v + dW)`, mu in u8.8; the velocity becomes the step. Overflows."""
    for k in range(velocity.size):
        scratch[k] = momentum * velocity[k] + (steps[k] << 8)
    over = quantize_into(velocity, scratch[: velocity.size], row, draws)
    for k in range(velocity.size):
        steps[k] = velocity[k]
    return over


@register_jitable
def keep_synapses(values, synapses):
    """Zero where a synapse is pruned."""
    for k in range(values.size):
        if not synapses[k]:
            values[k] = 0


class Method(NamedTuple):
    """How weights change: `rows` of numbers of gradient, velocity and weight; `masked`: some synapses are pruned.

    `momentum` in u8.8, 0 if there is no velocity; `table` of draws with zeros behind it; `scratch (3, BLOCK)`.
    """

    rows: Any
    masked: Any
    momentum: Any
    table: Any
    scratch: Any


@register_jitable
def update_block(method, weights, velocity, steps, synapses, place, counts):
    """A run of weights by its gradient `steps`.

    `place` is the run's first draw. Pruned synapses keep raw 0 and their velocity.
    """
    rows, masked, momentum, table, scratch = method
    size = weights.size
    if masked:
        keep_synapses(steps, synapses)
    if momentum:
        begin = run_of_draws(rows[1], table, place)
        draws = table[begin : begin + size]
        if (
            masked
        ):  # the velocities of pruned synapses are set aside: all advance in one loop without branches
            for k in range(size):
                scratch[2, k] = velocity[k]
        counts[VELOCITY] += advance_velocity(velocity, steps, momentum, rows[1], draws, scratch[1])
        if masked:
            for k in range(size):
                if not synapses[k]:
                    velocity[k] = scratch[2, k]
                    steps[k] = 0
    begin = run_of_draws(rows[2], table, place)
    counts[WEIGHT] += subtract_into(weights, steps, rows[2], table[begin : begin + size])


def update_weights(
    layers, velocity, synapses, momentum, centred, table, scratch, small_steps, counts, index, weights, sums, masked, rows,
    first,
):  # fmt: skip
    """One layer's weights by its sums `(P,)`, C order, which are emptied.

    `weights (C_out, fan_in or more)`; `centred`: every row of gradients loses its mean; `first`: index of the first draw
    (`lfsr.first_draw`); `small_steps (BLOCK,)` is scratch of 32 bits, where storage has 16; the other names are those of a
    `Method`.
    """
    fan_in, over, row = layers[index].fan_in, 0, rows[2]
    in_lanes = not (momentum or centred) and holds_small(rows[0]) and subtract_fits(weights, row)
    method = Method(rows, masked, momentum, table, scratch)
    for line in range(0, sums.size, fan_in):
        own = weights[line // fan_in]
        if centred:  # the mean is of the whole row: it is taken before the blocks below empty its sums
            row_synapses = synapses[line : line + fan_in] if masked else synapses
            mean = row_mean(sums[line : line + fan_in], row_synapses, masked, rows[0])
        for start in range(0, fan_in, BLOCK):
            stop = min(start + BLOCK, fan_in)
            begin, end = line + start, line + stop
            steps = scratch[0, : stop - start]
            own_synapses = synapses[begin:end] if masked else synapses
            if masked:
                keep_synapses(sums[begin:end], own_synapses)
            if in_lanes:
                over += take_sums(small_steps[: stop - start], sums[begin:end], rows[0])
                draw = run_of_draws(row, table, first + begin)
                counts[index, WEIGHT] += subtract_in_lanes(
                    own[start:stop], small_steps, row, table[draw : draw + BLOCK]
                )
                continue
            over += take_sums(steps, sums[begin:end], rows[0])
            if centred:
                over += centre_into(steps, mean, own_synapses, masked, rows[0])
            own_velocity = velocity[begin:end] if momentum else velocity
            update_block(
                method, own[start:stop], own_velocity, steps, own_synapses, first + begin, counts[index]
            )
    counts[index, WEIGHT_GRADIENT] += over


def update_biases(bias, velocity, momentum, table, scratch, counts, own_counts, index, sums, rows, first):
    """One layer's biases by their sums, which are emptied, as weights are updated; `rows` and `first` as there.

    `own_counts (tensors,)` is scratch: a bias is updated by the code of weights, but counted apart.
    """
    method = Method(rows, 0, momentum, table, scratch)
    for start in range(0, sums.size, BLOCK):
        stop = min(start + BLOCK, sums.size)
        steps, own_sums = scratch[0, : stop - start], sums[start:stop]
        counts[index, BIAS_GRADIENT] += take_sums(steps, own_sums, rows[0])
        own_velocity = velocity[start:stop] if momentum else velocity
        # `update_block` counts as for weights; what it finds is booked as biases below
        own_counts[WEIGHT] = 0
        own_counts[VELOCITY] = 0
        update_block(method, bias[start:stop], own_velocity, steps, own_sums, first + start, own_counts)
        counts[index, BIAS] += own_counts[WEIGHT]
        counts[index, VELOCITY] += own_counts[VELOCITY]


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


def arrange_weights(layers, index, weights, row, order, used, row_sums, scratch):
    """Used weights as products read them, rows per output channel, terms as stored; overflows of `w_use`.

    Called after every change of a layer's weights, before the next forward pass. `weights (C_out, fan_in or more)` are in
    C order, `order` says where a dense layer's inputs are stored. `row_sums (C_out,)` is the sum of magnitudes of every
    row. `scratch (widest sum,)` of the weights' type.
    """
    layer = layers[index]
    fan_in, over = layer.fan_in, 0
    for channel in range(layer.channels):
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


def arrange_backward(layers, index, used, backward):
    """Used weights as error sums read them, rows per input (channel), kernels turned round; after `arrange_weights`.

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
            backward, place, layer.error_depth, used, element * rows, layer.depth, layer.channels, rows
        )
    largest, energy = 0, 0
    for line in range(rows):
        begin = line * layer.error_depth
        own = backward[begin : begin + layer.error_terms]
        largest, most = max(largest, sum_magnitudes(own)), max(most, largest_magnitude(own))
        if layer.narrow:
            energy = max(energy, sum_of_squares(own))
    return largest, energy, most


def update_thresholds(
    layers, thresholds, theta, lowest, table, scratch, counts, index, sums, groups, rows, first
):
    """One layer's thresholds by their sums, which are emptied, never below `lowest`; then each neuron's.

    `sums (N,)`: dTheta per neuron as stored; `groups (G,)`: dTheta per threshold, which the sums of its neurons join;
    `rows`: numbers of gradient and threshold; `first`: index of the first draw. `theta (N,)` is each neuron's threshold.
    """
    layer = layers[index]
    shared, size = layer.neurons // layer.thresholds, layer.thresholds
    for neuron in range(layer.neurons):
        # neurons that share a threshold are neighbours in C order, not as stored
        place = neuron % layer.positions * layer.channels + neuron // layer.positions
        groups[neuron // shared] += sums[place]
        sums[place] = 0
    for start in range(0, size, BLOCK):
        stop = min(start + BLOCK, size)
        own, steps = thresholds[start:stop], scratch[0, : stop - start]
        counts[index, THRESHOLD_GRADIENT] += take_sums(steps, groups[start:stop], rows[0])
        begin = run_of_draws(rows[1], table, first + start)
        counts[index, THRESHOLD] += subtract_into(own, steps, rows[1], table[begin : begin + stop - start])
        for k in range(stop - start):
            own[k] = max(own[k], lowest)  # the bound is part of the rule, so that this is no overflow
    spread_thresholds(layers, index, thresholds, theta)


@register_jitable
def spread_thresholds(layers, index, thresholds, theta):
    """Each neuron's threshold, neurons as stored."""
    layer = layers[index]
    shared = layer.neurons // layer.thresholds
    for neuron in range(layer.neurons):
        theta[neuron % layer.positions * layer.channels + neuron // layer.positions] = thresholds[
            neuron // shared
        ]


UPDATE_WEIGHTS, UPDATE_THRESHOLDS = kernel(update_weights), kernel(update_thresholds)
UPDATE_BIASES = kernel(update_biases)
ARRANGE_WEIGHTS, ARRANGE_BACKWARD = kernel(arrange_weights), kernel(arrange_backward)
SPREAD_THRESHOLDS = kernel(spread_thresholds)
