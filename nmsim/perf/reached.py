"""Reached inputs: which inputs of a layer the errors of some neurons reach through their kernels."""

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import OPTIONS
from nmsim.perf.census import Mask, distinct_boxes
from nmsim.perf.geometry import LayerSlices

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def reached_inputs(deltas: Mask, slices: LayerSlices, columns: IntArray) -> tuple[FloatArray, IntArray]:
    """Inputs of some columns, a channel of them, that any non-zero delta of a slice reaches, row by row of inputs.

    Returns:
        Whole numbers `(P, H, S * T)` for P different boxes of neurons, and which of them each slice is `(n,)`.
    """
    geometry = slices.geometry
    boxes, plane = distinct_boxes(*slices.neuron_box)
    ranges, channels = distinct_boxes(*boxes[:2])
    planes_of = np.searchsorted(
        channels, np.arange(ranges.shape[1] + 1)
    )  # boxes ascend by their channels first
    rows, across = _ends(geometry.row_links), _ends(geometry.column_links[:, columns])
    ones = np.ascontiguousarray(deltas.ones, np.bool_)
    cells, height, width = ones.shape[0] * ones.shape[1], *geometry.out_shape[1:]
    found = np.empty((boxes.shape[1], rows.shape[1], cells))
    _reach(
        ones.reshape(cells, -1, height, width), ranges, planes_of, boxes[2:], rows, across,
        np.empty((height, width), np.bool_), np.zeros((height + 1, len(columns)), np.int32), found,
    )  # fmt: skip
    return found, plane


def _ends(links: IntArray) -> IntArray:
    """Neurons that see each input along an axis, all neighbours: the first, and the one behind the last `(2, inputs)`."""
    first = links.argmax(axis=0)
    return np.stack([first, first + links.sum(axis=0)])


@numba.njit(cache=True, **OPTIONS)
def _reach(  # noqa: C901 - one pass
    ones: NDArray[np.bool_], ranges: IntArray, planes_of: IntArray, row_box: IntArray, rows: IntArray, across: IntArray,
    hot: NDArray[np.bool_], until: NDArray[np.int32], found: FloatArray,
) -> None:  # fmt: skip
    """`until (neuron rows + 1, columns)` counts the rows above one in which anything reaches a column."""
    height, width = hot.shape
    for number in range(ranges.shape[1]):
        for cell in range(len(ones)):
            hot[:] = False
            for channel in range(ranges[0, number], ranges[1, number]):
                for row in range(height):
                    for column in range(width):
                        hot[row, column] |= ones[cell, channel, row, column]
            for row in range(height):
                for column in range(until.shape[1]):
                    any_hot = 0
                    for seen in range(across[0, column], across[1, column]):
                        any_hot |= int(hot[row, seen])
                    until[row + 1, column] = until[row, column] + any_hot
            for plane in range(planes_of[number], planes_of[number + 1]):
                start, stop = row_box[0, plane], row_box[1, plane]
                for row in range(rows.shape[1]):
                    low = min(max(rows[0, row], start), stop)
                    high = min(max(rows[1, row], start), stop)
                    count = 0
                    if high > low:
                        for column in range(until.shape[1]):
                            count += int(until[high, column] > until[low, column])
                    found[plane, row, cell] = count
