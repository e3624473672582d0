"""Gradients of a batch, summed, before any division or learning rate."""

from dataclasses import dataclass

import numpy as np

from nmsim.stop.float.graph import FloatGraph
from nmsim.stop.protocol import BatchResult, FloatArray, IntArray


@dataclass(frozen=True)
class Gradients:
    """Sums over the samples and time steps of a batch, as the accumulators of a chip hold them.

    Per layer: `weights` like the weights; `thresholds` `(threshold_count,)`, over the neurons that share one;
    `leak` over all neurons (the update divides by their number). What a STOP rule does not learn is zero.
    """

    weights: list[FloatArray]
    thresholds: list[FloatArray]
    leak: list[float]
    result: BatchResult


class Accumulators:
    """Running sums of one batch in the engines' internal order; `finish` gives them in C-order."""

    def __init__(self, graph: FloatGraph, samples: int) -> None:
        self._graph = graph
        self._weights: list[FloatArray | None] = [None] * len(graph.layers)
        self.thresholds = [np.zeros(layer.neurons) for layer in graph.layers]
        """Per neuron, always float64: a sum over samples, steps and positions."""
        self.leak = [0.0] * len(graph.layers)
        self.loss_sum = 0.0
        self.spike_counts = np.zeros((samples, graph.layers[-1].neurons), np.int64)
        """Output spikes in C-order."""

    def add_weights(self, layer: int, gradient: FloatArray) -> None:
        """Add a weight gradient `(n_out, F)`; takes it over as it is where it is the first."""
        own = self._weights[layer]
        if own is None:
            self._weights[layer] = gradient
        else:
            own += gradient

    def take_weights(self, layer: int) -> FloatArray:
        """The weight gradient of a layer in C-order; its sum starts anew."""
        matrix, self._weights[layer] = self._weights[layer], None
        if matrix is None:
            return np.zeros(self._graph.layers[layer].weight_shape)
        return self._graph.synapses[layer].unpack(matrix)

    def finish(self, labels: IntArray) -> Gradients:
        """The sums in C-order, with the batch's result."""
        synapses = self._graph.synapses
        correct = int(np.count_nonzero(self.spike_counts.argmax(axis=1) == labels))
        return Gradients(
            [self.take_weights(layer) for layer in range(len(synapses))],
            [one.reduce_thresholds(sums) for one, sums in zip(synapses, self.thresholds, strict=True)],
            list(self.leak),
            BatchResult(correct, self.loss_sum, self.spike_counts),
        )
