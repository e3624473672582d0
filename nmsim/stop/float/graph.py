"""The network as operations on channel-last arrays: what lies between the spiking layers, and its adjoint."""

from collections.abc import Sequence

from nmsim.network.layers import AvgPool, GlobalAvgPool, MaxPool
from nmsim.network.spec import NetworkSpec, Node
from nmsim.stop.float import pooling
from nmsim.stop.float.layout import internal_shape
from nmsim.stop.float.synapses import Synapses
from nmsim.stop.protocol import FloatArray


class FloatGraph:
    """Nodes of a network with their synapses and pools; holds no state and no parameters."""

    def __init__(self, network: NetworkSpec) -> None:
        self.nodes: tuple[Node, ...] = network.nodes
        self.layers = network.synaptic_layers
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
                return pooling.average(inputs[0], size)
            case MaxPool(size=size):
                return pooling.maximum(inputs[0], size)
            case GlobalAvgPool():
                return pooling.global_average(inputs[0])
            case _:
                return inputs[0] + inputs[1]

    def spread(self, node: Node, error: FloatArray, inputs: Sequence[FloatArray]) -> list[FloatArray]:
        """Errors of the inputs of a pool or a sum from its own error and its inputs' values."""
        error = error.reshape(len(error), *internal_shape(node.out_shape))
        match node.spec:
            case AvgPool(size=size):
                return [pooling.spread_average(error, inputs[0], size)]
            case MaxPool(size=size):
                return [pooling.spread_maximum(error, inputs[0], size)]
            case GlobalAvgPool():
                return [pooling.spread_global_average(error, inputs[0])]
            case _:
                return [error, error]
