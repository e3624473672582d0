"""A chunk of samples through all time steps at once: the stored history of BPTT, and its way back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nmsim.network.spec import Node
from nmsim.stop.float.chunk import Chunk, internal_shape
from nmsim.stop.float.gradients import Accumulators, Loss, output_error
from nmsim.stop.float.graph import FloatGraph
from nmsim.stop.float.step import LayerParameters, SurrogateFunction, backpropagate, unroll
from nmsim.stop.protocol import FloatArray


@dataclass
class StoredLayer:
    """History of one layer, `(T, B, N)`; `delta` dE/dU, through space and time, once `backward` has run."""

    membrane: FloatArray
    spikes: FloatArray
    delta: FloatArray | None = None


class Unrolled:
    """The network unrolled in time: values of all nodes `(T, B, ...)`, or `(1, B, ...)` if static.

    Time and samples are one axis in every product, so that each layer is one matrix product for all steps.
    """

    def __init__(
        self, graph: FloatGraph, parameters: list[LayerParameters], chunk: Chunk, time_steps: int
    ) -> None:
        self.graph, self.parameters, self.chunk = graph, parameters, chunk
        self._shape = (time_steps, chunk.samples)
        self._dtype = parameters[0].matrix.dtype.type
        self.layers: list[StoredLayer] = []
        self.values: list[FloatArray] = []
        for node in graph.nodes:
            self.values.append(self._value(node))

    def _value(self, node: Node) -> FloatArray:
        if node.kind == "input":
            steps = 1 if self.chunk.static else self._shape[0]
            return np.stack([self.chunk.values(t, self._dtype) for t in range(steps)])
        inputs = [self.values[i] for i in node.inputs]
        if node.layer is not None:
            spikes = self._fire(node.layer, inputs[0])
            return spikes.reshape(*self._shape, *internal_shape(node.out_shape))
        if node.kind == "add":
            return inputs[0] + inputs[1]
        return _unfold(self.graph.combine(node, [_fold(inputs[0])]), len(inputs[0]))

    def _fire(self, layer: int, values: FloatArray) -> FloatArray:
        own = self.parameters[layer]
        current = _unfold(
            self.graph.synapses[layer].current(_fold(values), own.matrix, own.bias), len(values)
        )
        stored = StoredLayer(*(np.empty((*self._shape, len(own.theta)), self._dtype) for _ in range(2)))
        unroll(stored.membrane, stored.spikes, current, own.theta, own.alpha, self.graph.resets_to_zero)
        self.layers.append(stored)
        return stored.spikes

    def output_spikes(self) -> Iterator[FloatArray]:
        """Spikes of the output layer by time step, `(B, C)`."""
        yield from self.layers[-1].spikes

    def backward(
        self,
        loss: Loss,
        phi: SurrogateFunction,
        sums: Accumulators,
        *,
        through_reset: bool,
        delta_lsb: Sequence[float] | None = None,
    ) -> None:
        """Errors of all steps through all layers, last to first, and the gradients they add to `sums`.

        `delta_lsb`: the step to whose multiples the deltas of each layer are rounded; exact if absent.
        """
        graph = self.graph
        errors = {graph.nodes[-1].index: self._output_errors(loss, sums)}
        for node in reversed(graph.nodes):
            if graph.input_only[node.index]:
                continue
            error = errors.pop(node.index)
            if node.layer is not None:
                lsb = None if delta_lsb is None else delta_lsb[node.layer]
                self._learn(node.layer, error, phi, sums, through_reset=through_reset, delta_lsb=lsb)
                below = [] if graph.input_only[node.inputs[0]] else [self._error_below(node.layer)]
            else:
                inputs = [_fold(self.values[i]) for i in node.inputs]
                below = [_unfold(part, len(error)) for part in graph.spread(node, _fold(error), inputs)]
            for i, part in zip(node.inputs, below, strict=False):
                errors[i] = errors[i] + part if i in errors else part

    def _output_errors(self, loss: Loss, sums: Accumulators) -> FloatArray:
        errors = []
        for spikes in self.output_spikes():
            error, loss_sum = output_error(loss, spikes, self.chunk.columns)
            errors.append(error)
            sums.loss_sum += loss_sum
        return np.stack(errors)

    def _learn(
        self,
        layer: int,
        error: FloatArray,
        phi: SurrogateFunction,
        sums: Accumulators,
        *,
        through_reset: bool,
        delta_lsb: float | None,
    ) -> None:
        stored, own, synapses = self.layers[layer], self.parameters[layer], self.graph.synapses[layer]
        delta = np.array(error.reshape(stored.membrane.shape), order="C")
        slope = phi(layer, stored.membrane - own.theta)
        leak = np.zeros(len(own.theta))
        backpropagate(
            delta,
            slope,
            stored.membrane,
            stored.spikes,
            own.theta,
            own.alpha,
            through_reset,
            sums.thresholds[layer],
            leak,
        )
        sums.leak[layer] += float(leak.sum())
        if delta_lsb is not None:
            delta = np.rint(delta / delta_lsb) * delta_lsb
        stored.delta = delta
        if own.bias is not None:
            sums.add_biases(layer, _fold(delta))
        values = self.values[self.graph.source(self.graph.layers[layer].node)]
        by_step = delta if len(values) == len(delta) else delta.sum(axis=0, keepdims=True)
        sums.add_weights(layer, synapses.weight_gradient(_fold(by_step), _fold(values)))

    def _error_below(self, layer: int) -> FloatArray:
        delta = self.layers[layer].delta
        assert delta is not None
        return _unfold(
            self.graph.synapses[layer].error_below(_fold(delta), self.parameters[layer].matrix), len(delta)
        )


def _fold(values: FloatArray) -> FloatArray:
    """`(T, B, ...)` to `(T * B, ...)`."""
    return values.reshape(-1, *values.shape[2:])


def _unfold(values: FloatArray, steps: int) -> FloatArray:
    """`(T * B, ...)` to `(T, B, ...)`."""
    return values.reshape(steps, -1, *values.shape[1:])
