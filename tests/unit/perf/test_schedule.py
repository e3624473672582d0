"""Schedules of two levels over three steps."""

import pytest

from nmsim.perf.schedule import Order, Schedule, make_schedule, segment_start

FORWARD, BACKWARD, GRADIENT = (((0,), (1,)), ((2,),)), (((3,),), ((4,),)), (((5,),), ((6,),))


def scheduled(schedule: str, *, through_time: bool = False, again: bool = False) -> Schedule:
    order = Order(FORWARD, FORWARD if again else (), BACKWARD, GRADIENT, ((7,),), ((8,), (9,)))
    return make_schedule(order, 3, schedule, through_time=through_time, phase_barriers=False)  # type: ignore[arg-type]


def turns(made: Schedule) -> list[list[list[tuple[tuple[int, ...], int]]]]:
    return [[[(made.groups[g], t) for g, t in chain] for chain in slot.chains] for slot in made.slots]


def forward(t: int) -> list[tuple[tuple[int, ...], int]]:
    return [((0,), t), ((1,), t), ((2,), t)]


def backward(t: int) -> list[tuple[tuple[int, ...], int]]:
    return [((4,), t), ((3,), t), ((5, 6), t)]


def test_sequential_goes_forward_and_back_in_every_step() -> None:
    assert turns(scheduled("sequential")) == [[forward(t) + backward(t)] for t in range(3)] + [[[((7,), 0)]]]


def test_layers_in_turn_share_no_group() -> None:
    order = Order(FORWARD, (), BACKWARD, GRADIENT, ((7,),), ((8, 9),))
    made = make_schedule(
        order, 1, "sequential", through_time=False, phase_barriers=False, layers_in_turn=True
    )
    assert turns(made)[0] == [[*forward(0), ((4,), 0), ((3,), 0), ((5,), 0), ((6,), 0)]]
    assert [made.groups[group] for group, _ in made.update_slots[0].chains[0]] == [(8,), (9,)]


def test_overlapped_goes_back_while_the_next_step_goes_forward() -> None:
    assert turns(scheduled("overlapped")) == [
        [forward(0)],
        [forward(1), backward(0)],
        [forward(2), backward(1)],
        [backward(2)],
        [[((7,), 0)]],
    ]


def test_pipelined_keeps_every_level_at_a_step_of_its_own() -> None:
    up, down = ([((0,), 0), ((1,), 0)], [((2,), 0)]), ([((3,), 0), ((5,), 0)], [((4,), 0), ((6,), 0)])
    later = lambda chain, t: [(group, t) for group, _ in chain]  # noqa: E731 - shorter than a function
    assert turns(scheduled("pipelined"))[:-1] == [
        [up[0]],
        [later(up[1], 0), later(up[0], 1)],
        [later(down[1], 0), later(up[1], 1), later(up[0], 2)],
        [later(down[0], 0), later(down[1], 1), later(up[1], 2)],
        [later(down[0], 1), later(down[1], 2)],
        [later(down[0], 2)],
    ]


def test_backpropagation_through_time_waits_for_the_last_step() -> None:
    for schedule in ("sequential", "overlapped"):
        made = turns(scheduled(schedule, through_time=True))[:-1]
        assert made == [[forward(0)], [forward(1)], [forward(2)], [backward(2)], [backward(1)], [backward(0)]]


def test_recomputing_repeats_one_segment_at_a_time() -> None:
    made = turns(scheduled("sequential", through_time=True, again=True))[:-1]
    ahead = [[forward(0)], [forward(1)], [forward(2)]]
    assert made == [
        *ahead,
        [forward(2)],
        [backward(2)],
        [forward(0)],
        [forward(1)],
        [backward(1)],
        [backward(0)],
    ]


def test_checkpoints_are_about_the_square_root_of_the_steps() -> None:
    assert [t for t, kept in enumerate(segment_start(10)) if kept] == [0, 4, 8]
    assert segment_start(1) == [True]


@pytest.mark.parametrize("schedule", ["sequential", "overlapped", "pipelined"])
@pytest.mark.parametrize("through_time", [False, True])
def test_every_stage_runs_once_per_step(schedule: str, through_time: bool) -> None:
    ran = [
        (stage, t)
        for slot in turns(scheduled(schedule, through_time=through_time))
        for chain in slot
        for g, t in chain
        for stage in g
    ]
    assert sorted(ran) == sorted([(stage, t) for stage in range(7) for t in range(3)] + [(7, 0)])


def test_the_update_has_slots_of_its_own() -> None:
    made = scheduled("sequential")
    assert [[made.groups[g] for g, _ in slot.chains[0]] for slot in made.update_slots] == [[(8,), (9,)]]
