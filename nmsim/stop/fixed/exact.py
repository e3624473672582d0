"""How many bits the exact sums of a run need, how many their accumulators have, and whether order can matter.

The bounds follow from formats and numbers of terms alone, so they hold for any data and any weights (docs/arithmetic.md,
"Exact widths"). A bound that does not fit does not say that anything overflows: the counters say that.
"""

from dataclasses import dataclass
from typing import Literal

from nmsim.fixedpoint.format import Overflow, QFormat
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.stop.fixed.layer_formats import LayerFormats, error_fractions
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.spec import TrainingSpec

Sum = Literal[
    "current",
    "error_sum",
    "error",
    "weight_gradient",
    "threshold_gradient",
    "leak_gradient",
    "bias_gradient",
    "static_gradient",
    "in_place_product",
    "in_place_bias_product",
]
"""`error`: what several consumers and pools send to one neuron, before its one Q. `in_place_product`: delta times trace,
over the positions of a convolution; `in_place_bias_product`: delta times the trace of biases, likewise. None of them has
an accumulator: the datapath is as wide as the exact sum."""


@dataclass(frozen=True)
class Bounds:
    """Exact bounds on a raw integer."""

    low: int
    high: int

    @classmethod
    def of(cls, fmt: QFormat) -> "Bounds":
        """Everything that a format holds."""
        return cls(fmt.min_raw, fmt.max_raw)

    def __mul__(self, other: "Bounds") -> "Bounds":
        products = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Bounds(min(products), max(products))

    def __add__(self, other: "Bounds") -> "Bounds":
        return Bounds(self.low + other.low, self.high + other.high)

    def times(self, terms: int) -> "Bounds":
        """Bounds on every partial sum of so many terms."""
        return Bounds(min(self.low, 0) * terms, max(self.high, 0) * terms)

    @property
    def signed_bits(self) -> int:
        """Width of the two's complement number that holds both."""
        return 1 + max(self.high.bit_length(), (-self.low - 1).bit_length() if self.low < 0 else 0)


@dataclass(frozen=True)
class ExactSum:
    """One sum of a layer: `exact_bits` it needs, `bits` its accumulator has (None: no accumulator), and the mode.

    `order_free` says why order cannot matter, or is None where it could and only the counters of a run tell.
    """

    layer: int
    name: Sum
    exact_bits: int
    bits: int | None
    overflow: Overflow | None
    terms: int

    @property
    def order_free(self) -> str | None:
        """`no overflow` (the exact sum always fits), `wrap`, `saturate_end`, or None: every addition may clip."""
        if self.bits is None or self.exact_bits <= self.bits:
            return "no overflow"
        return None if self.overflow is Overflow.SATURATE else str(self.overflow)


def exact_sums(network: NetworkSpec, formats: list[LayerFormats], training: TrainingSpec) -> list[ExactSum]:
    """Every sum of every layer under a training section, in the order in which a time step forms them."""
    fractions = error_fractions(network, formats)
    found: list[ExactSum] = []
    for own in formats:
        found += _of_layer(own, network, training)
        arriving = fractions[own.layer.node]
        if arriving is not None:
            found.append(_error(own, network, formats, arriving))
    return sorted(found, key=lambda item: item.layer)


