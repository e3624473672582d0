"""Lay a network out in flat memory: from records of the network and its formats to the kernels' plan.

Everything that depends on the network's shape is decided here, once, and written into records of whole numbers: kernels
compute no place that could have been known before. Where a tensor is not kept its size is 0, and its place is never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.lfsr import unrolled_table
from nmsim.fixedpoint.quantize import LEFT_P, LEFT_Q, WHOLE, WRAP
from nmsim.network.spec import NetworkSpec, Node
from nmsim.network.state import NEURON_TRACES
from nmsim.network.values import ValueRange, mean_factor
from nmsim.stop.fixed.active import rows_listed
from nmsim.stop.fixed.forward import rows_at_once
from nmsim.stop.fixed.gather import delta_window, input_window, strip_numbers
from nmsim.stop.fixed.lanes import fits_lanes, holds_small
from nmsim.stop.fixed.layer_formats import (
    LayerFormats,
    error_fractions,
    machine_numbers,
    softmax_table,
)
from nmsim.stop.fixed.memory_plan import (
    ADD,
    AVERAGE,
    CONV,
    DENSE,
    INPUT,
    LAYER_FIELDS,
    MAXIMUM,
    NODE_FIELDS,
    Plan,
)
from nmsim.stop.fixed.pair_product import PAIR_COLUMNS, STRIP, strips
from nmsim.stop.fixed.row_adder import SEGMENT
from nmsim.stop.fixed.shapes import (
    addition_orders,
    marks_of,
    may_list,
    padded,
    panel_size,
    panel_sizes,
    trace_rows,
    window_of,
)
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.spec import TrainingSpec

_KINDS = {
    "input": INPUT, "dense": DENSE, "conv": CONV, "avg_pool": AVERAGE, "sum_pool": AVERAGE, "max_pool": MAXIMUM,
    "global_avg_pool": AVERAGE, "add": ADD,
}  # fmt: skip

AVERAGES = ("avg_pool", "global_avg_pool")
"""Pools that divide."""


@dataclass(frozen=True)
class Layout:
    """A plan and the sizes of the memories it addresses, in elements."""

    plan: Plan
    layers: list[SimpleNamespace]
    """Records of the synaptic layers (`plan.LAYER_FIELDS`) for use outside kernels, which read `plan.layers`."""
    nodes: list[SimpleNamespace]
    words: int
    error_words: int
    group: int
    storage: Any
    """NumPy type of stored integers: int16, int32, or object for Python integers."""
    weight_sums: Any
    """NumPy type of sums of weight gradients."""
    kept_sums: int
    """Sums per sample of layers whose input may be static."""
    static_sums: int
    """Sums per sample of layers with a scalar trace."""
    block_sums: int
    gathered: int
    panels: int
    transposed: int
    widest: int
    widest_sum: int
    """Terms of the longest sum, padded."""
    listed_inputs: int
    """Inputs per slot of the layer with most of them among those whose active inputs may be listed."""
    listed_marks: int
    """The same for marks of lists."""
    segments: int
    used: int
    backward: int
    neurons: int
    inputs: int
    weights: int
    thresholds: int
    channels: int


class _Places:
    """Hands out consecutive places of a flat memory."""

    def __init__(self) -> None:
        self.total = 0

    def take(self, size: int) -> int:
        place, self.total = self.total, self.total + size
        return place


def build(
    network: NetworkSpec,
    formats: list[LayerFormats],
    ranges: Sequence[ValueRange],
    training: TrainingSpec,
    storage: Any,
    samples: int,
    group: int,
    *,
    factored: bool,
) -> Layout:
    """Lay out a network for passes over up to `samples` samples at a time, `group` time steps of each together.

    Args:
        network: what is computed.
        formats: of every synaptic layer.
        ranges: of the values of every node, whose fractions branches of a sum are aligned to.
        training: how it learns; which traces are kept follows from its rule.
        storage: NumPy type of stored integers.
        samples: at a time, which sizes of panels depend on.
        group: time steps held together, a divisor of T.
        factored: dense layers are updated from the factors of their gradients, and their weights stored by input.
    """
    words, kept, statics, panels, used, backward = (_Places() for _ in range(6))
    neurons, inputs_of_all, weights, thresholds, orders, channels = (_Places() for _ in range(6))
    nodes = [dict.fromkeys(NODE_FIELDS, 0) for _ in network.nodes]
    order_runs: list[NDArray[np.int64]] = []
    for node, record in zip(network.nodes, nodes, strict=True):
        _lay_node(node, record, words, nodes)
        if _KINDS[node.kind] in {AVERAGE, MAXIMUM}:
            record["window_height"], record["window_width"] = window_of(network, node)
            record["factor"] = mean_factor(node.window)[0] if node.kind in AVERAGES else 1
    error_words = _lay_errors(network, formats, nodes)
    _align_branches(network, ranges, nodes)
    layers: list[dict[str, int]] = []
    for own in formats:
        record = _sizes(network, own, nodes)
        record["resets_to_zero"] = int(network.neuron.reset == "zero")
        record["time_steps"], record["output"] = network.time_steps, int(own is formats[-1])
        record["learns_thresholds"], record["learns_leak"] = (
            int(training.rule.learns_thresholds), int(training.rule.learns_leak),
        )  # fmt: skip
        inputs, size = padded(own.layer.inputs), padded(own.layer.neurons)
        threshold = 0 if own.scalar else own.precision.trace_threshold
        record["weight_trace"] = record["counted_trace"] = words.take(0 if own.scalar else inputs)
        if threshold > 0:
            record["counted_trace"] = words.take(inputs)
        record["trace_threshold"], record["scalar"] = threshold, int(own.scalar)
        record["static_sum"] = statics.take(own.layer.neurons * own.scalar)
        for name in ("membrane", "residual", "error", "delta"):
            record[name] = words.take(size)
        for trace in NEURON_TRACES:
            record[trace.name] = words.take(size if trace.kept_by(training.rule) else 0)
        by_input = factored and own.layer.kind == "dense" and not own.scalar
        record["used"] = used.take(0 if by_input else record["channels"] * record["depth"])
        backward_rows = record["input_channels"] if own.layer.kind == "conv" else own.layer.inputs
        record["backward"] = backward.take(
            backward_rows * record["error_depth"] * (by_input or nodes[record["source"]]["needs_error"])
        )
        record["theta"], record["log"] = neurons.take(own.layer.neurons), inputs_of_all.take(own.layer.inputs)
        record["factored"], record["rows"] = int(by_input), channels.take(record["channels"])
        shared = (
            own.layer.kind == "dense" and not record["permuted"] and own.used == own.precision.weight.format
        )
        record["shared"], record["narrow"] = int(shared), int(storage is np.int16)
        record["weight"], record["threshold"] = (
            weights.take(own.layer.weights),
            thresholds.take(own.layer.threshold_count),
        )
        record["biased"], record["bias_left"] = int(own.layer.bias), max(own.input.fraction_bits, 0)
        record["static"] = nodes[record["source"]]["static"]
        record["trace_in_lanes"], record["threshold_in_lanes"] = (
            int(record["narrow"] and _in_lanes(own, tensor, largest))
            for tensor, largest in ((Tensor.WEIGHT_TRACE, own.input.magnitude), (Tensor.THRESHOLD_TRACE, 1))
        )
        record["listed"] = own.input.high if may_list(record, own.input) else 0
        record["sums"] = kept.take(own.layer.neurons * record["static"])
        forward, error = addition_orders(network, own.layer)
        record["order"], record["error_order"] = orders.take(forward.size), orders.take(error.size)
        record["error_terms"] = int(error.size)
        order_runs += [forward, error]
        record.update(panel_sizes(record, samples * network.time_steps))
        rows = trace_rows(record, panels.total)
        record["trace_rows"] = orders.take(rows.size)
        order_runs.append(rows)
        record["panel"] = panels.take(panel_size(record))
        layers.append(record)
    # only now is the size of a slot known, which every record needs to find the next one
    for record in (*layers, *nodes):
        record.update(words=words.total, error_words=error_words, group=group)
    numbers = object if storage is object else np.int64
    entries = max(len(own.surrogate) for own in formats)
    plan = Plan(
        layers=_records(layers, LAYER_FIELDS, storage),
        nodes=_records(nodes, NODE_FIELDS, storage),
        numbers=np.stack([own.numbers for own in formats]) if storage is object else machine_numbers(formats),
        surrogates=np.array(
            [own.surrogate + own.surrogate[-1:] * (entries - len(own.surrogate)) for own in formats], numbers
        ),
        probabilities=softmax_table(network.classes, formats[-1].delta).astype(numbers),
        orders=np.concatenate(order_runs),
        draw_table=unrolled_table().astype(object) if storage is object else unrolled_table(),
    )
    products = [(record["channels"], record["depth"]) for record in layers]
    products += [
        (record["input_channels"] if record["kernel"] else record["inputs"], record["error_depth"])
        for record in layers
    ]
    records = [SimpleNamespace(**record) for record in layers]
    return Layout(
        plan=plan,
        layers=records,
        nodes=[SimpleNamespace(**record) for record in nodes],
        words=words.total,
        error_words=error_words,
        group=group,
        storage=storage,
        weight_sums=_type_of_sums(formats, training, storage),
        kept_sums=kept.total,
        static_sums=statics.total,
        block_sums=max(
            *(rows_at_once(columns) * columns for columns, _ in products),
            *(
                rows_listed(record["channels"]) * record["channels"] * (record["listed"] > 0)
                for record in layers
            ),
        ),
        gathered=_gathered(records, products),
        panels=panels.total,
        transposed=max(
            0
            if record["kernel"]
            else record["panel_rows"]
            * (strips(record["inputs"], PAIR_COLUMNS) + strips(record["neurons"], STRIP))
            for record in layers
        ),
        widest=max(max(padded(own.layer.inputs), padded(own.layer.neurons)) for own in formats),
        widest_sum=max(depth for _, depth in products),
        listed_inputs=max(record["inputs"] * (record["listed"] > 0) for record in layers),
        listed_marks=max(marks_of(record) for record in layers),
        segments=SEGMENT * max(max(record["kernel"], 1) * record["listed"] for record in layers),
        used=used.total,
        backward=backward.total,
        neurons=neurons.total,
        inputs=inputs_of_all.total,
        weights=weights.total,
        thresholds=thresholds.total,
        channels=channels.total,
    )


def _gathered(layers: list[SimpleNamespace], products: list[tuple[int, int]]) -> int:
    """Rows under a kernel that are gathered at a time, and the strip of a map that they are taken from."""
    windows = [
        window for layer in layers if layer.kernel for window in (input_window(layer), delta_window(layer))
    ]
    if not windows:
        return 0
    rows: int = max(rows_at_once(columns) * depth for columns, depth in products)
    return rows + padded(max(int(strip_numbers(window)) for window in windows))


def _type_of_sums(formats: list[LayerFormats], training: TrainingSpec, storage: Any) -> Any:
    """32 bits where every accumulator of dW has them and saturates after each addition: no sum that is kept is larger.

    Others hold exact sums until these are complete.
    """
    if storage is object:
        return object
    rows = [own.numbers[Tensor.WEIGHT_GRADIENT] for own in formats]
    kept = all(not (row[WRAP] or row[WHOLE]) and holds_small(row) for row in rows)
    return np.int32 if kept and training.update != "in_place" else np.int64


def _in_lanes(own: LayerFormats, tensor: Tensor, largest_input: int) -> bool:
    """Whether 32 bits hold every step of a trace of inputs up to `largest_input`, for any leak factor."""
    row = [int(number) for number in own.numbers[tensor]]
    keep, take = own.largest_leak << row[LEFT_P], 1 << row[LEFT_Q]
    if tensor == Tensor.THRESHOLD_TRACE:  # a spike is leaked too
        take *= own.largest_leak
    return fits_lanes(row, keep, take, largest_input)


@cache
def _record_type(fields: tuple[str, ...]) -> np.dtype[Any]:
    """One type for all engines of a process: numba knows an object again at once, and compares equal ones field by field."""
    return np.dtype([(name, np.int64) for name in fields])


def _records(rows: list[dict[str, int]], fields: Sequence[str], storage: Any) -> Any:
    """Rows as a structured array for compiled kernels, or as plain objects for interpreted ones."""
    if storage is object:
        return [SimpleNamespace(**row) for row in rows]
    table = np.zeros(len(rows), _record_type(tuple(fields)))
    for index, row in enumerate(rows):
        table[index] = tuple(row[name] for name in fields)
    return table


def _lay_node(node: Node, record: dict[str, int], words: _Places, nodes: list[dict[str, int]]) -> None:
    """Sizes and place of one node's output."""
    channels, height, width = node.out_shape if len(node.out_shape) == 3 else (prod(node.out_shape), 1, 1)
    record.update(channels=channels, height=height, width=width, size=prod(node.out_shape))
    record["kind"], record["layer"] = _KINDS[node.kind], -1 if node.layer is None else node.layer
    record["values"] = words.take(padded(prod(node.out_shape)))
    record["first"], record["second"] = (*node.inputs, -1, -1)[:2]
    record["static"] = int(node.layer is None and all(nodes[source]["static"] for source in node.inputs))
    record["needs_error"] = int(
        node.layer is not None or any(nodes[source]["needs_error"] for source in node.inputs)
    )


