"""Elementwise kernels of a time step: residual, traces, membrane, spikes, surrogate, delta, their gradients.

Every loop writes one array: LLVM vectorises a loop only while few pointers may overlap. Arrays are flat runs of one sample.
Kernels return their number of overflows unless they say otherwise.
"""

from numba.extending import register_jitable

from nmsim.fixedpoint.quantize import HIGH, LOW, MASK, WRAP, bring_into_range, magnitude, quantize_into


@register_jitable
def combine_into(out, p, factor_p, q, factor_q, row, draws, scratch):
    """`out = Q(factor_p * p + factor_q * q)`: membrane, leak trace, threshold trace and weight trace have this form.

    `scratch` holds the exact values of as many elements as are treated at a time.
    """
    over = 0
    for start in range(0, out.size, scratch.size):
        stop = min(start + scratch.size, out.size)
        exact, own_p, own_q = scratch[: stop - start], p[start:stop], q[start:stop]
        for k in range(exact.size):
            exact[k] = factor_p * own_p[k] + factor_q * own_q[k]
        over += quantize_into(out[start:stop], exact, row, draws[start:stop])
    return over


@register_jitable
def keep_large(out, values, threshold):
    """`out = values` where their magnitude reaches a threshold, else 0; returns nothing."""
    for k in range(out.size):
        out[k] = values[k] if magnitude(values[k]) >= threshold else 0


@register_jitable
def multiply_into(out, p, q, row, draws):
    """`out = Q(p * q)`: delta from error and surrogate; q is overwritten."""
    for k in range(out.size):
        q[k] *= p[k]
    return quantize_into(out, q, row, draws)


@register_jitable
def residual_into(out, membrane, spikes, theta, row):
    """`R = Q(U - theta * s)`; all have one format, so only the range matters."""
    low, high, mask, wrap = row[LOW], row[HIGH], row[MASK], row[WRAP]
    over = 0
    for k in range(out.size):
        v = membrane[k] - theta[k] * spikes[k]
        over += (v < low) | (v > high)
        out[k] = bring_into_range(v, low, high, mask, wrap)
    return over


@register_jitable
def reset_to_zero_into(out, membrane, spikes):
    """`R = 0 where s, else U`: always in range; returns nothing."""
    for k in range(out.size):
        out[k] = membrane[k] * (1 - spikes[k])


@register_jitable
def spikes_into(out, membrane, theta):
    """`s = 1 if U >= theta else 0`; returns nothing."""
    for k in range(out.size):
        out[k] = 1 if membrane[k] >= theta[k] else 0


@register_jitable
def surrogate_into(out, membrane, theta, table, index_up, index_down):
    """`phi = table[min(index(|U - theta|), entries - 1)]`; returns nothing."""
    last = table.size - 1
    for k in range(out.size):
        out[k] = min((magnitude(membrane[k] - theta[k]) << index_up) >> index_down, last)
    for k in range(out.size):  # apart from the first loop, which vectorises; a look-up does not
        out[k] = table[out[k]]


@register_jitable
def add_threshold_gradient(accumulator, delta, trace, left, one):
    """`dTheta += delta * (th~ - 1)` per neuron, exact; returns nothing."""
    for k in range(delta.size):
        accumulator[k] += delta[k] * ((trace[k] << left) - one)


@register_jitable
def leak_gradient(delta, trace):
    """Sum over neurons of `delta * a~`, exact."""
    total = 0
    for k in range(delta.size):
        total += delta[k] * trace[k]
    return total


@register_jitable
def add_scaled(accumulator, values, factor, row):
    """`accumulator += factor * values`, saturating unless the accumulator wraps, which it does when the sum is complete."""
    over = 0
    if row[WRAP]:  # sums modulo a power of two may be reduced once at the end
        for k in range(values.size):
            accumulator[k] += factor * values[k]
        return over
    low, high = row[LOW], row[HIGH]
    for k in range(values.size):
        v = accumulator[k] + factor * values[k]
        over += (v < low) | (v > high)
        accumulator[k] = min(max(v, low), high)
    return over


@register_jitable
def add_magnitudes(accumulator, values):
    """Add `|values|` per element; returns nothing."""
    for k in range(values.size):
        accumulator[k] += magnitude(values[k])


@register_jitable
def largest_magnitude(values):
    """`max |values|`."""
    low, high = 0, 0
    for k in range(values.size):
        low = min(low, values[k])
        high = max(high, values[k])
    return max(high, -low)


@register_jitable
def sum_of_squares(values):
    """`sum values**2`, exact for 16-bit values."""
    total = 0
    for k in range(values.size):
        total += values[k] * values[k]
    return total
