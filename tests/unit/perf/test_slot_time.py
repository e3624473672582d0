"""Durations of slots in compiled passes, against chains and groups one by one."""

import numpy as np
import pytest
from test_contention import work

from nmsim.perf.contention import Meetings
from nmsim.perf.slot_time import SlotTimes


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("schedule", ["sequential", "overlapped", "pipelined"])
@pytest.mark.parametrize("name", ["edge-28nm", "single-core-dram-28nm"])
def test_slots_last_as_long_as_their_longest_chain(name: str, schedule: str, samples: int) -> None:
    found = work(name, "stop-wtl", samples=samples, schedule=schedule)
    random = np.random.default_rng(0)
    shapes = [
        (1, 1)
        if stage.cadence == "batch"
        else (samples, 1 if stage.cadence == "sample" else found.time_steps)
        for stage in found.stages
    ]
    alone = [random.random(shape) * 9 for shape in shapes]
    plan = found.schedule
    meetings = Meetings.of(plan, [alone[group[0]].shape[1] for group in plan.groups])
    least = random.random((len(meetings.first) - 1, samples)) * 20
    for given in (None, least):
        times, bounds = SlotTimes(found, alone, given), np.zeros(least.shape) if given is None else given

        def turn(group: int, step: int, bounds: np.ndarray = bounds) -> np.ndarray:
            longest = np.max(
                [np.broadcast_to(alone[n], (samples, alone[n].shape[1])) for n in plan.groups[group]], axis=0
            )
            first = meetings.of_group[group]
            return longest[:, step] if first < 0 else np.maximum(longest[:, step], bounds[first + step])

        for slots, of_slot, durations in (
            (plan.slots, meetings.of_slot, times.slot_cycles),
            (plan.update_slots, meetings.of_update_slot, times.update_slot_cycles),
        ):
            for number, (slot, meeting) in enumerate(zip(slots, of_slot, strict=True)):
                chains = [np.array([turn(*one) for one in chain]).sum(axis=0) for chain in slot.chains]
                longest = np.max([*chains, *([] if meeting < 0 else [bounds[meeting]])], axis=0)
                longest = longest + plan.barriers((slot,)) * found.barrier_cycles
                assert np.array_equal(durations[:, number], longest)
