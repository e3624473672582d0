"""Float64 passes that keep every tensor, free-running or made to emit the spikes of a chip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.network.spec import Node
from nmsim.network.state import NEURON_TRACES
from nmsim.rules import LearningRule
from nmsim.stop.float.chunk import Chunk, internal_shape, to_c_order, to_internal
from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.float.gradients import Accumulators, Gradients
from nmsim.stop.float.step import LayerParameters, StopSteps, SurrogateFunction
from nmsim.stop.float.tensors import all_tensors
from nmsim.stop.protocol import Batch, FloatArray, IntArray

Tensors = dict[str, FloatArray]
"""By name as in `RawLayer`: `(S, T, M)` for inputs, weight_trace and error_sum, else `(S, T, N)`; real values, C order."""


@dataclass(frozen=True)
class ReferencePass:
    """Tensors by layer, raw gradients of the batch, and the spikes the pass itself decided on, `(S, T, N)` by layer."""

    layers: list[Tensors]
    gradients: Gradients
    decided: list[NDArray[np.bool_]]


class ReferenceEngine(FloatEngine):
    """A float64 engine that shows all it computes in a training pass; parameters stay as they are."""

    def observe(self, batch: Batch, spikes: Sequence[IntArray] | None = None) -> ReferencePass:
        """A pass over the batch; `spikes (S, T, N)` by layer, in C order, take the place of its own if given."""
        sums = Accumulators(self._graph, len(batch.labels))
        packed = self._packed()
        parts: list[list[list[Tensors]]] = [[] for _ in packed]
        for chunk in self._chunks(batch):
            given = None if spikes is None else [own[chunk.places] for own in spikes]
            steps = _WatchedSteps(self, packed, chunk, self.training.rule, given)
            for layer in parts:
                layer.append([])
            for _ in range(self.network.time_steps):
                steps.forward()
                steps.backward(self.training.loss, steps.phi(self._phi), sums)
                for index, layer in enumerate(parts):
                    layer[-1].append(steps.tensors(index))
            steps.finish(sums)
        layers = [_joined(layer) for layer in parts]
        decided = [layer.pop("decided") != 0 for layer in layers]
        return ReferencePass(layers, sums.finish(batch.labels), decided)


class _WatchedSteps(StopSteps):
    """Steps that keep residuals, surrogate derivatives and error sums, and may emit given spikes."""

    def __init__(
        self,
        engine: ReferenceEngine,
        packed: list[LayerParameters],
        chunk: Chunk,
        rule: LearningRule,
        spikes: Sequence[IntArray] | None,
    ) -> None:
        super().__init__(engine._graph, packed, chunk, rule)  # noqa: SLF001 - its own engine
        self._given = spikes
        count = len(packed)
        self._residual: list[FloatArray] = [np.zeros(0)] * count
        self._decided: list[FloatArray] = [np.zeros(0)] * count
        self._surrogate: list[FloatArray] = [np.zeros(0)] * count
        self._error_sum: list[FloatArray | None] = [None] * count

    def _fire(self, node: Node, layer: int) -> FloatArray:
        state = self.states[layer]
        self._residual[layer] = state.membrane - self.parameters[layer].theta * state.spikes
        emitted = super()._fire(node, layer)
        self._decided[layer] = state.spikes.copy()
        if self._given is None:
            return emitted
        state.spikes[:] = to_internal(self._given[layer][:, self._t], node.out_shape).reshape(
            state.spikes.shape
        )
        return state.spikes.reshape(len(state.spikes), *internal_shape(node.out_shape))

    def phi(self, function: SurrogateFunction) -> SurrogateFunction:
        """The surrogate derivative, its values kept."""

        def kept(layer: int, x: FloatArray) -> FloatArray:
            value = function(layer, x)
            self._surrogate[layer] = value.copy()
            return value

        return kept

    def _error_below(self, layer: int) -> FloatArray:
        error = super()._error_below(layer)
        self._error_sum[layer] = error
        return error

    def tensors(self, index: int) -> Tensors:
        """What the last time step left in one layer, `(S, M)` or `(S, N)`."""
        layer, seen = self.graph.layers[index], all_tensors(self, index)
        found = {name: getattr(seen, name) for name in (
            "weight_trace", "current", "membrane", "spikes", *(trace.name for trace in NEURON_TRACES), "error", "delta",
        )}  # fmt: skip
        kept = {"residual": self._residual, "decided": self._decided, "surrogate": self._surrogate}
        found |= {name: to_c_order(values[index], layer.out_shape) for name, values in kept.items()}
        found["inputs"] = seen.input
        found["constant_trace"] = np.full((len(seen.input), 1), float(self.states[index].gain))
        error_sum = self._error_sum[index]
        if error_sum is not None:
            source = self.graph.nodes[self.graph.source(layer.node)].out_shape
            found["error_sum"] = to_c_order(error_sum, source)
        return found


def _joined(parts: list[list[Tensors]]) -> Tensors:
    """Join tensors of single steps `(S, n)`, listed by chunk and then by time step, into `(S, T, n)`."""
    return {
        name: np.concatenate([np.stack([step[name] for step in part], axis=1) for part in parts])
        for name in parts[0][0]
    }
