"""Arrays of any shape and type as the samples of a data set: uint8 (N, C, H, W), or (N, T, C, H, W) for frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmsim.datasets.dataset import Images, Labels
from nmsim.datasets.file import first_bad
from nmsim.errors import DataError

SHAPES = {
    "image": "(N, F), (N, H, W) or (N, C, H, W)",
    "frames": "(N, T, F), (N, T, H, W) or (N, T, C, H, W)",
}
MOST_CHANNELS = 4
"""Where an axis of up to so many is at one end and a longer one at the other, it is the channels."""


def samples_of(
    name: str,
    given: ArrayLike,
    *,
    frames: bool = False,
    value_range: Sequence[float] | None = None,
    axes: str | None = None,
) -> Images:
    """An array as uint8 samples with all axes.

    Pixels that are not uint8 need their range: `v` becomes `255 (v - low) / (high - low)`, rounded to nearest, halves up.
    Booleans are 0 and 255 in pictures, 0 and 1 in frames. Frames hold spikes or counts unless a range is given.

    Raises:
        DataError: a shape without meaning, a value outside its range or not a number, a missing range.
    """
    array: NDArray[Any] = np.asarray(given)
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name}: holds {array.dtype} instead of numbers; store pixels or spikes as numbers")
    shaped = _with_axes(name, array, axes, frames=frames)
    if len(shaped) == 0:
        raise DataError(f"{name}: holds no samples; give at least one")
    if shaped.dtype == np.bool_:
        return shaped.astype(np.uint8) * np.uint8(1 if frames else 255)
    if value_range is not None:
        return _scaled(name, shaped, float(value_range[0]), float(value_range[1]))
    if shaped.dtype == np.uint8:
        return shaped
    if frames:
        return _counts(name, shaped)
    raise DataError(
        f"{name}: holds {shaped.dtype} from {shaped.min():g} to {shaped.max():g}, and pixels that are not uint8 need their"
        " range; state value_range: [darkest, brightest]"
    )


def labels_of(name: str, given: ArrayLike) -> Labels:
    """An array as labels (N,) from 0.

    Raises:
        DataError: they are not whole numbers from 0.
    """
    array = np.asarray(given)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    whole = array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and bool(np.isfinite(array).all()) and bool((array == np.rint(array)).all())
    )
    if array.ndim != 1 or not whole:
        raise DataError(
            f"{name}: {array.dtype} of shape {list(array.shape)}, but labels are whole numbers (N,)"
        )
    if array.size and array.min() < 0:
        raise DataError(f"{name}: label {array.min()} is negative; count classes from 0")
    return array.astype(np.int64)


def _with_axes(name: str, array: NDArray[Any], axes: str | None, *, frames: bool) -> NDArray[Any]:
    """The array with channels before rows and every axis there."""
    lead = 2 if frames else 1
    if array.ndim == lead + 1:
        return array.reshape(*array.shape[:lead], 1, 1, array.shape[lead])
    if array.ndim == lead + 2:
        return np.expand_dims(array, lead)
    if array.ndim != lead + 3:
        kind = "frames" if frames else "image"
        raise DataError(f"{name}: shape {list(array.shape)} is none of {SHAPES[kind]}; reshape it")
    order = axes or _order(name, array.shape, frames=frames)
    if len(order) != array.ndim:
        raise DataError(
            f"{name}: axes {order} are {len(order)}, but the shape is {list(array.shape)}; state the others"
        )
    return array if order.endswith("CHW") else np.moveaxis(array, -1, lead)


def _order(name: str, shape: tuple[int, ...], *, frames: bool) -> str:
    lead = "NT" if frames else "N"
    first, last = shape[-3] <= MOST_CHANNELS, shape[-1] <= MOST_CHANNELS
    if last and not first:
        return f"{lead}HWC"
    if first and last:
        raise DataError(
            f"{name}: of shape {list(shape)} the first or the last axis of a sample could be the channels; state axes:"
            f" {lead}CHW or {lead}HWC"
        )
    return f"{lead}CHW"


def _scaled(name: str, array: NDArray[Any], low: float, high: float) -> Images:
    flat = array.reshape(-1)
    bad = first_bad(~((flat >= low) & (flat <= high)))
    if bad is not None:
        place = ", ".join(str(axis) for axis in np.unravel_index(bad, array.shape))
        raise DataError(
            f"{name}: value {flat[bad]:g} at [{place}] is outside value_range [{low:g}, {high:g}]; state the whole range"
        )
    levels: Images = np.floor((array.astype(np.float64) - low) * 255 / (high - low) + 0.5).astype(np.uint8)
    return levels


def _counts(name: str, array: NDArray[Any]) -> Images:
    flat = array.reshape(-1)
    bad = first_bad(~((flat >= 0) & (flat <= 255) & (flat == np.rint(flat))))
    if bad is not None:
        raise DataError(
            f"{name}: value {flat[bad]:g} is no spike and no count of 0 to 255; state value_range for intensities"
        )
    return array.astype(np.uint8)
