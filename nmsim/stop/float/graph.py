"""The network as operations on channel-last arrays: pooling, and what lies between the spiking layers, with the adjoints."""

from collections.abc import Iterator, Sequence

import numpy as np

from nmsim.network.layers import AvgPool, GlobalAvgPool, MaxPool, SumPool
from nmsim.network.spec import NetworkSpec, Node
from nmsim.stop.float.chunk import internal_shape
from nmsim.stop.float.windows import Synapses
from nmsim.stop.protocol import FloatArray


def window_sum(maps: FloatArray, size: int) -> FloatArray:
    """Sum of every full window of p x p positions, `(B, H // p, W // p, C)`."""
    views = list(_places(maps, size))
    total = views[0].copy()
    for view in views[1:]:
        total += view
    return total


def spread_sum(error: FloatArray, like: FloatArray, size: int) -> FloatArray:
    """Adjoint of `window_sum`: every input of a window receives its error, dropped rows and columns 0."""
    spread = np.zeros_like(like)
    for place in _places(spread, size):
        place[...] = error
    return spread


def average(maps: FloatArray, size: int) -> FloatArray:
    """Mean of every full window."""
    total = window_sum(maps, size)
    total *= 1.0 / size**2
    return total


def spread_average(error: FloatArray, like: FloatArray, size: int) -> FloatArray:
    """Adjoint of `average`: every input of a window receives `error / p**2`."""
    return spread_sum(error * (1.0 / size**2), like, size)


def maximum(maps: FloatArray, size: int) -> FloatArray:
    """Maximum of every full window."""
    views = list(_places(maps, size))
    best = views[0].copy()
    for view in views[1:]:
        np.maximum(best, view, out=best)
    return best


def spread_maximum(error: FloatArray, maps: FloatArray, size: int) -> FloatArray:
    """Adjoint of `maximum`: the error goes to the first maximal input of its window in row-major order."""
    best = maximum(maps, size)
    spread = np.zeros_like(maps)
    unclaimed = np.ones(best.shape, dtype=bool)
    for view, place in zip(_places(maps, size), _places(spread, size), strict=True):
        winner = (view == best) & unclaimed
        np.copyto(place, error, where=winner)
        unclaimed &= ~winner
    return spread


def global_average(maps: FloatArray) -> FloatArray:
    """Mean over all positions, `(B, 1, 1, C)`."""
    mean: FloatArray = maps.mean(axis=(1, 2), keepdims=True)
    return mean


def spread_global_average(error: FloatArray, like: FloatArray) -> FloatArray:
    """Adjoint of `global_average`."""
    return np.broadcast_to(error * (1.0 / (like.shape[1] * like.shape[2])), like.shape).copy()


def _places(maps: FloatArray, size: int) -> Iterator[FloatArray]:
    """The p * p places of a window in row-major order, each as a view `(B, H // p, W // p, C)`."""
    height, width = maps.shape[1] // size * size, maps.shape[2] // size * size
    for row in range(size):
        for column in range(size):
            yield maps[:, row:height:size, column:width:size]


class FloatGraph:
    """Nodes of a network with their synapses and pools; holds no state and no parameters."""

    def __init__(self, network: NetworkSpec) -> None:
        self.nodes: tuple[Node, ...] = network.nodes
        self.layers = network.synaptic_layers
        self.resets_to_zero = network.neuron.reset == "zero"
        self.synapses = [
            Synapses(layer, self.nodes[self.source(layer.node)].out_shape) for layer in self.layers
        ]
        self.input_only: list[bool] = []
        """Per node: no spiking layer lies before it, so it needs no error and is static if the input is."""
        for node in self.nodes:
            self.input_only.append(node.layer is None and all(self.input_only[i] for i in node.inputs))

    def source(self, node: int) -> int:
        """Index of the (first) input of a node."""
        return self.nodes[node].inputs[0]

    def combine(self, node: Node, inputs: Sequence[FloatArray]) -> FloatArray:
        """Value of a pool or a sum from the values `(B, ...)` of its inputs."""
        match node.spec:
            case AvgPool(size=size):
                return average(inputs[0], size)
            case SumPool(size=size):
                return window_sum(inputs[0], size)
            case MaxPool(size=size):
                return maximum(inputs[0], size)
            case GlobalAvgPool():
                return global_average(inputs[0])
            case _:
                return inputs[0] + inputs[1]

    def spread(self, node: Node, error: FloatArray, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Errors of the inputs of a pool or a sum from its own error and its inputs' values."""
        error = error.reshape(len(error), *internal_shape(node.out_shape))
        match node.spec:
            case AvgPool(size=size):
                return [spread_average(error, inputs[0], size)]
            case SumPool(size=size):
                return [spread_sum(error, inputs[0], size)]
            case MaxPool(size=size):
                return [spread_maximum(error, inputs[0], size)]
            case GlobalAvgPool():
                return [spread_global_average(error, inputs[0])]
            case _:
                return [error, error]
