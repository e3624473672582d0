"""Formats of every quantity of a fixed-point run: the numbers its kernels work with, and whether 64 bits hold them."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import FormatError
from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.fixedpoint.lfsr import Role, offset, spread
from nmsim.fixedpoint.quantize import (
    HIGH,
    LEFT_P,
    LEFT_Q,
    LOW,
    MASK,
    OFFSET,
    SAFE_BITS,
    SPREAD,
    WRAP,
    Step,
    range_numbers,
    step_numbers,
)  # fmt: skip
from nmsim.fixedpoint.real import exponential, nearest_raw
from nmsim.network.precision import AccumulatorPrecision, Precision, ResolvedPrecision, TensorPrecision
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.network.values import ValueRange, mean_factor, node_ranges
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.surrogate import exact_entries

MANTISSA_BITS = 8
"""Width of a learning rate's mantissa and of the momentum factor."""
ROLES = {
    Tensor.WEIGHT_TRACE: Role.WEIGHT_TRACE, Tensor.RESIDUAL: Role.MEMBRANE, Tensor.LEAK_TRACE: Role.LEAK_TRACE,
    Tensor.THRESHOLD_TRACE: Role.THRESHOLD_TRACE, Tensor.MEMBRANE: Role.MEMBRANE, Tensor.ERROR: Role.ERROR,
    Tensor.DELTA: Role.DELTA, Tensor.CONSTANT_TRACE: Role.CONSTANT_TRACE,
}  # fmt: skip


def error_fractions(network: NetworkSpec, layers: "list[LayerFormats]") -> list[int | None]:
    """Fraction bits of the exact error sum that reaches each node's output, or None where no error is needed.

    Contributions of several consumers are aligned to the largest.
    """
    needed = [False]
    for node in network.nodes[1:]:
        needed.append(node.layer is not None or any(needed[source] for source in node.inputs))
    fractions: list[int | None] = [None] * len(network.nodes)
    for node in reversed(network.nodes):
        if node.layer is not None:
            formats = layers[node.layer]
            arriving = formats.delta.fraction_bits + formats.used.fraction_bits
        elif node.kind == "input" or fractions[node.index] is None:
            continue
        else:
            arriving = fractions[node.index] or 0
            if node.kind in {"avg_pool", "global_avg_pool"}:
                arriving += mean_factor(node.window)[1]
        for source in node.inputs:
            if needed[source]:
                present = fractions[source]
                fractions[source] = arriving if present is None else max(arriving, present)
    return fractions


@dataclass
class LayerFormats:
    """One layer's formats, its rows of numbers (see `quantize.Step`) and its surrogate table."""

    layer: SynapticLayer
    precision: ResolvedPrecision
    input: ValueRange
    used: QFormat
    numbers: NDArray[Any]
    """`(tensors, steps)`, Python integers."""
    surrogate: list[int]
    scalar: bool = False
    """One trace for all inputs, which are the same at every time step."""
    integrates: bool = False
    """Leak of one: the raw leak factor is `2**F`, which its format does not hold and no memory stores."""

    @property
    def largest_leak(self) -> int:
        """Largest raw leak factor."""
        fmt = self.precision.leak_factor.format
        return 1 << fmt.fraction_bits if self.integrates else fmt.max_raw

    @property
    def delta(self) -> QFormat:
        """Format of delta and of the layer's error."""
        return self.precision.delta.format

    @property
    def threshold_base(self) -> int:
        """Fraction bits in which `th~` and a spike are both exact."""
        return max(self.precision.threshold_trace.format.fraction_bits, 0)

    @property
    def weight_gradient_fraction(self) -> int:
        """Fraction bits of dW and of the velocity."""
        if self.scalar:
            return self.static_gradient_fraction + self.input.fraction_bits
        return self.delta.fraction_bits + self.precision.weight_trace.format.fraction_bits

    @property
    def threshold_gradient_fraction(self) -> int:
        """Fraction bits of dTheta."""
        return self.delta.fraction_bits + self.threshold_base

    @property
    def leak_gradient_fraction(self) -> int:
        """Fraction bits of dAlpha."""
        return self.delta.fraction_bits + self.precision.leak_trace.format.fraction_bits

    @property
    def bias_gradient_fraction(self) -> int:
        """Fraction bits of the gradient of biases and of their velocity."""
        return self.static_gradient_fraction

    @property
    def static_gradient_fraction(self) -> int:
        """Fraction bits of sums of deltas times the scalar trace."""
        return self.delta.fraction_bits + self.precision.constant_trace.format.fraction_bits

    def has(self, tensor: Tensor) -> bool:
        """Whether the layer has a tensor, as far as that depends on the layer."""
        match tensor:
            case Tensor.CONSTANT_TRACE:
                return self.layer.bias or self.scalar
            case Tensor.BIAS_GRADIENT | Tensor.BIAS:
                return self.layer.bias
            case Tensor.STATIC_GRADIENT:
                return self.scalar
        return True

    @property
    def bias_velocity(self) -> QFormat:
        """Format of the velocity of biases: as wide as their gradient."""
        return self.accumulator(Tensor.BIAS_GRADIENT)

    def accumulator(self, tensor: Tensor) -> QFormat:
        """Full format of an accumulator or of the velocity."""
        own: AccumulatorPrecision = getattr(self.precision, _ACCUMULATORS[tensor])
        fraction = {
            Tensor.CURRENT: self.input.fraction_bits + self.used.fraction_bits,
            Tensor.ERROR_SUM: self.delta.fraction_bits + self.used.fraction_bits,
            Tensor.THRESHOLD_GRADIENT: self.threshold_gradient_fraction,
            Tensor.LEAK_GRADIENT: self.leak_gradient_fraction,
            Tensor.BIAS_GRADIENT: self.bias_gradient_fraction,
            Tensor.STATIC_GRADIENT: self.static_gradient_fraction,
        }.get(tensor, self.weight_gradient_fraction)
        return own.format.with_fraction(fraction)


