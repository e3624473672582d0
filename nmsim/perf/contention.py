"""Contention: the least time of stages that run beside each other, by the sums of what they take of every resource."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.caches import Itself
from nmsim.fixedpoint.compiled import OPTIONS
from nmsim.perf.machine import Machine
from nmsim.perf.schedule import Schedule
from nmsim.perf.stage_load import StageLoad
from nmsim.sums import starts

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
KEPT = 64
"""Schedules whose meetings are kept."""


@dataclass(frozen=True)
class Meetings:
    """Stages that run beside each other: meeting m is of `stage[first[m]:first[m + 1]]`, each at its `step`.

    `met` are the stages that meet any other, ascending; `stage` is `met[place]`.

    The meetings of group g, one per time step, begin at `of_group[g]`, that of slot s is `of_slot[s]`; -1 where a stage is
    alone, or a slot has one chain, whose groups run one after the other and are bounded by themselves.
    """

    first: IntArray
    stage: IntArray
    step: IntArray
    met: IntArray
    place: IntArray
    of_group: tuple[int, ...]
    of_slot: tuple[int, ...]
    of_update_slot: tuple[int, ...]

    @classmethod
    def of(cls, schedule: Schedule, steps: Sequence[int]) -> "Meetings":
        """Of a schedule whose groups take so many time steps each; kept."""
        return _meetings(Itself(schedule), tuple(steps))


@lru_cache(maxsize=KEPT)
def _meetings(asked: Itself[Schedule], steps: tuple[int, ...]) -> Meetings:
    schedule, met = asked.it, list[list[tuple[int, int]]]()

    def add(*more: list[tuple[int, int]]) -> int:
        met.extend(more)
        return len(met) - len(more)

    of_group = [
        add(*([(stage, t) for stage in group] for t in range(count))) if len(group) > 1 else -1
        for group, count in zip(schedule.groups, steps, strict=True)
    ]
    of_slot, of_update_slot = (
        [
            add([(n, t) for chain in slot.chains for group, t in chain for n in schedule.groups[group]])
            if len(slot.chains) > 1
            else -1
            for slot in slots
        ]
        for slots in (schedule.slots, schedule.update_slots)
    )
    turns = np.array([turn for meeting in met for turn in meeting], np.int64).reshape(-1, 2)
    first = np.cumsum([0, *(len(meeting) for meeting in met)])
    stage, step = np.ascontiguousarray(turns[:, 0]), np.ascontiguousarray(turns[:, 1])
    stages, place = np.unique(stage, return_inverse=True)
    return Meetings(first, stage, step, stages, place, tuple(of_group), tuple(of_slot), tuple(of_update_slot))


def least_cycles(
    meetings: Meetings, loads: Sequence[StageLoad], dram: Sequence[FloatArray], machine: Machine, samples: int
) -> FloatArray:
    """Least duration of every meeting `(meetings, S)`: the largest sum of loads on a core, link, port or DRAM, and fill.

    Each may be short by itself and yet wait for the others, where they take the same resource. `loads` and `dram` (cycles
    of its channel, `(S, T)`) are those of all stages; either axis may have one entry, as in the stage.
    """
    count = len(meetings.first) - 1
    if not count:
        return np.zeros((0, samples))
    grid = machine.links.grid
    of_cores = len(machine.tile) * loads[0].resources
    rows, resources, taken = list[int](), list[IntArray](), list[FloatArray]()
    met = [loads[number] for number in meetings.met]
    for load in met:
        parts = [load.rows] if load.network is None else [load.rows, load.network.rows]
        rows.append(sum(len(index) for index, _ in parts))
        resources += [parts[0][0], *(index + of_cores for index, _ in parts[1:])]
        taken += [values.reshape(-1) for _, values in parts]
    fills = [load.longest_fill for load in met]
    bounds, fill = np.zeros((count, samples)), np.zeros((count, samples))
    places = of_cores + grid.links + 2 * grid.tiles + 1
    _meet(
        meetings.first, meetings.place, meetings.step,
        starts(rows), np.concatenate(resources),
        starts(number * longest.size for number, longest in zip(rows, fills, strict=True)),
        np.concatenate(taken),
        np.array([longest.shape for longest in fills]),
        starts(longest.size for longest in fills),
        np.concatenate([longest.reshape(-1) for longest in fills]),
        np.concatenate([dram[number].reshape(-1) for number in meetings.met]),
        np.full(places, -1), np.empty((places, samples)), bounds, fill,
    )  # fmt: skip
    # loads are sums of fractions of cycles: a whole number of them must not be rounded up for its last bit
    return np.asarray(np.ceil(bounds - 1e-9) + fill)


@numba.njit(cache=True, **OPTIONS)
def _meet(
    first: IntArray, stage: IntArray, step: IntArray, row_first: IntArray, resource: IntArray, value_first: IntArray,
    values: FloatArray, shape: IntArray, cell_first: IntArray, fills: FloatArray, dram: FloatArray,
    latest: IntArray, total: FloatArray, bounds: FloatArray, fill: FloatArray,
) -> None:  # fmt: skip
    """Sums of every meeting in the order of its stages; `shape (stages, 2)` samples and steps that a stage tells apart.

    `total` is of the meeting that is in `latest`. Nothing is taken for less than no time, so that the largest sum on the way
    is the largest in the end.
    """
    samples, last = total.shape[1], len(total) - 1
    for meeting in range(len(first) - 1):
        total[last] = 0.0
        for turn in range(first[meeting], first[meeting + 1]):
            number = stage[turn]
            steps = shape[number, 1]
            stride = steps if shape[number, 0] > 1 else 0
            base = value_first[number] + step[turn]
            for row in range(row_first[number], row_first[number + 1]):
                place = resource[row]
                if latest[place] != meeting:
                    latest[place] = meeting
                    total[place] = 0.0
                for sample in range(samples):
                    total[place, sample] += values[base + sample * stride]
                    bounds[meeting, sample] = max(bounds[meeting, sample], total[place, sample])
                base += shape[number, 0] * steps
            base = cell_first[number] + step[turn]
            for sample in range(samples):
                total[last, sample] += dram[base + sample * stride]
                bounds[meeting, sample] = max(bounds[meeting, sample], total[last, sample])
                fill[meeting, sample] = max(fill[meeting, sample], fills[base + sample * stride])
