"""The whole chip: one sample after the other, slot by slot, stages of a slot at the same time."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from simpy import AllOf, Environment, Event

from event_twin.chance import Chance
from event_twin.core import Core
from event_twin.dram import DramChannel
from event_twin.noc import Noc, Way, ways
from event_twin.stage import StageRun
from event_twin.timeline import Timeline
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.bursts import Bursts
from nmsim.perf.model import PerfResult, TimelineEvent
from nmsim.perf.phase_time import Turns, phase_cycles
from nmsim.perf.schedule import Chain, Slot
from nmsim.perf.stage_load import StageLoad, dram_rate
from nmsim.perf.work import StepWork

FloatArray = NDArray[np.float64]
Steps = Generator[Event, Any, None]


@dataclass(frozen=True)
class EventModel:
    """Simulates; see docs/timing.md.

    `bursts` says how packets are grouped into bursts; `timeline` records the first sample and one update.
    """

    bursts: Bursts = field(default_factory=Bursts)
    timeline: bool = False
    name: str = "event"

    def run(self, work: StepWork) -> PerfResult:
        """Simulate all samples of a work, each on an idle chip, then one update."""
        loads = tuple(StageLoad(work.machine, stage) for stage in work.stages)
        paths = tuple(() if s.traffic is None else ways(s.traffic, s.name) for s in work.stages)
        runs = [ChipRun(work, loads, paths, self, sample) for sample in range(work.samples)]
        for sample in runs:
            sample.simulate(work.schedule.slots)
        update = ChipRun(work, loads, paths, self, 0)
        update.simulate(work.schedule.update_slots)
        return _result(work, runs, update)


class ChipRun:
    """The state of the chip while one sample runs."""

    def __init__(
        self,
        work: StepWork,
        loads: tuple[StageLoad, ...],
        paths: tuple[tuple[Way, ...], ...],
        model: EventModel,
        sample: int,
    ) -> None:
        self.work, self.loads, self.ways, self.bursts, self.sample = work, loads, paths, model.bursts, sample
        self.env = Environment()
        self.timeline = Timeline(on=model.timeline and sample == 0)
        chance = Chance()
        cores = work.cores_used.tolist()
        self.cores = {number: Core(work.machine, number, chance, self.timeline) for number in cores}
        self.noc = Noc(work.machine, self.timeline)
        dram = work.chip.dram
        self.dram = None if dram is None else DramChannel(*dram_rate(dram, work.clock_hz), self.timeline)
        self.stage_cycles = np.zeros((len(work.stages), work.time_steps))
        self.group_cycles = np.zeros((len(work.schedule.groups), work.time_steps))
        self.slot_cycles: list[float] = []
        self.packets_received = 0
        self.injection_stall_cycles = 0.0

    def simulate(self, slots: tuple[Slot, ...]) -> None:
        """Run some slots to their end."""
        self.env.process(self._slots(slots))
        self.env.run()

    def _slots(self, slots: tuple[Slot, ...]) -> Steps:
        for slot in slots:
            start = self.env.now
            alone = len(slot.chains) == 1
            yield AllOf(
                self.env, [self.env.process(self._chain(chain, alone=alone)) for chain in slot.chains]
            )
            if not (alone and self.work.schedule.phase_barriers):
                yield from self._barrier()
            took = self.env.now - start
            self.slot_cycles.append(took)
            if slots is self.work.schedule.slots and took < self.work.tick_cycles:
                yield self.env.timeout(self.work.tick_cycles - took)

    def _chain(self, chain: Chain, *, alone: bool) -> Steps:
        for group, t in chain:
            start = self.env.now
            stages = self.work.schedule.groups[group]
            yield AllOf(self.env, [self.env.process(self._stage(stage, t)) for stage in stages])
            self.group_cycles[group, t] += self.env.now - start
            if alone and self.work.schedule.phase_barriers:
                yield from self._barrier()

    def _stage(self, number: int, t: int) -> Steps:
        run = StageRun(self, number, t)
        yield AllOf(self.env, run.processes())
        self.stage_cycles[number, t] += run.took_cycles

    def _barrier(self) -> Steps:
        now, cycles = self.env.now, self.work.barrier_cycles
        self.timeline.add("barrier", "barrier", now, now + cycles)
        yield self.env.timeout(cycles)


def _timeline(runs: list[ChipRun], update: ChipRun, slot_cycles: FloatArray) -> tuple[TimelineEvent, ...]:
    """The first sample, then the update."""
    if not runs:
        return ()
    return runs[0].timeline.events() + update.timeline.events(float(slot_cycles[0].sum()))


def _result(work: StepWork, runs: list[ChipRun], update: ChipRun) -> PerfResult:
    """What was measured; how long resources are taken, and the counts, are those of the work itself."""
    estimate = AnalyticModel().run(work)
    slot_cycles = np.array([run.slot_cycles for run in runs]).reshape(work.samples, -1)
    ticked_cycles = np.maximum(slot_cycles, work.tick_cycles)
    update_cycles = np.array([update.slot_cycles])
    stage_cycles = np.stack([run.stage_cycles + update.stage_cycles for run in runs], axis=1)
    group_cycles = np.stack([run.group_cycles + update.group_cycles for run in runs], axis=1)
    stalls = {
        "bank conflict": [
            sum(m.conflict_cycles for c in run.cores.values() for m in c.memories) for run in runs
        ],
        "link contention": [run.noc.link_stall_cycles for run in runs],
        "queue full": [run.noc.queue_stall_cycles for run in runs],
        "injection": [run.injection_stall_cycles for run in runs],
        "dram": [0.0 if run.dram is None else run.dram.waiting_cycles for run in runs],
    }
    return replace(
        estimate,
        model="event",
        cycles=ticked_cycles.sum(axis=1),
        update_cycles=float(update_cycles.sum()),
        stage_cycles=stage_cycles,
        slot_cycles=ticked_cycles,
        phase_cycles=phase_cycles(
            work, Turns.of_groups(list(group_cycles), work.samples), slot_cycles, update_cycles
        ),
        stall_cycles={cause: np.array(cycles) for cause, cycles in stalls.items()},
        packets_received=np.array([run.packets_received for run in runs], np.int64),
        timeline=_timeline(runs, update, ticked_cycles),
        timeline_left_out=sum(run.timeline.left_out for run in (*runs[:1], update)),
    )
