"""A pass of some samples through the whole network, forward and, in training, backward, in one call of compiled code.

Between its layers nothing returns to Python, so that small layers cost no calls, and threads that run passes of their own
never wait for each other.
"""

from enum import IntEnum
from math import sqrt
from typing import NamedTuple

from numba.extending import register_jitable

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.quantize import HIGH, LOW, WHOLE, WRAP
from nmsim.stop.fixed.backward import bound_gradients, count_spikes, layer_deltas, output_errors, send_errors
from nmsim.stop.fixed.forward import Span, forward_layer
from nmsim.stop.fixed.gradient import collect, multiply_panel
from nmsim.stop.fixed.memory_plan import ADD, AVERAGE, INPUT, MAXIMUM, Held, Plan, Work
from nmsim.stop.fixed.ordered import add_neuron_gradients, add_weight_gradient
from nmsim.stop.fixed.pools import (
    add_branches,
    average_pool,
    copy_errors,
    load_inputs,
    maximum_pool,
    route_maximum_errors,
    spread_average_errors,
)  # fmt: skip
from nmsim.stop.fixed.runs import clear_run
from nmsim.stop.fixed.static_gradient import add_static_gradient
from nmsim.stop.fixed.sums import Summing, way_of_summing
from nmsim.stop.fixed.tensor import CURRENT, ERROR_SUM


class Pass(IntEnum):
    """What a pass computes."""

    INFERENCE = 0
    """Spikes."""
    ACTIVITY = 1
    """Also traces and deltas."""
    GRADIENTS = 2
    """Also gradient sums, in any exact order."""
    ORDERED = 3
    """Of one sample, gradient sums in the order of the definition."""
    IN_PLACE = 4
    """Of one sample, dW of a time step exactly, the other sums in order."""


INFERENCE, ACTIVITY, GRADIENTS, IN_ORDER, IN_PLACE = (int(kind) for kind in Pass)


class Loss(NamedTuple):
    """How errors of the output layer are formed: from squared errors or a softmax; `one` is 1.0 in their format."""

    squared: bool
    one: int


@register_jitable
def summing_within(bound, layer, row):
    """How sums of absolute products up to `bound` go into the accumulator of a row of numbers."""
    whole = row[WRAP] != 0 or row[WHOLE] != 0
    way, settles = way_of_summing(bound, row[LOW], row[HIGH], whole, layer.narrow != 0)
    return Summing(way, settles)


@register_jitable
def forward_group(plan, held, work, inputs, span, static, kind):
    """All nodes in their order, for a group of time steps."""
    keeps = static and kind != IN_PLACE  # weights that change in a sample change its currents
    for number in range(len(plan.nodes)):
        node = plan.nodes[number]
        if node.layer >= 0:
            index, layer, bounds = node.layer, plan.layers[node.layer], held.weight_bounds[node.layer]
            bound = bounds[0] * layer.largest_input + bounds[3]
            summing = summing_within(bound, layer, plan.numbers[index, CURRENT])
            forward_layer(plan, held, work, index, span, summing, kind != INFERENCE, keeps)
        elif static and node.static and span.step > 0:
            continue
        elif node.kind == INPUT:
            load_inputs(work.memory, plan.nodes, inputs, span.samples, span.step)
        elif node.kind == AVERAGE:
            average_pool(work.memory, plan.nodes, number, span.samples)
        elif node.kind == MAXIMUM:
            maximum_pool(work.memory, plan.nodes, number, span.samples)
        elif node.kind == ADD:
            add_branches(work.memory, plan.nodes, number, span.samples)
    count_spikes(work.memory, plan.layers, work.spikes, span.samples)


@register_jitable
def backward_layer(plan, held, work, index, span, kind):
    """Deltas of a layer, the errors it sends, and its gradient sums."""
    layer, exact, samples = plan.layers[index], kind == GRADIENTS, span.samples
    in_order = kind == IN_ORDER
    largest, energy = layer_deltas(
        plan, held, work, index, span, exact, exact or kind == IN_PLACE, exact or in_order
    )
    if layer.sends_error:
        bounds = held.weight_bounds[index]
        bound = bounds[1] * largest
        if layer.narrow:  # Cauchy-Schwarz; two more make up for what the roots lose
            bound = min(bound, int(sqrt(float(bounds[2])) * sqrt(float(energy))) + 2)
        summing = summing_within(bound, layer, plan.numbers[index, ERROR_SUM])
        send_errors(plan, held, work, index, samples, summing)
    if kind == IN_PLACE or (exact and not layer.factored and not layer.scalar):
        collect(plan, work, index, samples * layer.group)
    elif in_order and not layer.scalar:
        add_weight_gradient(plan, held, work, index)
    if in_order or kind == IN_PLACE:
        add_neuron_gradients(plan, work, index, in_order)


