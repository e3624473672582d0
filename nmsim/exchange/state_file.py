"""Weights from PyTorch: the state dictionary of a model, read without executing code, batch normalisation folded.

A `.pt` or `.pth` file is a pickle; it is read with PyTorch's own restricted reader (`weights_only=True`), which builds
tensors and nothing else. A `.safetensors` file holds no code at all and needs the small package `safetensors` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmsim.errors import ConfigError, DataError
from nmsim.exchange.chain import FloatArray, LayerWeights

EPSILON = 1e-5
"""Added to the variance by batch normalisation; PyTorch's default, which state dictionaries do not hold."""


@dataclass(frozen=True)
class _BatchNorm:
    where: str
    gain: FloatArray
    shift: FloatArray
    mean: FloatArray
    variance: FloatArray


def read_state(path: Path, *, epsilon: float = EPSILON) -> list[LayerWeights]:
    """The synapses of a state dictionary in its own order, each with the batch normalisation behind it folded in.

    Inference with running statistics is `gain (W x + b - mean) / sqrt(variance + epsilon) + shift`, so the weights of
    an output are scaled by `gain / sqrt(variance + epsilon)` and its bias follows; nothing is approximated.

    Raises:
        ConfigError: the package that reads the file is missing.
        DataError: the file is broken or holds more than arrays; a batch normalisation follows no synapses of its size.
    """
    arrays = _arrays(path)
    found: list[LayerWeights] = []
    for name, part in _modules(arrays, str(path)):
        if isinstance(part, LayerWeights):
            found.append(part)
            continue
        outputs = found[-1].weight.shape[0] if found else 0
        if outputs != part.gain.size:
            raise DataError(
                f"{path}: batch normalisation '{name}' of {part.gain.size} channels follows"
                f" {f'synapses with {outputs} outputs' if found else 'no synapses'}; it has to stand behind the layer that"
                " it normalises"
            )
        found[-1] = _folded(found[-1], part, epsilon)
    if not found:
        raise DataError(
            f"{path}: no weights of dense or 2-D convolution layers in it; give a model's state_dict"
        )
    return found


def _folded(synapses: LayerWeights, norm: _BatchNorm, epsilon: float) -> LayerWeights:
    factor = norm.gain / np.sqrt(norm.variance + epsilon)
    return synapses.scaled(factor).with_bias(norm.shift - norm.mean * factor)


def _modules(arrays: Mapping[str, FloatArray], source: str) -> list[tuple[str, LayerWeights | _BatchNorm]]:
    """Synapses and batch normalisations by the prefix of their names, in the order of the file."""
    modules: dict[str, dict[str, FloatArray]] = {}
    for key, array in arrays.items():
        prefix, _, leaf = key.rpartition(".")
        modules.setdefault(prefix, {})[leaf] = array
    found: list[tuple[str, LayerWeights | _BatchNorm]] = []
    for name, own in modules.items():
        where = f"{source}: '{name}'"
        if "running_mean" in own:
            size = own["running_mean"].shape
            ones, zeros = np.ones(size), np.zeros(size)
            norm = _BatchNorm(
                where,
                own.get("weight", ones),
                own.get("bias", zeros),
                own["running_mean"],
                own["running_var"],
            )
            found.append((name, norm))
        elif "weight_hh_l0" in own or "weight_hh" in own:
            raise DataError(f"{where}: a recurrent layer; nmsim runs feed-forward networks only")
        elif "weight" in own and own["weight"].ndim in {2, 4}:
            found.append((name, LayerWeights(where, own["weight"], own.get("bias"))))
    return found


def _arrays(path: Path) -> dict[str, FloatArray]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; give a .safetensors, .pt or .pth file")
    if path.suffix == ".safetensors":
        return _safetensors(path)
    try:
        import torch
    except ImportError as error:
        raise ConfigError(
            f"{path}: reading PyTorch's own files needs PyTorch (extra `torch`); install it, or save the model with"
            " safetensors instead"
        ) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise DataError(
            f"{path}: not a state dictionary of tensors ({type(error).__name__}); save `model.state_dict()`, not the model"
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(f"{path}: holds more than named tensors; save `model.state_dict()` alone")
    return {str(key): value.double().numpy() for key, value in state.items()}


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
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(
            f"{path}: not a readable safetensors file ({str(error)[:200]}); save the state dictionary again"
        ) from error
    return {key: np.asarray(value, np.float64) for key, value in arrays.items()}
