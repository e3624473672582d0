"""Estimates against published silicon: the figures, which of them the model was made to meet, and how they are shown."""

import re
from pathlib import Path

import pytest

from nmsim.activity import Activity
from nmsim.cli.silicon import WIDTH, line, silicon_lines, sop_lines
from nmsim.cost.published_sops import near
from nmsim.cost.table import ComponentTable, load_table
from nmsim.errors import CostError
from nmsim.network.published import dense
from nmsim.pipeline.silicon import silicon_picture, write_silicon
from nmsim.validate.point import CALIBRATED, HELD_OUT, NOT_COMPARED, SiliconPoint, overall
from nmsim.validate.shipped_sops import ShippedSop, shipped_sops
from nmsim.validate.silicon import chip_priced_by, parts
from nmsim.validate.synthetic import Densities, synthetic_activity
from nmsim.validate.whole_chips import areas, joined, odin, truenorth


@pytest.fixture(scope="module")
def points() -> tuple[SiliconPoint, ...]:
    """Everything but TrueNorth, which takes half a minute."""
    table = load_table("cmos")
    assert isinstance(table, ComponentTable)
    return (*odin(), *areas(table), *parts(table))


def error_of(points: tuple[SiliconPoint, ...], what: str) -> float:
    (found,) = [item for item in points if item.what == what]
    assert found.relative_error is not None
    return found.relative_error


# published figure (Frenkel 2019, Davies 2018, McKeown 2018, Tang 2023), tolerance, role
@pytest.mark.parametrize(
    ("what", "tolerance", "role"),
    [
        ("ODIN rate", 0.001, CALIBRATED),
        ("ODIN power, by events", 0.003, CALIBRATED),
        ("ODIN power, by parts", 0.25, CALIBRATED),
        ("ODIN core area", 0.25, CALIBRATED),
        ("SENECA core area", 0.25, HELD_OUT),
        ("Loihi barrier, 1 tile", 0.01, CALIBRATED),
        ("Loihi barrier, 32 tiles", 0.01, CALIBRATED),
        ("Piton hop, 0% toggling", 0.001, CALIBRATED),
        ("Piton hop, 50% toggling", 0.002, CALIBRATED),
        ("Piton hop, 100% toggling", 0.13, HELD_OUT),
        ("TrueNorth hop", 0.35, HELD_OUT),
        ("SENECA SRAM, 32 bit, 256 KB", 0.15, HELD_OUT),
    ],
)
def test_published_figures_are_met_as_closely_as_the_docs_say(
    points: tuple[SiliconPoint, ...], what: str, tolerance: float, role: str
) -> None:
    assert abs(error_of(points, what)) <= tolerance
    assert {item.role for item in points if item.what == what} == {role}


@pytest.mark.slow
def test_a_million_neurons_of_truenorth_draw_what_was_measured() -> None:
    found = {item.what.removeprefix("TrueNorth "): item.relative_error for item in truenorth()}
    expected = {
        "power, 11.58 Hz, 0.80 V": (0.0, 0.005),
        "power, 95.93 Hz, 0.80 V": (0.0, 0.005),
        "power, 20 Hz, 0.775 V": (-0.106, 0.01),
        "power, 0 Hz, 0.70 V": (0.028, 0.005),
        "power, 200 Hz x 256, 1.05 V": (0.108, 0.01),
        "efficiency, peak, 0.75 V": (-0.15, 0.02),
        "tick": (0.0, 1e-9),
    }
    assert found.keys() == expected.keys()
    for name, (error, tolerance) in expected.items():
        assert found[name] == pytest.approx(error, abs=tolerance), name


def test_what_the_model_misses_is_shown_too(points: tuple[SiliconPoint, ...]) -> None:
    assert error_of(points, "TrueNorth SRAM, 410 bit, 12.8 KB") == pytest.approx(-0.28, abs=0.01)
    assert error_of(points, "SENECA event") == pytest.approx(0.49, abs=0.01)
    # asynchronous chips take more area than clocked factors say
    assert error_of(points, "TrueNorth core area") == pytest.approx(-0.27, abs=0.03)


def test_every_point_has_a_name_of_its_own_a_source_and_a_role(points: tuple[SiliconPoint, ...]) -> None:
    names = [item.what for item in points]
    assert len(set(names)) == len(names) >= 25
    for item in points:
        assert item.source
        assert item.role in {CALIBRATED, HELD_OUT, NOT_COMPARED}
        assert (item.model is None) == (item.role == NOT_COMPARED)
        # what was remembered or assumed of a frame is said
        assert item.note or item.frame_published


