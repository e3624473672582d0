"""Evaluation: a network, its activity, a chip and a price table: all that a report says of hardware."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmsim import units
from nmsim.activity import Activity
from nmsim.audit import Check, audit
from nmsim.cost.accounting import energy_of
from nmsim.cost.area import Area, area_of
from nmsim.cost.clocking import clock_notes, clocked
from nmsim.cost.energy import CLOCK, CONTROL, STANDING, STATIC, EnergyTable, Unpriced
from nmsim.cost.idle import Idle
from nmsim.cost.memory_notes import memory_notes
from nmsim.cost.published_sops import above_published
from nmsim.cost.static import StaticPower, static_power
from nmsim.cost.table import CostTable, EventTable, load_table
from nmsim.counts import Action, Component, Phase
from nmsim.errors import CostError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.host import RealTime
from nmsim.mapping.deployment import Deployment
from nmsim.mapping.mapping import MemoryUse
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.census import ActivityCensus
from nmsim.perf.model import PerfResult
from nmsim.perf.work import StepWork, build_work
from nmsim.plausible import plausible
from nmsim.rules import rule_named
from nmsim.shown import Shown
from nmsim.statistics import Interval, mean_interval, ratio_of_means

FloatArray = NDArray[np.float64]
Model = Literal["analytic", "event"]
FORWARD = (Phase.INTEGRATE.value, Phase.NEURON.value)


@dataclass(frozen=True)
class Estimate:
    """A figure with its two uncertainties, kept apart.

    `ci_low`, `ci_high`: 95 % confidence interval of the mean over the profiled samples (Student t; None for
    one sample). `band_low`, `band_high`: what the bands of the prices allow (equal to `mean` where no price
    enters).
    """

    mean: float
    ci_low: float | None
    ci_high: float | None
    band_low: float
    band_high: float


@dataclass(frozen=True)
class Deadlines:
    """A chip whose samples arrive at a rate: `missed` share of them that take longer than the period between two.

    `utilization` is the mean time of a sample over the period; above 1 the chip cannot follow at all.
    """

    period_s: float
    missed: float
    slowest_s: float
    utilization: float


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """What a profile of S samples costs on a chip; every figure per sample unless its name says otherwise.

    `nmsim.evaluate` makes one. `print` it for a screenful; `nmsim.FIGURES[name].of(found)` takes a figure by the name that
    CSV and JSON files use, `nmsim.compare` sets several side by side. An `Estimate` has a mean over the samples, a
    confidence interval for it, and the band that the uncertainty of the prices leaves.

    For a training rule a sample is one training sample (forward, error, gradient, and its share of the
    batch's update); for rule `inference` it is one inference. `perf` is the `PerfResult` it rests on.
    `sops_per_sample` counts synaptic operations. `energy_per_sop_incremental_j` divides only what grows with
    them: the dynamic energy of phase integrate, control included, in the layers that serve SOPs and no MACs
    there. `energy_per_sop_all_in_j` divides everything, static power included. The two are never comparable.
    What the table cannot give is None, and `unavailable` says why.
    """

    chip_name: str
    chip_hash: str
    network_name: str
    network_hash: str
    activity_hash: str
    mapping_hash: str
    costs_name: str
    costs_hash: str
    rule: str
    model: str
    samples: int
    time_steps: int
    batch_size: int
    perf: PerfResult
    energy: EnergyTable
    energy_j: Estimate | None
    """Energy per training sample, or per inference if rule is `inference`; None if a part has no sourced price."""
    forward_energy_j: Estimate | None
    """Its part in the phases integrate and neuron, with their share of static power."""
    latency_s: Estimate
    power_w: Estimate | None
    """Over the time of a sample; with `real_time` over the period between two arrivals."""
    edp_js: Estimate | None
    throughput_per_s: float
    """Samples per second, one after the other."""
    static_energy_j: Estimate | None
    """Leakage or measured static power, and the clock that never stops."""
    sops_per_sample: float
    energy_per_sop_incremental_j: float | None
    energy_per_sop_all_in_j: float | None
    area: Area | None
    memory: tuple[MemoryUse, ...]
    unpriced: tuple[Unpriced, ...]
    unavailable: dict[str, str]
    """Metric name to the reason why this table cannot give it."""
    notes: tuple[str, ...]
    """Extrapolations, clamps and scalings that were applied."""
    audit: tuple[Check, ...]
    step_energy: EnergyTable | None = None
    """Mean dynamic energy per sample by time step: as `energy`, with axis T in place of S. Without static power,
    barriers, and work that comes once per sample or batch. None unless it was asked for."""
    real_time: "Deadlines | None" = None
    """Where the chip lives with samples that arrive at a rate."""
    memory_capacity_bits: int = 0
    """Of all memories of the chip, used or not."""
    off_chip_bits: int = 0
    """Data whose home is DRAM."""

    @property
    def training(self) -> bool:
        """Whether a sample is a training sample."""
        return rule_named(self.rule).trains

    @property
    def audit_passed(self) -> bool:
        """Whether every check agrees."""
        return not self.failed_checks

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """Checks of the audit that do not agree: its figures are not to be used."""
        return tuple(check for check in self.audit if not check.passed)


def evaluate(
    job: Deployment,
    activity: Activity,
    costs: CostTable | None = None,
    *,
    model: Model = "analytic",
    detail: bool = False,
    census: ActivityCensus | None = None,
) -> Evaluation:
    """Replay an activity on a mapped chip, count, price, and audit: what a sample costs in time and energy.

    Call it once per rule, chip and model to compare. `costs` are the prices of the chip's technology if absent.
    `detail`: the energy of every time step is added up as well, and the event-driven model records its first sample.
    `census` may be kept and given again for every design that replays the same activity.

    Raises:
        CostError: an action that happened has no usable price (missing, no source, an average figure, unknown
            DRAM kind, voltage or node outside the table's published range).
        TooFastError: the chip cannot run at its clock and supply.
        RunError, ConfigError: see `nmsim.perf.work.build_work`.
    """
    costs = load_table(job.chip.technology) if costs is None else costs
    work = build_work(replace(job, chip=clocked(job.chip, costs)), activity, census)
    found = assess(job, activity, costs, _run(model, work, detail=detail))
    return replace(found, step_energy=_step_energy(work, job.chip, costs)) if detail else found


def _step_energy(work: StepWork, chip: ChipConfig, costs: CostTable) -> EnergyTable:
    none = {Phase.BARRIER.value: np.zeros(work.time_steps)}
    power = static_power(chip, costs)
    table = energy_of(work.step_counts, chip, costs, power, none, batch_size=1).select(
        component=(*(str(component) for component in Component), CONTROL)
    )
    return replace(table, count=table.count / work.samples, energy_pj=table.energy_pj / work.samples)


def _run(model: Model, work: StepWork, *, detail: bool) -> PerfResult:
    if model == "event":
        from nmsim.perf.event.chip import EventModel

        return EventModel(timeline=detail).run(work)
    return AnalyticModel().run(work)


def assess(job: Deployment, activity: Activity, costs: CostTable, perf: PerfResult) -> Evaluation:
    """Price and audit what a performance model found; raises `CostError` as `evaluate`."""
    network, chip, mapping = job.network, job.chip, job.mapping
    power = static_power(chip, costs)
    idle = None if chip.real_time is None else Idle.of(chip.real_time, perf.latency_s)
    phase_s = {phase.value: cycles / perf.clock_hz for phase, cycles in perf.phase_cycles.items()}
    energy = energy_of(
        perf.counts,
        chip,
        costs,
        power,
        phase_s,
        batch_size=perf.batch_size,
        activities=perf.activities,
        idle=idle,
    )
    unavailable = _without_total(power)
    real_time = None if chip.real_time is None else _real_time(chip.real_time, perf.latency_s)
    latency_s = perf.latency_s
    joules = energy.total_pj * units.J_PER_PJ
    energy_j = None if unavailable else _priced(energy, joules)
    power_w = energy_j and _power(
        energy_j, joules, latency_s if idle is None else latency_s + idle.awake_s + idle.asleep_s
    )
    memory = mapping.memory_use(chip)
    sops = _sops(perf)
    incremental = _incremental(perf, energy)
    area = _area(chip, costs, unavailable)
    static = energy.select(component=(STATIC, CLOCK), action=STANDING)
    forward = energy.select(phase=FORWARD)
    return Evaluation(
        chip_name=chip.label,
        chip_hash=chip.content_hash(),
        network_name=network.name,
        network_hash=network.content_hash(),
        activity_hash=activity.content_hash,
        mapping_hash=mapping.content_hash(),
        costs_name=costs.name,
        costs_hash=costs.content_hash(),
        rule=perf.rule,
        model=perf.model,
        samples=len(latency_s),
        time_steps=activity.time_steps,
        batch_size=perf.batch_size,
        perf=perf,
        energy=energy,
        energy_j=energy_j,
        forward_energy_j=energy_j and _priced(forward, forward.total_pj * units.J_PER_PJ),
        latency_s=_estimate(latency_s),
        power_w=power_w,
        edp_js=energy_j and _scaled_band(_estimate(joules * latency_s), energy_j),
        throughput_per_s=float(1 / latency_s.mean()),
        static_energy_j=energy_j and _priced(static, static.total_pj * units.J_PER_PJ),
        sops_per_sample=sops,
        energy_per_sop_incremental_j=incremental,
        energy_per_sop_all_in_j=energy_j.mean / sops if sops and energy_j else None,
        area=area,
        memory=memory,
        unpriced=energy.unpriced,
        unavailable=unavailable,
        notes=(
            *((mapping.chosen,) if mapping.chosen else ()),
            *perf.notes,
            *energy.notes,
            *memory_notes(chip, costs),
            *clock_notes(chip, costs),
            *_missed(real_time),
            *_dear(chip, costs, incremental),
        ),
        audit=(
            *audit(chip, perf, energy, power, tuple((use.memory, use.utilization) for use in memory), idle),
            *plausible(chip, costs, area, power, power_w.mean if power_w else None),
        ),
        real_time=real_time,
        memory_capacity_bits=sum(
            memory.capacity_bits for core in chip.cores() for memory in core.type.memories
        ),
        off_chip_bits=mapping.off_chip_bits(),
    )


def _without_total(power: StaticPower) -> dict[str, str]:
    """Figures that include static power, with the reason why there are none: a total without a part would look whole."""
    if power.unavailable is None:
        return {}
    names = ("static_energy", "energy", "forward_energy", "power", "edp", "energy_per_sop_all_in")
    return dict.fromkeys(names, power.unavailable)


def _real_time(real_time: RealTime, latency_s: FloatArray) -> Deadlines:
    period_s = 1 / real_time.arrival_hz
    missed = latency_s > period_s
    return Deadlines(
        period_s, float(missed.mean()), float(latency_s.max()), float(latency_s.mean()) / period_s
    )


def _missed(deadlines: Deadlines | None) -> tuple[str, ...]:
    """A note where samples arrive faster than they are done."""
    if deadlines is None or deadlines.missed == 0:
        return ()
    slowest, period = (units.scaled(seconds, "s") for seconds in (deadlines.slowest_s, deadlines.period_s))
    text = f"{deadlines.missed:.0%} of the samples take longer than the {period} between two arrivals (up to {slowest})"
    return (f"{text}: the chip is too slow for this rate",)


def _dear(chip: ChipConfig, costs: CostTable, joules: float | None) -> tuple[str, ...]:
    """A note where a synaptic operation at component prices costs more than on published chips."""
    if joules is None or isinstance(costs, EventTable):
        return ()
    clause = above_published(chip.tech_node_nm, joules * units.PJ_PER_J)
    return (f"{clause}: see what phase integrate spends",) if clause else ()


def _area(chip: ChipConfig, costs: CostTable, unavailable: dict[str, str]) -> Area | None:
    if isinstance(costs, EventTable):
        unavailable["area"] = f"{costs.name}: a table of level 'event' has no areas"
        return None
    try:
        return area_of(chip, costs)
    except CostError as error:
        unavailable["area"] = str(error)
        return None


def _estimate(values: FloatArray) -> Estimate:
    """Mean of a figure per sample `(S,)` into which no price enters."""
    return _without_prices(mean_interval(values))


def _without_prices(found: Interval) -> Estimate:
    return Estimate(found.value, found.low, found.high, found.value, found.value)


def _priced(energy: EnergyTable, joules: FloatArray) -> Estimate:
    found = _estimate(joules)
    return Estimate(found.mean, found.ci_low, found.ci_high, *energy.band_j)


def _scaled_band(estimate: Estimate, energy_j: Estimate) -> Estimate:
    """The same relative band as the energy's: time has no price in it."""
    ratio = estimate.mean / energy_j.mean if energy_j.mean else 0.0
    low, high = energy_j.band_low * ratio, energy_j.band_high * ratio
    return Estimate(estimate.mean, estimate.ci_low, estimate.ci_high, low, high)


def _power(energy_j: Estimate, joules: FloatArray, latency_s: FloatArray) -> Estimate:
    """Mean energy over mean time."""
    return _scaled_band(_without_prices(ratio_of_means(joules, latency_s)), energy_j)


def _sops(perf: PerfResult) -> float:
    """Synaptic operations per sample, counted by the cores, or as events on chips that are priced by events."""
    events = perf.counts.total(component=Component.EVENT.value, action=Action.SYNAPTIC_OP.value)
    total = events or perf.counts.total(component=Component.ALU.value, action=Action.SOP.value)
    return total / int(perf.counts.counts.shape[1])


def _incremental(perf: PerfResult, energy: EnergyTable) -> float | None:
    integrate = perf.counts.select(phase=Phase.INTEGRATE.value)
    action, layer = integrate.columns["action"], integrate.columns["layer"]
    serving = set(layer[np.isin(action, [Action.SOP.value, Action.SYNAPTIC_OP.value])].tolist())
    pure = serving - set(layer[action == Action.MAC.value].tolist())
    counted = integrate.select(component=Component.EVENT.value, action=Action.SYNAPTIC_OP.value)
    if not len(counted):
        counted = integrate.select(component=Component.ALU.value, action=Action.SOP.value)
    sops = counted.counts[np.isin(counted.columns["layer"], list(pure))].sum() / perf.counts.counts.shape[1]
    if not sops:
        return None
    # static power belongs to no layer, so this is dynamic energy
    return energy.mean_of(phase=Phase.INTEGRATE.value, layer=tuple(pure)) / float(sops)
