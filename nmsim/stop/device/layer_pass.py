"""One layer in a pass on a device: its state between time steps, what each step does to it, and what it sums."""

from dataclasses import dataclass
from math import isqrt
from types import SimpleNamespace

from nmsim.fixedpoint.quantize import HIGH, LEFT_P, LEFT_Q, LOW, SAFE_BITS, WRAP
from nmsim.stop.device.requantizer import EXACT_BITS, OrderMattersError, Requantizer, must_settle, settle
from nmsim.stop.device.torch_device import Tensor, TorchDevice
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import Held
from nmsim.stop.fixed.tensor import Tensor as Counted


@dataclass(frozen=True)
class LayerSums:
    """What a pass adds to the gradients of a layer, exactly, in C order; zero where it learns nothing.

    `weights (C_out, fan_in)`, `thresholds (N,)`, `leak ()`, `biases (C_out,)`; `bounds`: of dW, dTheta, dAlpha and db in
    absolute terms, as the kernel `bound_gradients` finds them.
    """

    weights: Tensor
    thresholds: Tensor
    leak: Tensor
    biases: Tensor
    bounds: list[int]


class LayerPass:
    """A layer over all time steps of some samples, `(S, size)` tensors of integers.

    Args:
        on, quantizer: where and with which samples it runs.
        layout, held: plan and parameters; the latter as they are now.
        index: of the layer.
        training: whether traces and gradients are needed.
        overflows: counts `(tensors,)` to add to.
    """

    def __init__(
        self, on: TorchDevice, quantizer: Requantizer, layout: Layout, held: Held, index: int, surrogate: Tensor,
        overflows: Tensor, *, training: bool,
    ) -> None:  # fmt: skip
        self.layer: SimpleNamespace = layout.layers[index]
        self._on, self._quantizer, self._held, self._index = on, quantizer, held, index
        self._rows = [[int(value) for value in row] for row in layout.plan.numbers[index]]
        self._surrogate, self._overflows, self._training = surrogate, overflows, training
        layer = self.layer
        used = held.used[layer.used : layer.used + layer.channels * layer.depth]
        order = layout.plan.orders[layer.order : layer.order + layer.fan_in]
        self._weights = on.put(used.reshape(layer.channels, layer.depth)[:, order]).double()
        self._bias = on.put(held.bias[layer.rows : layer.rows + layer.channels])[:, None]
        theta = held.theta[layer.theta : layer.theta + layer.neurons].reshape(layer.positions, layer.channels)
        self._theta = on.put(theta.T).flatten()
        self._alpha = int(held.alpha[index])
        samples, neurons = quantizer.samples, layer.neurons
        self._membrane, self.spikes = on.zeros(samples, neurons), on.zeros(samples, neurons)
        self._current: Tensor = None
        if training:
            self._weight_trace = on.zeros(samples, 0 if layer.scalar else layer.inputs)
            self._leak_trace = on.zeros(samples, neurons)
            self._threshold_trace = on.zeros(samples, neurons)
            self._constant, self._static_sum = on.zeros(samples, 1), on.zeros(samples, neurons)
            self._weight_sum, self._bias_sum = (
                on.zeros(layer.channels, layer.fan_in),
                on.zeros(layer.channels),
            )
            self._threshold_sum, self._leak_sum = on.zeros(neurons), on.zeros()
            self._magnitudes, self._largest_trace = on.zeros(neurons), on.zeros()

    def _quantize(self, exact: Tensor, tensor: Counted) -> Tensor:
        return self._quantizer.quantize(exact, self._rows[tensor], self._overflows[tensor])

    def _settle(self, values: Tensor, tensor: Counted) -> Tensor:
        return settle(values, self._rows[tensor], self._overflows[tensor])

    def _largest(self, tensor: Counted) -> int:
        """Largest magnitude that a tensor's format holds."""
        row = self._rows[tensor]
        return max(row[HIGH], -row[LOW])

    def _leaked(self, tensor: Counted, p: Tensor, q: Tensor) -> Tensor:
        """`Q(alpha p + q)`."""
        row = self._rows[tensor]
        return self._quantize((self._alpha << row[LEFT_P]) * p + (q << row[LEFT_Q]), tensor)

    def forward(self, values: Tensor, *, constant: bool) -> None:
        """One time step with inputs `(S, M)`; `constant`: they are those of the step before."""
        layer = self.layer
        if self._training:
            self._update_input_traces(values)
        if not constant:
            self._current = self._currents(values)
        if layer.resets_to_zero:
            residual = self._membrane * (1 - self.spikes)
        else:
            residual = self._settle(self._membrane - self._theta * self.spikes, Counted.RESIDUAL)
        if self._training and layer.learns_leak:
            self._leak_trace = self._leaked(Counted.LEAK_TRACE, self._leak_trace, residual)
        if self._training and layer.learns_thresholds:
            row = self._rows[Counted.THRESHOLD_TRACE]  # alpha (th~ - s) in one rounding
            kept, spiked = self._alpha << row[LEFT_P], self._alpha << row[LEFT_Q]
            self._threshold_trace = self._quantize(
                kept * self._threshold_trace - spiked * self.spikes, Counted.THRESHOLD_TRACE
            )
        self._membrane = self._leaked(Counted.MEMBRANE, residual, self._current)
        self.spikes = (self._membrane >= self._theta).long()

    def _update_input_traces(self, values: Tensor) -> None:
        layer = self.layer
        if layer.scalar or layer.biased:
            row = self._rows[Counted.CONSTANT_TRACE]
            exact = (self._alpha << row[LEFT_P]) * self._constant + (1 << row[LEFT_Q])
            self._constant = self._quantize(exact, Counted.CONSTANT_TRACE)
        if layer.scalar:
            self._given = values
            return
        self._weight_trace = self._leaked(Counted.WEIGHT_TRACE, self._weight_trace, values)
        magnitude = self._weight_trace.abs()
        self._largest_trace = self._on.torch.maximum(self._largest_trace, magnitude.max())
        self._counted_trace = self._weight_trace
        if layer.trace_threshold:
            self._counted_trace = self._weight_trace * (magnitude >= layer.trace_threshold)

    def _columns(self, values: Tensor) -> Tensor:
        """What each output position meets, `(S, fan_in, positions)`, float64."""
        layer = self.layer
        if not layer.kernel:
            return values.double()[:, :, None]
        shape = (layer.input_channels, layer.input_height, layer.input_width)
        unfold = self._on.torch.nn.functional.unfold
        return unfold(
            values.double().reshape(-1, *shape), layer.kernel, padding=layer.padding, stride=layer.stride
        )

    def _currents(self, values: Tensor) -> Tensor:
        """Complete sums with their biases, `(S, N)`."""
        layer, bounds = self.layer, self._held.weight_bounds[self._index]
        bound = int(bounds[0]) * layer.largest_input + int(bounds[3])
        settles = must_settle(bound, self._rows[Counted.CURRENT])
        sums = (self._weights @ self._columns(values)).long()
        sums = (sums + self._bias if layer.biased else sums).flatten(1)
        return self._settle(sums, Counted.CURRENT) if settles else sums

    def output_error(self, right: Tensor, probabilities: Tensor | None, one: int) -> Tensor:
        """Error of an output layer, `(S, N)`: spikes, or their probabilities, less the labels `right` (one-hot)."""
        spiking = self.spikes.sum(1, keepdim=True)
        put_out = self.spikes * one if probabilities is None else probabilities[self.spikes, spiking]
        row = self._rows[Counted.ERROR]
        error = put_out - right * one
        self._overflows[Counted.ERROR] += ((error < row[LOW]) | (error > row[HIGH])).sum()
        return error.clamp(row[LOW], row[HIGH])

    def hidden_error(self, arrived: Tensor) -> Tensor:
        """Error of a hidden layer: the exact sum that arrived, in its format."""
        return self._quantize(arrived, Counted.ERROR)

    def backward(self, error: Tensor) -> Tensor:
        """`delta = Q(e * phi)`, `(S, N)`; adds what it contributes to every gradient."""
        layer, row = self.layer, self._rows[Counted.DELTA]
        place = ((self._membrane - self._theta).abs() << row[LEFT_P]) >> row[LEFT_Q]
        phi = self._surrogate[place.clamp(max=len(self._surrogate) - 1)]
        deltas = self._quantize(error * phi, Counted.DELTA)
        self._magnitudes += deltas.abs().sum(0)
        if layer.biased:
            by_channel = deltas.reshape(len(deltas), layer.channels, -1).sum(2)
            self._bias_sum += (by_channel * self._constant).sum(0)
        if layer.learns_thresholds:
            row = self._rows[Counted.THRESHOLD_GRADIENT]
            factor = (self._threshold_trace << row[LEFT_P]) - row[LEFT_Q]
            self._threshold_sum += (deltas * factor).sum(0)
        if layer.learns_leak:
            self._leak_sum += (deltas * self._leak_trace).sum()
        if layer.scalar:
            wraps = self._rows[Counted.STATIC_GRADIENT][WRAP]  # when the sum is complete
            exact = self._static_sum + self._constant * deltas
            self._static_sum = exact if wraps else self._settle(exact, Counted.STATIC_GRADIENT)
        else:
            self._weight_sum += self._products(deltas, self._counted_trace)
        return deltas

    def _products(self, deltas: Tensor, traces: Tensor) -> Tensor:
        """Sum over samples and positions of delta times trace, `(C_out, fan_in)`.

        Raises:
            OrderMattersError: formats alone do not show that float64 holds it, and int64 that of all time steps.
        """
        layer = self.layer
        terms = len(deltas) * layer.positions
        bound = self._largest(Counted.DELTA) * self._largest(Counted.WEIGHT_TRACE) * terms
        if bound >> EXACT_BITS or (bound * layer.time_steps) >> SAFE_BITS:
            raise OrderMattersError
        return self._product(deltas, traces)

    def _product(self, left: Tensor, values: Tensor) -> Tensor:
        layer = self.layer
        rows = left.double().reshape(len(left), layer.channels, -1).transpose(0, 1)
        columns = self._columns(values).transpose(1, 2)
        return (rows.reshape(layer.channels, -1) @ columns.reshape(-1, layer.fan_in)).long()

    def error_sums(self, deltas: Tensor) -> Tensor:
        """`W^T delta` of every input, `(S, M)`, with as many fraction bits as its source expects."""
        layer, bounds, row = self.layer, self._held.weight_bounds[self._index], self._rows[Counted.ERROR_SUM]
        try:
            settles = must_settle(int(bounds[1]) * self._largest(Counted.DELTA), row)
        except OrderMattersError:  # what the deltas are is asked only where their format does not suffice
            bound = int(bounds[1]) * int(deltas.abs().max())
            if layer.narrow:  # Cauchy-Schwarz, as for the kernels
                energy = int((deltas * deltas).sum(1).max())
                bound = min(bound, isqrt(int(bounds[2]) * energy) + 1)
            settles = must_settle(bound, row)
        columns = self._weights.T @ deltas.double().reshape(len(deltas), layer.channels, -1)
        if layer.kernel:
            shape, fold = (layer.input_height, layer.input_width), self._on.torch.nn.functional.fold
            columns = fold(columns, shape, layer.kernel, padding=layer.padding, stride=layer.stride)
        sums = columns.long().flatten(1)
        return (self._settle(sums, Counted.ERROR_SUM) if settles else sums) << layer.error_left

    def sums(self) -> LayerSums:
        """Gradients of the pass, after its last time step."""
        layer, row = self.layer, self._rows[Counted.THRESHOLD_GRADIENT]
        by_channel = self._magnitudes.reshape(layer.channels, -1).sum(1)
        total, of_channel = int(by_channel.sum()), int(by_channel.max())
        weights = self._add_static() if layer.scalar else of_channel * int(self._largest_trace)
        factor = (self._largest(Counted.THRESHOLD_TRACE) << row[LEFT_P]) + row[LEFT_Q]
        bounds = [
            weights,
            (total if layer.thresholds == 1 else of_channel) * factor,
            total * self._largest(Counted.LEAK_TRACE),
            layer.biased * of_channel * self._largest(Counted.CONSTANT_TRACE),
        ]
        return LayerSums(self._weight_sum, self._threshold_sum, self._leak_sum, self._bias_sum, bounds)

    def _add_static(self) -> int:
        """`dW = g x^T` of a layer with a scalar trace; a bound on it."""
        layer = self.layer
        if self._rows[Counted.STATIC_GRADIENT][WRAP]:
            self._static_sum = self._settle(self._static_sum, Counted.STATIC_GRADIENT)
        by_channel = self._static_sum.abs().reshape(len(self._static_sum), layer.channels, -1).sum(2)
        bound = int(by_channel.amax(1).sum()) * int(layer.largest_input)
        if bound >> EXACT_BITS:
            raise OrderMattersError
        self._weight_sum = self._product(self._static_sum, self._given)
        return bound
