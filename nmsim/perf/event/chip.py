"""The event-driven model of a whole chip: one sample after the other, slot by slot, stages of a slot at the same time."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.bursts import Bursts
from nmsim.perf.event.simulation import Simulation
from nmsim.perf.event.tables import Tables
from nmsim.perf.model import PerfResult, TimelineEvent
from nmsim.perf.phase_time import Turns, phase_cycles
from nmsim.perf.work import StepWork

FloatArray = NDArray[np.float64]


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
        simulation, slots = Simulation(work, self.bursts), work.schedule.slots
        runs = [
            Ended.of(simulation, simulation.run(sample, slots, timeline=self.timeline and sample == 0))
            for sample in range(work.samples)
        ]
        update_slots = work.schedule.update_slots
        update = Ended.of(simulation, simulation.run(0, update_slots, timeline=self.timeline))
        return _result(work, runs, update)


@dataclass(frozen=True)
class Ended:
    """What became of a simulation: cycles of stages, groups and slots, stalls by cause, packets, the timeline."""

    stage_cycles: FloatArray
    group_cycles: FloatArray
    slot_cycles: FloatArray
    stalls: dict[str, float]
    packets: int
    timeline: tuple[TimelineEvent, ...]
    left_out: int

    @classmethod
    def of(cls, simulation: Simulation, tables: Tables) -> "Ended":
        """From the tables that a simulation leaves."""
        clock = tables.clock[0]
        stalls = {
            "bank conflict": float(
                sum(tables.memories["conflict"][simulation.work.cores_used].reshape(-1).tolist())
            ),
            "link contention": float(clock["link_stall"]),
            "queue full": float(clock["queue_stall"]),
            "injection": float(clock["injection_stall"]),
            "dram": float(clock["dram_waiting"]),
        }
        return cls(
            tables.stage_cycles, tables.group_cycles, tables.slot_cycles, stalls, int(clock["packets"]),
            simulation.bars(tables), int(clock["left_out"]),
        )  # fmt: skip


def _timeline(runs: list[Ended], update: Ended, slot_cycles: FloatArray) -> tuple[TimelineEvent, ...]:
    """The first sample, then the update."""
    if not runs:
        return ()
    shift = float(slot_cycles[0].sum())
    return runs[0].timeline + tuple(
        replace(bar, start_cycles=bar.start_cycles + shift) for bar in update.timeline
    )


def _result(work: StepWork, runs: list[Ended], update: Ended) -> PerfResult:
    """What was measured; how long resources are taken, and the counts, are those of the work itself."""
    estimate = AnalyticModel().run(work)
    slot_cycles = np.array([run.slot_cycles for run in runs]).reshape(work.samples, -1)
    ticked_cycles = np.maximum(slot_cycles, work.tick_cycles)
    update_cycles = update.slot_cycles[None]
    stage_cycles = np.stack([run.stage_cycles + update.stage_cycles for run in runs], axis=1)
    group_cycles = np.stack([run.group_cycles + update.group_cycles for run in runs], axis=1)
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
        stall_cycles={cause: np.array([run.stalls[cause] for run in runs]) for cause in update.stalls},
        packets_received=np.array([run.packets for run in runs], np.int64),
        timeline=_timeline(runs, update, ticked_cycles),
        timeline_left_out=sum(run.left_out for run in (*runs[:1], update)),
    )
