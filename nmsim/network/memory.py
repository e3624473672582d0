"""What a layer keeps in memory under a learning rule, kind by kind, whatever the chip (docs/memory.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from nmsim.config import Record
from nmsim.contents import Content
from nmsim.network.precision import Precision, ResolvedPrecision
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.network.state import STATE_VARIABLES, Kept
from nmsim.network.values import mean_factor
from nmsim.rules import Carries, LearningRule, rule_named, rule_of


class TrainingNeeds(Record):
    """What a learning rule asks of the memory; plain flags, so that mappings need not know the rules.

    >>> needs = TrainingNeeds.for_rule("stop-wt", batch_size=8)
    >>> needs.rule, needs.carries, needs.trains
    ('stop-wt', 'traces', True)
    """

    carries: Carries = "traces"
    """What is kept between time steps: nothing, forward traces, or the history of a sample."""
    thresholds: bool = True
    """Thresholds are learned."""
    leak: bool = True
    """Leak factors are learned."""
    artificial: bool = False
    """The network runs as a dense artificial one, whose activations have `activation_bits` bits."""
    momentum: bool = False
    """Weights have a velocity."""
    centralized: bool = False
    """Gradients lose the mean of their neuron or channel before weights change."""
    update: Literal["accumulate", "in_place", "factored"] = "accumulate"
    """Weight gradient: one accumulator per weight; none; or, for dense layers, its factors over T."""
    stbp_history: Literal["stored", "recompute", "spill"] = "stored"
    """`recompute` keeps checkpoints and one segment between two of them; `spill` keeps it off chip."""
    batch_size: int = Field(default=1, ge=1)
    """Samples per update: how many samples' factors the factored gradient keeps."""
    samples_in_flight: int = Field(default=1, ge=1)
    """Samples B processed at the same time, each with its own state and buffers."""
    sample_bits: int = Field(default=8, ge=1)
    """Width of one value of the network's input."""
    static_input: bool = False
    """The input is the same at every time step."""
    keep_static_current: bool = False
    """The first layer's current of a static input is computed once and kept."""
    double_buffered: bool = False
    """The forward pass of t+1 overlaps the error pass of t: membranes, queues and accumulators exist twice."""

    @property
    def of_neurons(self) -> "TrainingNeeds":
        """What a rule asks of neurons, whatever it does to weights: their traces, what they learn, their input."""
        return TrainingNeeds(
            carries=self.carries, thresholds=self.thresholds, leak=self.leak, static_input=self.static_input
        )

    @model_validator(mode="after")
    def _gradient_is_kept(self) -> "TrainingNeeds":
        if self.update == "in_place" and self.momentum:
            raise ValueError("update 'in_place' keeps no gradient, hence no velocity; set momentum to false")
        if self.update != "accumulate" and self.centralized:
            raise ValueError(
                f"'{self.update}' does not keep the whole gradients that centralization needs; use accumulate"
            )
        return self

    @classmethod
    def for_rule(cls, rule: str, **options: bool | int | str) -> "TrainingNeeds":
        """Needs of a rule by name, one of `nmsim.rules.RULES` or narrowed; `options` are the other fields.

        Raises:
            ConfigError: there is no such rule.
        """
        own = rule_named(rule)
        flags = {
            "carries": own.carries, "thresholds": own.learns_thresholds, "leak": own.learns_leak,
            "artificial": own.artificial,
        }  # fmt: skip
        return cls.model_validate({**flags, **options})

    @property
    def rule(self) -> str:
        """Name of the rule, e.g. `stop-wtl`."""
        return self.learning_rule.name

    @property
    def learning_rule(self) -> LearningRule:
        """The rule that carries and learns this."""
        return rule_of(self.carries, thresholds=self.thresholds, leak=self.leak, artificial=self.artificial)

    @property
    def trains(self) -> bool:
        """Whether parameters change."""
        return self.carries != "nothing"


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


def kept_steps(time_steps: int, history: str) -> int:
    """Time steps whose states STBP holds at once, the one in work included.

    Stored or spilled (then off chip): T. Recomputed: checkpoints every k steps plus one segment of k steps,
    `min over k of ceil(T/k) - 1 + k` (checkpointing after Chen et al., arXiv 1604.06174).

    >>> kept_steps(16, "stored"), kept_steps(16, "recompute")
    (16, 7)
    """
    if history == "recompute":
        return min(-(-time_steps // k) - 1 + k for k in range(1, time_steps + 1))
    return time_steps


def activation_bits(time_steps: int) -> int:
    """Bits of an activation that tells as much as a count of spikes over T steps, 0 to T: `log2(T + 1)`, rounded up.

    >>> activation_bits(6), activation_bits(7), activation_bits(8)
    (3, 3, 4)
    """
    return time_steps.bit_length()


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