def error_terms(layer: SynapticLayer) -> int:
    """Largest number of outputs that one input of a layer reaches."""
    if layer.kind == "dense":
        return layer.neurons
    channels, _, kernel, _ = layer.weight_shape
    reached = -(-kernel // layer.stride)  # positions along one axis whose window covers an input
    height, width = layer.out_shape[1:]
    return int(channels * min(reached, height) * min(reached, width))


def _error_sum(own: LayerFormats) -> Bounds:
    return (Bounds.of(own.used) * Bounds.of(own.delta)).times(error_terms(own.layer))


def _of_layer(own: LayerFormats, network: NetworkSpec, training: TrainingSpec) -> list[ExactSum]:
    layer, held = own.layer, own.precision
    weight, delta = Bounds.of(own.used), Bounds.of(own.delta)
    trace = Bounds.of(held.weight_trace.format)
    constant = Bounds.of(held.constant_trace.format)
    current = (weight * Bounds(own.input.low, own.input.high)).times(layer.fan_in)
    if layer.bias:  # the last term, times an input of 1
        current += (weight * Bounds(0, 1 << own.input.fraction_bits)).times(1)
    rows: list[tuple[Sum, Tensor, Bounds, int]] = [
        ("current", Tensor.CURRENT, current, layer.fan_in + layer.bias)
    ]
    if own.layer.index > 0:
        rows.append(("error_sum", Tensor.ERROR_SUM, _error_sum(own), error_terms(layer)))
    terms = training.batch_size * network.time_steps
    found: list[ExactSum] = []
    product = delta * trace
    if own.scalar:
        summed = (delta * constant).times(network.time_steps)
        rows.append(("static_gradient", Tensor.STATIC_GRADIENT, summed, network.time_steps))
        product = Bounds.of(own.accumulator(Tensor.STATIC_GRADIENT)) * Bounds(own.input.low, own.input.high)
        terms = training.batch_size
    learned: list[tuple[Sum, Sum, Tensor, Bounds, int]] = [
        ("weight_gradient", "in_place_product", Tensor.WEIGHT_GRADIENT, product, terms)
    ]
    terms = training.batch_size * network.time_steps
    if layer.bias:
        learned.append(
            ("bias_gradient", "in_place_bias_product", Tensor.BIAS_GRADIENT, delta * constant, terms)
        )
    for name, in_place, tensor, product, added in learned:
        if training.update == "in_place":
            bits = product.times(layer.positions).signed_bits
            found.append(ExactSum(layer.index, in_place, bits, None, None, layer.positions))
        else:
            count = added * layer.positions
            rows.append((name, tensor, product.times(count), count))
    shared = layer.neurons_per_threshold
    if training.rule.learns_thresholds:
        # th~ - 1, both aligned to the fraction bits in which they are exact
        up = own.threshold_base - held.threshold_trace.format.fraction_bits
        spikes = Bounds.of(held.threshold_trace.format)
        inner = Bounds(
            (spikes.low << up) - (1 << own.threshold_base), (spikes.high << up) - (1 << own.threshold_base)
        )
        count = terms * shared
        rows.append(("threshold_gradient", Tensor.THRESHOLD_GRADIENT, (delta * inner).times(count), count))
    if training.rule.learns_leak:
        product, count = delta * Bounds.of(held.leak_trace.format), terms * layer.neurons
        rows.append(("leak_gradient", Tensor.LEAK_GRADIENT, product.times(count), count))
    for name, tensor, exact, count in rows:
        setting = {"error_sum": "error"}.get(name, name)
        found.append(
            ExactSum(
                layer.index,
                name,
                exact.signed_bits,
                own.accumulator(tensor).total_bits,
                getattr(held, setting).overflow,
                count,
            )
        )
    return found


def _error(own: LayerFormats, network: NetworkSpec, formats: list[LayerFormats], fraction: int) -> ExactSum:
    """What reaches a neuron of a hidden layer from all its consumers, aligned, behind average pools."""
    total, consumers = Bounds(0, 0), 0
    for other in formats:
        if own.layer.index in network.source_layers(other.layer.index):
            shift = fraction - other.delta.fraction_bits - other.used.fraction_bits
            width = other.accumulator(Tensor.ERROR_SUM).total_bits
            held, exact = 1 << (width - 1), _error_sum(other)
            arriving = Bounds(max(exact.low, -held), min(exact.high, held - 1))
            total += Bounds(arriving.low << max(shift, 0), arriving.high << max(shift, 0))
            consumers += 1
    return ExactSum(own.layer.index, "error", total.signed_bits, None, None, consumers)
