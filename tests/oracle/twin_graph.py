"""Shapes, synapses, pooling and the exact backward paths of the fixed-point twin.

Maps are flat lists in C-order of `(C, H, W)`. Values travel as `(list of raw integers, fraction bits)`.
A synaptic layer is nothing but three listings of its synapses, each in the order in which the page adds up.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Node = dict[str, Any]
Value = tuple[list[int], int]

SYNAPTIC = ("dense", "conv")


@dataclass(frozen=True)
class Synapses:
    """The synapses of one layer, seen from the three sides; every list ascends in the order of addition."""

    count: int
    # output -> (weight, input), by (channel, row, column) of the kernel
    by_output: list[list[tuple[int, int]]]
    # input -> (weight, output), by (output channel, kernel row, kernel column)
    by_input: list[list[tuple[int, int]]]
    # weight -> (output, input), by output position in row-major order
    by_weight: list[list[tuple[int, int]]]


def size_of(shape: list[int]) -> int:
    """Number of elements."""
    return math.prod(shape)


def is_power_of_two(n: int) -> bool:
    """1, 2, 4, 8, ..."""
    return n >= 1 and n & (n - 1) == 0


def positive(shape: list[int]) -> list[int]:
    """The shape, if nothing of it has vanished."""
    if min(shape) < 1:
        raise ValueError(f"a window is larger than its map: shape {shape}")
    return shape


def output_shape(node: Node, below: list[list[int]]) -> list[int]:  # noqa: PLR0911 - one per kind
    """Shape of a node's output, given the shapes of the nodes it reads."""
    kind = node["kind"]
    if kind == "input":
        return list(node["shape"])
    shape = below[0]
    if kind == "dense":
        return [node["units"]]
    if kind == "flatten":
        return [size_of(shape)]
    if kind == "add":
        if below[0] != below[1]:
            raise ValueError(f"residual addition of shapes {below[0]} and {below[1]}")
        return list(shape)
    channels, height, width = shape
    if kind == "conv":
        k, stride, padding = node["kernel"], node["stride"], node["padding"]
        rows, cols = ((extent + 2 * padding - k) // stride + 1 for extent in (height, width))
        return positive([node["channels"], rows, cols])
    if kind == "global_avg_pool":
        return [channels, 1, 1]
    if kind in ("avg_pool", "sum_pool", "max_pool"):
        p = node["window"]
        return positive([channels, height // p, width // p])
    raise ValueError(f"unknown node kind {kind!r}")


def synapses_of(node: Node, below: list[int], above: list[int]) -> Synapses:
    """All synapses of a dense or convolution layer from shape `below` to shape `above`."""
    triples = []  # (weight, output, input)
    if node["kind"] == "dense":
        n_in = size_of(below)
        count = node["units"] * n_in
        triples = [(o * n_in + i, o, i) for o in range(node["units"]) for i in range(n_in)]
    else:
        c_in, height, width = below
        c_out, out_height, out_width = above
        k, stride, padding = node["kernel"], node["stride"], node["padding"]
        count = c_out * c_in * k * k
        for co in range(c_out):
            for ci in range(c_in):
                for kr in range(k):
                    for kc in range(k):
                        for row in range(out_height):
                            for col in range(out_width):
                                y, x = row * stride + kr - padding, col * stride + kc - padding
                                if 0 <= y < height and 0 <= x < width:
                                    weight = ((co * c_in + ci) * k + kr) * k + kc
                                    output = (co * out_height + row) * out_width + col
                                    triples.append((weight, output, (ci * height + y) * width + x))
    by_output: list[list[tuple[int, int]]] = [[] for _ in range(size_of(above))]
    by_input: list[list[tuple[int, int]]] = [[] for _ in range(size_of(below))]
    by_weight: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for weight, output, source in sorted(triples):
        by_output[output].append((weight, source))
        by_input[source].append((weight, output))
        by_weight[weight].append((output, source))
    return Synapses(count, by_output, by_input, by_weight)


def windows_of(node: Node, shape: list[int]) -> list[list[int]]:
    """For every output of a pooling node, the input indices of its window in row-major order."""
    channels, height, width = shape
    rows, cols = (height, width) if node["kind"] == "global_avg_pool" else (node["window"], node["window"])
    return [
        [(c * height + row * rows + r) * width + col * cols + k for r in range(rows) for k in range(cols)]
        for c in range(channels)
        for row in range(height // rows)
        for col in range(width // cols)
    ]


def add_values(values: list[Value]) -> Value:
    """Exact element-wise sum, aligned to the largest fraction."""
    fraction = max(f for _, f in values)
    return [sum(raw[i] << (fraction - f) for raw, f in values) for i in range(len(values[0][0]))], fraction


def pass_forward(node: Node, shapes: list[list[int]], values: list[Value]) -> Value:
    """Output of a node without synapses from the outputs of the nodes it reads."""
    kind = node["kind"]
    if kind == "flatten":
        return values[0]
    if kind == "add":
        return add_values(values)
    raw, fraction = values[0]
    windows = windows_of(node, shapes[0])
    if kind == "max_pool":
        return [max(raw[i] for i in window) for window in windows], fraction
    sums = [sum(raw[i] for i in window) for window in windows]
    if kind == "sum_pool":
        return sums, fraction
    inverse, more = inverse_of(averaged(node, shapes[0]))
    return [total * inverse for total in sums], fraction + more


def value_fraction(nodes: list[Node], shapes: list[list[int]], index: int, input_fraction: int) -> int:
    """Fraction bits of what a node hands on, for nodes made of the input without a synaptic layer between."""
    node = nodes[index]
    if node["kind"] == "input":
        return input_fraction
    below = [value_fraction(nodes, shapes, i, input_fraction) for i in node["inputs"]]
    if node["kind"] in ("avg_pool", "global_avg_pool"):
        return below[0] + inverse_of(averaged(node, shapes[node["inputs"][0]]))[1]
    return max(below)


def averaged(node: Node, shape: list[int]) -> int:
    """Number of inputs that an average is taken over."""
    return shape[1] * shape[2] if node["kind"] == "global_avg_pool" else int(node["window"]) ** 2


def inverse_of(number: int) -> tuple[int, int]:
    """1/n as an integer and its fraction bits: exact for powers of two, else the nearest u16.16, ties away from zero."""
    if is_power_of_two(number):
        return 1, number.bit_length() - 1
    return math.floor(Fraction(2**16, number) + Fraction(1, 2)), 16


def pass_back(node: Node, shape: list[int], forward: Value, error: Value) -> Value:
    """Exact error at the input (of that shape, which held `forward`) of a flatten, add or pooling node."""
    kind = node["kind"]
    if kind in ("flatten", "add"):
        return error
    raw, fraction = error
    spread = [0] * size_of(shape)
    for window, e in zip(windows_of(node, shape), raw, strict=True):
        if kind == "max_pool":
            values = [forward[0][i] for i in window]
            spread[window[values.index(max(values))]] += e
        else:
            for i in window:
                spread[i] += e
    if kind in ("max_pool", "sum_pool"):
        return spread, fraction
    inverse, more = inverse_of(averaged(node, shape))
    return [e * inverse for e in spread], fraction + more
