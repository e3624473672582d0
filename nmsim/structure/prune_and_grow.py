"""One structure step: which units go and which come, from raw integers alone (docs/arithmetic.md, "Structure")."""

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]


def lowest(scores: NDArray[Any], among: BoolArray, count: int) -> NDArray[np.int64]:
    """Numbers of the `count` units of lowest score; ties go to the lowest number.

    >>> lowest(np.array([3, 1, 1, 2]), np.array([True, True, True, True]), 2).tolist()
    [1, 2]
    """
    candidates = np.flatnonzero(among)
    order = np.argsort(scores[candidates], kind="stable")
    return np.asarray(candidates[order[: max(count, 0)]], np.int64)


def highest(scores: NDArray[Any], among: BoolArray, count: int) -> NDArray[np.int64]:
    """Numbers of the `count` units of highest score; ties go to the lowest number.

    >>> highest(np.array([3, 1, 1, 2]), np.array([False, True, True, True]), 2).tolist()
    [3, 1]
    """
    return lowest(-scores.astype(object if scores.dtype == object else np.int64), among, count)


def pruned(present: BoolArray, scores: NDArray[Any], sparsity: Fraction) -> BoolArray:
    """Units present after the lowest have gone, until `floor(sparsity * U)` are absent."""
    after = present.copy()
    absent = len(present) - int(np.count_nonzero(present))
    after[lowest(scores, present, floor(sparsity * len(present)) - absent)] = False
    return after


def grown(present: BoolArray, scores: NDArray[Any], sparsity: Fraction) -> BoolArray:
    """Units present after the highest of the absent have come, until only `floor(sparsity * U)` are absent."""
    after = present.copy()
    absent = len(present) - int(np.count_nonzero(present))
    after[highest(scores, ~present, absent - floor(sparsity * len(present)))] = True
    return after


def exchanged(
    present: BoolArray, prune_scores: NDArray[Any], grow_scores: NDArray[Any], fraction: Fraction
) -> BoolArray:
    """`floor(fraction * present)` of the lowest gone, as many of those that were absent before come."""
    count = int(np.count_nonzero(present))
    many = min(floor(fraction * count), len(present) - count)
    after = present.copy()
    after[lowest(prune_scores, present, many)] = False
    after[highest(grow_scores, ~present, many)] = True
    return after
