"""A twin's description as the package's own records: network, precision, training, parameters, batches."""

from typing import Any

import numpy as np
from twin_arithmetic import parse_format

from nmsim.fixedpoint.format import QFormat
from nmsim.network.layers import (
    AvgPool,
    Conv,
    Dense,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool,
    Residual,
    SumPool,
    WindowPool,
)
from nmsim.network.neuron import Neuron
from nmsim.network.precision import LayerPrecision, Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.protocol import Batch, Parameters, UpdateRates
from nmsim.stop.spec import TrainingSpec
from nmsim.structure.spec import StructureSpec
from nmsim.structure.update_schedule import StructureSchedule

Node = dict[str, Any]

RECORD_NAMES = {
    "w": "weight",
    "U": "membrane",
    "alpha": "leak_factor",
    "w_trace": "weight_trace",
    "theta_trace": "threshold_trace",
    "leak_trace": "leak_trace",
    "delta": "delta",
    "I": "current",
    "e_acc": "error",
    "dW": "weight_gradient",
    "dTheta": "threshold_gradient",
    "dAlpha": "leak_gradient",
    "c": "constant_trace",
    "db": "bias_gradient",
    "g": "static_gradient",
    "static_trace": "static_trace",
    "trace_threshold": "trace_threshold",
}


def network_of(description: dict[str, Any]) -> NetworkSpec:
    """The graph as a nested list of layers."""
    nodes = description["nodes"]
    return NetworkSpec(
        input_shape=tuple(nodes[0]["shape"]),
        time_steps=description["time_steps"],
        neuron=Neuron(
            surrogate=description["surrogate"],
            leak_factor=1.0 if description.get("integrates") else 0.5,
            reset=description.get("reset", "subtract"),
        ),
        layers=layers_between(nodes, 0, len(nodes) - 1),
    )


def layers_between(nodes: list[Node], source: int, target: int) -> tuple[Layer, ...]:
    """The layers on the way from the output of node `source` to that of node `target`."""
    layers: list[Layer] = []
    while target != source:
        layers.insert(0, layer_of(nodes, target))
        target = before(nodes, target)
    return tuple(layers)


def layer_of(nodes: list[Node], index: int) -> Layer:
    """One node, or a whole residual block, as a layer."""
    node = nodes[index]
    kind = node["kind"]
    if kind == "dense":
        return Dense(
            kind=kind,
            units=node["units"],
            threshold_sharing=node["theta_sharing"],
            bias=node.get("bias", False),
        )
    if kind == "conv":
        shape = {name: node[name] for name in ("channels", "kernel", "stride", "padding")}
        return Conv(kind=kind, threshold_sharing=node["theta_sharing"], bias=node.get("bias", False), **shape)
    if kind == "add":
        body, shortcut = node["inputs"]
        fork = before(nodes, index)
        return Residual(
            kind="residual",
            body=layers_between(nodes, fork, body),
            shortcut=layers_between(nodes, fork, shortcut),
        )
    pools: dict[str, type[WindowPool]] = {"avg_pool": AvgPool, "sum_pool": SumPool, "max_pool": MaxPool}
    if kind in pools:
        return pools[kind](kind=kind, size=node["window"])
    return Flatten(kind=kind) if kind == "flatten" else GlobalAvgPool(kind=kind)


def before(nodes: list[Node], index: int) -> int:
    """The node before a layer: its input, or for an addition the node where its branches part."""
    node = nodes[index]
    if node["kind"] != "add":
        return int(node["inputs"][0])
    left, right = (trunk(nodes, i) for i in node["inputs"])
    return next(i for i in left if i in right)


def trunk(nodes: list[Node], index: int) -> list[int]:
    """A node and all before it down to the input, residual blocks taken as one layer."""
    passed = [index]
    while nodes[passed[-1]]["kind"] != "input":
        passed.append(before(nodes, passed[-1]))
    return passed


def precision_of(description: dict[str, Any]) -> Precision:
    """The precision section with every layer spelled out."""
    return Precision(layers={i: layer_precision(own) for i, own in enumerate(description["precision"])})


def layer_precision(own: dict[str, Any]) -> LayerPrecision:
    """The precision of one layer."""
    entries = {record: own[name] for name, record in RECORD_NAMES.items() if name in own}
    phi = own["phi"]
    return LayerPrecision(
        **entries,
        weight_used=own["w_use"]["format"] if "w_use" in own else None,
        threshold_rounding=own["theta"]["rounding"],
        velocity=own["v"] | {"format": own["v"]["format"].split(".")[0]},
        surrogate={"format": phi["format"], "entries": phi["entries"], "range": 2 ** phi["range_log2"]},
    )