_ACCUMULATORS = {
    Tensor.CURRENT: "current", Tensor.ERROR_SUM: "error", Tensor.WEIGHT_GRADIENT: "weight_gradient",
    Tensor.THRESHOLD_GRADIENT: "threshold_gradient", Tensor.LEAK_GRADIENT: "leak_gradient", Tensor.VELOCITY: "velocity",
    Tensor.BIAS_GRADIENT: "bias_gradient", Tensor.STATIC_GRADIENT: "static_gradient",
}  # fmt: skip


def layer_formats(
    network: NetworkSpec, precision: Precision, input_format: QFormat, seed: int
) -> list[LayerFormats]:
    """Formats of every layer, in order.

    Raises:
        FormatError: a signed input meets an unsigned weight trace; a bias or a scalar trace meets an input that it cannot
            have; the output layer's error format has no fraction bits.
    """
    ranges = node_ranges(network, input_format)
    found = []
    for layer in network.synaptic_layers:
        resolved = precision.resolve(layer.index)
        arriving = ranges[network.nodes[layer.node].inputs[0]]
        trace = resolved.weight_trace.format
        if arriving.low < 0 and not trace.signed:
            wider = QFormat(signed=True, total_bits=trace.total_bits + 1, fraction_bits=trace.fraction_bits)
            raise FormatError(
                f"layer {layer.index}, weight_trace: the unsigned format {trace} cannot follow a signed input; use {wider}"
            )
        leak = resolved.leak_factor.format
        if network.neuron.integrates and leak.fraction_bits < 0:
            raise FormatError(
                f"layer {layer.index}, leak_factor: {leak} has steps of {leak.lsb:g} and no leak of one; use u16.16"
            )
        if layer.bias and arriving.fraction_bits < 0:
            raise FormatError(
                f"layer {layer.index}, bias: its input of 1 has no integer with {arriving.fraction_bits} fraction bits, the"
                " input's; use an input format with 0 or more, or no bias"
            )
        scalar = resolved.static_trace == "scalar" and network.source_layers(layer.index) == (-1,)
        own = precision.layers.get(layer.index)
        if own is not None and own.static_trace == "scalar" and not scalar:
            raise FormatError(
                f"layer {layer.index}, static_trace: its input is not the sample, so it changes from step to step; use"
                " per_input"
            )
        table = exact_entries(network.neuron.surrogate, resolved.surrogate)
        used = resolved.weight_used or resolved.weight.format
        numbers = np.zeros((len(Tensor), len(Step)), object)
        found.append(
            LayerFormats(layer, resolved, arriving, used, numbers, table, scalar, network.neuron.integrates)
        )
    last = found[-1].delta
    if last.fraction_bits < 0:
        raise FormatError(
            f"layer {len(found) - 1}, delta: {last} has steps of {last.lsb:g} but output errors are at most 1; use s16.14"
        )
    for formats, fraction in zip(found, _fractions_at_layers(network, found), strict=True):
        _fill_numbers(formats, fraction, seed)
    return found


def _fractions_at_layers(network: NetworkSpec, found: list[LayerFormats]) -> list[int | None]:
    fractions = error_fractions(network, found)
    return [fractions[layer.node] for layer in network.synaptic_layers]


