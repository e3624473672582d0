"""Initial parameters, the same real numbers for every engine."""

import numpy as np

from nmsim.network.spec import NetworkSpec
from nmsim.stop.protocol import Parameters
from nmsim.stop.spec import TrainingSpec


def initial_parameters(network: NetworkSpec, training: TrainingSpec, seed: int) -> Parameters:
    """Real-valued start: weights normal with standard deviation `weight_scale * sqrt(2 / fan_in)` (He et al. 2015).

    Each layer draws from its own PCG64 stream `(seed, layer)`, so that a layer's start does not depend on the others.
    Under gradient centralization the weights of every neuron or channel lose their mean, as the gradients will.
    Thresholds and leak factors start at the neuron's settings, biases at 0.
    """
    weights, thresholds, leak = [], [], []
    for layer in network.synaptic_layers:
        draws = np.random.Generator(np.random.PCG64([seed, layer.index])).standard_normal(layer.weight_shape)
        if training.gradient_centralization:
            draws -= draws.mean(axis=tuple(range(1, draws.ndim)), keepdims=True)
        weights.append(draws * (network.weight_scale(layer.index) * np.sqrt(2.0 / layer.fan_in)))
        thresholds.append(np.full(layer.threshold_count, network.neuron.threshold))
        leak.append(network.neuron.leak_factor)
    velocity = [np.zeros_like(array) if training.momentum > 0 else None for array in weights]
    layers = network.synaptic_layers
    bias = [np.zeros(layer.weight_shape[0]) if layer.bias else None for layer in layers]
    moving = [None if own is None or training.momentum == 0 else np.zeros_like(own) for own in bias]
    return Parameters(weights, thresholds, leak, velocity, [None] * len(weights), list(bias), list(moving))
