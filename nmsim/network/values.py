"""Formats of what flows between layers: spikes, pooled spikes, sums; all exact, no rounding anywhere."""

from dataclasses import dataclass

from nmsim.fixedpoint.format import QFormat
from nmsim.network.spec import NetworkSpec, Node

SPIKE = QFormat(signed=False, total_bits=1, fraction_bits=0)


@dataclass(frozen=True)
class ValueRange:
    """Exact range of raw values, and their fraction bits."""

    low: int
    high: int
    fraction_bits: int

    @property
    def magnitude(self) -> int:
        """Largest absolute raw value."""
        return max(self.high, -self.low)

    def format(self, least_bits: int = 1) -> QFormat:
        """The narrowest format that holds the range."""
        signed = self.low < 0
        bits = max(self.high.bit_length(), (-self.low - 1).bit_length() if signed else 0) + signed
        return QFormat(signed, max(bits, least_bits, 2 if signed else 1), self.fraction_bits)

    def times(self, factor: int, extra_fraction_bits: int) -> "ValueRange":
        """The range of a sum of `factor` such values, scaled down by `2**-extra_fraction_bits`."""
        return ValueRange(self.low * factor, self.high * factor, self.fraction_bits + extra_fraction_bits)


INVERSE_BITS = 16
"""Fraction bits of 1/n, where the number n of averaged inputs is no power of two."""


def mean_factor(inputs: int) -> tuple[int, int]:
    """What makes the sum of so many inputs their mean: an integer factor, and the fraction bits that the product has more.

    >>> mean_factor(4), mean_factor(9)
    ((1, 2), (7282, 16))
    """
    if inputs & (inputs - 1) == 0:
        return 1, inputs.bit_length() - 1
    return ((2 << INVERSE_BITS) + inputs) // (2 * inputs), INVERSE_BITS


def node_ranges(network: NetworkSpec, input_format: QFormat) -> tuple[ValueRange, ...]:
    """What every node emits."""
    ranges: list[ValueRange] = []
    for node in network.nodes:
        ranges.append(_range(node, ranges, input_format))
    return tuple(ranges)


def node_formats(network: NetworkSpec, input_format: QFormat) -> tuple[QFormat, ...]:
    """Format of the value of every node (docs/arithmetic.md).

    `u1.0` for spikes, `F = 2 log2 p` more bits for an average over p x p, `u2.0` for the sum of two spikes.
    """
    return tuple(
        input_format if node.kind == "input" else value.format(2 if node.kind == "add" else 1)
        for node, value in zip(network.nodes, node_ranges(network, input_format), strict=True)
    )


def input_formats(network: NetworkSpec, input_format: QFormat) -> tuple[QFormat, ...]:
    """Format of the input of every synaptic layer, in order."""
    formats = node_formats(network, input_format)
    return tuple(formats[node.inputs[0]] for node in network.nodes if node.layer is not None)


def _range(node: Node, ranges: list[ValueRange], input_format: QFormat) -> ValueRange:
    if node.kind == "input":
        return ValueRange(input_format.min_raw, input_format.max_raw, input_format.fraction_bits)
    if node.layer is not None:
        return ValueRange(0, 1, 0)
    sources = [ranges[index] for index in node.inputs]
    if node.kind == "add":
        fraction_bits = max(source.fraction_bits for source in sources)
        low, high = 0, 0
        for source in sources:
            low += source.low << (fraction_bits - source.fraction_bits)
            high += source.high << (fraction_bits - source.fraction_bits)
        return ValueRange(low, high, fraction_bits)
    if node.kind in {"avg_pool", "global_avg_pool"}:
        factor, fraction_bits = mean_factor(node.window)
        return sources[0].times(node.window * factor, fraction_bits)
    return sources[0].times(node.window, 0) if node.kind == "sum_pool" else sources[0]
