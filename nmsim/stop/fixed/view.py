"""Stored tensors of a worker's memory, in C order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.layer_formats import LayerFormats
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import Work
from nmsim.stop.fixed.samples import BatchSums
from nmsim.stop.fixed.shapes import channels_last
from nmsim.stop.protocol import LayerRecord


class MemoryView:
    """Reads tensors of the samples in a worker's memory, `(S, size)` in C order whatever the storage order."""

    def __init__(self, network: NetworkSpec, layout: Layout, formats: list[LayerFormats]) -> None:
        self.layout, self.formats = layout, formats
        self._outputs = np.argsort(channels_last(network.nodes[-1].out_shape))
        self._outputs_in_order = bool((np.diff(self._outputs) == 1).all())
        self._inputs = [
            np.argsort(channels_last(network.nodes[network.nodes[own.layer.node].inputs[0]].out_shape))
            for own in formats
        ]
        self._neurons = [np.argsort(channels_last(own.layer.out_shape)) for own in formats]

    def outputs_in_order(self, spikes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Output spikes `(B, C)` from storage order to C order."""
        return spikes if self._outputs_in_order else np.ascontiguousarray(spikes[:, self._outputs])

    def _read(self, work: Work, samples: int, place: int, order: NDArray[np.int64]) -> NDArray[Any]:
        """`(S, group, size)` of a tensor in C order."""
        layout = self.layout
        slots = work.memory[: samples * layout.group * layout.words].reshape(
            samples, layout.group, layout.words
        )
        return np.ascontiguousarray(slots[:, :, place + order])

    def neurons(self, work: Work, samples: int, index: int, tensor: str) -> NDArray[Any]:
        """`(S, group, N)`: membrane, residual, leak_trace, threshold_trace, error, delta, or `values`, which are spikes."""
        return self._read(work, samples, getattr(self.layout.layers[index], tensor), self._neurons[index])

    def inputs(self, work: Work, samples: int, index: int, tensor: str) -> NDArray[Any]:
        """`source_values` (the layer's input after pooling), `weight_trace` or `counted_trace`, `(S, group, M)`."""
        return self._read(work, samples, getattr(self.layout.layers[index], tensor), self._inputs[index])

    def currents(self, work: Work, index: int) -> NDArray[Any]:
        """Currents of a layer, `(N,)`, where they are logged (one sample, one time step)."""
        layer = self.layout.layers[index]
        return np.ascontiguousarray(
            work.current_log[layer.theta : layer.theta + layer.neurons][self._neurons[index]]
        )

    def static_sums(self, work: Work, index: int) -> NDArray[Any]:
        """Sums g of a layer with a scalar trace, `(N,)`, of the only sample."""
        layer = self.layout.layers[index]
        own = work.static_sums[layer.static_sum : layer.static_sum + layer.neurons]
        return np.ascontiguousarray(own[self._neurons[index]])

    def error_sums(self, work: Work, index: int) -> NDArray[Any]:
        """Sums `W^T delta` of a layer, `(M,)`, where they are logged (one sample, one time step)."""
        layer = self.layout.layers[index]
        return np.ascontiguousarray(work.error_log[layer.log : layer.log + layer.inputs][self._inputs[index]])

    def empty_record(self, samples: int, index: int) -> LayerRecord:
        """A record to be filled time step by time step."""
        layer, steps = self.formats[index].layer, self.layout.layers[index].time_steps
        inputs, neurons = (samples, steps, layer.inputs), (samples, steps, layer.neurons)
        return LayerRecord(*(np.zeros(shape, bool) for shape in (inputs, neurons, inputs, neurons)))


class Recorder:
    """Fills activity records (an `Observer`)."""

    def __init__(self, view: MemoryView, records: list[LayerRecord]) -> None:
        self._view, self._records = view, records

    def steps(self, start: int, step: int, samples: int, work: Work) -> None:
        """Masks of a group of time steps."""
        view = self._view
        at = (slice(start, start + samples), slice(step, step + view.layout.group))
        for index, record in enumerate(self._records):
            record.input_nonzero[at] = view.inputs(work, samples, index, "source_values") != 0
            record.spikes[at] = view.neurons(work, samples, index, "values") != 0
            scalar = view.layout.layers[index].scalar  # the trace of an input is then c times the input
            trace = "source_values" if scalar else "counted_trace"
            record.trace_nonzero[at] = view.inputs(work, samples, index, trace) != 0
            record.delta_nonzero[at] = view.neurons(work, samples, index, "delta") != 0

    def sample(self, index: int, sums: BatchSums) -> None:
        """Nothing is recorded per sample."""
