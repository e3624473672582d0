"""Where the time goes: the time a performance model found, per sample, in seconds."""

from dataclasses import dataclass

import numpy as np

from nmsim.evaluate import Evaluation


@dataclass(frozen=True)
class StageTime:
    """Mean time of one stage per sample, its share of the update included; stages may overlap in time."""

    name: str
    phase: str
    layer: int
    part: str
    cadence: str
    bottleneck: str
    cycles: float
    latency_s: float


def latency_by_phase_s(item: Evaluation) -> dict[str, float]:
    """Mean time per sample by phase; adds up to the latency."""
    return {
        phase.value: float(cycles.mean()) / item.perf.clock_hz
        for phase, cycles in item.perf.phase_cycles.items()
        if cycles.any()
    }


def stage_times(item: Evaluation) -> tuple[StageTime, ...]:
    """Every stage in the order of the schedule."""
    perf = item.perf
    found = []
    for label, cycles in zip(perf.stages, perf.stage_cycles, strict=True):
        once = perf.batch_size if label.cadence == "batch" else 1
        mean = float(cycles.sum(axis=1).mean()) / once
        found.append(
            StageTime(
                label.name,
                label.phase.value,
                label.layer,
                label.part.value,
                label.cadence,
                label.bottleneck,
                mean,
                mean / perf.clock_hz,
            )
        )
    return tuple(found)


def slot_latency_s(item: Evaluation) -> list[float]:
    """Mean time of every slot of the schedule, barrier included; sequential schedules have one slot per time step."""
    return [float(value) / item.perf.clock_hz for value in np.asarray(item.perf.slot_cycles).mean(axis=0)]


def utilization(item: Evaluation) -> dict[int, float]:
    """Mean busy fraction of every core in use, by its number."""
    busy = item.perf.core_busy_cycles / np.maximum(item.perf.cycles, 1)
    return dict(zip(item.perf.cores.tolist(), busy.mean(axis=1).tolist(), strict=True))
