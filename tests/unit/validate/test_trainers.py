"""Published trainers beside the model: which figures set something, which are foretold, and how well."""

import pytest

from nmsim.validate.point import CALIBRATED, HELD_OUT, NOT_COMPARED, SiliconPoint
from nmsim.validate.trainers import trainer, trainers


@pytest.fixture(scope="module")
def points() -> tuple[SiliconPoint, ...]:
    return tuple(trainers())


def errors(points: tuple[SiliconPoint, ...], what: str, role: str) -> dict[str, float]:
    found = {p.what: p.relative_error for p in points if p.what.startswith(what) and p.role == role}
    return {name: error for name, error in found.items() if error is not None}


def test_every_figure_says_what_it_was_used_for(points: tuple[SiliconPoint, ...]) -> None:
    for item in points:
        assert item.role in {CALIBRATED, HELD_OUT, NOT_COMPARED}
        assert (item.model is None) == (item.role == NOT_COMPARED)
        assert item.note
        assert item.source
        assert not item.frame_published  # datapaths are in no source at hand
    roles = {item.what: item.role for item in points}
    assert roles["MorphBungee inference speed"] == roles["VC707 inference, T = 4"] == CALIBRATED
    assert roles["VC707 energy per trained image"] == roles["Park energy per trained image"] == NOT_COMPARED


def test_lanes_are_set_as_well_as_powers_of_two_can(points: tuple[SiliconPoint, ...]) -> None:
    for what in ("VC707 inference", "MorphBungee inference speed"):
        found = errors(points, what, CALIBRATED)
        assert found
        assert all(-0.3 < error < 0.42 for error in found.values())


def test_what_was_held_out_is_met_within_the_bands_of_the_docs(points: tuple[SiliconPoint, ...]) -> None:
    # rules that stand for one that is not published: within a half; energies of assumed datapaths: within a factor
    for error in errors(points, "VC707 train", HELD_OUT).values():
        assert abs(error) < 0.5
    assert abs(errors(points, "MorphBungee learning speed", HELD_OUT)["MorphBungee learning speed"]) < 0.5
    for name in ("MorphBungee", "Park", "ReckOn"):
        for what, error in errors(points, name, HELD_OUT).items():
            assert -0.75 < error < 1.0, what


def test_a_trainer_of_more_lanes_has_wider_memories_of_the_same_size() -> None:
    narrow, wide = trainer("vc707", 8).core_types[0], trainer("vc707", 16).core_types[0]
    assert wide.mac_lanes == 16
    for before, after in zip(narrow.memories[:-1], wide.memories[:-1], strict=True):
        assert after.word_bits == 2 * before.word_bits
        assert after.capacity_bits == before.capacity_bits
