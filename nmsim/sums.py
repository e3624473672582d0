"""Sums: compiled ways to add up tables of many rows and few columns, for which numpy starts a loop per row.

The order of additions is numpy's, so that every bit is.
"""

from collections.abc import Iterable
from math import prod
from typing import TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import OPTIONS

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.float64)
BLOCK = 128
"""Numbers that are added up in eight running sums; more are halved first, and are numpy's."""


def sum_rows(
    row: IntArray, values: NDArray[Number], rows: int, which: IntArray | None = None
) -> NDArray[Number]:
    """Values `(K, ...)` added up by `row (K,)` in their order: what `np.add.at` makes of so many rows of zeros.

    With `which (K,)` the numbers of `values (V, ...)` are given, of which any may be added several times.

    >>> sum_rows(np.array([1, 0, 1]), np.array([[1], [2], [3]]), 2).tolist()
    [[2], [4]]
    """
    shape = values.shape[1:]
    cells = prod(shape)
    total = np.zeros((rows, cells), values.dtype)
    which = np.arange(len(row)) if which is None else which
    _add(row, which, _flat(values.reshape(len(values), cells)), total)
    return total.reshape(rows, *shape)


def sum_last(values: NDArray[Number]) -> NDArray[Number]:
    """Values `(..., n)` added up along their last axis, as `values.sum(axis=-1)` does where they lie in that order.

    >>> sum_last(np.array([[0.5, 1.0], [2.0, 4.0]])).tolist()
    [1.5, 6.0]
    """
    if values.shape[-1] > BLOCK:
        return np.asarray(np.ascontiguousarray(values).sum(axis=-1))
    shape = values.shape[:-1]
    total = np.empty(prod(shape), values.dtype)
    _add_last(_flat(values.reshape(len(total), values.shape[-1])), total)
    return total.reshape(shape)


def _flat(values: NDArray[Number]) -> NDArray[Number]:
    """Row after row and writable, so that a pass is compiled for one type of array."""
    flags = values.flags
    lies = flags.c_contiguous and flags.writeable
    return values if lies else np.require(values, requirements=["C", "W"])


@numba.njit(cache=True, **OPTIONS)
def _add(row: IntArray, which: IntArray, values: NDArray[Number], total: NDArray[Number]) -> None:
    for k in range(len(row)):
        for cell in range(values.shape[1]):
            total[row[k], cell] += values[which[k], cell]


@numba.njit(cache=True, **OPTIONS)
def _add_last(values: NDArray[Number], total: NDArray[Number]) -> None:
    """In order if there are fewer than eight, else in eight running sums."""
    rows, size = values.shape
    whole = size // 8 * 8
    for k in range(rows):
        if whole == 0:
            total[k] = 0
        else:
            a, b, c, d = values[k, 0], values[k, 1], values[k, 2], values[k, 3]
            e, f, g, h = values[k, 4], values[k, 5], values[k, 6], values[k, 7]
            for i in range(8, whole, 8):
                a += values[k, i]
                b += values[k, i + 1]
                c += values[k, i + 2]
                d += values[k, i + 3]
                e += values[k, i + 4]
                f += values[k, i + 5]
                g += values[k, i + 6]
                h += values[k, i + 7]
            total[k] = ((a + b) + (c + d)) + ((e + f) + (g + h))
        for i in range(whole, size):
            total[k] += values[k, i]


def starts(lengths: Iterable[int]) -> NDArray[np.int64]:
    """Where each of some parts begins when they lie one after the other, and where the last one ends.

    >>> starts([2, 0, 3]).tolist()
    [0, 2, 2, 5]
    """
    return np.cumsum([0, *lengths])
