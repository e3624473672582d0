"""The network: a feed-forward graph of spiking layers, with the shape of everything derived from it."""

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

from pydantic import Field, PrivateAttr, model_validator

from nmsim.config import Record
from nmsim.network.layers import Conv, Dense, Flatten, GlobalAvgPool, Layer, Residual, WindowPool
from nmsim.network.neuron import Neuron

NodeKind = Literal["input", "dense", "conv", "avg_pool", "sum_pool", "max_pool", "global_avg_pool", "add"]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One operation of the graph; shapes without sample and time axes, `(n,)` or `(C, H, W)`.

    `inputs` are indices of earlier nodes (two for `add`). `layer` counts the synaptic layers (dense, conv) from 0
    and is None elsewhere.
    """

    index: int
    kind: NodeKind
    inputs: tuple[int, ...]
    in_shape: Shape
    out_shape: Shape
    layer: int | None = None
    spec: Dense | Conv | WindowPool | GlobalAvgPool | None = None

    @property
    def window(self) -> int:
        """Inputs of one output of a pool; 1 elsewhere."""
        if isinstance(self.spec, GlobalAvgPool):
            return self.in_shape[1] * self.in_shape[2]
        return self.spec.size**2 if isinstance(self.spec, WindowPool) else 1


@dataclass(frozen=True)
class SynapticLayer:
    """A layer of spiking neurons with its incoming weights: shapes and counts.

    `in_shape` is the shape of its input after pooling, hence of its weight trace. `input_value_bits` tells a spike
    input (1) from a sum of spikes or a pooled or encoded value.
    """

    index: int
    node: int
    kind: Literal["dense", "conv"]
    in_shape: Shape
    out_shape: Shape
    weight_shape: Shape
    threshold_count: int
    stride: int = 1
    padding: int = 0
    bias: bool = False

    @cached_property
    def inputs(self) -> int:
        """Number of inputs M, hence of weight traces."""
        return prod(self.in_shape)

    @cached_property
    def neurons(self) -> int:
        """Number of neurons N."""
        return prod(self.out_shape)

    @cached_property
    def weights(self) -> int:
        """Number of weights P."""
        return prod(self.weight_shape)

    @cached_property
    def biases(self) -> int:
        """Number of biases: one per neuron (dense) or channel (convolution), or none."""
        return self.weight_shape[0] * self.bias

    @cached_property
    def fan_in(self) -> int:
        """Weights per neuron."""
        return prod(self.weight_shape[1:])

    @cached_property
    def positions(self) -> int:
        """Neurons that share a weight (1 for dense, H*W for convolution)."""
        return self.neurons // self.weight_shape[0]

    @cached_property
    def dense_macs(self) -> int:
        """Multiply-accumulates of one dense forward step, K (padding counted, as is usual)."""
        return self.weights * self.positions

    @cached_property
    def neurons_per_threshold(self) -> int:
        """Neurons that share one threshold."""
        return self.neurons // self.threshold_count


class NetworkSpec(Record):
    """A feed-forward spiking network: the shape of a sample, the layers in order, the neuron, the number of time steps.

    Layers with weights (`Dense`, `Conv`) spike; pools, sums and `Flatten` stand between them. Shapes of everything follow
    from `input_shape`. The last layer has one neuron per class, and the class that spikes most is the answer.

    Raises (also through `config.build`):
        ConfigError: a layer does not fit its input shape; the last layer does not spike; the two branches of a residual
            differ in shape.

    >>> from nmsim import AvgPool, Conv, Dense
    >>> network = NetworkSpec(
    ...     input_shape=(1, 28, 28), time_steps=4, layers=(Conv(channels=4, kernel=3), AvgPool(size=2), Dense(units=10))
    ... )
    >>> [layer.weight_shape for layer in network.synaptic_layers], network.classes
    ([(4, 1, 3, 3), (10, 676)], 10)
    >>> [node.kind for node in network.nodes], network.source_layers(1)
    (['input', 'conv', 'avg_pool', 'dense'], (0,))
    """

    name: str = "network"
    input_shape: tuple[int, ...] = Field(min_length=1, max_length=3)
    """`[n]` or `[C, H, W]`."""
    time_steps: int = Field(default=6, ge=1, le=1_000_000)
    """Time steps T per sample."""
    neuron: Neuron = Neuron()
    layers: tuple[Layer, ...] = Field(min_length=1)

    _nodes: tuple[Node, ...] = PrivateAttr(default=())
    _layers: tuple[SynapticLayer, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _build_graph(self) -> "NetworkSpec":
        if any(size < 1 for size in self.input_shape):
            raise ValueError(f"input_shape {list(self.input_shape)} has a size below 1; give positive sizes")
        nodes = [Node(0, "input", (), self.input_shape, self.input_shape)]
        last = _extend(nodes, self.layers, 0)
        if nodes[last].layer is None:
            raise ValueError(
                f"the last layer is '{nodes[last].kind}', which does not spike; end with a dense or conv layer"
            )
        self._nodes = tuple(nodes)
        self._layers = tuple(_synaptic(node) for node in nodes if node.layer is not None)
        return self

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The graph in topological order; node 0 is the input, the last node is the output layer."""
        return self._nodes

    @property
    def synaptic_layers(self) -> tuple[SynapticLayer, ...]:
        """The layers with weights, in topological order."""
        return self._layers

    @property
    def inexact_average(self) -> Node | None:
        """The first average pool whose window is no power of two, so that its average is not exact; None without one."""
        averages = (node for node in self._nodes if node.kind in {"avg_pool", "global_avg_pool"})
        return next((node for node in averages if node.window & (node.window - 1)), None)

    @property
    def classes(self) -> int:
        """Number of output neurons C."""
        return prod(self._nodes[-1].out_shape)

    def weight_scale(self, layer: int) -> float:
        """Factor on the initial weights of a synaptic layer: its own, or the neuron's."""
        spec = next(node.spec for node in self._nodes if node.layer == layer)
        own = spec.weight_scale if isinstance(spec, Dense | Conv) else None
        return self.neuron.weight_scale if own is None else own

    def source_layers(self, layer: int) -> tuple[int, ...]:
        """Synaptic layers whose spikes reach a layer through pools and adds; -1 stands for the network's input."""
        found: list[int] = []
        stack = list(next(node for node in self._nodes if node.layer == layer).inputs)
        while stack:
            node = self._nodes[stack.pop()]
            if node.kind == "input":
                found.append(-1)
            elif node.layer is not None:
                found.append(node.layer)
            else:
                stack.extend(node.inputs)
        return tuple(sorted(set(found)))


