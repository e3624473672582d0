"""The update of a dense layer at batch size 1 from the factors of its gradient: no dW is stored.

The traces and deltas of all time steps lie in the sample's slots. Weights are stored by input, so that the weights of an
input with a trace are one run, and those of an input whose trace was zero throughout are left alone: a weight without
gradient requantizes to itself. A run of weights that are neighbours in this order draws at a distance of the fan-in;
`draws_by_input` lays the period of draws out so that those are one run too.
"""

from functools import cache
from math import gcd
from typing import Any

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.lfsr import PERIOD, draw_table
from nmsim.fixedpoint.quantize import HIGH, LOW, OFFSET, STOCHASTIC, magnitude
from nmsim.stop.fixed.neuron import largest_magnitude, sum_of_squares
from nmsim.stop.fixed.row_update import pair_deltas, pair_traces, rows_fit, update_row
from nmsim.stop.fixed.sums import NARROW, WIDE, settle_sums
from nmsim.stop.fixed.tensor import WEIGHT, WEIGHT_GRADIENT
from nmsim.stop.fixed.update import BLOCK, subtract_kernel
from nmsim.stop.fixed.used_weights import sum_magnitudes, use_weights


@cache
def draws_by_input(fan_in: int) -> tuple[NDArray[np.uint16], int]:
    """Draws at a distance of `fan_in`, `(orbits, orbit length + BLOCK)`, read-only, and the factor that finds one.

    The draw of index `i` lies in orbit `r = i mod orbits`, at place `(i - r) / orbits * factor mod length`.
    """
    orbits = gcd(fan_in, PERIOD)
    length = PERIOD // orbits
    places = (np.arange(length + BLOCK) * fan_in + np.arange(orbits)[:, None]) % PERIOD
    table = draw_table()[places]
    table.setflags(write=False)
    return table, pow(fan_in // orbits, -1, length) if length > 1 else 0


@register_jitable
def find_traces(traced, memory, layer):
    """Inputs, as stored, whose trace was ever not zero: what all time steps have in one of their bits."""
    for k in range(layer.inputs):
        traced[k] = 0
    for slot in range(layer.group):
        place = slot * layer.words + layer.counted_trace
        traces = memory[place : place + layer.inputs]
        for k in range(layer.inputs):
            traced[k] |= traces[k]


@register_jitable
def bound_by_input(layers, index, weights, order, backward):
    """Largest sum of magnitudes, and of squares (of 16-bit weights, else 0), of an input's used weights."""
    layer, largest, energy = layers[index], 0, 0
    for k in range(layer.inputs):
        begin = (order[k] if layer.permuted else k) * layer.error_depth
        # with the zeros behind the last output, so that short rows are whole vectors too
        own = weights[k] if layer.shared else backward[begin : begin + layer.error_depth]
        largest = max(largest, sum_magnitudes(own))
        if layer.narrow:
            energy = max(energy, sum_of_squares(own))
    return largest, energy


@register_jitable
def place_of_draws(row, table, factor, draw):
    """Where the draws of a run of weights of one input, from index `draw` of the tensor on, begin in the table."""
    orbits, length = table.shape[0], table.shape[1] - BLOCK
    number = (row[OFFSET] + draw) % PERIOD
    return number % orbits, number // orbits * factor % length


@register_jitable
def next_place(table, factor, orbit, begin):
    """`place_of_draws` of the next index, without its divisions."""
    if orbit + 1 < table.shape[0]:
        return orbit + 1, begin
    length, begin = table.shape[1] - BLOCK, begin + factor
    return 0, (begin - length if begin >= length else begin)


def _factored_kernel(way: int) -> Any:
    """Kernel of one layer's update; NARROW where a bound shows that 32 bits hold every element of dW."""
    cast = np.int32 if way == NARROW else int
    subtract = subtract_kernel(cast)

    @register_jitable
    def gradient_run(out, memory, layer, place, start):
        """`out[k] = sum_t w~_t[place] * delta_t[start + k]`, two time steps at a time."""
        words, last, size = layer.words, layer.group - 1, out.size
        for slot in range(0, layer.group, 2):
            after = min(slot + 1, last)
            first = cast(memory[slot * words + layer.counted_trace + place])
            second = cast(memory[after * words + layer.counted_trace + place] if slot < last else 0)
            begin, next_begin = slot * words + layer.delta + start, after * words + layer.delta + start
            one, two = memory[begin : begin + size], memory[next_begin : next_begin + size]
            if slot == 0:
                for k in range(size):
                    out[k] = cast(cast(first * cast(one[k])) + cast(second * cast(two[k])))
            elif first or second:
                for k in range(size):
                    out[k] = cast(out[k] + cast(first * cast(one[k])) + cast(second * cast(two[k])))

    def update(
        layers, order, weights, synapses, used_row, narrower, table, factor, zeros, counts, backward, row_sums, bounds,
        run, scratch, traced, deltas, changes, index, memory, masked, rows, wraps, first,
    ):  # fmt: skip
        layer, row = layers[index], rows[2]
        outputs, inputs, used_over = layer.channels, layer.inputs, 0
        in_rows = way == NARROW and layer.shared and not masked and rows_fit(layer, weights, row)
        find_traces(traced, memory, layer)
        if in_rows:
            pair_deltas(deltas, memory, layer)
        orbit, behind = place_of_draws(row, table, factor, first)
        for k in range(inputs):
            place, own_orbit, begin = order[k] if layer.permuted else k, orbit, behind
            if in_rows:
                orbit, behind = next_place(table, factor, orbit, behind)
            if not traced[place]:
                continue
            if in_rows:
                pair_traces(run, memory, layer, place)
                draws = zeros[:BLOCK]
                if row[STOCHASTIC]:
                    draws = table[own_orbit, begin : begin + BLOCK]
                counts[index, WEIGHT] += update_row(weights[k], deltas, layer, run, draws, changes, row)
                continue
            for start in range(0, outputs, BLOCK):
                size = min(BLOCK, outputs - start)
                steps, own, sums = (
                    run[:size],
                    weights[k, start : start + size],
                    row_sums[start : start + size],
                )
                gradient_run(steps, memory, layer, place, start)
                if masked:
                    for output in range(size):
                        if not synapses[(start + output) * inputs + k]:
                            steps[output] = 0
                if wraps:
                    counts[index, WEIGHT_GRADIENT] += settle_sums(steps, size, rows[0])
                draws = zeros[:size]
                if row[STOCHASTIC]:
                    orbit, begin = place_of_draws(row, table, factor, first + start * inputs + k)
                    draws = table[orbit, begin : begin + size]
                begin = place * layer.error_depth + start
                used = own if layer.shared else backward[begin : begin + size]
                before = scratch[:size]
                for output in range(size):
                    before[output] = used[output]
                if narrower:
                    used_over -= use_weights(own, used, used_row)[0]
                counts[index, WEIGHT] += subtract(own, steps, row, draws)
                if not layer.shared:
                    used_over += use_weights(own, used, used_row)[0]
                for output in range(size):
                    sums[output] += magnitude(used[output] - before[output])
        if in_rows:
            for output in range(outputs):
                row_sums[output] += changes[output]
                changes[output] = 0
        # the sums of changes may exceed what weights in their format can add up to
        most = inputs * max(used_row[HIGH], -used_row[LOW])
        bounds[index, 0] = min(largest_magnitude(row_sums), most)
        if layer.sends_error:
            bounds[index, 1], bounds[index, 2] = bound_by_input(layers, index, weights, order, backward)
        return used_over

    return kernel(update, str(way))


def arrange_by_input(layers, index, weights, row, order, backward, row_sums):
    """Used weights of a layer stored by input, rows per input as stored; overflows of `w_use`.

    `weights (fan_in, outputs or more)` are those rows themselves where the layer is `shared`; `row_sums` the sums of
    magnitudes of every output.
    """
    layer, over = layers[index], 0
    outputs = layer.channels
    for output in range(outputs):
        row_sums[output] = 0
    for k in range(layer.inputs):
        begin = (order[k] if layer.permuted else k) * layer.error_depth
        own = backward[begin : begin + outputs]
        if not layer.shared:
            over += use_weights(weights[k, :outputs], own, row)[0]
        for output in range(outputs):
            row_sums[output] += magnitude(own[output])
    return over


ARRANGE_BY_INPUT, BOUND_BY_INPUT = kernel(arrange_by_input), kernel(bound_by_input)
UPDATE_FACTORED = tuple(_factored_kernel(way) for way in (NARROW, WIDE))
"""Kernels of an update from factors, by way of summing; they return the change of `w_use`'s overflows.

`row_sums` is raised by the |changes| of used weights, and so stays a bound, as do the layer's `bounds`.
"""
