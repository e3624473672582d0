"""Weights from PyTorch: the state dictionary of a model, read without executing code, batch normalisation folded.

A `.pt` or `.pth` file is a pickle; it is read with PyTorch's own restricted reader (`weights_only=True`), which builds
tensors and nothing else. A `.safetensors` file holds no code at all and needs the small package `safetensors` only.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmsim.errors import ConfigError, DataError
from nmsim.exchange.chain import FloatArray, LayerWeights

EPSILON = 1e-5
"""Added to the variance by batch normalisation; PyTorch's default, which state dictionaries do not hold."""
READ = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
"""Last words of the names that a layer or a batch normalisation has; others are named in a note."""


@dataclass(frozen=True)
class State:
    """Synapses in the order in which spikes pass them; `notes` are sentences that a user has to know."""

    synapses: list[LayerWeights]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _BatchNorm:
    name: str
    gain: FloatArray
    shift: FloatArray
    mean: FloatArray
    variance: FloatArray


def read_state(path: Path, order: tuple[str, ...] = (), *, epsilon: float = EPSILON) -> State:
    """The synapses of a state dictionary, each with the batch normalisation behind it folded in.

    Args:
        path: the file.
        order: names of its modules in the order in which spikes pass them. Without it a pickle's own order counts, which
            is that of their definition, and of a `.safetensors`, which keeps none, the order of their names.
        epsilon: what batch normalisation adds to the variance.

    Inference with running statistics is `gain (W x + b - mean) / sqrt(variance + epsilon) + shift`, so the weights of
    an output are scaled by `gain / sqrt(variance + epsilon)` and its bias follows; nothing is approximated.

    Raises:
        ConfigError: the package that reads the file is missing.
        DataError: the file is broken or holds more than arrays, a module is none that nmsim runs or has arrays of wrong
            shapes, or a batch normalisation follows no synapses of its own.
    """
    arrays = _arrays(path)
    modules, left = _modules(arrays)
    names = _in_order(path, modules, order)
    found: list[LayerWeights] = []
    normalised_by: dict[int, str] = {}
    for name in names:
        part = _part(f"{path}: '{name}'", name, modules[name])
        if isinstance(part, LayerWeights):
            found.append(part)
            continue
        last = len(found) - 1
        if last < 0 or found[last].weight.shape[0] != part.gain.size or last in normalised_by:
            what = "no synapses"
            if last in normalised_by:
                what = f"another one, '{normalised_by[last]}'"
            elif found:
                what = f"synapses with {found[last].weight.shape[0]} outputs"
            raise DataError(
                f"{path}: batch normalisation '{name}' of {part.gain.size} channels follows {what}; give the modules in the"
                " order in which spikes pass them with --modules"
            )
        normalised_by[last] = name
        found[last] = _folded(found[last], part, epsilon)
    if not found:
        raise DataError(
            f"{path}: no weights of dense or 2-D convolution layers in it; give a model's state_dict"
        )
    return State(found, _notes(path, names, left, stated=bool(order)))


def _notes(path: Path, names: list[str], left: list[str], *, stated: bool) -> tuple[str, ...]:
    notes = []
    if path.suffix == ".safetensors" and not stated:
        notes.append(
            f"a .safetensors file keeps no order of its modules, so they are read by name: {', '.join(names)}; another"
            " order is --modules"
        )
    if left:
        notes.append(
            f"not read: {', '.join(left)}; thresholds and leak factors are those of the network section"
        )
    return tuple(notes)


def _folded(synapses: LayerWeights, norm: _BatchNorm, epsilon: float) -> LayerWeights:
    factor = norm.gain / np.sqrt(norm.variance + epsilon)
    return synapses.scaled(factor).with_bias(norm.shift - norm.mean * factor)


def _modules(arrays: Mapping[str, FloatArray]) -> tuple[dict[str, dict[str, FloatArray]], list[str]]:
    """Arrays of synapses and batch normalisations by the prefix of their names, and the names of all others."""
    modules: dict[str, dict[str, FloatArray]] = {}
    left: list[str] = []
    for key, array in arrays.items():
        prefix, _, leaf = key.rpartition(".")
        if leaf in READ or leaf.startswith("weight_hh"):
            modules.setdefault(prefix, {})[leaf] = array
        else:
            left.append(key)
    return modules, left


