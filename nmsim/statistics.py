"""Intervals over profiled samples: of a mean, and of a ratio of two means whose samples are paired.

A profile holds few samples (16 unless asked otherwise), so intervals are Student's. Two rules, or two chips, replay the
same samples: their figures rise and fall together, and the interval of their ratio is much narrower than the two
intervals of the figures suggest. Compare rules by `ratio_of_means`, never by whether two intervals overlap.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % confidence interval; `low` and `high` are None where one sample gives none."""

    value: float
    low: float | None
    high: float | None


def mean_interval(values: FloatArray) -> Interval:
    """Mean of `values (S,)` with Student's interval over the S samples."""
    return _around(float(values.mean()), values)


def ratio_of_means(above: FloatArray, below: FloatArray) -> Interval:
    """Mean of `above (S,)` over mean of `below (S,)`, where entry s of both belongs to the same sample.

    The interval is that of the ratio estimator: Student's, from the residuals `(above - ratio * below) / mean(below)`
    (Cochran, Sampling Techniques, 3rd ed., 1977, section 6.4). What both samples share cancels in them.

    Example:
        >>> found = ratio_of_means(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]))
        >>> found.value, found.low, found.high
        (2.0, 2.0, 2.0)

    Raises:
        ValueError: the two have different numbers of samples, or `below` is zero on average.
    """
    if above.shape != below.shape:
        raise ValueError(
            f"paired samples need the same number on both sides, not {len(above)} and {len(below)}"
        )
    mean = float(below.mean())
    if mean == 0:
        raise ValueError("a ratio to a mean of zero is not defined")
    ratio = float(above.mean()) / mean
    return _around(ratio, (above - ratio * below) / mean)


def _around(value: float, spread: FloatArray) -> Interval:
    """Student's interval around `value` from the spread of `spread (S,)`."""
    size = len(spread)
    if size == 1:
        return Interval(value, None, None)
    half = float(_quantile(size - 1) * spread.std(ddof=1) / np.sqrt(size))
    return Interval(value, value - half, value + half)


@lru_cache(maxsize=256)
def _quantile(degrees: int) -> float:
    """Of Student's distribution, for an interval that leaves as much out on either side."""
    from scipy.special import stdtrit  # scipy.stats has it too, and takes a second to import

    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))
