"""Published trainers beside the model: which figures set something, which are foretold, and how well."""

import pytest

from nmsim.validate.point import CALIBRATED, HELD_OUT, NOT_COMPARED, SiliconPoint
from nmsim.validate.trainers import trainer, trainers


@pytest.fixture(scope="module")
def points() -> tuple[SiliconPoint, ...]:
    return tuple(trainers())


def errors(points: tuple[SiliconPoint, ...], what: str) -> list[float]:
    return [item.relative_error for item in points if item.what == what and item.relative_error is not None]


def test_every_figure_says_what_it_was_used_for(points: tuple[SiliconPoint, ...]) -> None:
    for item in points:
        assert item.role in {CALIBRATED, HELD_OUT, NOT_COMPARED}
        assert (item.model is None) == (item.role == NOT_COMPARED)
        assert item.note
        assert item.source
    roles = {item.what: item.role for item in points}
    assert roles["VC707 inference"] == roles["MorphBungee learning"] == CALIBRATED
    assert roles["VC707 training"] == roles["MorphBungee power"] == roles["ReckOn energy per SOP"] == HELD_OUT
    assert roles["VC707 energy per trained image"] == NOT_COMPARED


def test_lanes_are_set_as_well_as_powers_of_two_can(points: tuple[SiliconPoint, ...]) -> None:
    for what in ("VC707 inference", "MorphBungee learning"):
        found = errors(points, what)
        assert found
        assert all(-0.3 < error < 0.42 for error in found)


def test_what_was_held_out_is_met_as_the_docs_say(points: tuple[SiliconPoint, ...]) -> None:
    ratios = errors(points, "VC707 training over inference time")
    # STBP, then STOP-W, at 4 and at 8 time steps
    assert ratios == pytest.approx([-0.10, 0.23, -0.26, 0.31], abs=0.02)
    assert errors(points, "MorphBungee power") == pytest.approx([-0.57, -0.28, 0.34], abs=0.02)
    assert errors(points, "ReckOn energy per SOP") == pytest.approx([0.09, 0.66], abs=0.02)


def test_a_trainer_of_more_lanes_has_wider_memories_of_the_same_size() -> None:
    narrow, wide = trainer("vc707", 8).core_types[0], trainer("vc707", 16).core_types[0]
    assert wide.mac_lanes == 16
    for before, after in zip(narrow.memories[:-1], wide.memories[:-1], strict=True):
        assert after.word_bits == 2 * before.word_bits
        assert after.capacity_bits == before.capacity_bits