def _in_order(path: Path, modules: Mapping[str, Any], order: tuple[str, ...]) -> list[str]:
    names = list(modules)
    if order:
        for wrong, said in (
            (set(order) - set(names), "is not in it"), (set(names) - set(order), "is not among --modules"),
        ):  # fmt: skip
            if wrong:
                raise DataError(
                    f"{path}: module '{min(wrong)}' {said}; name each of {', '.join(names)} once, in the order in which"
                    " spikes pass them"
                )
        return list(dict.fromkeys(order))
    return sorted(names, key=_by_numbers) if path.suffix == ".safetensors" else names


def _by_numbers(name: str) -> list[tuple[int, int, str]]:
    """A key that puts `layer2` before `layer10`."""
    return [
        (0, int(piece), "") if piece.isdecimal() else (1, 0, piece)
        for piece in re.split(r"(\d+)", name)
        if piece
    ]


def _part(where: str, name: str, own: Mapping[str, FloatArray]) -> LayerWeights | _BatchNorm:
    if any(leaf.startswith("weight_hh") for leaf in own):
        raise DataError(f"{where}: a recurrent layer; nmsim runs feed-forward networks only")
    if "running_mean" in own or "running_var" in own:
        return _batch_norm(where, name, own)
    weight = own.get("weight")
    if weight is None:
        raise DataError(f"{where}: {', '.join(own)} without a weight; give the whole state_dict of the model")
    return LayerWeights(where, weight, own.get("bias"))


def _batch_norm(where: str, name: str, own: Mapping[str, FloatArray]) -> _BatchNorm:
    missing = [leaf for leaf in ("running_mean", "running_var") if leaf not in own]
    if missing:
        raise DataError(f"{where}: batch normalisation without {missing[0]}; give the whole state_dict")
    size = own["running_mean"].shape
    shapes = {leaf: own[leaf].shape for leaf in ("weight", "bias", "running_var") if leaf in own}
    wrong = [leaf for leaf, shape in shapes.items() if shape != size]
    if wrong or len(size) != 1:
        leaf = wrong[0] if wrong else "running_mean"
        raise DataError(
            f"{where}: {leaf} of shape {list(own[leaf].shape)} beside a running_mean of shape {list(size)}; batch"
            " normalisation has one value per channel in each"
        )
    if not (own["running_var"] >= 0).all():
        raise DataError(
            f"{where}: running_var holds {own['running_var'].min():g}, and no variance is below 0; export the network from a"
            " training that did not diverge"
        )
    return _BatchNorm(
        name,
        own.get("weight", np.ones(size)),
        own.get("bias", np.zeros(size)),
        own["running_mean"],
        own["running_var"],
    )


def _arrays(path: Path) -> dict[str, FloatArray]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; give a .safetensors, .pt or .pth file")
    return _safetensors(path) if path.suffix == ".safetensors" else _tensors(path)


def _tensors(path: Path) -> dict[str, FloatArray]:
    try:
        import torch
    except ImportError as error:
        raise ConfigError(
            f"{path}: reading PyTorch's own files needs PyTorch; install it with `pip install torch`, or save the model's"
            " state_dict with safetensors instead"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols: whatever cannot be read is said below
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise DataError(
            f"{path}: not a state dictionary of tensors ({type(error).__name__}); save `model.state_dict()`, not the model"
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(f"{path}: holds more than named tensors; save `model.state_dict()` alone")
    return {str(key): _dense(f"{path}: '{key}'", value) for key, value in state.items()}


def _dense(where: str, tensor: Any) -> FloatArray:
    """A tensor of PyTorch as an array of real numbers."""
    try:
        numbers = np.asarray(None if tensor.is_complex() else tensor.double().numpy())
    except (TypeError, RuntimeError, NotImplementedError):  # sparse, quantized, without values
        numbers = np.asarray(None)
    if numbers.dtype != np.float64:
        raise DataError(
            f"{where}: no dense tensor of real numbers ({tensor.dtype}); save the state dictionary in float32"
        )
    return numbers


def _safetensors(path: Path) -> dict[str, FloatArray]:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError as error:
        raise ConfigError(
            f"{path}: reading it needs the package 'safetensors' (extra `exchange`); install it with `pip install"
            " safetensors`"
        ) from error
    try:
        arrays = load_file(path)
    except TypeError as error:  # bfloat16 and floats of 8 bits, which NumPy does not have
        raise DataError(
            f"{path}: holds numbers that NumPy has no type for ({error}); save the state dictionary in float32"
        ) from error
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(
            f"{path}: not a readable safetensors file ({str(error)[:200]}); save the state dictionary again"
        ) from error
    return {key: np.asarray(value, np.float64) for key, value in arrays.items()}