def test_the_control_overhead_is_tested_on_the_chip_it_was_not_calibrated_on(
    points: tuple[SiliconPoint, ...],
) -> None:
    cores = [item for item in points if "pJ/SOP, control" in item.what]
    assert [item.role for item in cores] == [CALIBRATED, HELD_OUT, CALIBRATED, HELD_OUT]
    errors = [item.relative_error for item in cores]
    assert errors == pytest.approx([0.03, 0.08, -0.04, -0.07], abs=0.01)


def test_the_two_control_and_wiring_was_fitted_on_lie_on_both_sides(points: tuple[SiliconPoint, ...]) -> None:
    assert error_of(points, "ReckOn core area") == pytest.approx(-0.03, abs=0.02)
    assert error_of(points, "ODIN core area") == pytest.approx(0.24, abs=0.02)


def test_two_publications_that_disagree_are_no_error_of_the_model(points: tuple[SiliconPoint, ...]) -> None:
    boards = [item for item in points if item.what.startswith("Loihi boards")]
    assert {item.role for item in boards} == {NOT_COMPARED}
    assert all("'loihi-board' carries the measured times" in item.note for item in boards)


def example(error: float | None, role: str, *, known: bool = True) -> SiliconPoint:
    model = None if error is None else 100 * (1 + error)
    return SiliconPoint("An energy", "at 1 V", 100, model, "pJ", role, "Author 2030", "note", known)


def test_closeness_counts_what_was_fitted_and_what_was_held_out_apart() -> None:
    held = [example(error, HELD_OUT) for error in (0.05, -0.2, 0.5)]
    found = overall(
        [*held, example(0.3, HELD_OUT, known=False), example(0.0, CALIBRATED), example(None, NOT_COMPARED)]
    )
    assert found["held out, frame published"].points == 3
    assert found["held out, frame published"].within_10 == pytest.approx(1 / 3)
    assert found["held out, frame published"].within_25 == pytest.approx(2 / 3)
    assert found["held out, frame published"].median == pytest.approx(0.2)
    assert found["held out, all"].median == pytest.approx(0.25)
    assert found["calibrated"].within_10 == 1


def test_a_row_is_one_line_of_a_terminal(points: tuple[SiliconPoint, ...]) -> None:
    lines = list(silicon_lines(points))
    assert max(map(len, lines)) <= WIDTH
    for item in points:
        assert line(item) in lines
    assert line(example(-0.125, HELD_OUT, known=False)).split() == [
        "An",
        "energy",
        "100",
        "87.5",
        "pJ",
        "-12.5%",
        "test*",
    ]
    assert line(example(None, NOT_COMPARED)).split()[-4:] == ["-", "pJ", "-", "-"]


def test_shipped_chips_stand_beside_published_ones_and_explain_what_is_high() -> None:
    chips = tuple(shipped_sops())
    assert {"edge-28nm", "mesh-16nm", "reckon-like-28nm"} <= {chip.chip for chip in chips}
    for chip in chips:
        assert 0 < chip.incremental_pj < chip.all_in_pj
        assert chip.published
        assert bool(chip.note) == (chip.all_in_pj > 10)
        assert sum(pj for _, pj in chip.parts_pj) == pytest.approx(chip.all_in_pj)
        assert chip.note == "" or "see what" not in chip.note, "a shipped chip that takes more says why"
    assert max(map(len, sop_lines(chips))) <= WIDTH
    notes = {chip.chip: chip.note for chip in chips}
    assert re.match(
        r"single-core-dram-28nm: \d+ pJ all-in are above 10 pJ; most of it is dram ",
        notes["single-core-dram-28nm"],
    )
    assert ShippedSop("old", 65, 1.1, 30, 40, (("sram", 40),), ()).note == ""


def test_chips_are_compared_near_their_node() -> None:
    assert {chip.chip for chip in near(28)} >= {"ODIN", "Darwin3", "RAINE"}
    assert {chip.chip for chip in near(65)} == {"Wang et al."}


def test_the_picture_and_the_table_are_written(points: tuple[SiliconPoint, ...], tmp_path: Path) -> None:
    picture, table = write_silicon(points, tmp_path / "out")
    assert picture.read_text(encoding="utf-8").startswith("<")
    rows = table.read_text(encoding="utf-8").splitlines()
    assert len(rows) == len(points) + 1
    assert "y = x" in silicon_picture(points).alt


def test_samples_of_several_activities_stand_one_after_the_other() -> None:
    net = dense(12, 5)

    def activity(density: float) -> Activity:
        return synthetic_activity(
            net, 1, Densities(density, density, 0), rule="inference", static_input=False
        )

    found = joined([activity(0.0), activity(1.0)])
    assert found.samples == 2
    assert found.layers[0].mask("inputs").mean(axis=(1, 2)).tolist() == [0.0, 1.0]


def test_a_table_without_a_chip_is_named() -> None:
    with pytest.raises(
        CostError, match=r"^nothing: no shipped chip uses this price table; see `nmsim list`$"
    ):
        chip_priced_by("nothing")