def _lay_errors(network: NetworkSpec, formats: list[LayerFormats], nodes: list[dict[str, int]]) -> int:
    """Places and alignments of the error sums; their total size per sample."""
    places = _Places()
    fractions = error_fractions(network, formats)
    reached: set[int] = set()
    for node in reversed(network.nodes):
        record, own_fraction = nodes[node.index], fractions[node.index]
        if record["needs_error"] and own_fraction is not None:
            record["error"] = places.take(padded(record["size"]))
        if node.layer is not None:
            arriving = formats[node.layer].delta.fraction_bits + formats[node.layer].used.fraction_bits
        elif own_fraction is not None:
            grow = (
                mean_factor(node.window)[1] if node.kind in AVERAGES else 0
            )  # a sum pool's error is not divided
            arriving = own_fraction + grow
        else:
            continue
        for source, left, writes in zip(
            node.inputs,
            ("error_left_first", "error_left_second"),
            ("writes_first", "writes_second"),
            strict=False,
        ):
            if nodes[source]["needs_error"]:
                record[left] = (fractions[source] or 0) - arriving
                record[writes] = int(source not in reached)
                reached.add(source)
    return places.total


def _align_branches(network: NetworkSpec, ranges: Sequence[ValueRange], nodes: list[dict[str, int]]) -> None:
    """Left shifts that bring the two branches of a sum to one fraction."""
    for node in network.nodes:
        if node.kind == "add":
            first, second = (ranges[source].fraction_bits for source in node.inputs)
            nodes[node.index]["left_first"] = max(second - first, 0)
            nodes[node.index]["left_second"] = max(first - second, 0)


