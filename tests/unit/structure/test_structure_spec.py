"""The structure section: what it refuses in one sentence, when its steps are due, and how far they go."""

from fractions import Fraction

import pytest

from nmsim.errors import RecordError
from nmsim.structure.spec import StructureSpec
from nmsim.structure.update_schedule import StructureSchedule

REFUSED = [
    (
        {"method": "prune"},
        "the key 'sparsity' is missing; say which fraction of the synapses is to be absent",
    ),
    (
        {"method": "grow", "sparsity": 0.5},
        "initial_sparsity is where method grow starts, which needs it and no other does; add it",
    ),
    (
        {"method": "prune", "sparsity": 0.5, "initial_sparsity": 0.9},
        "initial_sparsity is where method grow starts, which needs it and no other does; remove it",
    ),
    (
        {"method": "grow", "sparsity": 0.9, "initial_sparsity": 0.5},
        "initial_sparsity 0.5 is below sparsity 0.9, but growing lowers it; exchange the two",
    ),
    (
        {"method": "grow", "initial_sparsity": 0.9, "pattern": {"kind": "n_of_m", "keep": 2, "group": 4}},
        "pattern n_of_m goes with method prune, not grow; use unstructured or blocks",
    ),
    (
        {"method": "prune", "sparsity": 0.9, "pattern": {"kind": "n_of_m", "keep": 2, "group": 4}},
        "sparsity 0.9 contradicts pattern 2 of 4, which says it itself; leave it out",
    ),
    (
        {"method": "prune", "sparsity": 0.9, "begin_epoch": 3, "end_epoch": 2},
        "end_epoch 2 is before begin_epoch 3; use a later end",
    ),
    (
        {"method": "prune_and_grow", "sparsity": 0.9, "schedule": "one_shot"},
        "schedule one_shot makes one step, and prune_and_grow exchanges by and by; use cubic or linear",
    ),
]


@pytest.mark.parametrize(("settings", "sentence"), REFUSED)
def test_what_does_not_go_together_is_one_sentence(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(RecordError) as caught:
        StructureSpec(**settings)
    assert sentence in str(caught.value)


def schedule(**settings: object) -> StructureSchedule:
    return StructureSchedule(StructureSpec(**settings), updates_per_epoch=10)


def test_pruning_by_magnitude_may_come_before_the_first_update() -> None:
    plan = schedule(method="prune", sparsity=0.5, schedule="one_shot")
    assert [n for n in range(40) if plan.due(n)] == [0]
    assert plan.sparsity(0) == Fraction(1, 2)


def test_a_step_that_looks_at_a_gradient_comes_after_an_update() -> None:
    assert schedule(method="prune", sparsity=0.5, prune_by="gradient").first == 1


def test_cubic_steps_end_exactly_at_the_target() -> None:
    plan = schedule(method="prune", sparsity=0.9, begin_epoch=1, end_epoch=3, every_updates=9)
    assert [n for n in range(40) if plan.due(n)] == [10, 19, 28]
    assert [plan.sparsity(n) for n in (10, 19, 28)] == [0, Fraction(9, 10) * Fraction(7, 8), Fraction(9, 10)]


def test_growth_lowers_sparsity_from_the_start_to_the_target() -> None:
    plan = schedule(
        method="grow", sparsity=0.8, initial_sparsity=0.9, end_epoch=2, every_updates=19, schedule="linear"
    )
    assert [n for n in range(40) if plan.due(n)] == [1, 20]
    assert [plan.sparsity(n) for n in (1, 20)] == [Fraction(9, 10), Fraction(4, 5)]


def test_an_exchange_dies_out() -> None:
    plan = schedule(
        method="prune_and_grow", sparsity=0.8, exchange=0.3, end_epoch=2, every_updates=19, schedule="linear"
    )
    assert [plan.exchanged(n) for n in (1, 20)] == [Fraction(3, 10), 0]
