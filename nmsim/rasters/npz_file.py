"""Rasters in an `.npz` file: one array per layer."""

from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.capacity import check_npz_claims
from nmsim.errors import DataError
from nmsim.network.spec import NetworkSpec, Shape
from nmsim.rasters.raster import INPUT, LAYER, UPDATES, Rasters, shapes_of
from nmsim.storage import DAMAGED

Array = NDArray[Any]
INPUT_BITS = "input_bits"
SPIKE_BITS = "spike_bits"
LABELS = "labels"
MAX_INPUT_BITS = 32
MAX_SPIKE_BITS = 16


def read_npz(path: Path, network: NetworkSpec) -> Rasters:
    """Arrays `input`, `layer0`, ..., and if they are there `updates0`, ..., `input_bits`, `spike_bits`, `labels`.

    Raises:
        DataError: an array is missing, unknown, of a wrong shape or type, or not binary.
    """
    shapes, arrays = shapes_of(network), _arrays(path)
    updates = {f"{UPDATES}{index}": shapes[f"{LAYER}{index}"] for index in range(len(shapes) - 1)}
    _check_names(path, arrays, (*shapes, *updates, INPUT_BITS, SPIKE_BITS, LABELS))
    for name in shapes:
        if name not in arrays:
            raise DataError(
                f"{path}: array '{name}' is missing, of the {len(shapes)} arrays {', '.join(shapes)} that this network"
                " needs; record it, with zeros if it is silent"
            )
    bits, several = (_bits(path, arrays, key) for key in (INPUT_BITS, SPIKE_BITS))
    found: dict[str, Any] = {}
    for name, shape in {**shapes, **updates}.items():
        if name in arrays:
            raster = _shaped(path, name, arrays[name], shape, network.time_steps)
            if name == INPUT and bits > 1:
                found[name] = _values(path, name, raster) != 0
            else:
                found[name] = _spikes(path, name, raster, 1 if name.startswith(UPDATES) else several)
    samples = len(found[INPUT])
    for name, raster in found.items():
        if len(raster) != samples:
            raise DataError(
                f"{path}: array '{name}' has {len(raster)} samples, but '{INPUT}' has {samples}; record the same samples"
            )
    return Rasters(
        found[INPUT], bits, tuple(found[name] for name in shapes if name != INPUT),
        tuple(found.get(name) for name in updates), _labels(path, arrays, samples),
    )  # fmt: skip


def _arrays(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as stream:
            check_npz_claims(stream)
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except DAMAGED as error:
        raise DataError(f"{path}: not readable as .npz ({error}); write it with numpy.savez") from error


def _check_names(path: Path, arrays: dict[str, Array], known: tuple[str, ...]) -> None:
    for name in arrays:
        if name not in known:
            near = get_close_matches(name, known, 1)
            remedy = f"did you mean '{near[0]}'?" if near else f"use {', '.join(known)}"
            raise DataError(f"{path}: array '{name}' is unknown for this network; {remedy}")


def _shaped(path: Path, name: str, array: Array, shape: Shape, steps: int) -> Array:
    """As `(S, T, N)`; without an axis of samples it is one sample, and maps may be flat or not."""
    flat = prod(shape)
    own = len(shape) if array.ndim > len(shape) and array.shape[-len(shape) :] == shape else 1
    if array.ndim not in (own + 1, own + 2) or prod(array.shape[array.ndim - own :]) != flat:
        size = " x ".join(map(str, shape))
        raise DataError(
            f"{path}: array '{name}' has shape {list(array.shape)}, but needs (samples, {steps}, {flat}) or"
            f" ({steps}, {flat}) for its {size} values; the last axis may be {list(shape)} instead"
        )
    raster = array.reshape(*array.shape[: array.ndim - own], flat)
    raster = raster if raster.ndim == 3 else raster[None]
    if raster.shape[1] != steps and not (name == INPUT and raster.shape[1] == 1):
        raise DataError(
            f"{path}: array '{name}' has {raster.shape[1]} time steps, but the network {steps}; set network.time_steps to"
            " those of the recording"
        )
    if not len(raster):
        raise DataError(f"{path}: array '{name}' holds no sample; record at least one")
    return raster


def _values(path: Path, name: str, raster: Array) -> Array:
    if raster.dtype.kind not in "iufb":
        raise DataError(f"{path}: array '{name}' holds {raster.dtype}, not spikes; give booleans, or 0 and 1")
    return raster


def _spikes(path: Path, name: str, raster: Array, bits: int) -> Array:
    """Booleans where there is at most one spike per step, counts where `spike_bits` allows more."""
    values = _values(path, name, raster)
    if values.dtype == np.bool_:
        return values
    most = (1 << bits) - 1
    wrong = ~((values >= 0) & (values <= most) & (values == np.rint(values)))
    if wrong.any():
        s, t, n = (int(index[0]) for index in np.nonzero(wrong))
        wide = f", or give '{INPUT_BITS}' for values of several bits" if name == INPUT else ""
        rule = (
            f"a raster is binary; write 1 where there is a spike, or give '{SPIKE_BITS}' for several spikes per step{wide}"
            if bits == 1
            else f"counts are whole numbers of at most {most}, {bits} bits; give a larger '{SPIKE_BITS}'"
        )
        raise DataError(
            f"{path}: array '{name}' holds {values[s, t, n]} at sample {s}, time step {t}, neuron {n}, but {rule}"
        )
    return values != 0 if bits == 1 else values.astype(np.uint16)


def _bits(path: Path, arrays: dict[str, Array], key: str) -> int:
    given = arrays.get(key)
    if given is None:
        return 1
    most = MAX_INPUT_BITS if key == INPUT_BITS else MAX_SPIKE_BITS
    if given.size != 1 or given.dtype.kind not in "iu" or not 1 <= int(given.reshape(-1)[0]) <= most:
        what = "an input value" if key == INPUT_BITS else "a count of spikes"
        raise DataError(
            f"{path}: '{key}' is {given.tolist()}, but must be one whole number from 1 to {most}; give the width of {what}"
        )
    return int(given.reshape(-1)[0])


def _labels(path: Path, arrays: dict[str, Array], samples: int) -> NDArray[np.int64]:
    given = arrays.get(LABELS)
    if given is None:
        return np.full(samples, -1, np.int64)
    if given.shape != (samples,) or given.dtype.kind not in "iu":
        raise DataError(
            f"{path}: '{LABELS}' is {given.dtype} of shape {list(given.shape)}, but the {samples} samples need one whole"
            " number each; correct it or leave it out"
        )
    return given.astype(np.int64)
