"""Slot times: how long the slots of a schedule take, by how long its stages take alone and beside each other."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.perf.contention import Meetings
from nmsim.perf.phase_time import Turns
from nmsim.perf.schedule import Slot
from nmsim.perf.work import StepWork

FloatArray = NDArray[np.float64]


class SlotTimes:
    """Durations of slots and samples from those of stages `alone[stage] (S, T)` and of meetings `least (meetings, S)`.

    Every duration grows, or stays, with each of these, to the last bit: zeros for `least` make lower bounds.
    """

    def __init__(self, work: StepWork, alone: Sequence[FloatArray], least: FloatArray | None = None) -> None:
        self._work, schedule = work, work.schedule
        steps = [alone[group[0]].shape[1] for group in schedule.groups]
        meetings = Meetings.of(schedule, steps)
        least = np.zeros((len(meetings.first) - 1, work.samples)) if least is None else least
        groups = []
        for group, first, count in zip(schedule.groups, meetings.of_group, steps, strict=True):
            longest = alone[group[0]]
            if first >= 0:
                longest = np.maximum(
                    np.max([alone[n] for n in group], axis=0), least[first : first + count].T
                )
            groups.append(longest)
        self.turns = Turns(groups, work.samples)
        self.slot_cycles = self._timed(schedule.slots, meetings.of_slot, least)
        """Durations of slots, barriers included `(S, slots)`."""
        self.update_slot_cycles = self._timed(schedule.update_slots, meetings.of_update_slot, least)
        """Of the slots of an update `(S, slots)`."""

    def _timed(self, slots: tuple[Slot, ...], meetings: Sequence[int], least: FloatArray) -> FloatArray:
        """Durations of slots, barriers included `(S, slots)`; `least` bounds those that have several chains."""
        work = self._work
        durations = np.zeros((work.samples, len(slots)))
        for number, (slot, meeting) in enumerate(zip(slots, meetings, strict=True)):
            longest = np.max([self.turns.of(chain).sum(axis=0) for chain in slot.chains], axis=0)
            if meeting >= 0:
                longest = np.maximum(longest, least[meeting])
            durations[:, number] = longest + work.schedule.barriers((slot,)) * work.barrier_cycles
        return durations

    @cached_property
    def ticked_cycles(self) -> FloatArray:
        """Durations of slots, each at least a tick."""
        return np.maximum(self.slot_cycles, self._work.tick_cycles)

    @property
    def update_cycles(self) -> float:
        """Of one update."""
        return float(self.update_slot_cycles[0].sum())

    @cached_property
    def sample_cycles(self) -> FloatArray:
        """Cycles per sample `(S,)`, its share of the update included."""
        return np.asarray(self.ticked_cycles.sum(axis=1) + self.update_cycles / self._work.batch_size)
