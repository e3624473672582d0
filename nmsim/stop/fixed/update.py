"""Updates of weights and biases by the sums of their gradients."""

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
    WRAP,
    ZERO,
    bring_into_range,
    quantize_into,
    round_shift,
)  # fmt: skip
from nmsim.stop.fixed.centralization import centre_into, row_mean
from nmsim.stop.fixed.lanes import holds_small, subtract_fits, subtract_in_lanes
from nmsim.stop.fixed.tensor import BIAS, BIAS_GRADIENT, VELOCITY, WEIGHT, WEIGHT_GRADIENT

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


@register_jitable
def join_shares(shares, begin, end):
    """Add all shares of the sums `begin..end-1` up in the first, and empty the others."""
    own = shares[0][begin:end]
    for share in range(1, shares.shape[0]):
        added = shares[share][begin:end]
        for k in range(own.size):
            own[k] += added[k]
        for k in range(own.size):
            added[k] = 0


def update_weights(
    layers, velocity, synapses, momentum, centred, table, scratch, small_steps, counts, index, begin, end, weights, shares,
    place, masked, rows, first,
):  # fmt: skip
    """Output channels `begin..end-1` of one layer's weights by their sums, which are emptied.

    `shares (shares, P)`: dW is their sum, the layer's from `place` on, C order; `weights (C_out, fan_in or more)`;
    `centred`: every row of gradients loses its mean; `first`: index of the first draw (`lfsr.first_draw`); `small_steps
    (BLOCK,)` is scratch of 32 bits, where storage has 16; the other names are those of a `Method`.
    """
    fan_in, over, row = layers[index].fan_in, 0, rows[2]
    in_lanes = not (momentum or centred) and holds_small(rows[0]) and subtract_fits(weights, row)
    kept = shares.itemsize == 4  # what saturates in 32 bits after every addition is in its range
    method = Method(rows, masked, momentum, table, scratch)
    for channel in range(begin, end):
        line, own = channel * fan_in, weights[channel]
        join_shares(shares, place + line, place + line + fan_in)
        sums = shares[0][place + line : place + line + fan_in]
        row_synapses = synapses[line : line + fan_in] if masked else synapses
        if masked:
            keep_synapses(sums, row_synapses)
        if centred:  # the mean is of the whole row: it is taken before the blocks below empty its sums
            mean = row_mean(sums, row_synapses, masked, rows[0])
        for start in range(0, fan_in, BLOCK):
            stop = min(start + BLOCK, fan_in)
            if in_lanes:
                draw = run_of_draws(row, table, first + line + start)
                draws = table[draw : draw + BLOCK]
                if kept:
                    counts[index, WEIGHT] += subtract_in_lanes(own[start:stop], sums[start:stop], row, draws)
                else:
                    over += take_sums(small_steps[: stop - start], sums[start:stop], rows[0])
                    counts[index, WEIGHT] += subtract_in_lanes(own[start:stop], small_steps, row, draws)
                continue
            steps = scratch[0, : stop - start]
            own_synapses = row_synapses[start:stop] if masked else synapses
            over += take_sums(steps, sums[start:stop], rows[0])
            if centred:
                over += centre_into(steps, mean, own_synapses, masked, rows[0])
            own_velocity = velocity[line + start : line + stop] if momentum else velocity
            update_block(
                method,
                own[start:stop],
                own_velocity,
                steps,
                own_synapses,
                first + line + start,
                counts[index],
            )
        if in_lanes and kept:
            for k in range(fan_in):
                sums[k] = 0
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


UPDATE_WEIGHTS, UPDATE_BIASES = kernel(update_weights), kernel(update_biases)
