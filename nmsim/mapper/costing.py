"""What a mapping costs, layer by layer and phase by phase: the figures that the search compares."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmsim import units
from nmsim.activity import Activity
from nmsim.cost.clocking import clocked
from nmsim.cost.energy import CLOCK, STATIC
from nmsim.cost.mean_energy import action_energy_pj, clock_energy_pj
from nmsim.cost.static import StaticPower, static_power
from nmsim.cost.table import CostTable
from nmsim.counts import Phase
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.deployment import Deployment, needs_on
from nmsim.mapping.mapping import Mapping as NetworkMapping
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.analytic import analytic_times
from nmsim.perf.census import ActivityCensus
from nmsim.perf.work import build_work

Objective = Literal["energy", "latency", "edp", "area_delay"]
Step = Literal["integrate", "error", "gradient"]
STEP_OF: Mapping[str, Step] = {
    Phase.INTEGRATE: "integrate", Phase.NEURON: "integrate", Phase.ERROR: "error", Phase.GRADIENT: "gradient",
}  # fmt: skip
"""Which dataflow a phase follows."""


@dataclass(frozen=True, eq=False)
class Cost:
    """Mean energy and time per sample of one mapping; `parts[layer, step]` are (joules, seconds) of a layer's phases."""

    energy_j: float
    latency_s: float
    static_j: float
    parts: Mapping[tuple[int, Step], tuple[float, float]]
    bound: bool = False
    """Whether energy and time are lower bounds, which were enough to refuse the mapping; `parts` are exact all the same."""

    def value(self, objective: Objective) -> float:
        """What is to be small. A chip's area does not depend on the mapping, so that area times delay is delay here."""
        if objective == "energy":
            return self.energy_j
        return self.latency_s if objective in {"latency", "area_delay"} else self.energy_j * self.latency_s

    def score(self, part: tuple[float, float], objective: Objective) -> float:
        """Share of the objective that a part stands for, to first order; time carries static energy with it."""
        joules, seconds = part[0] / self.energy_j, part[1] / self.latency_s
        held = seconds * self.static_j / self.energy_j
        match objective:
            case "energy":
                return joules + held
            case "edp":
                return joules + held + seconds
        return seconds + 1e-3 * joules  # among equally fast ones, the frugal


Refused = Callable[[Cost], bool]
"""Whether lower bounds of a mapping's cost rule it out."""


@dataclass(frozen=True, eq=False)
class Coster:
    """Prices mappings of one network under one rule on one chip."""

    network: NetworkSpec
    precision: Precision
    needs: TrainingNeeds
    activity: Activity
    chip: ChipConfig
    costs: CostTable
    census: ActivityCensus | None = None
    remedies: bool = True
    """Whether a clock that is too fast is told with what would make it possible."""

    @cached_property
    def _machine(self) -> tuple[ChipConfig, TrainingNeeds, StaticPower]:
        """What all mappings have in common: the chip with its cycles, the needs on it, its static power."""
        needs = needs_on(self.needs, self.chip)[0]
        return (
            clocked(self.chip, self.costs, remedies=self.remedies),
            needs,
            static_power(self.chip, self.costs),
        )

    def __call__(self, mapping: NetworkMapping, refused: Refused | None = None) -> Cost:
        """The cost of a mapping, by the analytic model.

        With `refused` lower bounds are found first, which leave out that stages wait for each other; if it says that they
        are enough, they are the answer.
        """
        chip, needs, power = self._machine
        job = Deployment(self.network, self.precision, needs, chip, mapping)
        work = build_work(job, self.activity, self.census)
        times = analytic_times(work)
        actions = action_energy_pj(work.blocks, self.chip, self.costs, batch_size=work.batch_size)
        clock = clock_energy_pj(times.at_work, self.chip, self.costs)
        joules: dict[tuple[int, Step], float] = defaultdict(float)
        for found in (actions, clock):
            for (phase, layer), mean_pj in found.items():
                if phase in STEP_OF and layer >= 0:
                    joules[layer, STEP_OF[phase]] += mean_pj * units.J_PER_PJ
        seconds: dict[tuple[int, Step], float] = defaultdict(float)
        for stage, cycles in zip(work.stages, times.stage_cycles, strict=True):
            if stage.phase in STEP_OF:
                mean = float(cycles.sum(axis=1).mean())
                seconds[stage.layer, STEP_OF[stage.phase]] += mean / work.clock_hz
        parts = {key: (joules[key], seconds[key]) for key in {*joules, *seconds}}
        clock_j = sum(clock.values()) * units.J_PER_PJ

        def cost(sample_cycles: NDArray[np.float64], *, bound: bool = False) -> Cost:
            mean_s = float((sample_cycles / work.clock_hz).mean())
            standing = {name: watts * mean_s for name, watts in power.watts.items()}
            static_j = clock_j + sum(standing.get(name, 0.0) for name in (STATIC, CLOCK))
            total_j = sum(actions.values()) * units.J_PER_PJ + clock_j + sum(standing.values())
            return Cost(total_j, mean_s, static_j, parts, bound)

        if refused is not None:
            least = cost(times.at_least.sample_cycles, bound=True)
            if refused(least):
                return least
        return cost(times.sample_cycles)


Price = Callable[[NetworkMapping, Refused | None], Cost]
