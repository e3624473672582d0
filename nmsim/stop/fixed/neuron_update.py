"""Updates of thresholds and leak factors by the sums of their gradients, all layers in one call."""

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
    SPREAD,
    WRAP,
    ZERO,
    bring_into_range,
    round_shift,
)  # fmt: skip
from nmsim.stop.fixed.tensor import LEAK_GRADIENT, THRESHOLD, THRESHOLD_GRADIENT
from nmsim.stop.fixed.update import BLOCK, run_of_draws, subtract_into, take_sums


@register_jitable
def join_neurons(layer, groups, sums):
    """Add dTheta of every neuron, as stored, to that of its threshold, and empty it."""
    if layer.thresholds == layer.neurons and layer.positions == 1:
        for k in range(layer.neurons):
            groups[k] += sums[k]
        for k in range(layer.neurons):
            sums[k] = 0
        return
    shared = layer.neurons // layer.thresholds
    for neuron in range(layer.neurons):
        # neurons that share a threshold are neighbours in C order, not as stored
        place = neuron % layer.positions * layer.channels + neuron // layer.positions
        groups[neuron // shared] += sums[place]
        sums[place] = 0


@register_jitable
def spread_thresholds(layers, index, thresholds, theta):
    """Each neuron's threshold, neurons as stored."""
    layer = layers[index]
    if layer.thresholds == layer.neurons and layer.positions == 1:
        for k in range(layer.neurons):
            theta[k] = thresholds[k]
        return
    shared = layer.neurons // layer.thresholds
    for neuron in range(layer.neurons):
        theta[neuron % layer.positions * layer.channels + neuron // layer.positions] = thresholds[
            neuron // shared
        ]


@register_jitable
def update_leak(total, alpha, highest, rows, table, count, counts):
    """`min(max(Q(alpha - lr dAlpha / (B n)), 0), alpha_max)`; the clip is not an overflow."""
    own, row = rows[0], rows[1]
    if total < own[LOW] or total > own[HIGH]:
        counts[LEAK_GRADIENT] += 1
        total = bring_into_range(total, own[LOW], own[HIGH], own[MASK], own[WRAP])
    draw = table[run_of_draws(row, table, count % PERIOD << row[SPREAD])]
    add = row[ADD] + ((draw << row[DRAW_UP]) >> row[DRAW_DOWN])
    step = -((row[LEFT_Q] * total) << row[LEFT_P])
    return min(max(round_shift(alpha, step, row[DOWN], add, row[EVEN], row[ZERO]), 0), highest)


def update_neurons(
    layers, thresholds, theta, alpha, lowest, highest, table, scratch, counts, threshold_sums, group_sums, leak_sums,
    threshold_rows, leak_rows, count,
):  # fmt: skip
    """Thresholds and leak factors of all layers that learn them, by their sums, which are emptied; `theta` follows.

    Thresholds are never below `lowest (L,)`, leak factors in `0..highest (L,)`. `threshold_sums (N,)`: dTheta per neuron as
    stored; `group_sums (G,)`: dTheta per threshold, which the sums of its neurons join; `leak_sums (L,)`: dAlpha;
    `threshold_rows`, `leak_rows (L, 2, steps)`: numbers of gradient and parameter; `count`: updates before this one.
    """
    for index in range(len(layers)):
        layer = layers[index]
        if layer.learns_thresholds:
            size, rows = layer.thresholds, threshold_rows[index]
            groups = group_sums[layer.threshold : layer.threshold + size]
            own = thresholds[layer.threshold : layer.threshold + size]
            join_neurons(layer, groups, threshold_sums[layer.theta : layer.theta + layer.neurons])
            first = count % PERIOD << rows[1, SPREAD]
            for start in range(0, size, BLOCK):
                stop = min(start + BLOCK, size)
                part, steps = own[start:stop], scratch[0, : stop - start]
                counts[index, THRESHOLD_GRADIENT] += take_sums(steps, groups[start:stop], rows[0])
                begin = run_of_draws(rows[1], table, first + start)
                draws = table[begin : begin + stop - start]
                counts[index, THRESHOLD] += subtract_into(part, steps, rows[1], draws)
                for k in range(stop - start):
                    # the bound is part of the rule, so that this is no overflow
                    part[k] = max(part[k], lowest[index])
            spread_thresholds(layers, index, own, theta[layer.theta : layer.theta + layer.neurons])
        if layer.learns_leak:
            alpha[index] = update_leak(
                leak_sums[index], alpha[index], highest[index], leak_rows[index], table, count, counts[index]
            )
            leak_sums[index] = 0


UPDATE_NEURONS, SPREAD_THRESHOLDS = kernel(update_neurons), kernel(spread_thresholds)
