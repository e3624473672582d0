"""What the designs of a front have in common, against all designs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from nmsim.explore.axis import Axis, Continuous
from nmsim.explore.result import Result

SURPRISING = 0.05
"""Levels less likely than this by chance are named; Bonferroni over all levels looked at."""


@dataclass(frozen=True)
class Trait:
    """What the front's designs prefer or avoid on an axis; `chance` is the probability of its strongest part by luck."""

    axis: str
    text: str
    chance: float


@dataclass(frozen=True)
class _Level:
    """How often a level (or a range) occurs: `hits` in the front of `front` designs, in a share `usual` of all."""

    name: str
    hits: int
    front: int
    usual: float
    chance: float

    @property
    def preferred(self) -> bool:
        return self.hits / self.front >= self.usual

    @property
    def text(self) -> str:
        share = f"({self.hits / self.front:.0%}, against {self.usual:.0%} of all)"
        if self.hits == self.front:
            return f"{self.name} in all {self.front} ({self.usual:.0%} of all)"
        if self.hits == 0:
            return f"never {self.name} ({self.usual:.0%} of all)"
        return f"{'' if self.preferred else 'rarely '}{self.name}, in {self.hits} of {self.front} {share}"


def common_traits(front: Sequence[Result], rest: Sequence[Result], axes: Sequence[Axis]) -> tuple[Trait, ...]:
    """Traits of the front that chance does not explain, one per axis at most, strongest first.

    `front` and `rest` together are the designs compared. A level is tested by the hypergeometric distribution, a
    continuous axis by the Mann-Whitney test.
    """
    found: dict[str, list[_Level]] = {}
    for position, axis in enumerate(axes):
        inside = [result.values[position] for result in front]
        everything = inside + [result.values[position] for result in rest]
        continuous = isinstance(axis, Continuous)
        found[axis.label] = _range(inside, everything) if continuous else _levels(axis, inside, everything)
    bound = SURPRISING / max(1, sum(map(len, found.values())))
    traits = (
        _trait(name, [level for level in levels if level.chance < bound]) for name, levels in found.items()
    )
    return tuple(sorted((t for t in traits if t.chance < bound), key=lambda t: (t.chance, t.axis)))


def _trait(axis: str, levels: list[_Level]) -> Trait:
    """The surprising levels of an axis in one sentence; if all designs share one, nothing else need be said."""
    if not levels:
        return Trait(axis, "", inf)
    shared = [level for level in levels if level.hits == level.front]
    told = shared or sorted(levels, key=lambda level: (not level.preferred, level.chance))
    return Trait(
        axis, f"{axis}: {'; '.join(level.text for level in told)}", min(level.chance for level in levels)
    )


def _levels(axis: Axis, inside: list[object], everything: list[object]) -> list[_Level]:
    from scipy.stats import hypergeom  # takes a second to import, which only a study pays

    found = []
    for level in axis.levels():
        hits, total = sum(v == level for v in inside), sum(v == level for v in everything)
        if not 0 < total < len(everything):
            continue
        many = hits / len(inside) >= total / len(everything)
        place = (len(everything), total, len(inside))
        chance = hypergeom.sf(hits - 1, *place) if many else hypergeom.cdf(hits, *place)
        found.append(_Level(str(level), hits, len(inside), total / len(everything), float(chance)))
    return found


def _range(inside: list[object], everything: list[object]) -> list[_Level]:
    """The front's range of a continuous axis, with the share of all designs in it."""
    front, total = np.array(inside, np.float64), np.array(everything, np.float64)
    others = total[len(front) :]
    if not len(others) or np.ptp(total) == 0:
        return []
    from scipy.stats import mannwhitneyu

    chance = float(mannwhitneyu(front, others).pvalue)
    side = "high" if np.median(front) > np.median(total) else "low"
    within = float(((total >= front.min()) & (total <= front.max())).mean())
    name = f"{side}, {front.min():.3g} to {front.max():.3g} (median {np.median(front):.3g}, of all {np.median(total):.3g})"
    return [_Level(name, len(front), len(front), within, chance)]
