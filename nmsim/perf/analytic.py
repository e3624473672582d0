"""The analytic model: every core, time step and phase at once; what is busiest decides, nothing queues."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import BoundedCache
from nmsim.counts import CoreActivity, Phase
from nmsim.perf.machine import Machine
from nmsim.perf.model import PerfResult, StageLabel
from nmsim.perf.outline import cores_in_cycles
from nmsim.perf.phase_time import Turns, phase_cycles
from nmsim.perf.schedule import Slot
from nmsim.perf.stage import MAX_LANES, Stage
from nmsim.perf.stage_load import StageLoad
from nmsim.perf.work import StepWork
from nmsim.sums import sum_last

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
KEPT_BYTES = 96 * 2**20
"""Of loads that are kept for further works that share stages on one machine."""


_loads = BoundedCache[tuple[Machine, Stage], StageLoad](
    lambda asked: StageLoad(*asked), lambda _, load: load.stage.nbytes, KEPT_BYTES
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
    """Times of all samples of a work, found as they are asked for; `AnalyticModel.run` asks for everything.

    They are those of all works of one pace: in cycles, whatever the clock.
    """

    def __init__(self, work: StepWork) -> None:
        self.work = work
        self._cores = Machine.of(cores_in_cycles(work.chip))
        groups = [self._group(group) for group in work.schedule.groups]
        self.turns = Turns(groups, work.samples)

    @property
    def _loads(self) -> Iterator[StageLoad]:
        """Of every stage."""
        return (self._load(stage) for stage in range(len(self.work.stages)))

    def _load(self, stage: int) -> StageLoad:
        return _loads((self._cores, self.work.stages[stage]))

    def _group(self, group: tuple[int, ...]) -> FloatArray:
        """Duration of stages that start together `(S, T)`."""
        if len(group) == 1:
            return self._load(group[0]).cycles
        longest: FloatArray = np.max([self._load(stage).cycles for stage in group], axis=0)
        # each may be short by itself and yet wait for the others, where they take the same core, link or DRAM
        every = slice(None)
        return np.maximum(longest, self._shared(((stage, every) for stage in group), longest.shape[1:]))

    def _shared(self, turns: Iterable[tuple[int, int | slice]], steps: tuple[int, ...] = ()) -> FloatArray:
        """Bound `(S, *steps)` of stages that run beside each other: the largest sum of their loads on a resource, and fill.

        A turn is a stage at a time step, or at all of them, as many as `steps` says.
        """
        cells = (self.samples, *steps)
        machine = self.work.machine
        cores = np.zeros((len(machine.tile), MAX_LANES + machine.memory_rate.shape[1], *cells))
        links = np.zeros((machine.links.grid.links, *cells))
        ports = np.zeros((2, machine.links.grid.tiles, *cells))
        dram, fill = np.zeros(cells), np.zeros(cells)
        for stage, t in turns:
            load = self._load(stage)
            cores[load.stage.cores] += load.taken[..., t]
            dram += load.dram[:, t]
            fill = np.maximum(fill, load.longest_fill[:, t])
            if load.network is not None:
                links += load.network.links[..., t]
                ports += load.network.ports[..., t]
        bounds = (cores.max(axis=(0, 1)), links.max(axis=0), ports.max(axis=(0, 1)), dram)
        # loads are sums of fractions of cycles: a whole number of them must not be rounded up for its last bit
        return np.asarray(np.ceil(np.max(bounds, axis=0) - 1e-9) + fill)

    @property
    def samples(self) -> int:
        """Samples of the work."""
        return self.work.samples

    def _slot(self, slot: Slot) -> FloatArray:
        """Duration of a slot without barriers `(S,)`."""
        chains = [self.turns.of(chain).sum(axis=0) for chain in slot.chains]
        if len(chains) == 1:  # its groups run one after the other and were bounded by themselves
            return np.asarray(chains[0])
        turns = (
            (stage, t)
            for chain in slot.chains
            for group, t in chain
            for stage in self.work.schedule.groups[group]
        )
        longest: FloatArray = np.max(chains, axis=0)
        return np.maximum(longest, self._shared(turns))

    def _timed(self, slots: tuple[Slot, ...]) -> FloatArray:
        """Durations of slots, barriers included `(S, slots)`."""
        durations = [
            self._slot(slot) + self.work.schedule.barriers((slot,)) * self.work.barrier_cycles
            for slot in slots
        ]
        return np.stack(durations, axis=1) if durations else np.zeros((self.samples, 0))

    @cached_property
    def slot_cycles(self) -> FloatArray:
        """Durations of slots, barriers included `(S, slots)`."""
        return self._timed(self.work.schedule.slots)

    @cached_property
    def ticked_cycles(self) -> FloatArray:
        """Durations of slots, each at least a tick."""
        return np.maximum(self.slot_cycles, self.work.tick_cycles)

    @cached_property
    def update_slot_cycles(self) -> FloatArray:
        """Of the slots of an update `(S, slots)`."""
        return self._timed(self.work.schedule.update_slots)

    @property
    def update_cycles(self) -> float:
        """Of one update."""
        return float(self.update_slot_cycles[0].sum())

    @cached_property
    def sample_cycles(self) -> FloatArray:
        """Cycles per sample `(S,)`, its share of the update included."""
        return np.asarray(self.ticked_cycles.sum(axis=1) + self.update_cycles / self.work.batch_size)

    @cached_property
    def phase_cycles(self) -> dict[Phase, FloatArray]:
        """Where the time of a sample goes `(S,)`; see `PerfResult.phase_cycles`."""
        return phase_cycles(self.work, self.turns, self.slot_cycles, self.update_slot_cycles)

    @cached_property
    def activities(self) -> tuple[CoreActivity, ...]:
        """What the cores did, stage by stage."""
        return tuple(_activity(self.work, load) for load in self._loads)

    @cached_property
    def stage_cycles(self) -> FloatArray:
        """`(stage, S, T)`; see `PerfResult.stage_cycles`."""
        cycles = np.zeros((len(self.work.stages), self.work.samples, self.work.time_steps))
        for row, load in zip(cycles, self._loads, strict=True):
            row[:, : load.cycles.shape[1]] = load.cycles
        return cycles

    @cached_property
    def result(self) -> PerfResult:
        """Everything about all samples, at the clock of the work that asked first."""
        work = self.work
        usage = _Usage(work, self._loads)
        labels = tuple(
            StageLabel(s.name, s.phase, s.layer, s.part, s.cadence, load.bottleneck)
            for s, load in zip(work.stages, self._loads, strict=True)
        )
        return PerfResult(
            model=AnalyticModel.name, clock_hz=work.clock_hz, rule=work.rule, batch_size=work.batch_size,
            cycles=self.ticked_cycles.sum(axis=1), update_cycles=self.update_cycles,
            stages=labels, stage_cycles=self.stage_cycles, slot_cycles=self.ticked_cycles, phase_cycles=self.phase_cycles,
            barriers=work.schedule.barriers(work.schedule.slots),
            cores=work.cores_used, core_busy_cycles=usage.core_busy,
            memory_names=tuple(
                tuple(memory.name for memory in work.chip.cores()[core].type.memories) for core in work.cores_used
            ),
            memory_busy_cycles=usage.memory_busy, lane_busy_cycles=usage.lane_busy,
            link_flits=usage.link_flits,
            link_busy_cycles=usage.link_busy,
            dram_busy_cycles=usage.dram_busy, stall_cycles={"bank conflict": usage.conflicts},
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


def _activity(work: StepWork, load: StageLoad) -> CoreActivity:
    """What the cores of a stage did per sample; work that comes once per batch is shared by its samples."""
    stage = load.stage
    share = 1.0 / work.batch_size if stage.cadence == "batch" else 1.0
    shape = (len(stage.cores), work.samples)
    totals = (load.busy_of_sample, stage.operations, stage.moved_bits)
    busy, operations, bits = (np.broadcast_to(total * share, shape) for total in totals)
    return CoreActivity(stage.phase, stage.layer, stage.cores, busy, operations, bits)


class _Usage:
    """How long resources are taken over a whole sample, the update left out."""

    def __init__(self, work: StepWork, loads: Iterable[StageLoad]) -> None:
        cores, machine = len(work.cores_used), work.machine
        samples, memories = work.samples, machine.memory_rate.shape[1]
        self.core_busy = np.zeros((cores, samples))
        self.memory_busy = np.zeros((cores, memories, samples))
        self.lane_busy = np.zeros((cores, MAX_LANES, samples))
        self.link_flits = np.zeros((machine.links.grid.links, samples), np.int64)
        self.link_busy = np.zeros((machine.links.grid.links, samples))
        self.dram_busy = np.zeros(samples)
        self.conflicts = np.zeros(samples)
        self.deliveries = np.zeros(samples, np.int64)
        for load in loads:
            stage = load.stage
            if stage.cadence == "batch":  # an update is no part of a sample: its time is `update_cycles`
                continue
            rows = np.searchsorted(work.cores_used, stage.cores)
            self.core_busy[rows] += load.busy_of_sample
            taken = sum_last(load.taken)
            self.memory_busy[rows] += taken[:, MAX_LANES:]
            self.lane_busy[rows] += taken[:, :MAX_LANES]
            self.dram_busy += load.dram.sum(axis=-1)
            self.conflicts += load.conflicts.sum(axis=(0, 1, 3))
            if stage.traffic is not None and load.network is not None:
                self.link_flits += sum_last(stage.traffic.link_flits)
                self.link_busy += sum_last(load.network.links)
                self.deliveries += stage.traffic.received[1].sum(axis=(0, 2))
