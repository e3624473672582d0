"""How far the analytic model is from the event-driven one, and where they part."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.chip import EventModel
from nmsim.perf.model import PerfResult, StageLabel
from nmsim.perf.work import StepWork
from nmsim.validate.designs import random_design


@dataclass(frozen=True)
class ModelGap:
    """One work timed by both models; cycles are sums over its samples, the update left out."""

    name: str
    rule: str
    schedule: str
    cores: int
    analytic_cycles: float
    event_cycles: float
    stage: str
    """The longest stage of those that run together and whose duration differs most."""
    resource: str
    """What bounds that stage in the analytic model."""
    stall: str
    """What the event-driven model waited for longest, bank conflicts excluded; empty if it never waited."""

    @property
    def error(self) -> float:
        """Relative error of the analytic latency."""
        return self.analytic_cycles / self.event_cycles - 1 if self.event_cycles else 0.0

    @property
    def cause(self) -> str:
        """One line on where the models part."""
        waited = f"; waits: {self.stall}" if self.stall else ""
        return f"{self.stage} (bound by {self.resource or 'nothing'}{waited})"


@dataclass(frozen=True)
class GapSummary:
    """Absolute relative errors over several works."""

    works: int
    median: float
    p95: float
    worst: float
    bias: float
    """Mean signed error: negative where the analytic model is too fast."""


def model_gap(work: StepWork, name: str) -> ModelGap:
    """Time a work with both models."""
    return gap_of(AnalyticModel().run(work), EventModel().run(work), work, name)


def gap_of(analytic: PerfResult, event: PerfResult, work: StepWork, name: str) -> ModelGap:
    """The gap between two results of one work."""
    label = _parted(analytic, event, work)
    waits = {
        cause: float(cycles.sum()) for cause, cycles in event.stall_cycles.items() if cause != "bank conflict"
    }
    longest = max(waits, key=lambda cause: waits[cause])
    return ModelGap(
        name, work.rule, work.chip.options.schedule, len(work.cores_used),
        float(analytic.cycles.sum()), float(event.cycles.sum()),
        label.name if label else "", label.bottleneck if label else "", longest if waits[longest] else "",
    )  # fmt: skip


def _parted(analytic: PerfResult, event: PerfResult, work: StepWork) -> StageLabel | None:
    """The longest stage of the group of stages whose durations differ most between the models."""
    groups = [list(group) for group in work.schedule.groups]
    if not groups:
        return None
    totals = np.array([[r.stage_cycles[g].max(axis=0).sum() for g in groups] for r in (analytic, event)])
    group = groups[int(np.argmax(np.abs(totals[1] - totals[0])))]
    return analytic.stages[group[int(np.argmax(analytic.stage_cycles[group].sum(axis=(1, 2))))]]


def random_gaps(seeds: Iterable[int]) -> tuple[ModelGap, ...]:
    """Gaps of random designs."""
    return tuple(model_gap(random_design(seed).work(), f"design {seed}") for seed in seeds)


def summary(gaps: Sequence[ModelGap]) -> GapSummary:
    """Median, 95th percentile, worst and bias."""
    errors = np.array([gap.error for gap in gaps])
    size = np.abs(errors)
    return GapSummary(
        len(gaps),
        float(np.median(size)),
        float(np.percentile(size, 95)),
        float(size.max()),
        float(errors.mean()),
    )
