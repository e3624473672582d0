"""Synthetic activity: masks with given densities, consistent through pools and sums, for designs without a training."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import Activity, LayerActivity
from nmsim.network.layers import WindowPool
from nmsim.network.spec import NetworkSpec, Node
from nmsim.rules import DEFAULT, rule_named

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Densities:
    """Fractions of ones: of the network's input values, of output spikes per step, of non-zero deltas."""

    inputs: float = 0.2
    spikes: float = 0.15
    deltas: float = 0.6


def synthetic_activity(
    network: NetworkSpec,
    samples: int,
    densities: Densities | None = None,
    *,
    seed: int = 0,
    input_bits: int = 8,
    static_input: bool = True,
    rule: str = DEFAULT.name,
    trace_steps: int | None = None,
) -> Activity:
    """Independent random spikes and deltas; inputs and traces follow from them as in a real run.

    A trace is non-zero from the first non-zero input on, which is what a leak of 1/2 and 8 fraction bits give for
    the usual few time steps; with `trace_steps` it is 0 again when so many have passed since the last one.
    """
    densities = Densities() if densities is None else densities
    random, steps = np.random.default_rng(seed), network.time_steps
    values: list[BoolArray] = []
    bits: list[int] = []
    layers: list[LayerActivity] = []
    for node in network.nodes:
        if node.kind == "input":
            shape = (samples, 1 if static_input else steps, *node.out_shape)
            value = np.broadcast_to(
                random.random(shape) < densities.inputs, (samples, steps, *node.out_shape)
            )
            width = input_bits
        elif node.layer is not None:
            value = random.random((samples, steps, *node.out_shape)) < densities.spikes
            width = 1
            below = values[node.inputs[0]].reshape(samples, steps, -1)
            deltas = random.random((samples, steps, value[0, 0].size)) < densities.deltas
            masks = {
                "inputs": below,
                "spikes": value.reshape(samples, steps, -1),
                "traces": _traces(below, trace_steps),
                "deltas": deltas if rule_named(rule).trains else np.zeros_like(deltas),
            }
            layers.append(
                LayerActivity.from_masks(node.in_shape, node.out_shape, bits[node.inputs[0]], masks)
            )
        else:
            value, width = _between(node, [values[i] for i in node.inputs], [bits[i] for i in node.inputs])
        values.append(value)
        bits.append(width)
    spikes = values[-1].reshape(samples, steps, -1).sum(axis=1)
    return Activity(
        network.content_hash(), rule, "synthetic", steps, static_input, tuple(layers),
        np.arange(samples), np.zeros(samples, np.int64), spikes.astype(np.int64), {"seed": seed},
    )  # fmt: skip


def _traces(inputs: BoolArray, steps: int | None) -> BoolArray:
    """Where a trace is not zero, `(S, T, M)` like its inputs."""
    if steps is None:
        return np.asarray(np.maximum.accumulate(inputs, axis=1))
    kept = inputs.copy()
    for back in range(1, min(steps, inputs.shape[1])):
        kept[:, back:] |= inputs[:, :-back]
    return kept


def _between(node: Node, values: list[BoolArray], bits: list[int]) -> tuple[BoolArray, int]:
    """Non-zero values after a pool or a sum, and their width."""
    if node.kind == "add":
        return np.logical_or(values[0], values[1]), max(bits) + 1
    value = values[0]
    if node.kind == "global_avg_pool":
        area = value.shape[-1] * value.shape[-2]
        return np.asarray(value.any(axis=(-2, -1), keepdims=True)), bits[0] + area.bit_length() - 1
    assert isinstance(node.spec, WindowPool)
    size = node.spec.size
    _, rows, columns = node.out_shape
    kept = value[..., : rows * size, : columns * size]
    pooled: BoolArray = np.asarray(kept.reshape(*value.shape[:3], rows, size, columns, size).any(axis=(4, 6)))
    return pooled, bits[0] if node.kind == "max_pool" else bits[0] + 2 * (size.bit_length() - 1) + (
        bits[0] == 1
    )
