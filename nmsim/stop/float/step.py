"""STOP over a chunk of samples, one time step at a time: memory does not grow with the number of steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from nmsim.network.spec import Node
from nmsim.rules import LearningRule
from nmsim.stop.float.chunk import Chunk, internal_shape
from nmsim.stop.float.gradients import Accumulators, Loss, output_error
from nmsim.stop.float.graph import FloatGraph
from nmsim.stop.protocol import FloatArray


@njit(cache=True, nogil=True)
def advance(
    membrane: FloatArray,
    spikes: FloatArray,
    current: FloatArray,
    theta: FloatArray,
    alpha: np.floating[Any],
    threshold_trace: FloatArray,
    leak_trace: FloatArray,
    keep_threshold_trace: bool,  # noqa: FBT001
    keep_leak_trace: bool,  # noqa: FBT001
    to_zero: bool,  # noqa: FBT001
) -> None:
    """One time step of the neurons `(B, N)`, in place; theta `(N,)`.

    R = U - theta s, or 0 where s = 1 if a spike resets `to_zero`;  a~ = alpha a~ + R;  th~ = alpha (th~ - s);
    U = alpha R + I;  s = U >= theta.
    """
    for sample in range(membrane.shape[0]):
        for i in range(membrane.shape[1]):
            drop = membrane[sample, i] if to_zero else theta[i]
            residual = membrane[sample, i] - drop * spikes[sample, i]
            if keep_leak_trace:
                leak_trace[sample, i] = alpha * leak_trace[sample, i] + residual
            if keep_threshold_trace:
                threshold_trace[sample, i] = alpha * (threshold_trace[sample, i] - spikes[sample, i])
            value = alpha * residual + current[sample, i]
            membrane[sample, i] = value
            spikes[sample, i] = value >= theta[i]


@njit(cache=True, nogil=True)
def add_threshold_gradient(gradient: FloatArray, delta: FloatArray, threshold_trace: FloatArray) -> None:
    """Gradient `(N,)` += sum over samples of delta (th~ - 1); delta and th~ `(B, N)`."""
    for sample in range(delta.shape[0]):
        for i in range(delta.shape[1]):
            gradient[i] += delta[sample, i] * (threshold_trace[sample, i] - 1)


@njit(cache=True, nogil=True)
def unroll(
    membrane: FloatArray,
    spikes: FloatArray,
    current: FloatArray,
    theta: FloatArray,
    alpha: np.floating[Any],
    to_zero: bool,  # noqa: FBT001
) -> None:
    """All time steps from rest: fills U and s `(T, B, N)` from currents `(T, B, N)` or static `(1, B, N)`."""
    for t in range(membrane.shape[0]):
        now = min(t, current.shape[0] - 1)
        for sample in range(membrane.shape[1]):
            for i in range(membrane.shape[2]):
                value = current[now, sample, i]
                if t > 0:
                    drop = membrane[t - 1, sample, i] if to_zero else theta[i]
                    value += alpha * (membrane[t - 1, sample, i] - drop * spikes[t - 1, sample, i])
                membrane[t, sample, i] = value
                spikes[t, sample, i] = value >= theta[i]


@njit(cache=True, nogil=True)
def backpropagate(
    error: FloatArray,
    phi: FloatArray,
    membrane: FloatArray,
    spikes: FloatArray,
    theta: FloatArray,
    alpha: np.floating[Any],
    through_reset: bool,  # noqa: FBT001
    d_theta: FloatArray,
    d_alpha: FloatArray,
) -> None:
    """Errors through time, last step first: `error` dE/ds `(T, B, N)` becomes delta = dE/dU in place.

    delta[t] = g phi[t] + alpha delta[t+1], with g = dE/ds[t], less alpha theta delta[t+1] unless the reset is
    detached. Sums per neuron `(N,)`: d_theta -= g phi[t] + alpha s[t] delta[t+1], and
    d_alpha += delta[t+1] (U[t] - theta s[t]).
    """
    steps, samples, neurons = error.shape
    for t in range(steps - 1, -1, -1):
        for sample in range(samples):
            for i in range(neurons):
                later = error[t + 1, sample, i] if t + 1 < steps else alpha - alpha
                through_spike = error[t, sample, i]
                if through_reset:
                    through_spike -= alpha * theta[i] * later
                through_spike *= phi[t, sample, i]
                error[t, sample, i] = through_spike + alpha * later
                d_theta[i] -= through_spike + alpha * spikes[t, sample, i] * later
                d_alpha[i] += later * (membrane[t, sample, i] - theta[i] * spikes[t, sample, i])


SurrogateFunction = Callable[[int, FloatArray], FloatArray]
"""phi of a layer at x = U - theta; may overwrite x."""


@dataclass(frozen=True)
class LayerParameters:
    """Parameters of one layer in internal order: matrix `(n_out, F)`, thresholds `(N,)`, leak factor, biases."""

    matrix: FloatArray
    theta: FloatArray
    alpha: np.floating[Any]
    bias: FloatArray | None = None
    """`(n_out,)`, one per neuron or channel: channels are last in internal order."""


@dataclass
class LayerState:
    """State of one layer and what its last step left: neurons `(B, N)`, weight traces `(B, ...)` per input.

    Under a static input x the weight trace is `gain * x` with one number `gain`: then `weight_trace` stays
    None, the current is computed once, and `weighted_delta` collects `gain * delta` for one product at the
    end.
    """

    membrane: FloatArray
    spikes: FloatArray
    threshold_trace: FloatArray
    leak_trace: FloatArray
    current: FloatArray | None = None
    weight_trace: FloatArray | None = None
    gain: float = 0.0
    weighted_delta: FloatArray | None = None
    error: FloatArray | None = None
    delta: FloatArray | None = None


class StopSteps:
    """The samples of a chunk on their way through time, from rest: `forward` and `backward` make a time step.

    Rows 1 to 6 of the first table in docs/algorithm.md are `forward`, rows 7 to 10 `backward`. No rule means
    inference: no traces. `parameters` may be replaced between steps if the chunk is not static.
    """

    def __init__(
        self,
        graph: FloatGraph,
        parameters: list[LayerParameters],
        chunk: Chunk,
        rule: LearningRule | None = None,
    ) -> None:
        self.graph, self.parameters, self.chunk = graph, parameters, chunk
        self._learning = rule is not None
        self._thresholds = rule is not None and rule.learns_thresholds
        self._leak = rule is not None and rule.learns_leak
        self._dtype = parameters[0].matrix.dtype.type
        self.values: list[FloatArray] = []
        """Value of every node at the current step, `(B, ...)` in internal order."""
        self.states = [self._rest(layer.neurons) for layer in graph.layers]
        self._t = -1

    def _rest(self, neurons: int) -> LayerState:
        def zeros(*, needed: bool = True) -> FloatArray:
            return np.zeros((self.chunk.samples, neurons) if needed else (0, 0), self._dtype)

        return LayerState(zeros(), zeros(), zeros(needed=self._thresholds), zeros(needed=self._leak))

    def is_static(self, node: int) -> bool:
        """Whether a node's value is the same at every time step."""
        return self.chunk.static and self.graph.input_only[node]

    def forward(self) -> FloatArray:
        """Advance all layers by one time step; returns the spikes of the output layer, `(B, C)`."""
        self._t += 1
        for node in self.graph.nodes:
            if self._t > 0 and self.is_static(node.index):
                continue
            value = self._value(node)
            if self._t == 0:
                self.values.append(value)
            self.values[node.index] = value
        return self.states[-1].spikes

    def _value(self, node: Node) -> FloatArray:
        if node.layer is not None:
            return self._fire(node, node.layer)
        if node.kind == "input":
            return self.chunk.values(self._t, self._dtype)
        return self.graph.combine(node, [self.values[i] for i in node.inputs])

    def _fire(self, node: Node, layer: int) -> FloatArray:
        state, parameters, source = self.states[layer], self.parameters[layer], node.inputs[0]
        if state.current is None or not self.is_static(source):
            state.current = self.graph.synapses[layer].current(
                self.values[source], parameters.matrix, parameters.bias
            )
        if self._learning:
            self._trace_input(state, self.values[source], parameters.alpha, static=self.is_static(source))
        advance(
            state.membrane,
            state.spikes,
            state.current,
            parameters.theta,
            parameters.alpha,
            state.threshold_trace,
            state.leak_trace,
            self._thresholds,
            self._leak,
            self.graph.resets_to_zero,
        )
        return state.spikes.reshape(len(state.spikes), *internal_shape(node.out_shape))

    @staticmethod
    def _trace_input(state: LayerState, values: FloatArray, alpha: np.floating[Any], *, static: bool) -> None:
        state.gain = float(alpha) * state.gain + 1
        if static:
            return
        if state.weight_trace is None:
            state.weight_trace = values.copy()
            return
        state.weight_trace *= alpha
        state.weight_trace += values

    def backward(self, loss: Loss, phi: SurrogateFunction, sums: Accumulators) -> None:
        """Errors of this time step through all layers, and the gradients they add to `sums`."""
        graph, last = self.graph, self.graph.nodes[-1].index
        error, loss_sum = output_error(loss, self.states[-1].spikes, self.chunk.columns)
        sums.loss_sum += loss_sum
        errors = {last: error}
        for node in reversed(graph.nodes):
            if graph.input_only[node.index]:
                continue
            error = errors.pop(node.index)
            if node.layer is not None:
                self._learn(node.layer, error, phi, sums)
                below = [] if graph.input_only[node.inputs[0]] else [self._error_below(node.layer)]
            else:
                below = graph.spread(node, error, [self.values[i] for i in node.inputs])
            for i, part in zip(node.inputs, below, strict=False):
                errors[i] = errors[i] + part if i in errors else part

    def _learn(self, layer: int, error: FloatArray, phi: SurrogateFunction, sums: Accumulators) -> None:
        state, synapses = self.states[layer], self.graph.synapses[layer]
        state.error = error.reshape(state.membrane.shape)
        state.delta = phi(layer, state.membrane - self.parameters[layer].theta)
        state.delta *= state.error
        if state.weight_trace is not None:
            sums.add_weights(layer, synapses.weight_gradient(state.delta, state.weight_trace))
        else:
            weighted = state.delta * self._dtype(state.gain)
            state.weighted_delta = (
                weighted if state.weighted_delta is None else state.weighted_delta + weighted
            )
        if self.parameters[layer].bias is not None:  # its input is 1, so its trace is the gain
            sums.add_biases(layer, state.delta * self._dtype(state.gain))
        if self._thresholds:
            add_threshold_gradient(sums.thresholds[layer], state.delta, state.threshold_trace)
        if self._leak:
            sums.leak[layer] += float(np.vdot(state.delta, state.leak_trace))

    def _error_below(self, layer: int) -> FloatArray:
        delta = self.states[layer].delta
        assert delta is not None
        return self.graph.synapses[layer].error_below(delta, self.parameters[layer].matrix)

    def finish(self, sums: Accumulators) -> None:
        """After the last step: the weight gradients of layers with a static input."""
        for layer, state in enumerate(self.states):
            if state.weighted_delta is not None:
                values = self.values[self.graph.source(self.graph.layers[layer].node)]
                synapses = self.graph.synapses[layer]
                sums.add_weights(layer, synapses.weight_gradient(state.weighted_delta, values))
