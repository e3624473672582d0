"""The float engine of STOP: the reference that fixed-point runs are compared with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.float.chunk import Chunk, chunks, to_c_order
from nmsim.stop.float.gradients import Accumulators, Gradients, update_biases, update_neurons, update_weights
from nmsim.stop.float.graph import FloatGraph
from nmsim.stop.float.step import LayerParameters, StopSteps
from nmsim.stop.float.tensors import LayerTensors, Seen, activity, all_tensors, joined
from nmsim.stop.initial import initial_parameters
from nmsim.stop.protocol import Batch, BatchResult, FloatArray, IntArray, LayerRecord, Parameters, UpdateRates
from nmsim.stop.spec import TrainingSpec, check_network
from nmsim.stop.surrogate import derivative, look_up, table_entries


class FloatEngineBase(ABC):
    """An `Engine` in float64 or float32 (`training.arithmetic`; float64 where it says fixed).

    Args:
        network: what is computed.
        training: the rule and its settings.
        seed: of the initial weights.
        precision: if given, phi is read from this section's surrogate tables and all else stays real, to
            compare a fixed-point engine on equal terms; by default phi is the exact function.
        max_samples_in_flight: samples executed at once; bounds memory, changes results only by rounding.
    """

    def __init__(
        self,
        network: NetworkSpec,
        training: TrainingSpec,
        seed: int = 0,
        *,
        precision: Precision | None = None,
        max_samples_in_flight: int = 64,
    ) -> None:
        self.network = network
        self.training = training
        self.dtype: type[np.floating[Any]] = np.float32 if training.arithmetic == "float32" else np.float64
        self._graph = FloatGraph(network)
        self._max_samples_in_flight = max_samples_in_flight
        self._tables = self._surrogate_tables(precision)
        self.parameters = initial_parameters(network, training, seed)
        own = self.parameters
        own.weights = [array.astype(self.dtype) for array in own.weights]
        own.thresholds = [array.astype(self.dtype) for array in own.thresholds]
        own.velocity = [None if array is None else array.astype(self.dtype) for array in own.velocity]
        own.bias = [None if array is None else array.astype(self.dtype) for array in own.bias]

    def _surrogate_tables(self, precision: Precision | None) -> list[tuple[FloatArray, float] | None]:
        if precision is None:
            return [None] * len(self._graph.layers)
        tables: list[tuple[FloatArray, float] | None] = []
        for layer in self._graph.layers:
            table = precision.resolve(layer.index).surrogate
            entries = table_entries(self.network.neuron.surrogate, table) * table.format.lsb
            tables.append((entries.astype(self.dtype), table.range / table.entries))
        return tables

    def _phi(self, layer: int, x: FloatArray) -> FloatArray:
        table = self._tables[layer]
        return derivative(self.network.neuron.surrogate, x) if table is None else look_up(*table, x)

    def _packed(self) -> list[LayerParameters]:
        own = self.parameters
        return [
            LayerParameters(
                one.pack(own.weights[i]),
                one.expand_thresholds(own.thresholds[i]),
                self.dtype(own.leak[i]),
                own.bias_of(i),
            )
            for i, one in enumerate(self._graph.synapses)
        ]

    def _chunks(self, batch: Batch) -> Iterator[Chunk]:
        return chunks(batch, self.network, self._max_samples_in_flight)

    @abstractmethod
    def _learn(self, chunk: Chunk, packed: list[LayerParameters], sums: Accumulators) -> None:
        """Add the gradients, the loss and the output spikes of a chunk to the sums of its batch."""

    @abstractmethod
    def record(self, batch: Batch) -> list[LayerRecord]:
        """Activity of a training pass over the batch with parameters left as they are."""

    def gradients(self, batch: Batch) -> Gradients:
        """Raw gradients of a batch, without an update."""
        packed = self._packed()
        sums = Accumulators(self._graph, len(batch.labels))
        for chunk in self._chunks(batch):
            self._learn(chunk, packed, sums)
        return sums.finish(batch.labels)

    def train_batch(self, batch: Batch, rates: UpdateRates) -> BatchResult:
        """One update from the mean gradient of one batch."""
        check_network(self.network, self.training.rule, learns=True)
        gradients = self.gradients(batch)
        rate = rates.weight / len(batch.labels)
        for layer in self._graph.layers:
            update_weights(self.parameters, layer.index, gradients.weights[layer.index], rate, self.training)
            update_biases(self.parameters, layer.index, gradients.biases[layer.index], rate, self.training)
            update_neurons(self.parameters, layer, gradients, rates, self.training)
        return gradients.result

    def infer(self, batch: Batch) -> IntArray:
        """Output spikes over all time steps, `(B, C)`; prediction is the first maximum."""
        packed = self._packed()
        counts = np.zeros((len(batch.labels), self.network.classes), np.int64)
        for chunk in self._chunks(batch):
            steps = StopSteps(self._graph, packed, chunk)
            for _ in range(self.network.time_steps):
                counts[chunk.places] += self._output(steps.forward())
        return counts

    def largest_membranes(self, batch: Batch) -> list[float]:
        """Largest |U| of every layer over the samples and time steps of a batch, in inference: what formats must hold."""
        packed, largest = self._packed(), [0.0] * len(self._graph.layers)
        for chunk in self._chunks(batch):
            steps = StopSteps(self._graph, packed, chunk)
            for _ in range(self.network.time_steps):
                steps.forward()
                for index, state in enumerate(steps.states):
                    largest[index] = max(largest[index], float(np.abs(state.membrane).max()))
        return largest

    def _output(self, spikes: FloatArray) -> IntArray:
        """Output spikes in C-order, as integers."""
        return to_c_order(spikes, self._graph.layers[-1].out_shape).astype(np.int64)

    def state(self) -> dict[str, NDArray[Any]]:
        """Parameters and velocities as named arrays."""
        arrays = {"leak": np.array(self.parameters.leak)}
        for name in ("weights", "thresholds", "velocity", "mask", "bias", "bias_velocity"):
            for i, array in enumerate(getattr(self.parameters, name)):
                if array is not None:
                    arrays[f"{name}{i}"] = array.copy()
        return arrays

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Continue from `state()` of an engine built from the same records."""
        layers = range(len(self._graph.layers))

        def named(name: str) -> list[NDArray[Any] | None]:
            return [state[f"{name}{i}"].copy() if f"{name}{i}" in state else None for i in layers]

        self.parameters = Parameters(
            [state[f"weights{i}"].copy() for i in layers],
            [state[f"thresholds{i}"].copy() for i in layers],
            [float(alpha) for alpha in state["leak"]],
            named("velocity"),
            named("mask"),
            named("bias"),
            named("bias_velocity"),
        )

    def overflow_counts(self) -> dict[str, int]:
        """Empty: real numbers do not overflow here."""
        return {}


class FloatEngine(FloatEngineBase):
    """STOP-W, -WT, -WL, -WTL in real numbers (docs/algorithm.md); update `factored` is `accumulate`."""

    def train_batch(self, batch: Batch, rates: UpdateRates) -> BatchResult:
        """One update from one batch, or one update of the weights per time step (update `in_place`)."""
        check_network(self.network, self.training.rule, learns=True)
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
                update_biases(
                    self.parameters, layer.index, sums.take_biases(layer.index), rates.weight, self.training
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
