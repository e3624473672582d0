"""Where the time of a sample goes: every slot's cycles given to phases, nothing lost, nothing twice."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmsim.counts import Phase
from nmsim.perf.schedule import Slot
from nmsim.perf.work import StepWork

FloatArray = NDArray[np.float64]


def phase_cycles(
    work: StepWork, group_cycles: Sequence[FloatArray], slot_cycles: FloatArray, update_cycles: FloatArray
) -> dict[Phase, FloatArray]:
    """Cycles per sample `(S,)` by phase, a sample's share of the update included.

    `group_cycles[g] (S, T)` durations of the groups; `slot_cycles (S, slots)` and `update_cycles (1 or S, slots)`
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
            if slots is schedule.slots:
                totals[Phase.BARRIER] += np.maximum(work.tick_cycles - times[:, index], 0.0)
            _attribute(work, slot, group_cycles, (times[:, index] - waiting) * share, totals)
    return totals


def _attribute(
    work: StepWork,
    slot: Slot,
    group_cycles: Sequence[FloatArray],
    cycles: FloatArray,
    totals: dict[Phase, FloatArray],
) -> None:
    def turn_cycles(turn: tuple[int, int]) -> FloatArray:
        return np.broadcast_to(group_cycles[turn[0]][:, turn[1]], (work.samples,))

    lengths = [np.sum([turn_cycles(turn) for turn in chain], axis=0) for chain in slot.chains]
    longest = int(np.argmax([length.sum() for length in lengths]))
    length = lengths[longest]
    for turn in slot.chains[longest]:
        share = np.divide(turn_cycles(turn), length, out=np.zeros(work.samples), where=length > 0)
        totals[_phase(work, turn[0])] += cycles * share


def _phase(work: StepWork, group: int) -> Phase:
    """Phase of a group: that of its work, transfers only if there is nothing else."""
    phases = [work.stages[stage].phase for stage in work.schedule.groups[group]]
    return next((phase for phase in phases if phase is not Phase.TRANSFER), Phase.TRANSFER)
