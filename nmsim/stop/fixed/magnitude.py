"""How large the integers of a run can get: which machine integers hold them, if any do."""

from collections.abc import Sequence

from nmsim.fixedpoint.format import QFormat
from nmsim.fixedpoint.quantize import LEFT_P, LEFT_Q, SAFE_BITS, Step
from nmsim.network.spec import NetworkSpec
from nmsim.network.state import FORWARD_STATE
from nmsim.network.values import ValueRange
from nmsim.stop.fixed.layer_formats import MANTISSA_BITS, LayerFormats, error_fractions
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.spec import TrainingSpec


def _largest(fmt: QFormat) -> int:
    return max(fmt.max_raw, -fmt.min_raw)


def stored_magnitude(formats: list[LayerFormats], ranges: Sequence[ValueRange]) -> tuple[int, int]:
    """Smallest and largest raw integer that any stored tensor may hold."""
    low, high = min(value.low for value in ranges), max(value.high for value in ranges)
    for layer in formats:
        own = layer.precision
        settings = ("weight", "delta", *(variable.setting for variable in FORWARD_STATE if variable.setting))
        for fmt in (layer.used, *(getattr(own, setting).format for setting in settings)):
            low, high = min(low, fmt.min_raw), max(high, fmt.max_raw)
    return low, high


def needs_big_integers(network: NetworkSpec, formats: list[LayerFormats], training: TrainingSpec) -> bool:
    """Whether some intermediate of a time step or a batch may leave the range of 64-bit integers."""
    return (
        any(
            magnitude >= 1 << SAFE_BITS
            for layer in formats
            for magnitude in _magnitudes(network, layer, training.batch_size)
        )
        or _error_magnitude(network, formats) >= 1 << SAFE_BITS
    )


def _magnitudes(network: NetworkSpec, formats: LayerFormats, batch: int) -> list[int]:
    """Bounds on the intermediates of one layer."""
    own, layer, numbers = formats.precision, formats.layer, formats.numbers
    alpha, state = max(formats.largest_leak, -own.leak_factor.format.min_raw), _largest(own.membrane.format)
    current = layer.fan_in * _largest(formats.used) * formats.input.magnitude
    current += _largest(formats.used) << max(formats.input.fraction_bits, 0) if layer.bias else 0
    delta, terms = _largest(formats.delta), batch * network.time_steps
    steps = {
        Tensor.WEIGHT_TRACE: (_largest(own.weight_trace.format), formats.input.magnitude),
        Tensor.LEAK_TRACE: (_largest(own.leak_trace.format), state),
        Tensor.MEMBRANE: (state, current),
    } | (
        {Tensor.CONSTANT_TRACE: (_largest(own.constant_trace.format), 1)}
        if formats.has(Tensor.CONSTANT_TRACE)
        else {}
    )
    found = [current, 2 * state << int(numbers[Tensor.DELTA, LEFT_P])]
    for tensor, (p, q) in steps.items():
        row = numbers[tensor]
        found.append(
            (((alpha * p << row[LEFT_P]) + (q << row[LEFT_Q])) << row[Step.UP]) + (2 << row[Step.DOWN])
        )
    row, spike_trace = numbers[Tensor.THRESHOLD_TRACE], _largest(own.threshold_trace.format)
    found.append(
        (alpha * ((spike_trace << row[LEFT_P]) + (1 << row[LEFT_Q])) << row[Step.UP]) + (2 << row[Step.DOWN])
    )
    row = numbers[Tensor.DELTA]
    found.append((delta * max(formats.surrogate) << row[Step.UP]) + (2 << row[Step.DOWN]))
    row = numbers[Tensor.THRESHOLD_GRADIENT]
    sums = {
        Tensor.WEIGHT_GRADIENT: terms * layer.positions * delta * _largest(own.weight_trace.format),
        Tensor.THRESHOLD_GRADIENT: terms
        * layer.neurons
        * delta
        * ((spike_trace << row[LEFT_P]) + row[LEFT_Q]),
        Tensor.LEAK_GRADIENT: terms * layer.neurons * delta * _largest(own.leak_trace.format),
    }
    if formats.scalar:
        exact = network.time_steps * delta * _largest(own.constant_trace.format)
        held = min(exact, _largest(formats.accumulator(Tensor.STATIC_GRADIENT)))
        sums[Tensor.STATIC_GRADIENT] = exact
        sums[Tensor.WEIGHT_GRADIENT] = batch * layer.positions * held * formats.input.magnitude
    if layer.bias:
        sums[Tensor.BIAS_GRADIENT] = terms * layer.positions * delta * _largest(own.constant_trace.format)

    for tensor, exact in sums.items():
        found += [exact, min(exact, _largest(formats.accumulator(tensor))) << MANTISSA_BITS + 1]
    found.append(_largest(own.velocity.format.with_fraction(0)) << MANTISSA_BITS + 1)
    if layer.bias and batch:
        found.append(_largest(formats.bias_velocity) << MANTISSA_BITS + 1)
    return found


def _error_magnitude(network: NetworkSpec, formats: list[LayerFormats]) -> int:
    """Bound on the exact error sums of all nodes, aligned to the largest fraction."""
    fractions = error_fractions(network, formats)
    largest = max((fraction for fraction in fractions if fraction is not None), default=0)
    total = 0
    for layer in formats:
        fan_out = (
            layer.layer.weights // layer.layer.in_shape[0]
            if layer.layer.kind == "conv"
            else layer.layer.neurons
        )
        own = fan_out * _largest(layer.used) * _largest(layer.delta)
        fraction = layer.delta.fraction_bits + layer.used.fraction_bits
        total += own << max(largest - fraction, 0)
        row = layer.numbers[Tensor.ERROR]
        total = max(total, (own << row[Step.UP]) + (2 << row[Step.DOWN]))
    return total
