"""Trained parameters as plain arrays in an `.npz`: the way out to any tool, and the way in where arrays are at hand.

Per synaptic layer i, counted from 0: `weights<i>` `(n_out, n_in)` or `(C_out, C_in, k, k)`, `thresholds<i>`
`(threshold_count,)`, `leak<i>` one number, `bias<i>` `(n_out,)` or `(C_out,)` where the layer has biases; all real
numbers; `synapses<i>` like the weights, 0 where a synapse is absent and 1 where it is there, of a layer that was pruned.
All but the weights may be left out on the way in.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import DataError
from nmsim.exchange.assemble import TrainedNetwork, with_weights
from nmsim.exchange.chain import FloatArray, LayerWeights, finite
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.stop.protocol import Parameters
from nmsim.storage import atomic_write


def read_arrays(path: Path, network: NetworkSpec) -> TrainedNetwork:
    """Parameters of a described network.

    Raises:
        DataError: the file is broken, or its arrays do not fit the network.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: _real(f"{path}: {name}", file[name]) for name in file.files}
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; give an .npz of arrays") from error
    except Exception as error:
        raise DataError(
            f"{path}: not a readable .npz of numbers ({type(error).__name__}: {str(error)[:200]}); write it with"
            " numpy.savez"
        ) from error
    return from_arrays(arrays, network, str(path))


def _real(where: str, array: NDArray[Any]) -> FloatArray:
    if array.dtype.kind not in "iufb":
        raise DataError(f"{where}: holds {array.dtype}, not real numbers; give floats")
    return np.asarray(array, np.float64)


def from_arrays(arrays: Mapping[str, FloatArray], network: NetworkSpec, source: str) -> TrainedNetwork:
    """Parameters of a described network from arrays by name; `source` names them in messages.

    Raises:
        DataError: the arrays do not fit the network.
    """
    layers = range(len(network.synaptic_layers))
    missing = [f"weights{i}" for i in layers if f"weights{i}" not in arrays]
    if missing:
        raise DataError(
            f"{source}: array '{missing[0]}' is not in it; name the weights of layer i 'weights<i>', from 0"
        )
    known = {f"{name}{i}" for name in ("weights", "thresholds", "leak", "bias", "synapses") for i in layers}
    unknown = [name for name in arrays if name not in known]
    if unknown:
        raise DataError(
            f"{source}: array '{unknown[0]}' is none of weights<i>, thresholds<i>, leak<i>, bias<i> and synapses<i> of the"
            f" {len(layers)} layers of the network, from 0; rename it or leave it out"
        )
    found = [
        LayerWeights(f"{source}: weights{i}", arrays[f"weights{i}"], arrays.get(f"bias{i}")) for i in layers
    ]
    trained = with_weights(network, found, source)
    own = trained.parameters
    for layer in network.synaptic_layers:
        thresholds = arrays.get(f"thresholds{layer.index}")
        if thresholds is not None:
            if thresholds.shape != (layer.threshold_count,):
                raise DataError(
                    f"{source}: thresholds{layer.index} of shape {list(thresholds.shape)}, but layer {layer.index} has"
                    f" {layer.threshold_count} thresholds; give one each"
                )
            own.thresholds[layer.index] = finite(thresholds, f"{source}: thresholds{layer.index}")
        leak = arrays.get(f"leak{layer.index}")
        if leak is not None:
            if leak.size != 1:
                raise DataError(
                    f"{source}: leak{layer.index} of shape {list(leak.shape)}, but a layer has one leak factor; give one"
                    " number"
                )
            own.leak[layer.index] = float(finite(leak, f"{source}: leak{layer.index}").reshape(()))
    masks = [_mask(arrays.get(f"synapses{layer.index}"), layer, source) for layer in network.synaptic_layers]
    if any(mask is not None for mask in masks):
        own.mask[:] = masks
        own.weights[:] = [
            weights if mask is None else np.where(mask, weights, 0.0)
            for weights, mask in zip(own.weights, masks, strict=True)
        ]
    return trained


def _mask(array: FloatArray | None, layer: SynapticLayer, source: str) -> NDArray[np.bool_] | None:
    if array is None:
        return None
    place = f"{source}: synapses{layer.index}"
    if array.shape != layer.weight_shape:
        raise DataError(
            f"{place} of shape {list(array.shape)}, but layer {layer.index} has weights of shape"
            f" {list(layer.weight_shape)}; give one value each"
        )
    if not ((array == 0) | (array == 1)).all():
        raise DataError(f"{place}: holds more than 0 (absent) and 1 (there); give these two")
    return np.asarray(array != 0, np.bool_)


def write_arrays(path: Path, parameters: Parameters) -> None:
    """Write real parameters as arrays."""
    with atomic_write(path) as stream:
        np.savez_compressed(stream, **as_arrays(parameters))  # type: ignore[arg-type]


def as_arrays(parameters: Parameters) -> dict[str, NDArray[Any]]:
    """Real parameters as arrays by name."""
    arrays: dict[str, NDArray[Any]] = {}
    for i, (weights, thresholds, leak) in enumerate(
        zip(parameters.weights, parameters.thresholds, parameters.leak, strict=True)
    ):
        arrays |= {
            f"weights{i}": weights,
            f"thresholds{i}": thresholds,
            f"leak{i}": np.asarray(leak, np.float64),
        }
        if (bias := parameters.bias_of(i)) is not None:
            arrays[f"bias{i}"] = bias
        if (mask := parameters.absent_of(i)) is not None:
            arrays[f"synapses{i}"] = (~mask).astype(np.uint8)
    return arrays