def training_of(description: dict[str, Any]) -> TrainingSpec:
    """The training section; learning rates are given with each update instead."""
    training = description["training"]
    update = "in_place" if training["in_place"] else "factored"
    if update == "factored" and training["accumulation"] == "default":
        update = "accumulate"
    return TrainingSpec(
        rule=f"stop-{description['rule'].lower()}",
        loss=description["loss"],
        batch_size=training["batch_size"],
        batch_division=training["division"],
        update=update,
        momentum=training["momentum"] / 256,
        gradient_centralization=training.get("centralized", False),
        theta_min=limit(description, "theta_min", "theta"),
        alpha_max=limit(description, "alpha_max", "alpha"),
    )


def structure_of(description: dict[str, Any]) -> StructureSchedule | None:
    """The structure section; an epoch is one update."""
    own = description.get("structure")
    if own is None:
        return None
    kind, *sizes = own["pattern"]
    names = {"unstructured": (), "n_of_m": ("keep", "group"), "blocks": ("rows", "columns")}[kind]
    return StructureSchedule(
        StructureSpec(
            method=own["method"],
            sparsity=None if kind == "n_of_m" else float(own["to"]),
            initial_sparsity=float(own["from"]) if own["method"] == "grow" else None,
            pattern={"kind": kind, **dict(zip(names, sizes, strict=True))},
            scope=own["scope"],
            prune_by=own["prune_by"],
            grow_by=own["grow_by"],
            schedule="cubic" if own["power"] == 3 else "linear",
            begin_epoch=own["first"],
            end_epoch=own["last"],
            every_updates=own["every"],
            exchange=float(own["exchange"]),
            dense_layers=tuple(own["dense_layers"]),
        ),
        updates_per_epoch=1,
    )


def limit(description: dict[str, Any], setting: str, name: str) -> float | None:
    """A clip limit as a real number: its raw values stand for the same number in every layer."""
    raws = description["training"][setting]
    if raws is None:
        return None
    formats = [QFormat.parse(own[name]["format"]) for own in description["precision"]]
    (value,) = {raw * fmt.lsb for raw, fmt in zip(raws, formats, strict=True)}
    return float(value)


def parameters_of(description: dict[str, Any], network: NetworkSpec) -> Parameters:
    """Initial raw parameters in the shapes of the network's layers."""
    own = description["parameters"]
    shapes = [layer.weight_shape for layer in network.synaptic_layers]
    pairs = list(zip(own, shapes, strict=True))
    momentum = description["training"]["momentum"] > 0
    return Parameters(
        weights=[integers(layer["w"]).reshape(shape) for layer, shape in pairs],
        thresholds=[integers(layer["theta"]) for layer in own],
        leak=[
            1 << parse_format(formats["alpha"]["format"]).fraction
            if description.get("integrates")
            else layer["alpha"]
            for layer, formats in zip(own, description["precision"], strict=True)
        ],
        velocity=[
            integers([0] * len(layer["w"])).reshape(shape) if momentum else None for layer, shape in pairs
        ],
        mask=[
            np.array(layer["mask"], bool).reshape(shape) if "mask" in layer else None
            for layer, shape in pairs
        ],
        bias=[integers(layer["b"]) if "b" in layer else None for layer in own],
    )


def integers(values: list[int]) -> np.ndarray[Any, Any]:
    """Raw integers as an array; 64 bits hold every stored tensor but wide accumulators."""
    return np.array(values, dtype=np.int64)


def batches_of(description: dict[str, Any]) -> list[Batch]:
    """The samples as the batches of the run."""
    size = description["training"]["batch_size"]
    node = description["nodes"][0]
    inputs = integers(description["inputs"])
    inputs = inputs.reshape(*inputs.shape[:2], *node["shape"])
    labels = integers(description["labels"])
    return [
        Batch(inputs[k : k + size], QFormat.parse(node["format"]), labels[k : k + size], first_sample=k)
        for k in range(0, len(labels), size)
    ]


def rates_of(description: dict[str, Any], update: int) -> UpdateRates:
    """The learning rates of one update as real numbers (exact: a u8 times a power of two)."""
    training = description["training"]
    epoch = update // training["updates_per_epoch"] if training["updates_per_epoch"] else 0

    def rate(kind: str) -> float:
        mantissa, shift = training["learning_rates"][kind][
            min(epoch, len(training["learning_rates"][kind]) - 1)
        ]
        return float(mantissa * 2.0**-shift)

    return UpdateRates(rate("w"), rate("theta"), rate("alpha"))