def _sizes(network: NetworkSpec, own: LayerFormats, nodes: list[dict[str, int]]) -> dict[str, int]:
    """Fields of a layer that follow from its shape alone."""
    layer = own.layer
    source = network.nodes[layer.node].inputs[0]
    origin = nodes[source]
    kernel = layer.weight_shape[-1] if layer.kind == "conv" else 0
    channels, height, width = layer.out_shape if kernel else (layer.neurons, 1, 1)
    return dict.fromkeys(LAYER_FIELDS, 0) | {
        "node": layer.node, "source": source, "inputs": layer.inputs,
        "input_channels": origin["channels"], "input_height": origin["height"], "input_width": origin["width"],
        "neurons": layer.neurons, "channels": channels, "height": height, "width": width,
        "positions": layer.positions, "kernel": kernel, "stride": layer.stride, "padding": layer.padding,
        "fan_in": layer.fan_in, "depth": padded(layer.fan_in), "error_depth": padded(channels * max(kernel, 1) ** 2),
        "values": nodes[layer.node]["values"], "source_values": origin["values"], "own_error": nodes[layer.node]["error"],
        "source_error": origin["error"], "error_left": nodes[layer.node]["error_left_first"],
        "error_writes": nodes[layer.node]["writes_first"], "sends_error": origin["needs_error"],
        "thresholds": layer.threshold_count, "largest_input": own.input.magnitude,
        "permuted": int(not kernel and origin["channels"] > 1 and origin["height"] * origin["width"] > 1),
    }  # fmt: skip
