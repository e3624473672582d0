"""Initial weights of deep networks: without batch normalisation, one factor per layer keeps its neurons spiking.

Layer by layer from the input, as in the layer-sequential start of Mishkin and Matas (arXiv 1511.06422), but towards
a spike rate on real samples instead of a unit variance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nmsim.errors import CheckFailedError
from nmsim.network.spec import NetworkSpec, Node
from nmsim.stop.float.chunk import chunks, internal_shape
from nmsim.stop.float.graph import FloatGraph
from nmsim.stop.float.step import unroll
from nmsim.stop.initial import initial_parameters
from nmsim.stop.protocol import Batch, FloatArray
from nmsim.stop.spec import TrainingSpec

RANGE = (2.0**-6, 3.0)
"""Factors that are looked at; larger ones make a sparse input's few weights outgrow their format."""
HIGHEST_CENTRED = 4.0
"""The same for weights without a mean: they pass nothing of what all inputs have in common."""
HALVINGS = 10
LEAST_RATE = 0.01


@dataclass(frozen=True)
class LayerBalance:
    """Factor of one synaptic layer, and the spike rate (per neuron and time step) that it gave."""

    layer: int
    weight_scale: float
    spike_rate: float


def balance(
    network: NetworkSpec, training: TrainingSpec, batch: Batch, seed: int, spike_rate: float
) -> tuple[LayerBalance, ...]:
    """Factors on the initial weights, two digits each, under which every layer spikes at about a rate.

    A layer stays below the rate where the largest factor does not reach it (an input that is mostly zero).

    Forward only, in float32, with the thresholds and leak factors that the network starts with; memory grows with
    samples and time steps. Other seeds give other weights and slightly other rates.

    Raises:
        CheckFailedError: a layer stays below `LEAST_RATE`, because almost nothing reaches it.
    """
    (chunk,) = chunks(batch, network, len(batch.labels))
    graph = FloatGraph(network)
    weights = initial_parameters(network, training, seed).weights
    values: list[list[FloatArray]] = []
    found: list[LayerBalance] = []
    for node in graph.nodes:
        if node.layer is not None:
            synapses = graph.synapses[node.layer]
            unscaled = weights[node.layer] / network.weight_scale(node.layer)
            matrix = synapses.pack(unscaled.astype(np.float32))
            source = values[node.inputs[0]]
            current = np.stack([synapses.current(value, matrix) for value in source])
            scale, spikes = _search(network, training, current, spike_rate, node.layer)
            found.append(LayerBalance(node.layer, scale, float(spikes.mean())))
            shape = (len(batch.labels), *internal_shape(node.out_shape))
            values.append([step.reshape(shape) for step in spikes])
        elif node.kind == "input":
            steps = 1 if chunk.static else network.time_steps
            values.append([chunk.values(t, np.float32) for t in range(steps)])
        else:
            values.append(_between(graph, node, values))
    return tuple(found)


def _between(graph: FloatGraph, node: Node, values: list[list[FloatArray]]) -> list[FloatArray]:
    """Value of a pool or a sum at every time step (one step if all its inputs are static)."""
    inputs = [values[index] for index in node.inputs]
    steps = max(len(steps) for steps in inputs)
    return [graph.combine(node, [own[min(t, len(own) - 1)] for own in inputs]) for t in range(steps)]


def _search(
    network: NetworkSpec, training: TrainingSpec, current: FloatArray, spike_rate: float, layer: int
) -> tuple[float, FloatArray]:
    """Factor on a layer's currents `(T or 1, B, N)` for a spike rate, by bisection of its logarithm; its spikes."""
    shape = (network.time_steps, *current.shape[1:])
    membrane, spikes = np.empty(shape, np.float32), np.empty(shape, np.float32)
    theta = np.full(shape[-1], network.neuron.threshold, np.float32)
    alpha = np.float32(network.neuron.leak_factor)

    def fire(scale: float) -> float:
        unroll(membrane, spikes, current * np.float32(scale), theta, alpha, network.neuron.reset == "zero")
        return float(spikes.mean())

    highest = HIGHEST_CENTRED if training.gradient_centralization else RANGE[1]
    scale = _rounded(_bisect(fire, spike_rate, RANGE[0], highest))
    if fire(scale) < min(LEAST_RATE, spike_rate / 2):
        raise CheckFailedError(
            f"network '{network.name}': layer {layer} spikes at a rate of {fire(scale):.2%} with factor {scale:g}, below"
            f" {LEAST_RATE:.0%}; give other samples or more of them, or ask for a higher rate, which feeds later layers"
        )
    return scale, spikes


def _bisect(fire: Callable[[float], float], spike_rate: float, low: float, high: float) -> float:
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if fire(middle) > spike_rate else (middle, high)
    return float(np.sqrt(low * high))


def _rounded(scale: float) -> float:
    """Two significant digits, for a file that people read."""
    return float(f"{scale:.2g}")
