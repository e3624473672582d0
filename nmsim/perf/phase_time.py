"""Where the time of a sample goes: every slot's cycles given to phases, nothing lost, nothing twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.counts import Phase
from nmsim.perf.schedule import Chain, Slot
from nmsim.perf.work import StepWork

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Turns:
    """Durations of the groups of a schedule `table (turns, S)`, those of group g from `first[g]` on, one per time step."""

    table: FloatArray
    first: IntArray

    @classmethod
    def of_groups(cls, group_cycles: Sequence[FloatArray], samples: int) -> "Turns":
        """Of `group_cycles[g] (S, T)`; either axis may have one entry, where all samples are the same or it comes once."""
        first = np.cumsum([0, *(cycles.shape[1] for cycles in group_cycles)])
        table = np.zeros((int(first[-1]), samples))
        for start, cycles in zip(first.tolist(), group_cycles, strict=False):
            table[start : start + cycles.shape[1]] = cycles.T
        return cls(table, first)

    def of(self, chain: Chain) -> FloatArray:
        """Durations of the turns of a chain `(turns, S)`."""
        return self.table[[self.first[group] + t for group, t in chain]]


def phase_cycles(
    work: StepWork, turns: Turns, slot_cycles: FloatArray, update_cycles: FloatArray
) -> dict[Phase, FloatArray]:
    """Cycles per sample `(S,)` by phase, a sample's share of the update included.

    `turns` durations of the groups; `slot_cycles (S, slots)` and `update_cycles (1 or S, slots)`
    durations of the slots with their barriers, before they wait for a tick: that wait goes to the barrier. A slot's time
    goes to the phases of its longest chain, in proportion.
    """
    totals = {phase: np.zeros(work.samples) for phase in Phase}
    schedule = work.schedule
    for slots, times, share in (
        (schedule.slots, slot_cycles, 1.0),
        (schedule.update_slots, update_cycles, 1.0 / work.batch_size),
    ):
        for index, slot in enumerate(slots):
            waiting = schedule.barriers((slot,)) * work.barrier_cycles
            totals[Phase.BARRIER] += waiting * share
            # a chip that lives by a tick waits for it once per slot of a sample; updates follow without one
            if slots is schedule.slots:
                totals[Phase.BARRIER] += np.maximum(work.tick_cycles - times[:, index], 0.0)
            _attribute(work, slot, turns, (times[:, index] - waiting) * share, totals)
    return totals


def _attribute(
    work: StepWork, slot: Slot, turns: Turns, cycles: FloatArray, totals: dict[Phase, FloatArray]
) -> None:
    rows = [turns.of(chain) for chain in slot.chains]
    lengths = [row.sum(axis=0) for row in rows]
    # one chain for all samples, the longest of their sum, so that a phase's share does not jump from sample to sample
    longest = int(np.argmax([length.sum() for length in lengths]))
    length = lengths[longest]
    shares = np.divide(rows[longest], length, out=np.zeros_like(rows[longest]), where=length > 0)
    for turn, part in zip(slot.chains[longest], cycles * shares, strict=True):
        totals[_phase(work, turn[0])] += part


def _phase(work: StepWork, group: int) -> Phase:
    """Phase of a group: that of its work, transfers only if there is nothing else."""
    phases = [work.stages[stage].phase for stage in work.schedule.groups[group]]
    return next((phase for phase in phases if phase is not Phase.TRANSFER), Phase.TRANSFER)
