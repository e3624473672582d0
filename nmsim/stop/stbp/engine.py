"""The float engine of STBP: error back-propagation through space and time, with the whole history stored."""

from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.float.chunk import Chunk, to_c_order
from nmsim.stop.float.engine import FloatEngineBase
from nmsim.stop.float.gradients import Accumulators
from nmsim.stop.float.step import LayerParameters
from nmsim.stop.float.tensors import joined
from nmsim.stop.protocol import Batch, LayerRecord
from nmsim.stop.spec import TrainingSpec
from nmsim.stop.stbp.unrolled import Unrolled


class StbpEngine(FloatEngineBase):
    """BPTT of the same neurons, loss and surrogate as STOP, learning weights, thresholds and leak factors.

    The path through the reset spike is dropped or kept as `training.reset_gradient` says. After STBP (Wu,
    Deng, Li, Zhu, Shi, "Spatio-temporal backpropagation for training high-performance spiking neural
    networks", Frontiers in Neuroscience 12, 2018), with STOP's neuron, loss and surrogate in place of
    theirs.

    With `precision`, deltas are also rounded to that section's formats before they go on, so that as many of
    them vanish as would on a chip; the rest stays real.
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
        super().__init__(
            network, training, seed, precision=precision, max_samples_in_flight=max_samples_in_flight
        )
        self._delta_lsb: list[float] | None = None
        if precision is not None:
            layers = network.synaptic_layers
            self._delta_lsb = [precision.resolve(layer.index).delta.format.lsb for layer in layers]

    def _learn(self, chunk: Chunk, packed: list[LayerParameters], sums: Accumulators) -> None:
        unrolled = self._backpropagated(chunk, packed, sums)
        for spikes in unrolled.output_spikes():
            sums.spike_counts[chunk.places] += self._output(spikes)

    def _backpropagated(self, chunk: Chunk, packed: list[LayerParameters], sums: Accumulators) -> Unrolled:
        unrolled = Unrolled(self._graph, packed, chunk, self.network.time_steps)
        through_reset = self.training.reset_gradient == "full"
        unrolled.backward(
            self.training.loss, self._phi, sums, through_reset=through_reset, delta_lsb=self._delta_lsb
        )
        return unrolled

    def record(self, batch: Batch) -> list[LayerRecord]:
        """Activity of a training pass; STBP multiplies deltas with inputs, so these stand for its traces."""
        packed = self._packed()
        sums = Accumulators(self._graph, len(batch.labels))
        seen: list[list[list[LayerRecord]]] = [[] for _ in packed]
        for chunk in self._chunks(batch):
            unrolled = self._backpropagated(chunk, packed, sums)
            for layer, parts in enumerate(seen):
                parts.append([self._activity(unrolled, layer, t) for t in range(self.network.time_steps)])
        return [joined(parts) for parts in seen]

    def _activity(self, unrolled: Unrolled, layer: int, t: int) -> LayerRecord:
        source = self._graph.source(self._graph.layers[layer].node)
        stored, out_shape = unrolled.layers[layer], self._graph.layers[layer].out_shape
        assert stored.delta is not None
        values = unrolled.values[source]
        inputs = to_c_order(values[min(t, len(values) - 1)] != 0, self._graph.nodes[source].out_shape)
        spikes, delta = (to_c_order(tensor[t] != 0, out_shape) for tensor in (stored.spikes, stored.delta))
        return LayerRecord(inputs, spikes, inputs, delta)