@register_jitable
def backward_group(plan, held, work, loss, labels, span, kind):
    """All nodes from the last to the first, for a group of time steps."""
    output_errors(plan, work, loss, labels, span.samples)
    for number in range(len(plan.nodes) - 1, 0, -1):
        node = plan.nodes[number]
        if node.layer >= 0:
            backward_layer(plan, held, work, node.layer, span, kind)
        elif node.needs_error and node.kind == AVERAGE:
            spread_average_errors(work.errors, plan.nodes, number, span.samples)
        elif node.needs_error and node.kind == MAXIMUM:
            route_maximum_errors(work.errors, plan.nodes, work.memory, number, span.samples)
        elif node.needs_error and node.kind == ADD:
            copy_errors(work.errors, plan.nodes, number, span.samples)


@register_jitable
def clear_states(plan, work, samples):
    """States before the first time step."""
    layer, static_sums = plan.layers[0], 0
    for index in range(len(plan.layers)):
        static_sums += plan.layers[index].scalar * plan.layers[index].neurons
    slots = samples * layer.group
    clear_run(work.memory, 0, slots * layer.words)
    clear_run(work.static_sums, 0, samples * static_sums)
    clear_run(work.constants, 0, slots * len(plan.layers))
    for sample in range(samples):
        for output in range(work.spikes.shape[1]):
            work.spikes[sample, output] = 0


def run_pass(
    layers, nodes, numbers, surrogates, probabilities, orders, draw_table,
    used, backward, theta, alpha, weight_bounds, row_sums, bias, synapses, masked,
    memory, errors, kept, block, gathered, factors, exact, nonzero, entries, marks, segments, transposed, draws, panels,
    filled, weight_sums, threshold_sums, group_sums, leak_sums, bias_sums, constants, static_sums, magnitudes, bounds,
    largest, counts, tally, spikes, current_log, error_log,
    squared, one,
    inputs, labels, first, start, stop, kind,
):  # fmt: skip
    """Time steps `start..stop-1` (whole groups) of the samples `inputs (S, T or 1, size)`, raw integers in C order.

    `labels (S,)`; `first` is the index of sample 0 in the run, for random draws; `kind` a `Pass`. States start at zero when
    `start` is 0 and go on from the memory otherwise. The other names are fields of `Plan`, `Held`, `Work` and `Loss`.
    """
    plan = Plan(layers, nodes, numbers, surrogates, probabilities, orders, draw_table)
    held = Held(used, backward, theta, alpha, weight_bounds, row_sums, bias, synapses, masked)
    work = Work(
        memory, errors, kept, block, gathered, factors, exact, nonzero, entries, marks, segments, transposed, draws, panels,
        filled, weight_sums, threshold_sums, group_sums, leak_sums, bias_sums, constants, static_sums, magnitudes, bounds,
        largest, counts, tally, spikes, current_log, error_log,
    )  # fmt: skip
    samples, static, group = inputs.shape[0], inputs.shape[1] == 1, layers[0].group
    if start == 0:
        clear_states(plan, work, samples)
    for step in range(start, stop, group):
        span = Span(samples, step, first)
        forward_group(plan, held, work, inputs, span, static, kind)
        if kind != INFERENCE:
            backward_group(plan, held, work, Loss(squared, one), labels, span, kind)
    for index in range(len(layers)):
        if layers[index].scalar and stop == layers[index].time_steps and kind in (GRADIENTS, IN_ORDER):
            add_static_gradient(plan, held, work, index, samples, kind == IN_ORDER)
        if kind in (GRADIENTS, IN_PLACE):
            multiply_panel(plan, work, index)
    if kind == GRADIENTS:
        bound_gradients(layers, numbers, magnitudes, largest, bounds)


RUN_PASS = kernel(run_pass, slow="the training engine (20 to 70 s)")
