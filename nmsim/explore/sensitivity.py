"""Sensitivity: what every axis does to an objective while the others stay as they are, fitted for all axes at once.

Designs that do not fit are missing from every study, so that axes are correlated among those that are left: small
memories come with many cores. Means over the designs of one level would then give one axis the credit of another.
Here all axes explain the metric together, in one additive model of its logarithm (least squares, one coefficient per
level), and the explained variance is divided among them by Shapley's value: the mean of what an axis adds when it joins
the others, over all orders in which they can join (Lindeman, Merenda and Gold, 1980; Groemping, J. Stat. Softw. 17(1),
2006). The shares add up to what the axes explain together; the rest is interaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from nmsim.explore.axis import Axis
from nmsim.explore.result import Result
from nmsim.figures import Figure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BINS = 6
"""Groups of equal size into which the values of a continuous axis fall."""
MOST_ORDERS = 720
"""Orders of joining that are looked at: all of them up to six axes, so many random ones (fixed seed) beyond."""
Groups = list[tuple[str, IntArray]]


@dataclass(frozen=True)
class Effect:
    """What one axis does to one metric over a set of designs.

    `share` is the axis' part of the variance of the metric (of its logarithm, if it is positive throughout), `together`
    what all axes explain, the sum of their shares; both are freed of what chance alone explains (adjusted R squared).
    `levels` are the axis' levels (or ranges) in order and `means` the (geometric) mean of the metric at each when the
    other axes are alike, `counts` the designs behind it.
    """

    axis: str
    metric: str
    share: float
    together: float
    levels: tuple[str, ...]
    means: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def factor(self) -> float:
        """Largest over smallest of the means."""
        low, high = min(self.means), max(self.means)
        return high / low if low > 0 else float("inf") if high > 0 else 1.0

    @property
    def designs(self) -> int:
        """Designs that the effect was fitted to."""
        return sum(self.counts)

    def best_level(self, sign: int) -> str:
        """The level with the best mean: the smallest for sign +1, the largest for -1."""
        return self.levels[int(np.argmin(sign * np.array(self.means)))]


def effects(results: Sequence[Result], axes: Sequence[Axis], metrics: Sequence[Figure]) -> tuple[Effect, ...]:
    """The effect of every axis on every metric, over the results that have it; metrics in the outer order.

    Axes of which only one level is left have no effect and are left out.
    """
    found: list[Effect] = []
    for metric in metrics:
        known = [r for r in results if r.ok and r.metrics.get(metric.name) is not None]
        if not known:
            continue
        figures = np.array([r.metrics[metric.name] for r in known], np.float64)
        groups = {
            axis.label: _groups(axis, [r.values[position] for r in known])
            for position, axis in enumerate(axes)
        }
        varied = {label: levels for label, levels in groups.items() if len(levels) > 1}
        if varied:
            found += _fit(metric.name, figures, varied)
    return tuple(found)


def _fit(metric: str, figures: FloatArray, groups: dict[str, Groups]) -> list[Effect]:
    """All axes' effects on one metric."""
    log = bool((figures > 0).all())
    y = np.log(figures) if log else figures
    blocks = [_indicators(levels, len(y)) for levels in groups.values()]
    parts = _shapley(y, blocks)
    together = max(sum(parts), 0.0)
    positive = [
        max(part, 0.0) for part in parts
    ]  # an axis without effect comes out a little below zero by chance
    shares = [part * together / (sum(positive) or 1.0) for part in positive]
    coefficients = _coefficients(y, blocks)
    found = []
    for (axis, levels), share, own in zip(groups.items(), shares, coefficients, strict=True):
        counts = np.array([len(members) for _, members in levels])
        means = y.mean() + own - (counts @ own) / counts.sum()
        found.append(
            Effect(
                axis, metric, share, together,
                tuple(name for name, _ in levels),
                tuple(float(value) for value in (np.exp(means) if log else means)),
                tuple(counts.tolist()),
            )
        )  # fmt: skip
    return found


def _indicators(levels: Groups, designs: int) -> FloatArray:
    """A column per level, 1 for its designs, and the mean of every column taken off `(designs, levels)`."""
    table = np.zeros((designs, len(levels)))
    for column, (_, members) in enumerate(levels):
        table[members, column] = 1.0
    return np.asarray(table - table.mean(axis=0))


def _coefficients(y: FloatArray, blocks: Sequence[FloatArray]) -> list[FloatArray]:
    """A coefficient per level of every axis; the smallest of those that fit best, for each axis is only up to a constant."""
    table = np.hstack(blocks)
    joint = np.linalg.lstsq(table, y - y.mean(), rcond=None)[0]
    return np.split(joint, np.cumsum([block.shape[1] for block in blocks])[:-1])


def _shapley(y: FloatArray, blocks: Sequence[FloatArray]) -> list[float]:
    """Every axis' part of the adjusted R squared of all."""
    known: dict[frozenset[int], float] = {frozenset(): 0.0}

    def explained(some: frozenset[int]) -> float:
        if some not in known:
            known[some] = _adjusted_r2(y, np.hstack([blocks[index] for index in sorted(some)]))
        return known[some]

    axes = len(blocks)
    parts = np.zeros(axes)
    orders = _orders(axes)
    for order in orders:
        joined: frozenset[int] = frozenset()
        for index in order:
            parts[index] += explained(joined | {index}) - explained(joined)
            joined |= {index}
    return [float(part) / len(orders) for part in parts]


def _orders(axes: int) -> list[tuple[int, ...]]:
    if factorial(axes) <= MOST_ORDERS:
        return list(permutations(range(axes)))
    random = np.random.default_rng(0)
    half = [tuple(random.permutation(axes).tolist()) for _ in range(MOST_ORDERS // 20)]
    return half + [order[::-1] for order in half]


def _adjusted_r2(y: FloatArray, table: FloatArray) -> float:
    """Explained part of the variance, less what so many columns explain by chance."""
    total = float(((y - y.mean()) ** 2).sum())
    if total <= 1e-12 * max(1.0, float((y**2).sum())):
        return 0.0
    solution, _, rank, _ = np.linalg.lstsq(table, y - y.mean(), rcond=None)
    left = float(((y - y.mean() - table @ solution) ** 2).sum())
    freedom = len(y) - 1 - int(rank)
    return 1 - (left / freedom) / (total / (len(y) - 1)) if freedom > 0 else 0.0


def _groups(axis: Axis, values: list[object]) -> Groups:
    """Name and members of every level that occurs; a continuous axis is cut into ranges of equal size."""
    if axis.kind != "continuous":
        members = [
            (str(level), np.flatnonzero([value == level for value in values])) for level in axis.levels()
        ]
        return [(name, found) for name, found in members if len(found)]
    numbers = np.array(values, np.float64)
    order = np.argsort(numbers, kind="stable")
    parts = [part for part in np.array_split(order, min(BINS, len(numbers))) if len(part)]
    return [(f"{numbers[part[0]]:.3g} to {numbers[part[-1]]:.3g}", part) for part in parts]