def _fill_numbers(formats: LayerFormats, error_fraction: int | None, seed: int) -> None:
    """Rows of numbers of one layer; `error_fraction` is None for the output layer, whose error is exact."""
    own = formats.precision
    membrane, alpha = own.membrane.format.fraction_bits, own.leak_factor.format.fraction_bits
    base = formats.threshold_base
    current = formats.accumulator(Tensor.CURRENT)
    spike_trace = own.threshold_trace.format.fraction_bits

    def linear(tensor: Tensor, target: TensorPrecision, p: int, q: int) -> None:
        """Row of `Q(alpha * p + q)`, operands with p and q fraction bits."""
        fraction = max(alpha + p, q)
        row = _step(fraction, target)
        row[LEFT_P], row[LEFT_Q] = fraction - alpha - p, fraction - q
        formats.numbers[tensor] = row

    linear(
        Tensor.WEIGHT_TRACE,
        own.weight_trace,
        own.weight_trace.format.fraction_bits,
        formats.input.fraction_bits,
    )
    linear(Tensor.CONSTANT_TRACE, own.constant_trace, own.constant_trace.format.fraction_bits, 0)
    linear(Tensor.LEAK_TRACE, own.leak_trace, own.leak_trace.format.fraction_bits, membrane)
    linear(Tensor.MEMBRANE, own.membrane, membrane, current.fraction_bits)
    formats.numbers[Tensor.RESIDUAL] = _step(membrane, own.membrane)
    row = _step(alpha + base, own.threshold_trace)
    row[LEFT_P], row[LEFT_Q] = base - spike_trace, base
    formats.numbers[Tensor.THRESHOLD_TRACE] = row
    exact = range_numbers(formats.delta, Overflow.SATURATE)
    formats.numbers[Tensor.ERROR] = exact if error_fraction is None else _step(error_fraction, own.delta)
    row = _step(formats.delta.fraction_bits + own.surrogate.format.fraction_bits, own.delta)
    row[LEFT_P], row[LEFT_Q] = _index_shifts(own)
    formats.numbers[Tensor.DELTA] = row
    for tensor, name in _ACCUMULATORS.items():
        if tensor is Tensor.VELOCITY:
            continue
        settings: AccumulatorPrecision = getattr(own, name)
        formats.numbers[tensor] = range_numbers(
            formats.accumulator(tensor), settings.overflow or Overflow.SATURATE
        )
    row = formats.numbers[Tensor.THRESHOLD_GRADIENT]
    row[LEFT_P], row[LEFT_Q] = base - spike_trace, 1 << base
    formats.numbers[Tensor.WEIGHT_USED] = step_numbers(
        own.weight.format.fraction_bits,
        formats.used,
        Rounding.FLOOR,
        own.weight.overflow or Overflow.SATURATE,
    )
    for tensor, role in ROLES.items():
        size = {Tensor.WEIGHT_TRACE: formats.layer.inputs, Tensor.CONSTANT_TRACE: 1}.get(
            tensor, formats.layer.neurons
        )
        formats.numbers[tensor, OFFSET] = offset(seed, formats.layer.index, role)
        formats.numbers[tensor, SPREAD] = spread(size)


def _step(fraction_bits: int, target: TensorPrecision) -> list[int]:
    return step_numbers(
        fraction_bits,
        target.format,
        target.rounding or Rounding.NEAREST,
        target.overflow or Overflow.SATURATE,
    )


def machine_numbers(formats: list[LayerFormats]) -> NDArray[Any]:
    """Rows of numbers for 64-bit kernels, `(L, tensors, steps)`.

    An accumulator wider than they can show never overflows in them (`needs_big_integers` sees to that).
    """
    numbers = np.stack([own.numbers for own in formats])
    for row in numbers.reshape(-1, len(Step)):
        if row[MASK] >> SAFE_BITS:
            row[LOW], row[HIGH], row[MASK], row[WRAP] = -(1 << SAFE_BITS), 1 << SAFE_BITS, 0, 0
    return numbers.astype(np.int64)


def _index_shifts(own: ResolvedPrecision) -> tuple[int, int]:
    """Left and right shift from |U - theta| to an index of the surrogate table."""
    table = own.surrogate
    right = own.membrane.format.fraction_bits + table.range.bit_length() - table.entries.bit_length()
    return max(-right, 0), max(right, 0)


def softmax_table(classes: int, fmt: QFormat) -> NDArray[Any]:
    """`[s, m]`: probability of an output with spike s when m of the outputs spike, `(2, classes + 1)`, saturated."""
    e = exponential(Fraction(1))
    table = np.zeros((2, classes + 1), object)
    for spiking in range(classes + 1):
        total = spiking * e + classes - spiking
        for spike, numerator in enumerate((Fraction(1), e)):
            table[spike, spiking] = min(nearest_raw(numerator / total, fmt.fraction_bits), fmt.max_raw)
    return table
