"""From rasters to an `Activity`: what reaches each layer follows from the spikes below it and the connectivity."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from nmsim.activity import UPDATES, Activity, CountArray, LayerActivity
from nmsim.fixedpoint.format import QFormat
from nmsim.network.layers import WindowPool
from nmsim.network.spec import NetworkSpec, Node
from nmsim.network.values import input_formats
from nmsim.rasters.raster import Rasters, Spikes
from nmsim.rules import INFERENCE

ORIGIN = "imported"


def activity_of(network: NetworkSpec, rasters: Rasters, meta: Mapping[str, Any]) -> Activity:
    """The activity that rasters tell: inputs and spikes; no traces and no deltas, so that it serves inference only.

    A spike of a time step reaches the layer above in the same step.
    """
    formats = input_formats(network, QFormat(signed=False, total_bits=rasters.input_bits, fraction_bits=0))
    nodes = _nodes(network, rasters)
    layers = []
    for layer in network.synaptic_layers:
        node = network.nodes[layer.node]
        inputs, spikes = _flat(nodes[node.inputs[0]]), rasters.spikes[layer.index]
        masks = {
            "inputs": inputs != 0,
            "spikes": spikes != 0,
            "traces": np.zeros(inputs.shape, np.bool_),
            "deltas": np.zeros(spikes.shape, np.bool_),
        }
        updates = rasters.updates[layer.index]
        if updates is not None:
            masks[UPDATES] = updates
        bits = formats[layer.index].total_bits
        packed = LayerActivity.from_masks(layer.in_shape, layer.out_shape, bits, masks)
        # what is pooled or added up arrives as one value, whatever it was before
        layers.append(replace(packed, input_counts=_several(inputs), spike_counts=_several(spikes)))
    static = rasters.inputs.shape[1] == 1 and network.time_steps > 1
    return Activity(
        network.content_hash(), INFERENCE.name, ORIGIN, network.time_steps, static,
        tuple(layers), np.arange(rasters.samples),
        rasters.labels, rasters.spikes[-1].sum(axis=1, dtype=np.int64), dict(meta),
    )  # fmt: skip


def _repeated(inputs: Spikes, shape: tuple[int, int, int]) -> Spikes:
    """A static input at every time step."""
    found: Spikes = np.broadcast_to(inputs, shape)  # type: ignore[assignment]
    return found


def _several(spikes: Spikes) -> CountArray | None:
    """The counts of a raster, if there is more than one spike anywhere."""
    return spikes.astype(np.uint16) if spikes.max(initial=0) > 1 else None


def _nodes(network: NetworkSpec, rasters: Rasters) -> list[Spikes]:
    """What every node emits: where it is not zero, or how many spikes, `(S, T, *shape)`."""
    found: list[Spikes] = []
    mask: Spikes
    shape = (rasters.samples, network.time_steps)
    for node in network.nodes:
        if node.kind == "input":
            mask = _repeated(rasters.inputs, (*shape, prod(node.out_shape)))
        elif node.layer is not None:
            mask = rasters.spikes[node.layer]
        elif node.kind == "add":
            mask = (found[node.inputs[0]] != 0) | (found[node.inputs[1]] != 0)
        else:
            mask = _pooled(found[node.inputs[0]], node)
        found.append(mask.reshape(*shape, *node.out_shape))
    return found


def _pooled(mask: Spikes, node: Node) -> Spikes:
    """A pooled value is non-zero where anything in its window is; what fills no window is dropped."""
    channels, rows, columns = node.out_shape
    whole_map = (node.in_shape[1], node.in_shape[2])
    size = (node.spec.size, node.spec.size) if isinstance(node.spec, WindowPool) else whole_map
    whole = mask[..., : rows * size[0], : columns * size[1]]
    windows = whole.reshape(*mask.shape[:2], channels, rows, size[0], columns, size[1])
    return np.asarray(windows.any(axis=(4, 6)), np.bool_)


def _flat(mask: Spikes) -> Spikes:
    return mask.reshape(*mask.shape[:2], -1)
