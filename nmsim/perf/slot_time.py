"""Slot times: how long the slots of a schedule take, by how long its stages take alone and beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.caches import Itself
from nmsim.fixedpoint.compiled import OPTIONS
from nmsim.perf.contention import Meetings
from nmsim.perf.phase_time import Turns
from nmsim.perf.schedule import Schedule, Slot
from nmsim.perf.work import StepWork
from nmsim.sums import BLOCK, starts, sum_last

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
KEPT = 64
"""Schedules whose layouts are kept."""


class SlotTimes:
    """Durations of slots and samples from those of stages `alone[stage] (S, T)` and of meetings `least (meetings, S)`.

    Every duration grows, or stays, with each of these, to the last bit: zeros for `least` make lower bounds.
    """

    def __init__(self, work: StepWork, alone: Sequence[FloatArray], least: FloatArray | None = None) -> None:
        self._work, schedule = work, work.schedule
        steps = tuple(alone[group[0]].shape[1] for group in schedule.groups)
        meetings = Meetings.of(schedule, steps)
        least = np.zeros((len(meetings.first) - 1, work.samples)) if least is None else least
        layout = _layout(Itself(schedule), steps)
        table = np.empty((int(layout.turn_first[-1]), work.samples))
        _take_turns(
            layout.turn_first, layout.member_first, layout.member, np.array(meetings.of_group, np.int64), least,
            np.array([cycles.shape for cycles in alone]),
            np.cumsum([0, *(cycles.size for cycles in alone)]),
            np.concatenate([cycles.reshape(-1) for cycles in alone]), table,
        )  # fmt: skip
        self.turns = Turns(table, layout.turn_first)
        self.slot_cycles = self._timed(schedule.slots, layout.slots, meetings.of_slot, least)
        """Durations of slots, barriers included `(S, slots)`."""
        self.update_slot_cycles = self._timed(
            schedule.update_slots, layout.update_slots, meetings.of_update_slot, least
        )
        """Of the slots of an update `(S, slots)`."""

    def _timed(
        self, slots: tuple[Slot, ...], chains: "_Chains", meetings: Sequence[int], least: FloatArray
    ) -> FloatArray:
        """Durations of slots, barriers included `(S, slots)`; `least` bounds those that have several chains."""
        work = self._work
        waiting = np.array(
            [work.schedule.barriers((slot,)) * work.barrier_cycles for slot in slots], np.float64
        )
        durations = np.empty((work.samples, len(slots)))
        _run(
            chains.first,
            _lengths(self.turns.table, chains),
            np.array(meetings, np.int64),
            least,
            waiting,
            durations,
        )
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


@dataclass(frozen=True)
class _Chains:
    """Chains of slots: of slot s `first[s]` up to `first[s + 1]`; the turns of chain c are `turn[ends[c]:ends[c + 1]]`."""

    first: IntArray
    ends: IntArray
    turn: IntArray

    @classmethod
    def of(cls, slots: Sequence[Slot], turn_first: Sequence[int]) -> "_Chains":
        every = [one for slot in slots for one in slot.chains]
        turns = [turn_first[group] + step for one in every for group, step in one]
        return cls(
            starts(len(slot.chains) for slot in slots), starts(map(len, every)), np.array(turns, np.int64)
        )


@dataclass(frozen=True)
class _Layout:
    """A schedule as arrays: turns of group g from `turn_first[g]` on, its stages `member[member_first[g]:...]`."""

    turn_first: IntArray
    member_first: IntArray
    member: IntArray
    slots: _Chains
    update_slots: _Chains


@lru_cache(maxsize=KEPT)
def _layout(asked: Itself[Schedule], steps: tuple[int, ...]) -> _Layout:
    schedule, first = asked.it, starts(steps)
    members = np.array(list(chain.from_iterable(schedule.groups)), np.int64)
    slots, updates = (_Chains.of(some, first.tolist()) for some in (schedule.slots, schedule.update_slots))
    return _Layout(first, starts(map(len, schedule.groups)), members, slots, updates)


def _lengths(table: FloatArray, chains: _Chains) -> FloatArray:
    """Durations of chains `(chains, S)`, their turns added up in numpy's order."""
    if table.shape[1] == 1:  # one column is added up as a row is, in another order
        parts = [
            table[chains.turn[start:stop], 0]
            for start, stop in zip(chains.ends, chains.ends[1:], strict=False)
        ]
        return np.array([sum_last(part[None])[0] if len(part) <= BLOCK else part.sum() for part in parts])[
            :, None
        ]
    lengths = np.zeros((len(chains.ends) - 1, table.shape[1]))
    _add_turns(chains.ends, chains.turn, table, lengths)
    return lengths


@numba.njit(cache=True, **OPTIONS)
def _take_turns(
    turn_first: IntArray, member_first: IntArray, member: IntArray, meeting: IntArray, least: FloatArray,
    shape: IntArray, cell_first: IntArray, alone: FloatArray, table: FloatArray,
) -> None:  # fmt: skip
    """Durations of groups turn by turn: the longest of their stages, or what they take beside each other."""
    for group in range(len(turn_first) - 1):
        for turn in range(turn_first[group], turn_first[group + 1]):
            step = turn - turn_first[group]
            for sample in range(table.shape[1]):
                longest = 0.0
                for k in range(member_first[group], member_first[group + 1]):
                    number = member[k]
                    own = sample if shape[number, 0] > 1 else 0
                    longest = max(longest, alone[cell_first[number] + own * shape[number, 1] + step])
                if meeting[group] >= 0:
                    longest = max(longest, least[meeting[group] + step, sample])
                table[turn, sample] = longest


@numba.njit(cache=True, **OPTIONS)
def _add_turns(ends: IntArray, turn: IntArray, table: FloatArray, lengths: FloatArray) -> None:
    for number in range(len(lengths)):
        for k in range(ends[number], ends[number + 1]):
            for sample in range(table.shape[1]):
                lengths[number, sample] += table[turn[k], sample]


@numba.njit(cache=True, **OPTIONS)
def _run(
    first: IntArray,
    lengths: FloatArray,
    meeting: IntArray,
    least: FloatArray,
    waiting: FloatArray,
    durations: FloatArray,
) -> None:
    """Durations of slots: the longest of their chains, or what they take beside each other, and barriers."""
    for slot in range(len(first) - 1):
        for sample in range(len(durations)):
            longest = 0.0
            for number in range(first[slot], first[slot + 1]):
                longest = max(longest, lengths[number, sample])
            if meeting[slot] >= 0:
                longest = max(longest, least[meeting[slot], sample])
            durations[sample, slot] = longest + waiting[slot]
