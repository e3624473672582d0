"""One update of real-valued parameters from the gradients of a batch."""

import numpy as np
from numpy.typing import NDArray

from nmsim.network.spec import SynapticLayer
from nmsim.stop.float.gradients import Gradients
from nmsim.stop.protocol import FloatArray, Parameters, UpdateRates
from nmsim.stop.spec import TrainingSpec

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
