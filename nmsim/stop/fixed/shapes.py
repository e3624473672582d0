"""Shapes of what kernels read: orders of addition, windows of pools, gradient panels."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from nmsim.network.spec import NetworkSpec, Node, Shape, SynapticLayer
from nmsim.network.values import ValueRange
from nmsim.stop.fixed.active import LARGEST_VALUE
from nmsim.stop.fixed.sums import LANES

PANEL_ROWS = 1024
"""Terms (time steps x positions of samples) of a gradient panel's product: enough for it to run at full speed."""


def padded(size: int) -> int:
    """Next multiple of the vector lanes."""
    return -(-size // LANES) * LANES


def channels_last(shape: Shape) -> NDArray[np.int64]:
    """C-order index of every element of a `(C, H, W)` or `(n,)` tensor in the order it is stored, channels last."""
    indices = np.arange(prod(shape), dtype=np.int64)
    return indices if len(shape) == 1 else np.ascontiguousarray(indices.reshape(shape[0], -1).T).ravel()


def addition_orders(
    network: NetworkSpec, layer: SynapticLayer
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Stored places of the terms of a current and of an error sum, in the order in which they are added.

    Terms of a current are stored (row, column, channel) of the kernel, those of an error likewise with the kernel turned
    round; both are added (channel, row, column). A dense layer behind a map adds in C order of the map.
    """
    if layer.kind == "dense":
        source = network.nodes[network.nodes[layer.node].inputs[0]]
        return np.argsort(channels_last(source.out_shape)), np.arange(layer.neurons, dtype=np.int64)
    channels_out, channels_in, kernel, _ = layer.weight_shape

    def order(channels: int) -> NDArray[np.int64]:
        return np.arange(kernel * kernel * channels, dtype=np.int64).reshape(kernel * kernel, channels).T

    return order(channels_in).ravel(), order(channels_out)[:, ::-1].ravel()


def panel_sizes(layer: dict[str, int], slots: int) -> dict[str, int]:
    """Sizes of a layer's gradient panel for at most `slots` slots in flight (see gradient.py)."""
    stride, padding = layer["stride"], layer["padding"]
    pitch = lines = 1
    if layer["kernel"]:
        pitch, lines = (
            max(inner + padding, outer) if stride == 1 else -(-(inner + 2 * padding) // stride)
            for inner, outer in (
                (layer["input_width"], layer["width"]),
                (layer["input_height"], layer["height"]),
            )
        )
    plane = pitch * lines
    held = max(1, min(slots, PANEL_ROWS // plane))
    rows = padded(held * plane)
    reach = max(layer["kernel"] - 1, 0) // stride
    return {
        "pitch": pitch, "plane": plane, "panel_slots": held, "panel_rows": rows, "trace_stride": rows + reach * (pitch + 1),
    }  # fmt: skip


def trace_rows(layer: dict[str, int], panel: int) -> NDArray[np.int64]:
    """Where each kernel element's row of traces starts in a convolution's panel, `(C_in * k * k,)` in C order."""
    kernel, stride = layer["kernel"], layer["stride"]
    if not kernel:
        return np.zeros(0, np.int64)
    channel, row, column = np.indices((layer["input_channels"], kernel, kernel)).reshape(3, -1)
    plane = (channel * stride + row % stride) * stride + column % stride
    start = panel + layer["channels"] * layer["panel_rows"]
    return np.asarray(
        start + plane * layer["trace_stride"] + row // stride * layer["pitch"] + column // stride, np.int64
    )


def panel_size(layer: dict[str, int]) -> int:
    """Elements of a layer's gradient panel."""
    if not layer["kernel"]:
        return layer["panel_rows"] * (layer["inputs"] + layer["neurons"])
    traces = layer["input_channels"] * layer["stride"] ** 2 * layer["trace_stride"]
    return layer["channels"] * layer["panel_rows"] + traces


def may_list(layer: dict[str, int], inputs: ValueRange) -> bool:
    """Whether a layer's active inputs may be listed: small numbers, and whole vectors of 16-bit weights by input.

    An entry of a list is a place among the layer's weights in 32 bits.
    """
    weights = layer["channels"] * layer["fan_in"]
    return (
        inputs.low >= 0
        and 0 < inputs.high <= LARGEST_VALUE
        and layer["channels"] % LANES == 0
        and bool(layer["narrow"] and layer["sends_error"] and not layer["factored"])
        and weights < 1 << 31
    )


def marks_of(layer: dict[str, int]) -> int:
    """Marks per slot of a layer's lists of active inputs."""
    height, width = (layer["input_height"], layer["input_width"]) if layer["kernel"] else (1, 1)
    return height * layer["listed"] * (width + 1)


def window_of(network: NetworkSpec, node: Node) -> tuple[int, int]:
    """Rows and columns of a pool's window."""
    if node.kind == "global_avg_pool":
        return node.in_shape[1], node.in_shape[2]
    size: int = node.spec.size  # type: ignore[union-attr]
    return size, size
