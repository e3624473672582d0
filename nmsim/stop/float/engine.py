"""The float engine of STOP: the reference that fixed-point runs are compared with."""

from collections.abc import Callable
from dataclasses import replace

from nmsim.stop.float.base import FloatEngineBase
from nmsim.stop.float.chunk import Chunk
from nmsim.stop.float.gradients import Accumulators
from nmsim.stop.float.step import LayerParameters, StopSteps
from nmsim.stop.float.tensors import LayerTensors, Seen, activity, all_tensors, joined
from nmsim.stop.float.update import update_neurons, update_weights
from nmsim.stop.protocol import Batch, BatchResult, LayerRecord, UpdateRates


class FloatEngine(FloatEngineBase):
    """STOP-W, -WT, -WL, -WTL in real numbers (docs/algorithm.md); update `factored` is `accumulate`."""

    def train_batch(self, batch: Batch, rates: UpdateRates) -> BatchResult:
        """One update from one batch, or one update of the weights per time step (update `in_place`)."""
        if self.training.update == "in_place":
            return self._train_in_place(batch, rates)
        return super().train_batch(batch, rates)

    def _learn(self, chunk: Chunk, packed: list[LayerParameters], sums: Accumulators) -> None:
        steps = StopSteps(self._graph, packed, chunk, self.training.rule)
        for _ in range(self.network.time_steps):
            self._step(steps, sums)
        steps.finish(sums)

    def _step(self, steps: StopSteps, sums: Accumulators) -> None:
        sums.spike_counts[steps.chunk.places] += self._output(steps.forward())
        steps.backward(self.training.loss, self._phi, sums)

    def _train_in_place(self, batch: Batch, rates: UpdateRates) -> BatchResult:
        """Weights change after every time step, thresholds and leak factors after the sample."""
        (chunk,) = self._chunks(batch)
        steps = StopSteps(self._graph, self._packed(), replace(chunk, static=False), self.training.rule)
        sums = Accumulators(self._graph, chunk.samples)
        for _ in range(self.network.time_steps):
            self._step(steps, sums)
            for layer in self._graph.layers:
                update_weights(
                    self.parameters, layer.index, sums.take_weights(layer.index), rates.weight, self.training
                )
            steps.parameters = self._packed()
        gradients = sums.finish(batch.labels)
        for layer in self._graph.layers:
            update_neurons(self.parameters, layer, gradients, rates, self.training)
        return gradients.result

    def tensors(self, batch: Batch) -> list[LayerTensors]:
        """All tensors of a training pass, parameters left as they are; memory grows with B and T."""
        return self._observe(batch, all_tensors)

    def record(self, batch: Batch) -> list[LayerRecord]:
        """Activity of a training pass over the batch with parameters left as they are."""
        return self._observe(batch, activity)

    def _observe(self, batch: Batch, view: Callable[[StopSteps, int], Seen]) -> list[Seen]:
        packed = self._packed()
        sums = Accumulators(self._graph, len(batch.labels))
        seen: list[list[list[Seen]]] = [[] for _ in packed]
        for chunk in self._chunks(batch):
            steps = StopSteps(self._graph, packed, chunk, self.training.rule)
            for parts in seen:
                parts.append([])
            for _ in range(self.network.time_steps):
                self._step(steps, sums)
                for layer, parts in enumerate(seen):
                    parts[-1].append(view(steps, layer))
        return [joined(parts) for parts in seen]
