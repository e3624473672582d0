"""Estimates against published silicon: the figures, and which of them the model was made to meet."""

import pytest

from nmsim.errors import CostError
from nmsim.validate.point import CALIBRATED, HELD_OUT, NOT_COMPARED, SiliconPoint
from nmsim.validate.silicon import against_silicon, chip_priced_by, power_w


@pytest.fixture(scope="module")
def points() -> tuple[SiliconPoint, ...]:
    return against_silicon()


def point(points: tuple[SiliconPoint, ...], what: str, published: float) -> SiliconPoint:
    (found,) = [item for item in points if item.what == what and item.published == published]
    return found


# published figure (Akopyan 2015, Frenkel 2019, Davies 2018, McKeown 2018), tolerance, role
@pytest.mark.parametrize(
    ("what", "published", "tolerance", "role"),
    [
        ("TrueNorth power", 68.0, 0.001, CALIBRATED),
        ("TrueNorth power", 94.0, 0.001, CALIBRATED),
        ("TrueNorth power", 72.0, 0.03, HELD_OUT),
        ("ODIN power", 477.0, 0.003, CALIBRATED),
        ("ODIN energy per SOP", 12.7, 0.003, CALIBRATED),
        ("Loihi barrier", 113.0, 0.01, CALIBRATED),
        ("Loihi barrier", 465.0, 0.01, CALIBRATED),
        ("Piton NoC hop", 3.58, 0.001, CALIBRATED),
        ("Piton NoC hop", 11.16, 0.002, CALIBRATED),
        ("Piton NoC hop", 16.68, 0.13, HELD_OUT),
        ("TrueNorth hop", 2.3, 0.35, HELD_OUT),
        ("SENECA data memory", 10.0, 0.15, HELD_OUT),
    ],
)
def test_published_figures_are_met_as_closely_as_the_docs_say(
    points: tuple[SiliconPoint, ...], what: str, published: float, tolerance: float, role: str
) -> None:
    found = point(points, what, published)
    assert found.relative_error is not None
    assert abs(found.relative_error) <= tolerance
    assert found.role == role


def test_what_the_model_misses_is_shown_too(points: tuple[SiliconPoint, ...]) -> None:
    assert point(points, "TrueNorth core memory", 19.27).relative_error == pytest.approx(-0.28, abs=0.01)
    assert point(points, "SENECA event", 2.0).relative_error == pytest.approx(0.49, abs=0.01)
    error = point(points, "Loihi synchronisation", 1800.0).relative_error
    assert error is not None
    assert error < -0.7


def test_every_point_names_its_source_and_role(points: tuple[SiliconPoint, ...]) -> None:
    assert len(points) >= 20
    for item in points:
        assert item.source
        assert item.unit
        assert item.role in {CALIBRATED, HELD_OUT, NOT_COMPARED}
        assert (item.model is None) == (item.role == NOT_COMPARED)
        assert item.note or item.role != NOT_COMPARED


def test_the_control_overhead_is_tested_on_the_chip_it_was_not_calibrated_on(
    points: tuple[SiliconPoint, ...],
) -> None:
    cores = [item for item in points if item.what.endswith("synaptic operation")]
    assert [item.role for item in cores] == [CALIBRATED, HELD_OUT, CALIBRATED, HELD_OUT]
    errors = [item.relative_error for item in cores]
    assert errors == pytest.approx([0.03, 0.08, -0.04, -0.07], abs=0.01)


def test_power_grows_with_activity_from_the_idle_chip() -> None:
    chip = chip_priced_by("odin")
    # leakage 27.3 uW and 1.78 uW/MHz at 75 MHz
    assert power_w(chip, 0) == pytest.approx(27.3e-6 + 75 * 1.78e-6)
    assert power_w(chip, 1e6) - power_w(chip, 0) == pytest.approx(8.43e-6)


def test_a_table_without_a_chip_is_named() -> None:
    with pytest.raises(
        CostError, match=r"^nothing: no shipped chip uses this price table; see `nmsim list`$"
    ):
        chip_priced_by("nothing")
