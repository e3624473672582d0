"""Two models of one design: which designs deserve the event-driven model, and what it teaches about the others.

The analytic model looks at all designs. The event-driven model is given those that could be on the front if the
analytic figures were wrong by as much as they have been seen to be; what it finds corrects the others, and that may
put further designs within reach, until none is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmsim.explore.pareto import non_dominated, within_reach
from nmsim.explore.result import Result, costs, feasible
from nmsim.explore.space import DesignSpace
from nmsim.figures import METRICS

START_MARGIN = 1.25
"""Assumed error of the analytic figures before any design was simulated."""
ENOUGH = 5
"""Simulated designs from which the error is estimated."""
COVERAGE = 0.95
"""Part of the errors seen that the margin covers."""


@dataclass(frozen=True)
class Disagreement:
    """Event-driven over analytic, of one metric, over the designs that both models looked at.

    `bias` is the median of the ratios, `margin` the factor within which 95 % of them lie around it, `ratios` by design.
    """

    metric: str
    bias: float
    margin: float
    ratios: Mapping[int, float]


def disagreements(analytic: Sequence[Result], event: Sequence[Result]) -> dict[str, Disagreement]:
    """The disagreement of every metric that the models may differ in, where both found a positive figure."""
    simulated = {result.design: result for result in event if result.ok}
    found = {}
    for metric in METRICS.values():
        ratios = {}
        for result in analytic:
            other = simulated.get(result.design)
            if metric.exact or other is None or not result.ok:
                continue
            estimate, simulation = result.metrics.get(metric.name), other.metrics.get(metric.name)
            if estimate and simulation:
                ratios[result.design] = simulation / estimate
        if ratios:
            logs = np.log(list(ratios.values()))
            bias = float(np.median(logs))
            margin = float(np.quantile(np.abs(logs - bias), COVERAGE))
            found[metric.name] = Disagreement(metric.name, float(np.exp(bias)), float(np.exp(margin)), ratios)
    return found


def best_known(analytic: Sequence[Result], event: Sequence[Result]) -> list[Result]:
    """Every analytic result with the event-driven figures in their place, or corrected by the bias found elsewhere.

    The `model` of a result says which: `event`, or `analytic`. Nothing is corrected before five designs were simulated.
    """
    simulated = {result.design: result for result in event if result.ok}
    seen = disagreements(analytic, event) if len(simulated) >= ENOUGH else {}
    return [simulated.get(result.design) or _corrected(result, seen) for result in analytic]


def _corrected(result: Result, seen: Mapping[str, Disagreement]) -> Result:
    factors = {name: item.bias for name, item in seen.items() if result.metrics.get(name) is not None}
    figures = {name: (result.metrics[name] or 0.0) * factor for name, factor in factors.items()}
    return replace(result, metrics={**result.metrics, **figures})


def to_simulate(analytic: Sequence[Result], event: Sequence[Result], space: DesignSpace) -> list[Result]:
    """Designs that were not simulated and could be on the front, those on the estimated front first."""
    known = [result for result in best_known(analytic, event) if feasible(result, space)]
    if not known:
        return []
    table = costs(known, space.objectives)
    seen = disagreements(analytic, event)
    uncertain = np.array([not objective.described.exact for objective in space.objectives])
    reach = within_reach(table, uncertain, _margin(seen, space))
    front = non_dominated(table)
    tried = {result.design for result in event}
    candidates = [index for index in np.flatnonzero(reach) if known[index].design not in tried]
    candidates.sort(key=lambda index: (not front[index], known[index].design))
    by_design = {result.design: result for result in analytic}
    return [by_design[known[index].design] for index in candidates]


def _margin(seen: Mapping[str, Disagreement], space: DesignSpace) -> float:
    """How wrong a corrected figure may be: the largest margin of the objectives."""
    margins = [seen[o.metric].margin for o in space.objectives if o.metric in seen]
    enough = any(len(seen[o.metric].ratios) >= ENOUGH for o in space.objectives if o.metric in seen)
    return max(margins) if enough else START_MARGIN
