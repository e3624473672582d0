"""Networks in the Neuromorphic Intermediate Representation (NIR), read by the package `nir`.

A neuron of NIR lives in continuous time, `tau dv/dt = (v_leak - v) + r I`, and spikes and is set to `v_reset` when `v`
exceeds its threshold (Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 15, 2024). One time
step `dt` by forward Euler gives nmsim's neuron: leak factor `1 - dt/tau`, current `r dt/tau` times the input. An integrator
(IF) gets `r` times the input at every time step, as the tools do that write such files: its `dt` is one step.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nmsim.errors import ConfigError, DataError
from nmsim.exchange.chain import Chain, LayerWeights, Neurons, Part, Pool, Reset, one_value, same_in_both

POOLS = {"SumPool2d": "sum_pool", "AvgPool2d": "avg_pool"}


def read_nir(path: Path, *, dt_s: float | None = None, reset: Reset = "zero") -> Chain:
    """A NIR file as a chain.

    Args:
        path: the `.nir` file.
        dt_s: duration of a time step in seconds; needed where a neuron has a time constant.
        reset: what a spike does to the membrane. NIR says `zero` (v becomes v_reset); several tools export networks that
            were trained with `subtract`, which a NIR file cannot say.

    Raises:
        ConfigError: the package `nir` is missing, or `dt_s` is needed.
        DataError: the file is not readable, or holds what a feed-forward network of leaky integrators cannot be.
    """
    try:
        import nir
    except ImportError as error:
        raise ConfigError(
            f"{path}: reading NIR files needs the package 'nir'; install it with `pip install nir` (extra `exchange`)"
        ) from error
    if not path.is_file():
        raise DataError(f"{path}: no such file; give a .nir file")
    try:
        graph = nir.read(path)
    except Exception as error:
        raise DataError(
            f"{path}: not a readable NIR file ({type(error).__name__}: {str(error)[:200]}); export the network again, with"
            " nodes that fit each other"
        ) from error
    parts: list[Part] = []
    for name, node in _in_order(graph, path):
        found = _part(node, f"{path}: node '{name}'", dt_s, reset)
        if found is None:
            continue
        if isinstance(found, tuple):
            _scale_last(parts, *found, where=f"{path}: node '{name}'")
            found = found[2]
        parts.append(found)
    notes = (
        f"a spike resets the membrane {'to zero, as NIR defines it' if reset == 'zero' else 'by subtraction, as asked'};"
        " the other reading is --reset " + ("subtract" if reset == "zero" else "zero"),
    )
    return Chain(str(path), tuple(parts), _input_shape(graph, parts), notes)


def _in_order(graph: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """The nodes from input to output; `DataError` where they are not one chain."""
    after: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    for start, end in graph.edges:
        after.setdefault(start, []).append(end)
        before.setdefault(end, []).append(start)
    for name in graph.nodes:
        if name in after.get(name, []) or _reaches(after, name, name):
            raise DataError(
                f"{path}: node '{name}' feeds back into itself, and nmsim runs feed-forward networks only; unroll or"
                " remove the recurrence"
            )
        for side, word in ((after, "several nodes"), (before, "several inputs")):
            if len(side.get(name, [])) > 1:
                raise DataError(
                    f"{path}: node '{name}' has {word} ({', '.join(sorted(side[name]))}), and only a single chain from"
                    " input to output can be imported; give a network without branches"
                )
    name = next((key for key, node in graph.nodes.items() if type(node).__name__ == "Input"), None)
    if name is None:
        raise DataError(f"{path}: the graph has no Input node; export it with one")
    while name is not None:
        node = graph.nodes.get(name)
        if node is None:
            raise DataError(
                f"{path}: an edge leads to '{name}', which is no node of the graph; export it again"
            )
        if type(node).__name__ not in {"Input", "Output"}:
            yield name, node
        name = next(iter(after.get(name, [])), None)


def _reaches(after: dict[str, list[str]], start: str, goal: str) -> bool:
    stack, seen = list(after.get(start, [])), set()
    while stack:
        name = stack.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            stack += after.get(name, [])
    return False


def _part(node: Any, where: str, dt_s: float | None, reset: Reset) -> Any:
    """The part of a node; None for one that only reshapes; `(gain, added, Neurons)` for neurons that scale their input."""
    kind = type(node).__name__
    if kind == "Flatten":
        return None
    if kind in {"Affine", "Linear"}:
        bias = _bias(node)
        return LayerWeights(where, np.asarray(node.weight, np.float64), bias)
    if kind == "Conv2d":
        return _convolution(node, where)
    if kind in POOLS:
        size = same_in_both(node.kernel_size, where, "window")
        if same_in_both(node.stride, where, "stride") != size or same_in_both(node.padding, where, "padding"):
            raise DataError(
                f"{where}: pools whose windows overlap or are padded cannot be imported; use stride = window"
            )
        return Pool(where, POOLS[kind], size)  # type: ignore[arg-type]
    if kind in {"IF", "LIF"}:
        return _neurons(node, kind, where, dt_s, reset)
    why = {
        "CubaLIF": "its synaptic current has a time constant of its own, and nmsim's neurons integrate currents at once;"
        " train with LIF or IF neurons",
        "Conv1d": "it convolves in one dimension; use Conv2d",
        "Delay": "nmsim has no synaptic delays; remove it",
    }.get(
        kind, "nmsim has no such part; use Affine, Linear, Conv2d, SumPool2d, AvgPool2d, Flatten, IF or LIF"
    )
    raise DataError(f"{where}: {kind} cannot be imported: {why}")


def _bias(node: Any) -> Any:
    bias = getattr(node, "bias", None)
    return None if bias is None or not np.any(bias) else np.asarray(bias, np.float64)


def _convolution(node: Any, where: str) -> LayerWeights:
    if int(node.groups) != 1:
        raise DataError(
            f"{where}: a convolution in {int(node.groups)} groups cannot be imported; use groups = 1"
        )
    if same_in_both(node.dilation, where, "dilation") != 1:
        raise DataError(f"{where}: a dilated convolution cannot be imported; use dilation = 1")
    weight = np.asarray(node.weight, np.float64)
    kernel = same_in_both(weight.shape[2:], where, "kernel")
    stride = same_in_both(node.stride, where, "stride")
    if isinstance(node.padding, str):
        if node.padding == "same" and kernel % 2 == 0:
            raise DataError(
                f"{where}: padding 'same' of an even kernel is not symmetric; give the padding as a number"
            )
        padding = kernel // 2 if node.padding == "same" else 0
    else:
        padding = same_in_both(node.padding, where, "padding")
    return LayerWeights(where, weight, _bias(node), stride, padding)


def _neurons(node: Any, kind: str, where: str, dt_s: float | None, reset: Reset) -> Any:
    v_reset = getattr(node, "v_reset", None)
    if reset == "zero" and v_reset is not None and np.any(v_reset):
        raise DataError(
            f"{where}: v_reset is not 0, and a membrane is reset to 0 or by subtraction; use v_reset = 0"
        )
    threshold = np.asarray(node.v_threshold, np.float64)
    r = np.asarray(node.r, np.float64)
    if kind == "IF":
        return _gain(r, where), np.zeros(1), Neurons(where, 1.0, threshold, reset)
    tau = one_value(node.tau, where, "tau")
    if dt_s is None:
        raise ConfigError(
            f"{where}: its time constant is {tau:g} s, so a time step needs a duration; give --dt SECONDS"
        )
    if not 0 < dt_s <= tau:
        raise ConfigError(
            f"{where}: --dt {dt_s:g} is not between 0 and the time constant {tau:g} s; give a shorter step"
        )
    part = dt_s / tau
    v_leak = one_value(node.v_leak, where, "v_leak")
    return _gain(r, where) * part, np.full(1, v_leak * part), Neurons(where, 1.0 - part, threshold, reset)


def _gain(r: Any, where: str) -> Any:
    """Input resistance by output; of a map, by channel."""
    if r.ndim > 1:
        by_channel = r.reshape(r.shape[0], -1)
        if not np.allclose(by_channel, by_channel[:, :1]):
            raise DataError(
                f"{where}: r differs between the positions of a channel; give one value per channel"
            )
        r = by_channel[:, 0]
    return r if r.size > 1 else r.reshape(1)


def _scale_last(parts: list[Part], gain: Any, added: Any, _: Neurons, *, where: str) -> None:
    """Take what a neuron does to its input into the synapses in front of it."""
    if not parts or not isinstance(parts[-1], LayerWeights):
        raise DataError(
            f"{where}: neurons without synapses in front of them; put an Affine, Linear or Conv2d node there"
        )
    if gain.size not in {1, parts[-1].outputs}:
        raise DataError(
            f"{where}: {gain.size} values of r behind synapses with {parts[-1].outputs} outputs; give one, or one for each"
        )
    synapses = parts[-1].scaled(gain)
    if np.any(added):
        synapses = synapses.with_bias(np.broadcast_to(added, (synapses.weight.shape[0],)).copy())
    parts[-1] = synapses


def _input_shape(graph: Any, parts: list[Part]) -> tuple[int, ...] | None:
    first = next((part for part in parts if isinstance(part, LayerWeights)), None)
    if first is None:
        return None
    if first.weight.ndim == 2:
        return (first.weight.shape[1],)
    node = next(node for node in graph.nodes.values() if type(node).__name__ == "Conv2d")
    size = None if node.input_shape is None else tuple(int(extent) for extent in node.input_shape)
    return None if size is None else (first.weight.shape[1], *size)
