"""STOP over a chunk of samples, one time step at a time: memory does not grow with the number of steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmsim.network.spec import Node
from nmsim.stop.float.chunk import Chunk
from nmsim.stop.float.gradients import Accumulators
from nmsim.stop.float.graph import FloatGraph
from nmsim.stop.float.layout import internal_shape
from nmsim.stop.float.loss import Loss, output_error
from nmsim.stop.float.neurons import add_threshold_gradient, advance
from nmsim.stop.protocol import FloatArray
from nmsim.stop.spec import Rule

SurrogateFunction = Callable[[int, FloatArray], FloatArray]
"""phi of a layer at x = U - theta; may overwrite x."""


@dataclass(frozen=True)
class LayerParameters:
    """Parameters of one layer in internal order: matrix `(n_out, F)`, thresholds `(N,)`, leak factor."""

    matrix: FloatArray
    theta: FloatArray
    alpha: np.floating[Any]


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
        self, graph: FloatGraph, parameters: list[LayerParameters], chunk: Chunk, rule: Rule | None = None
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
        """Spikes of the next time step through all layers; those of the output layer, `(B, C)`."""
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
            state.current = self.graph.synapses[layer].current(self.values[source], parameters.matrix)
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
