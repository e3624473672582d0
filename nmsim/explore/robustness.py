"""What of a front is safe: designs that stay on it when prices move within their bands, and axes that end too early."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmsim.cost.energy import CONTROL, OVERHEAD_GROUPS, EnergyTable
from nmsim.explore.axis import Axis
from nmsim.explore.pareto import non_dominated
from nmsim.explore.result import Result, costs, feasible
from nmsim.explore.space import DesignSpace
from nmsim.figures import EDP, ENERGY, ENERGY_HIGH, ENERGY_LOW, ENERGY_OF, FORWARD_ENERGY, POWER

ALONG_WITH_ENERGY = (ENERGY, ENERGY_LOW, ENERGY_HIGH, FORWARD_ENERGY, POWER, EDP)
"""Metrics that grow in proportion to the energy of a sample when its time stays."""
LEAST_MOVE = 1e-6
"""Relative moves below this are none."""
CLOSE = 0.02
"""Part of a continuous axis that counts as its end."""
LEAST_LEVELS = 3
"""Levels of an axis whose ends mean something: of two, every design sits at one."""


@dataclass(frozen=True)
class PriceMove:
    """One group of prices at one end of its band: by which factor the energy of each component changes."""

    group: str
    end: str
    factors: Mapping[str, float]

    @property
    def text(self) -> str:
        """`sram prices at the high end`."""
        return f"{self.group} prices at the {self.end} end"


@dataclass(frozen=True)
class Stability:
    """Which designs are on the front under which moves of the prices.

    `leaves` has, for every design of the front, the moves under which it is dominated; `joins` the designs that are on
    the front under some move only.
    """

    moves: tuple[PriceMove, ...]
    leaves: Mapping[int, tuple[PriceMove, ...]]
    joins: Mapping[int, tuple[PriceMove, ...]]

    @property
    def staying(self) -> tuple[int, ...]:
        """Designs that stay on the front under every move."""
        return tuple(design for design, moves in self.leaves.items() if not moves)


@dataclass(frozen=True)
class Edge:
    """Designs of a front that sit at one end of an axis: beyond it nothing was looked at."""

    axis: str
    end: str
    level: object
    designs: tuple[int, ...]


def price_moves(energy: EnergyTable) -> tuple[PriceMove, ...]:
    """Every group of prices of an evaluation, at the low and at the high end of its band.

    Control overhead moves with the energy that it multiplies, and has a band of its own besides. Groups that make no
    difference are left out.
    """
    parts = {str(name): table.group_energy_pj() for (name,), table in energy.by("component").items()}
    totals = {name: sum(mean for mean, _, _ in groups.values()) for name, groups in parts.items()}
    carried = sum(g[0] for groups in parts.values() for name, g in groups.items() if name in OVERHEAD_GROUPS)
    found = []
    for group in dict.fromkeys(name for groups in parts.values() for name in groups):
        for end, place in (("low", 1), ("high", 2)):
            shift = {
                name: groups[group][place] - groups[group][0]
                for name, groups in parts.items()
                if group in groups
            }
            if group in OVERHEAD_GROUPS and CONTROL in totals and carried:
                shift[CONTROL] = totals[CONTROL] * sum(shift.values()) / carried
            factors = {name: 1 + move / totals[name] for name, move in shift.items() if totals[name] > 0}
            if sum(abs(move) for move in shift.values()) > LEAST_MOVE * sum(totals.values()):
                found.append(PriceMove(group, end, factors))
    return tuple(found)


def stability(good: Sequence[Result], space: DesignSpace, moves: Sequence[PriceMove]) -> Stability:
    """The front of feasible designs under every move; `moves` are those of one design, taken for all."""
    front = _front(good, space)
    leaves: dict[int, list[PriceMove]] = {design: [] for design in front}
    joins: dict[int, list[PriceMove]] = {}
    for move in moves:
        moved = _front([_moved(result, move) for result in good], space)
        for design in front - moved:
            leaves[design].append(move)
        for design in moved - front:
            joins.setdefault(design, []).append(move)
    return Stability(
        tuple(moves),
        {design: tuple(found) for design, found in sorted(leaves.items())},
        {design: tuple(found) for design, found in sorted(joins.items())},
    )


def _front(results: Sequence[Result], space: DesignSpace) -> set[int]:
    left = [result for result in results if feasible(result, space)]
    if not left:
        return set()
    keep = non_dominated(costs(left, space.objectives))
    return {result.design for result, kept in zip(left, keep, strict=True) if kept}


def _moved(result: Result, move: PriceMove) -> Result:
    """A result as it would be with the moved prices: energies change, times stay."""
    metrics = dict(result.metrics)
    change = 0.0
    for component, figure in ENERGY_OF.items():
        own = float(metrics.get(figure.name) or 0.0)
        factor = move.factors.get(component, 1.0)
        metrics[figure.name] = own * factor
        change += own * (factor - 1)
    whole = float(metrics.get(ENERGY.name) or 0.0)
    if whole > 0:
        for figure in ALONG_WITH_ENERGY:
            value = metrics.get(figure.name)
            metrics[figure.name] = None if value is None else value * (1 + change / whole)
    return replace(result, metrics=metrics)


def edges(front: Sequence[Result], axes: Sequence[Axis]) -> tuple[Edge, ...]:
    """Ends of axes of numbers at which designs of the front sit, of axes with at least three levels."""
    found = []
    for place, axis in enumerate(axes):
        rises = _rises(axis)
        if rises is None:
            continue
        positions = np.array([axis.position(result.values[place]) for result in front])
        reach = CLOSE if axis.kind == "continuous" else 0.0
        ends = ("lower", "upper") if rises else ("upper", "lower")
        for end, sits in zip(ends, (positions <= reach, positions >= 1 - reach), strict=True):
            designs = tuple(front[index].design for index in np.flatnonzero(sits).tolist())
            if designs:
                level = front[int(np.flatnonzero(sits)[0])].values[place]
                found.append(Edge(axis.label, end, level, designs))
    return tuple(found)


def _rises(axis: Axis) -> bool | None:
    """Whether the numbers of an axis rise from its first level to its last; None where it has no ends.

    Choices of a list, and choices that set several keys, have ends too where they are numbers in order: words, nodes.
    """
    if axis.kind == "continuous":
        return True
    try:
        amounts = [float("nan" if isinstance(level, bool) else level) for level in axis.levels()]
    except (TypeError, ValueError):
        return None
    steps = np.diff(amounts)
    rises, falls = bool(np.all(steps > 0)), bool(np.all(steps < 0))
    return rises if len(amounts) >= LEAST_LEVELS and (rises or falls) else None
