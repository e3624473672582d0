"""Results: one row per design and performance model, and what constraints and objectives make of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nmsim.explore.space import Constraint, DesignSpace, Objective, Values

FloatArray = NDArray[np.float64]


class Status(StrEnum):
    """What became of a design."""

    OK = "ok"
    DOES_NOT_FIT = "does_not_fit"
    """The network does not fit the chip: a result, with the bound that is broken."""
    TOO_FAST = "too_fast"
    """The chip cannot run at its clock and supply: a result, with what is too slow."""
    IMPLAUSIBLE = "implausible"
    """It has figures, and a check of the audit refuses them: the machine could not exist, or a sum does not come out."""
    ERROR = "error"
    """The design is not valid, or cannot be priced; `reason` says why."""
    LOST = "lost"
    """Its worker died each time; `--resume` tries again."""


@dataclass(frozen=True)
class Result:
    """One design under one model.

    `values` per axis; `numerics` names the training run whose activity was replayed; `metrics` has every figure that
    the evaluation gave, None where the price table cannot give it; `reason` is a sentence where `status` is not `ok`.
    """

    design: int
    model: str
    values: Values
    status: Status
    reason: str = ""
    numerics: str = ""
    metrics: Mapping[str, float | int | None] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it has figures."""
        return self.status is Status.OK


def violations(result: Result, demands: Sequence[Constraint]) -> tuple[float, ...]:
    """How far a result is beyond each demand; infinite throughout if it has no figures."""
    return tuple(demand.violation(result.metrics.get(demand.metric)) for demand in demands)


def feasible(result: Result, space: DesignSpace) -> bool:
    """Whether it has figures and keeps every demand, and every objective is known."""
    known = result.ok and all(result.metrics.get(o.metric) is not None for o in space.objectives)
    return known and not any(violations(result, space.demands))


def costs(results: Iterable[Result], objectives: Sequence[Objective]) -> FloatArray:
    """Objectives of results with figures, shape (N, K), signed so that small is good."""
    rows = [[o.sign * float(r.metrics[o.metric] or 0.0) for o in objectives] for r in results]
    return np.array(rows, np.float64).reshape(len(rows), len(objectives))
