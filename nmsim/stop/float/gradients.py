"""Error at the output, gradients summed over a batch, and the update they make."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmsim.network.spec import SynapticLayer
from nmsim.stop.float.graph import FloatGraph
from nmsim.stop.protocol import BatchResult, FloatArray, IntArray, Parameters, UpdateRates
from nmsim.stop.spec import TrainingSpec


@dataclass(frozen=True)
class Gradients:
    """Sums over the samples and time steps of a batch, as the accumulators of a chip hold them.

    Per layer: `weights` like the weights; `thresholds` `(threshold_count,)`, over the neurons that share one;
    `leak` over all neurons (the update divides by their number);
    `biases` `(n_out,)` or `(C_out,)`, None without. What a STOP rule does not learn is zero.
    """

    weights: list[FloatArray]
    thresholds: list[FloatArray]
    leak: list[float]
    result: BatchResult
    biases: list[FloatArray | None]


class Accumulators:
    """Running sums of one batch in the engines' internal order; `finish` gives them in C-order."""

    def __init__(self, graph: FloatGraph, samples: int) -> None:
        self._graph = graph
        self._weights: list[FloatArray | None] = [None] * len(graph.layers)
        self.thresholds = [np.zeros(layer.neurons) for layer in graph.layers]
        """Per neuron, always float64: a sum over samples, steps and positions."""
        self.leak = [0.0] * len(graph.layers)
        self._biases = [np.zeros(layer.weight_shape[0]) if layer.bias else None for layer in graph.layers]
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

    def add_biases(self, layer: int, weighted_delta: FloatArray) -> None:
        """Add delta times the trace of a constant input, `(B, N)`, summed over samples and positions."""
        own = self._biases[layer]
        assert own is not None
        own += weighted_delta.reshape(-1, len(own)).sum(axis=0, dtype=np.float64)

    def take_biases(self, layer: int) -> FloatArray | None:
        """Take the gradient of a layer's biases and reset its sum; None if the layer has no biases."""
        own = self._biases[layer]
        if own is not None:
            self._biases[layer] = np.zeros_like(own)
        return own

    def take_weights(self, layer: int) -> FloatArray:
        """Take the weight gradient of a layer, in C order, and reset its sum."""
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
            [self.take_biases(layer) for layer in range(len(synapses))],
        )


Loss = Literal["cross_entropy", "squared_error"]


def output_error(loss: Loss, spikes: FloatArray, labels: IntArray) -> tuple[FloatArray, float]:
    """Error e = dE/ds `(B, C)` and loss E summed over samples; spikes `(B, C)`, labels `(B,)` their columns.

    cross_entropy: E = -log softmax(s)_y, e = softmax(s) - y; squared_error: E = |s - y|^2 / 2, e = s - y.
    """
    rows = np.arange(len(labels))
    if loss == "squared_error":
        error = spikes.copy()
        error[rows, labels] -= 1
        return error, 0.5 * float(np.vdot(error, error))
    error = np.exp(spikes)
    total = error.sum(axis=1, keepdims=True)
    value = float(np.log(total).sum() - spikes[rows, labels].sum())
    error /= total
    error[rows, labels] -= 1
    return error, value


THETA_MIN = 2.0**-10
"""Lower bound of thresholds where the training section gives none."""
ALPHA_MAX = 1 - 2.0**-16
"""Upper bound of leak factors where the training section gives none."""


def centralize(gradient: FloatArray, mask: NDArray[np.bool_] | None) -> None:
    """Take from dW `(n_out, ...)` the mean of every row over its present synapses, in place (Yong et al. 2020)."""
    axes = tuple(range(1, gradient.ndim))
    if mask is None:
        gradient -= gradient.mean(axis=axes, keepdims=True)
        return
    present = np.maximum(mask.sum(axis=axes, keepdims=True), 1)
    gradient -= (gradient.sum(axis=axes, keepdims=True) / present).astype(gradient.dtype)
    gradient *= mask


def update_weights(
    parameters: Parameters, layer: int, gradient: FloatArray, rate: float, training: TrainingSpec
) -> None:
    """W -= rate dW; with momentum v = mu v + dW takes the place of dW; pruned synapses stay 0. Overwrites dW."""
    mask, velocity = parameters.mask[layer], parameters.velocity[layer]
    if mask is not None:
        gradient *= mask
    if training.gradient_centralization:
        centralize(gradient, mask)
    if velocity is not None:
        velocity *= training.momentum
        velocity += gradient
    step = gradient if velocity is None else velocity
    np.multiply(step, step.dtype.type(rate), out=gradient)
    parameters.weights[layer] -= gradient


def update_biases(
    parameters: Parameters, layer: int, gradient: FloatArray | None, rate: float, training: TrainingSpec
) -> None:
    """B -= rate db, with momentum as for weights; neither masks nor centralization touch biases."""
    bias, velocity = parameters.bias_of(layer), parameters.bias_velocity_of(layer)
    if bias is None or gradient is None:
        return
    step = gradient
    if velocity is not None:
        velocity *= training.momentum
        velocity += gradient
        step = velocity
    bias -= (rate * step).astype(bias.dtype)


def update_neurons(
    parameters: Parameters,
    layer: SynapticLayer,
    gradients: Gradients,
    rates: UpdateRates,
    training: TrainingSpec,
) -> None:
    """Thresholds and leak factor of one layer, as far as the rule learns them, clipped to their bounds.

    theta = max(theta - lr_t dTheta / B, theta_min); alpha = clip(alpha - lr_a dAlpha / (B n), 0,
    alpha_max), n the exact number of neurons where a fixed-point engine shifts by ceil(log2 n)
    (docs/algorithm.md).
    """
    i, samples = layer.index, len(gradients.result.spike_counts)
    if training.rule.learns_thresholds:
        thresholds = parameters.thresholds[i]
        thresholds -= (rates.threshold / samples * gradients.thresholds[i]).astype(thresholds.dtype)
        np.maximum(thresholds, training.theta_min or THETA_MIN, out=thresholds)
    if training.rule.learns_leak:
        moved = parameters.leak[i] - rates.leak / (samples * layer.neurons) * gradients.leak[i]
        parameters.leak[i] = float(np.clip(moved, 0.0, training.alpha_max or ALPHA_MAX))
