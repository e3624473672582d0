"""Projections: which input of a layer each neuron below it feeds, through pools and residual sums."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.network.layers import WindowPool
from nmsim.network.spec import NetworkSpec, Node

IntArray = NDArray[np.int64]
INPUT = -1
"""Source number of the network's input."""


@dataclass(frozen=True)
class Projection:
    """From a source to the inputs of one layer.

    `source` is a synaptic layer or `INPUT`; `reaches (N,)` is the input that each of its neurons feeds, -1 where a
    pool drops the neuron.
    """

    source: int
    reaches: IntArray


def projections(network: NetworkSpec, layer: int) -> tuple[Projection, ...]:
    """All projections into a synaptic layer, in order of their source; equal ones once."""
    node = next(node for node in network.nodes if node.layer == layer)
    below = network.nodes[node.inputs[0]]
    found: dict[tuple[int, bytes], Projection] = {}
    stack = [(below, np.arange(int(np.prod(below.out_shape)), dtype=np.int64))]
    while stack:
        node, reaches = stack.pop()
        if node.kind == "input" or node.layer is not None:
            source = INPUT if node.layer is None else node.layer
            found[source, reaches.tobytes()] = Projection(source, reaches)
            continue
        through = _through(node, reaches)
        stack.extend((network.nodes[index], through) for index in node.inputs)
    return tuple(found[key] for key in sorted(found, key=lambda key: key[0]))


def _through(node: Node, reaches: IntArray) -> IntArray:
    """Inputs reached by the elements before a pool or a sum, given those reached by the elements after it."""
    if node.kind == "add":
        return reaches
    channels, height, width = node.in_shape
    after = reaches.reshape(node.out_shape)
    if node.kind == "global_avg_pool":
        return np.repeat(after.reshape(channels), height * width)
    assert isinstance(node.spec, WindowPool)
    size = node.spec.size
    before = np.full((channels, height, width), -1, np.int64)
    kept = after.repeat(size, axis=1).repeat(size, axis=2)
    before[:, : kept.shape[1], : kept.shape[2]] = kept
    return before.reshape(-1)
