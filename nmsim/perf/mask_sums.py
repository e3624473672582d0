"""Mask sums: compiled passes over masks of places, along which slices and neighbouring channels are counted."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import OPTIONS

IntArray = NDArray[np.int64]
Ones = NDArray[np.bool_] | NDArray[np.uint16]
Prefix = NDArray[np.int32] | NDArray[np.int64]
MOST_32 = 2**31 - 1


def prefix_sums(ones: Ones, weight: IntArray | None = None) -> Prefix:
    """Sums of a mask `(S, T, C, H, W)` over columns, cumulated over channels and rows `(S, T, C + 1, H + 1)`.

    `weight (H, W)` or `(S, T, H, W)` of every place, 1 if absent. Where either is the same for every sample and step, S = T
    = 1 stands for that.
    """
    channels, height, width = ones.shape[2:]
    of_place = np.ones((height, width), np.int64) if weight is None else weight
    of_place = np.broadcast_to(of_place, (1,) * (4 - of_place.ndim) + of_place.shape)
    shape = np.broadcast_shapes(ones.shape[:2], of_place.shape[:2])
    few = ones.dtype == np.bool_ and weight is None and channels * height * width <= MOST_32
    found = np.zeros((*shape, channels + 1, height + 1), np.int32 if few else np.int64)
    _cumulate(_by_cell(ones, shape), _by_cell(of_place, shape), found.reshape(-1, channels + 1, height + 1))
    return found


def _by_cell(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Samples and steps as one axis, row after row; one entry where all are the same."""
    if array.shape[:2] not in {shape, (1, 1)}:
        array = np.broadcast_to(array, (*shape, *array.shape[2:]))
    return np.ascontiguousarray(array).reshape(-1, *array.shape[2:])


def in_boxes(prefix: Prefix, c0: IntArray, c1: IntArray, y0: IntArray, y1: IntArray) -> IntArray:
    """Sums of n boxes of channels and rows `(n, S, T)` from cumulated sums."""
    samples, steps = prefix.shape[:2]
    found = np.empty((len(c0), samples, steps), np.int64)
    _subtract(prefix.reshape(-1, *prefix.shape[2:]), c0, c1, y0, y1, found.reshape(len(c0), -1))
    return found


def any_of(ones: Ones, first: IntArray, past: IntArray) -> NDArray[np.bool_]:
    """Where any channel of G groups is one `(S, T, G, H, W)`: group g are the channels from `first[g]` up to `past[g]`."""
    samples, steps, channels, height, width = ones.shape
    found = np.zeros((samples, steps, len(first), height, width), np.bool_)
    cells, places = samples * steps, height * width
    _unite(
        np.ascontiguousarray(ones).reshape(cells, channels, places), first, past,
        found.reshape(cells, len(first), places),
    )  # fmt: skip
    return found


@numba.njit(cache=True, **OPTIONS)
def _cumulate(ones: Ones, weight: IntArray, found: Prefix) -> None:
    channels, height, width = ones.shape[1:]
    for cell in range(len(found)):
        own, of_place = cell if len(ones) > 1 else 0, weight[cell if len(weight) > 1 else 0]
        for channel in range(channels):
            total = 0
            for row in range(height):
                for column in range(width):
                    total += int(ones[own, channel, row, column]) * of_place[row, column]
                found[cell, channel + 1, row + 1] = found[cell, channel, row + 1] + total


@numba.njit(cache=True, **OPTIONS)
def _subtract(
    prefix: Prefix, c0: IntArray, c1: IntArray, y0: IntArray, y1: IntArray, found: IntArray
) -> None:
    for box in range(len(found)):
        for cell in range(found.shape[1]):
            upper = np.int64(prefix[cell, c1[box], y1[box]]) - np.int64(prefix[cell, c0[box], y1[box]])
            lower = np.int64(prefix[cell, c1[box], y0[box]]) - np.int64(prefix[cell, c0[box], y0[box]])
            found[box, cell] = upper - lower


@numba.njit(cache=True, **OPTIONS)
def _unite(ones: Ones, first: IntArray, past: IntArray, found: NDArray[np.bool_]) -> None:
    for cell in range(len(found)):
        for group in range(found.shape[1]):
            for channel in range(first[group], past[group]):
                for place in range(found.shape[2]):
                    found[cell, group, place] |= ones[cell, channel, place] != 0
