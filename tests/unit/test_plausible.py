"""Plausible: machines that exist pass, slips of units do not."""

from dataclasses import replace

import pytest

from nmsim import config
from nmsim.audit import PLAUSIBLE, Check
from nmsim.cost.area import area_of
from nmsim.cost.static import static_power
from nmsim.cost.table import ComponentTable, load_table
from nmsim.pipeline.simulate import CHIPS, read_chip
from nmsim.plausible import plausible


def failed(chip_name: str, *assignments: str, power_w: float | None = 0.001) -> list[Check]:
    chip = read_chip(chip_name, assignments)
    table = load_table(chip.technology)
    area = area_of(chip, table) if isinstance(table, ComponentTable) else None
    checks = list(plausible(chip, table, area, static_power(chip, table), power_w))
    assert all(check.group == PLAUSIBLE for check in checks)
    return [check for check in checks if not check.passed]


@pytest.mark.parametrize("name", config.shipped(CHIPS))
def test_every_shipped_chip_could_exist(name: str) -> None:
    assert failed(name) == []


@pytest.mark.parametrize(
    ("chip", "assignment", "check"),
    [
        ("edge-28nm", "power.static_power_w=50", "static power by area"),
        ("mesh-16nm", "power.static_power_w=50", "static power against leakage of the memories"),
        (
            "edge-28nm",
            "mesh.tile_width_mm=6 mesh.tile_height_mm=6",
            "the area of tiles against what they hold",
        ),
        ("edge-28nm", "mesh.tile_width_mm=0.09", "what tiles hold against their area"),
        ("mesh-16nm", "mesh.tile_width_mm=20", "a chip fits a reticle"),
        ("truenorth-28nm", "mesh.tile_width_mm=2.4", "a chip fits a reticle"),
    ],
)
def test_a_slip_of_units_is_refused_by_the_check_that_it_breaks(
    chip: str, assignment: str, check: str
) -> None:
    assert check in [found.name for found in failed(chip, *assignment.split())]


def test_power_that_no_cooling_takes_away_is_refused() -> None:
    found = failed("edge-28nm", power_w=50.0)
    assert [check.name for check in found] == ["power by area"]
    assert "at most 1" in found[0].text
    assert failed("edge-28nm", power_w=None) == []


def test_a_missing_price_of_static_power_is_no_check_of_it() -> None:
    chip = read_chip("edge-28nm", ["power.static_power_w=50"])
    table = load_table(chip.technology)
    unknown = replace(static_power(chip, table), unavailable="no source")
    names = [check.name for check in plausible(chip, table, None, unknown, None)]
    assert names == ["a chip fits a reticle"]