def _extend(nodes: list[Node], layers: tuple[Layer, ...], source: int) -> int:
    """Append the nodes of a list of layers after node `source`; index of the last one."""
    for position, layer in enumerate(layers):
        shape = nodes[source].out_shape
        if isinstance(layer, Flatten):
            continue
        if isinstance(layer, Residual):
            body, shortcut = _extend(nodes, layer.body, source), _extend(nodes, layer.shortcut, source)
            left, right = nodes[body].out_shape, nodes[shortcut].out_shape
            if left != right:
                raise ValueError(
                    f"residual {position}: its branches have shapes {list(left)} and {list(right)}; make them equal,"
                    " for example by a 1x1 conv with a stride in the shortcut"
                )
            nodes.append(Node(len(nodes), "add", (body, shortcut), left, left))
        else:
            synaptic = isinstance(layer, Dense | Conv)
            index = sum(node.layer is not None for node in nodes) if synaptic else None
            out_shape = _out_shape(layer, shape, position)
            in_shape = (prod(shape),) if isinstance(layer, Dense) else shape
            nodes.append(Node(len(nodes), layer.kind, (source,), in_shape, out_shape, index, layer))
        source = len(nodes) - 1
    return source


def _out_shape(layer: Dense | Conv | WindowPool | GlobalAvgPool, shape: Shape, position: int) -> Shape:
    if isinstance(layer, Dense):
        return (layer.units,)
    if len(shape) != 3:
        raise ValueError(
            f"layer {position} ({layer.kind}): needs a (C, H, W) input but gets {list(shape)}; reorder the layers"
        )
    channels, height, width = shape
    if isinstance(layer, GlobalAvgPool):
        return (channels, 1, 1)
    if isinstance(layer, Conv):
        size = [(extent + 2 * layer.padding - layer.kernel) // layer.stride + 1 for extent in (height, width)]
        channels = layer.channels
    else:
        size = [height // layer.size, width // layer.size]
    if min(size) < 1:
        raise ValueError(
            f"layer {position} ({layer.kind}): window is larger than its {height} x {width} input; use a smaller"
            " window or fewer pools"
        )
    return (channels, *size)


def _synaptic(node: Node) -> SynapticLayer:
    layer = node.spec
    if isinstance(layer, Dense):
        thresholds = 1 if layer.threshold_sharing == "layer" else layer.units
        return SynapticLayer(
            node.layer or 0,
            node.index,
            "dense",
            node.in_shape,
            node.out_shape,
            (layer.units, *node.in_shape),
            thresholds,
            bias=layer.bias,
        )
    if not isinstance(layer, Conv):
        raise TypeError(node.kind)
    thresholds = {"layer": 1, "channel": layer.channels, "neuron": prod(node.out_shape)}[
        layer.threshold_sharing
    ]
    weight_shape = (layer.channels, node.in_shape[0], layer.kernel, layer.kernel)
    return SynapticLayer(
        node.layer or 0,
        node.index,
        "conv",
        node.in_shape,
        node.out_shape,
        weight_shape,
        thresholds,
        layer.stride,
        layer.padding,
        layer.bias,
    )
