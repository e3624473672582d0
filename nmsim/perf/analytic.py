"""The analytic model: every core, time step and phase at once; what is busiest decides, nothing queues."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import BoundedCache
from nmsim.counts import CoreActivity, Phase
from nmsim.perf.contention import Meetings, least_cycles
from nmsim.perf.machine import Machine
from nmsim.perf.model import PerfResult, StageLabel
from nmsim.perf.outline import cores_in_cycles
from nmsim.perf.phase_time import phase_cycles
from nmsim.perf.slot_time import SlotTimes
from nmsim.perf.stage import Stage
from nmsim.perf.stage_load import StageLoad, dram_cycles
from nmsim.perf.uses import MAX_LANES
from nmsim.perf.work import StepWork

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
KEPT_BYTES = 192 * 2**20
"""Of loads that are kept for further works that share stages on one machine."""


_loads = BoundedCache[tuple[Machine, Stage], StageLoad](
    lambda asked: StageLoad(*asked), lambda _, load: load.nbytes, KEPT_BYTES
)


def loads_of(work: StepWork) -> tuple[StageLoad, ...]:
    """Loads of every stage of a work; kept for whoever asks next."""
    machine = Machine.of(cores_in_cycles(work.chip))
    return tuple(_loads((machine, stage)) for stage in work.stages)


@dataclass(frozen=True)
class AnalyticModel:
    """Estimates the time of every stage from its busiest resource, without queues; see docs/timing.md.

    It is what design spaces are searched with. Where packets meet or memories conflict it leaves the waiting out: the
    event-driven model says how much that is.
    """

    name: str = "analytic"

    def run(self, work: StepWork) -> PerfResult:
        """Estimate all samples of a work."""
        found = replace(analytic_times(work).result, model=self.name)
        return replace(found, clock_hz=work.clock_hz, counts=work.counts, notes=work.notes)


class AnalyticTimes:
    """Times of all samples of a work; what only a report asks for is found when it is asked for.

    They are those of all works of one pace: in cycles, whatever the clock.
    """

    def __init__(self, work: StepWork) -> None:
        self.work = work
        loads = loads_of(work)
        self.dram = tuple(dram_cycles(stage, work.chip, work.clock_hz) for stage in work.stages)
        self._alone = [np.maximum(load.cycles, dram) for load, dram in zip(loads, self.dram, strict=True)]
        self.stage_cycles = np.zeros((len(work.stages), work.samples, work.time_steps))
        """`(stage, S, T)`; see `PerfResult.stage_cycles`."""
        for row, cycles in zip(self.stage_cycles, self._alone, strict=True):
            row[:, : cycles.shape[1]] = cycles

    @property
    def at_least(self) -> SlotTimes:
        """Lower bounds: as if stages that run beside each other shared nothing."""
        return SlotTimes(self.work, self._alone)

    @cached_property
    def _slots(self) -> SlotTimes:
        work, schedule = self.work, self.work.schedule
        steps = [self._alone[group[0]].shape[1] for group in schedule.groups]
        loads = loads_of(work)
        least = least_cycles(Meetings.of(schedule, steps), loads, self.dram, work.machine, work.samples)
        return SlotTimes(work, self._alone, least)

    @property
    def sample_cycles(self) -> FloatArray:
        """Cycles per sample `(S,)`, its share of the update included."""
        return self._slots.sample_cycles

    @cached_property
    def phase_cycles(self) -> dict[Phase, FloatArray]:
        """Where the time of a sample goes `(S,)`; see `PerfResult.phase_cycles`."""
        slots = self._slots
        return phase_cycles(self.work, slots.turns, slots.slot_cycles, slots.update_slot_cycles)

    @cached_property
    def activities(self) -> tuple[CoreActivity, ...]:
        """What the cores did, stage by stage, apart from the loads that it is found of."""
        return tuple(
            CoreActivity(a.phase, a.layer, a.cores, a.busy_cycles, a.lane_operations, a.word_bits)
            for a in self.at_work
        )

    @property
    def at_work(self) -> Iterator[CoreActivity]:
        """The same for whoever looks at little of it; holds on to the loads."""
        work = self.work
        return (_StageActivity(load, work.batch_size, work.samples) for load in loads_of(work))

    @property
    def _dram_busy(self) -> FloatArray:
        """Cycles per sample that the channel to DRAM is taken `(S,)`, the update left out."""
        busy = np.zeros(self.work.samples)
        for stage, dram in zip(self.work.stages, self.dram, strict=True):
            if stage.cadence != "batch":
                busy += dram.sum(axis=-1)
        return busy

    @cached_property
    def result(self) -> PerfResult:
        """Everything about all samples, at the clock of the work that asked first."""
        work, loads, slots = self.work, loads_of(self.work), self._slots
        usage = _Usage(work, loads)
        labels = tuple(
            StageLabel(s.name, s.phase, s.layer, s.part, s.cadence, _bottleneck(load, dram))
            for s, load, dram in zip(work.stages, loads, self.dram, strict=True)
        )
        return PerfResult(
            model=AnalyticModel.name, clock_hz=work.clock_hz, rule=work.rule, batch_size=work.batch_size,
            cycles=slots.ticked_cycles.sum(axis=1), update_cycles=slots.update_cycles,
            stages=labels, stage_cycles=self.stage_cycles, slot_cycles=slots.ticked_cycles, phase_cycles=self.phase_cycles,
            barriers=work.schedule.barriers(work.schedule.slots),
            cores=work.cores_used, core_busy_cycles=usage.core_busy,
            memory_names=tuple(
                tuple(memory.name for memory in work.chip.cores()[core].type.memories) for core in work.cores_used
            ),
            memory_busy_cycles=usage.memory_busy, lane_busy_cycles=usage.lane_busy,
            link_flits=usage.link_flits,
            link_busy_cycles=usage.link_busy,
            dram_busy_cycles=self._dram_busy, stall_cycles={"bank conflict": usage.conflicts},
            packets_sent=usage.deliveries, packets_received=usage.deliveries,
            counts=work.counts, activities=self.activities, notes=work.notes,
        )  # fmt: skip


def analytic_times(work: StepWork) -> AnalyticTimes:
    """Times of a work, or of another of the same pace that was asked for before."""
    return _times(_Paced(work))


@dataclass(frozen=True, eq=False)
class _Paced:
    """A work that equals all of its pace."""

    work: StepWork

    @cached_property
    def pace(self) -> Hashable:
        return self.work.pace

    def __hash__(self) -> int:
        return hash(self.pace)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Paced) and self.pace == other.pace


_times = BoundedCache[_Paced, AnalyticTimes](
    lambda asked: AnalyticTimes(asked.work),
    lambda _, found: sum(stage.nbytes for stage in found.work.stages),
    KEPT_BYTES,
)


def _bottleneck(load: StageLoad, dram: FloatArray) -> str:
    """Name of the resource that is most often the most loaded one; of several the first, empty if nothing is taken."""
    taken = load.most_taken
    if dram.any():
        taken = taken | {"dram": float(dram.sum())}
    return max(taken, key=lambda name: taken[name]) if any(taken.values()) else ""


class _StageActivity(CoreActivity):
    """What the cores of a stage did, found when it is asked for: how long they worked is seldom looked at."""

    def __init__(self, load: StageLoad, batch_size: int, samples: int) -> None:
        """Of `samples`; work that comes once per batch is shared by its samples."""
        stage = load.stage
        share = 1.0 / batch_size if stage.cadence == "batch" else 1.0
        vars(self).update(
            phase=stage.phase,
            layer=stage.layer,
            cores=stage.cores,
            _load=load,
            _share=share,
            _samples=samples,
        )

    @cached_property
    def kept(self) -> dict[Hashable, float]:
        """Of all activities of the stage: see `CoreActivity.kept`."""
        kept = vars(self)
        load: StageLoad = kept["_load"]
        return load.stage.opened.setdefault((kept["_share"], kept["_samples"]), {})

    @cached_property
    def busy_cycles(self) -> FloatArray:
        """Of every core and sample `(n, S)`."""
        return self._of_sample(vars(self)["_load"].busy_of_sample)

    @cached_property
    def lane_operations(self) -> FloatArray:
        """Of every core and sample `(n, S)`."""
        return self._of_sample(vars(self)["_load"].stage.operations)

    @cached_property
    def word_bits(self) -> FloatArray:
        """Of every core and sample `(n, S)`."""
        return self._of_sample(vars(self)["_load"].stage.moved_bits)

    def _of_sample(self, values: FloatArray) -> FloatArray:
        kept = vars(self)
        share, shape = kept["_share"], (len(self.cores), kept["_samples"])
        shared = values if share == 1.0 else values * share
        return shared if shared.shape == shape else np.broadcast_to(shared, shape)


class _Usage:
    """How long resources are taken over a whole sample, the update left out."""

    def __init__(self, work: StepWork, loads: Iterable[StageLoad]) -> None:
        cores, machine = len(work.cores_used), work.machine
        samples, memories = work.samples, machine.memory_rate.shape[1]
        self.core_busy = np.zeros((cores, samples))
        taken = np.zeros((cores, MAX_LANES + memories, samples))
        self.link_flits = np.zeros((machine.links.grid.links, samples), np.int64)
        self.link_busy = np.zeros((machine.links.grid.links, samples))
        self.conflicts = np.zeros(samples)
        self.deliveries = np.zeros(samples, np.int64)
        for load in loads:
            stage = load.stage
            if stage.cadence == "batch":  # an update is no part of a sample: its time is `update_cycles`
                continue
            rows = np.searchsorted(work.cores_used, stage.cores)
            self.core_busy[rows] += load.busy_of_sample
            taken[rows] += load.taken_of_sample
            self.conflicts += load.conflicts_of_sample
            if stage.traffic is not None and load.network is not None:
                self.link_flits += stage.traffic.link_packets_of_sample * stage.traffic.flits
                self.link_busy += load.network.links_of_sample
                self.deliveries += stage.traffic.received_of_sample
        self.lane_busy, self.memory_busy = taken[:, :MAX_LANES], taken[:, MAX_LANES:]
