"""What a layer keeps in memory under a learning rule, kind by kind, whatever the chip (docs/memory.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from nmsim.contents import Content
from nmsim.network.memory import TrainingNeeds, activation_bits, kept_steps
from nmsim.network.precision import Precision, ResolvedPrecision
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.network.state import STATE_VARIABLES, Kept
from nmsim.network.values import mean_factor


class Sizes(NamedTuple):
    """Sizes of a layer, or of the part of it that one core holds.

    `neurons` whose state is kept, `sums` neurons whose input is added up (more than `neurons` where a fan-in
    is split and another core keeps the state), `inputs`, `weights`, `thresholds`, `biases`.
    """

    neurons: int
    sums: int
    inputs: int
    weights: int
    thresholds: int
    biases: int

    @classmethod
    def of(cls, layer: SynapticLayer) -> "Sizes":
        """Sizes of a whole layer."""
        return cls(
            layer.neurons, layer.neurons, layer.inputs, layer.weights, layer.threshold_count, layer.biases
        )


class Term(NamedTuple):
    """`times` values of `value_bits` bits for every unit of one of the `Sizes` (its index, `per`).

    A `buffer` is used by the layers in turn, so that only the largest counts; the rest is kept and adds up.
    """

    kind: Content
    per: int
    times: int
    value_bits: int
    buffer: bool = False

    def values(self, sizes: Sizes) -> int:
        """Number of values."""
        return self.times * sizes[self.per]


_NEURONS, _SUMS, INPUTS, WEIGHTS, _THRESHOLDS, _BIASES = range(6)


@dataclass(frozen=True)
class LayerContext:
    """What the memory of a layer depends on besides its sizes."""

    dense: bool
    bias: bool
    first: bool
    last: bool
    time_steps: int
    input_bits: int
    """Width of one input value: 1 for spikes."""
    input_history: Content | None
    """Content under which STBP keeps the layer's inputs of all T steps; None: it reads them from the layer below."""


def layer_terms(
    precision: ResolvedPrecision, needs: TrainingNeeds, context: LayerContext
) -> tuple[Term, ...]:
    """Everything a layer keeps in memories (registers and tables left out), kind by kind."""
    terms = [
        Term(Content.WEIGHT, WEIGHTS, 1, precision.weight.format.total_bits),
        Term(Content.THRESHOLD, _THRESHOLDS, 1, precision.membrane.format.total_bits),
        *_neuron_terms(precision, needs, context),
        *_input_terms(precision, needs, context),
    ]
    if needs.trains:
        terms += [*_gradient_terms(precision, needs, context), *_error_terms(precision, needs, context)]
    if context.bias:
        terms += _bias_terms(precision, needs)
    if needs.carries == "history":
        terms += _history_terms(precision, needs, context)
    return tuple(term for term in terms if term.times > 0)


def _bias_terms(precision: ResolvedPrecision, needs: TrainingNeeds) -> list[Term]:
    """Biases are kept as weights are, each with an accumulator and a velocity; the trace of their input is a register."""
    terms = [Term(Content.WEIGHT, _BIASES, 1, precision.weight.format.total_bits)]
    width = precision.bias_gradient.format.total_bits
    if needs.trains and needs.update != "in_place":
        terms.append(Term(Content.WEIGHT_GRADIENT, _BIASES, 1, width))
    if needs.trains and needs.momentum:
        terms.append(Term(Content.VELOCITY, _BIASES, 1, width))
    return terms


def has_scalar_trace(precision: ResolvedPrecision, needs: TrainingNeeds, *, first: bool) -> bool:
    """Whether one trace stands for all inputs of a layer, `first`: which reads the sample alone."""
    return first and needs.static_input and needs.carries == "traces" and precision.static_trace == "scalar"


def _neuron_terms(precision: ResolvedPrecision, needs: TrainingNeeds, context: LayerContext) -> list[Term]:
    samples = needs.samples_in_flight
    copies = 2 * samples if needs.double_buffered else samples
    current = Term(Content.INPUT_SUM, _SUMS, copies, precision.current.format.total_bits, buffer=True)
    state = partial(_state_terms, precision, needs, context)
    return [*state("always"), current, *state("traces")]


def _state_terms(
    precision: ResolvedPrecision, needs: TrainingNeeds, context: LayerContext, kept: Kept
) -> Iterator[Term]:
    """The rows of `nmsim.network.state` that a layer keeps; one scalar trace for all its inputs is a register."""
    scalar = has_scalar_trace(precision, needs, first=context.first)
    for variable in STATE_VARIABLES:
        if variable.kept == kept and variable.kept_by(needs.learning_rule):
            if variable.per == "input" and scalar:
                continue
            copies = needs.samples_in_flight * (1 + (needs.double_buffered and variable.twice))
            per = INPUTS if variable.per == "input" else _NEURONS
            yield Term(variable.content, per, copies, variable.bits(precision))


def _input_terms(precision: ResolvedPrecision, needs: TrainingNeeds, context: LayerContext) -> list[Term]:
    samples = needs.samples_in_flight
    if needs.carries == "history" and context.input_history is Content.INPUT and not needs.static_input:
        return []  # all time steps of it are kept
    if not (context.first and needs.static_input):
        copies = 2 * samples if needs.double_buffered else samples
        return [Term(Content.INPUT, INPUTS, copies, context.input_bits, buffer=True)]
    terms = [Term(Content.INPUT, INPUTS, samples, context.input_bits)]
    if needs.keep_static_current:
        terms.append(Term(Content.INPUT_SUM, _SUMS, samples, precision.current.format.total_bits))
    return terms


