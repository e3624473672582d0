"""Gradient centralization: the mean of a neuron's or channel's gradients, and its subtraction, before weights change."""

from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import HIGH, LOW, MASK, WRAP, bring_into_range


@register_jitable
def row_mean(sums, synapses, masked, row):
    """Mean of a row of sums, taken into the accumulator's range, over its present synapses; halves go up."""
    low, high, mask, wrap = row[LOW], row[HIGH], row[MASK], row[WRAP]
    total, present = 0, 0
    for k in range(sums.size):
        if not masked or synapses[k]:
            total += bring_into_range(sums[k], low, high, mask, wrap)
            present += 1
    return (2 * total + present) // (2 * max(present, 1))


@register_jitable
def centre_into(steps, mean, synapses, masked, row):
    """Take the mean from the gradients of present synapses, in the accumulator's arithmetic; overflows."""
    low, high, mask, wrap = row[LOW], row[HIGH], row[MASK], row[WRAP]
    over = 0
    for k in range(steps.size):
        if not masked or synapses[k]:
            v = steps[k] - mean
            over += (v < low) | (v > high)
            steps[k] = bring_into_range(v, low, high, mask, wrap)
    return over