def _gradient_terms(precision: ResolvedPrecision, needs: TrainingNeeds, context: LayerContext) -> list[Term]:
    terms = []
    factored = needs.update == "factored" and context.dense
    if has_scalar_trace(precision, needs, first=context.first):
        # the sums g of deltas; factored, those of every sample of a batch, with the samples themselves
        width, kept = precision.static_gradient.format.total_bits, needs.batch_size if factored else 1
        home = Content.FACTOR if factored else Content.WEIGHT_GRADIENT
        terms.append(Term(home, _SUMS, max(kept, needs.samples_in_flight), width))
        if factored:
            terms.append(Term(Content.FACTOR, INPUTS, kept, context.input_bits))
        else:
            bits = precision.weight_gradient.format.total_bits
            terms.append(Term(Content.WEIGHT_GRADIENT, WEIGHTS, 1, bits))
    elif factored:
        times = context.time_steps * needs.batch_size
        factor = precision.weight_trace.format.total_bits if needs.carries == "traces" else context.input_bits
        terms += [
            Term(Content.FACTOR, INPUTS, times, factor),
            Term(Content.FACTOR, _SUMS, times, precision.delta.format.total_bits),
        ]
    elif needs.update != "in_place":
        terms.append(Term(Content.WEIGHT_GRADIENT, WEIGHTS, 1, precision.weight_gradient.format.total_bits))
    if needs.momentum:
        terms.append(Term(Content.VELOCITY, WEIGHTS, 1, precision.velocity.format.total_bits))
    if needs.thresholds:
        width = precision.threshold_gradient.format.total_bits
        terms.append(Term(Content.THRESHOLD_GRADIENT, _THRESHOLDS, 1, width))
    return terms


def _error_terms(precision: ResolvedPrecision, needs: TrainingNeeds, context: LayerContext) -> list[Term]:
    samples = needs.samples_in_flight
    copies = 2 * samples if needs.double_buffered else samples
    error_bits = precision.error.format.total_bits
    terms = [Term(Content.DELTA, _SUMS, 2 * samples, precision.delta.format.total_bits, buffer=True)]
    if not context.first:  # error sums for the layer below, on their way
        terms.append(Term(Content.ERROR_SUM, INPUTS, copies, error_bits, buffer=True))
    if not context.last:  # error sums from the layer above, arriving
        terms.append(Term(Content.ERROR_SUM, _NEURONS, copies, error_bits, buffer=True))
    return terms


def _history_terms(precision: ResolvedPrecision, needs: TrainingNeeds, context: LayerContext) -> list[Term]:
    samples = needs.samples_in_flight
    steps = kept_steps(context.time_steps, needs.stbp_history)
    terms = [
        Term(Content.HISTORY, _NEURONS, samples * (steps - 1), precision.membrane.format.total_bits),
        Term(Content.HISTORY, _NEURONS, samples * (steps - 1), 1),
        *_state_terms(precision, needs, context, "history"),
    ]
    if context.input_history is not None and not (context.first and needs.static_input):
        terms.append(Term(context.input_history, INPUTS, samples * steps, context.input_bits))
    return terms


def input_value_bits(network: NetworkSpec, sample_bits: int) -> tuple[int, ...]:
    """Width of one input value of every synaptic layer: 1 for spikes, more for sums by adds and pools."""
    largest = {0: 2**sample_bits - 1}
    for node in network.nodes[1:]:
        below = [largest[source] for source in node.inputs]
        if node.layer is not None:
            largest[node.index] = 1
        elif node.kind == "sum_pool":
            largest[node.index] = below[0] * node.window
        elif node.kind in {"avg_pool", "global_avg_pool"}:
            largest[node.index] = below[0] * node.window * mean_factor(node.window)[0]
        else:
            largest[node.index] = sum(below)
    layers = [node for node in network.nodes if node.layer is not None]
    return tuple(largest[node.inputs[0]].bit_length() for node in layers)


def network_terms(
    network: NetworkSpec, precision: Precision, needs: TrainingNeeds, *, spread: bool = False
) -> tuple[tuple[Term, ...], ...]:
    """The terms of every synaptic layer.

    `spread`: layers live apart, so STBP keeps the history of a layer's inputs beside its weights. Otherwise it reads
    them from the layer below, and only the network's own input has to be kept.
    """
    layers = network.synaptic_layers
    widths = input_value_bits(network, needs.sample_bits)
    if (
        needs.artificial
    ):  # what a layer emits, or a pool makes of it, is rounded to the width of an activation
        bits = activation_bits(network.time_steps)
        reads_sample = (network.source_layers(layer.index) == (-1,) for layer in layers)
        widths = tuple(needs.sample_bits if first else bits for first in reads_sample)

    def context(layer: SynapticLayer) -> LayerContext:
        first = network.source_layers(layer.index) == (-1,)
        return LayerContext(
            dense=layer.kind == "dense",
            bias=layer.bias,
            first=first,
            last=layer.index == len(layers) - 1,
            time_steps=network.time_steps,
            input_bits=widths[layer.index],
            input_history=Content.HISTORY if spread else Content.INPUT if first else None,
        )

    return tuple(layer_terms(precision.resolve(layer.index), needs, context(layer)) for layer in layers)
