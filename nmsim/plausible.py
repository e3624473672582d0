"""Plausible: whether the machine behind an evaluation could exist; a slip of units shows here where every sum adds up."""

from collections.abc import Iterator

from nmsim.audit import PLAUSIBLE, Check
from nmsim.cost.area import Area
from nmsim.cost.static import StaticPower, leakage_w
from nmsim.cost.table import CostTable
from nmsim.hardware.chip import ChipConfig

POWER_W_PER_MM2 = 1.0
"""100 W/cm2, what liquid cooling takes from an accelerator's die; neuromorphic chips stay below a hundredth of it."""
STATIC_W_PER_MM2 = 0.3
"""A third of that: what leaks in the hottest processors."""
LEAKAGE_FACTOR = 30.0
"""Times the leakage of all memories; logic, pads and a hot die together add less."""
RETICLE_MM = (26.0, 33.0)
"""Largest field that a scanner exposes, and so the largest chip."""
CROWDED = 2.0
"""Times its tile that a core may be estimated at: areas are estimates, and half or double is within reach of one."""
ROOMY = 25.0
"""Times its content that a tile may be: five times too long and too wide."""


def plausible(
    chip: ChipConfig, costs: CostTable, area: Area | None, power: StaticPower, power_w: float | None
) -> Iterator[Check]:
    """Checks of a machine against what silicon can be: power by area, leakage, reticle, tiles.

    `area` is None where the price table has no areas: then the mesh says how large the chip is. `power_w` is the mean power
    of an evaluation, None where it has no total. The clock is checked before anything runs, see `nmsim.cost.clocking`.
    """
    area_mm2 = _mesh_mm2(chip) if area is None else area.total_mm2
    if power_w is not None:
        yield _at_most(
            "power by area", power_w / area_mm2, POWER_W_PER_MM2, "W/mm2", f"of {area_mm2:.3g} mm2 of chips"
        )
    if chip.power.static_power_w is not None and power.unavailable is None:
        yield from _static_power(chip, costs, chip.power.static_power_w, area_mm2)
    yield _reticle(chip)
    if area is not None and chip.tiles > 1:
        yield from _tiles(chip, area)


def _at_most(name: str, found: float, limit: float, unit: str, detail: str) -> Check:
    return Check(name, found <= limit, limit, float(found), unit, detail, PLAUSIBLE)


def _mesh_mm2(chip: ChipConfig) -> float:
    return chip.tiles * chip.mesh.tile_width_mm * chip.mesh.tile_height_mm


def _static_power(chip: ChipConfig, costs: CostTable, given_w: float, area_mm2: float) -> Iterator[Check]:
    """The chip's own static power against its area, and against the leakage that its memories have by the table."""
    chips = chip.chips.columns * chip.chips.rows
    detail = "power.static_power_w is in watts"
    yield _at_most("static power by area", given_w * chips / area_mm2, STATIC_W_PER_MM2, "W/mm2", detail)
    leaks_w = leakage_w(chip, costs)
    if leaks_w:
        yield _at_most(
            "static power against leakage of the memories",
            given_w * chips / leaks_w,
            LEAKAGE_FACTOR,
            "times",
            detail,
        )


def _reticle(chip: ChipConfig) -> Check:
    sides = sorted((chip.mesh.columns * chip.mesh.tile_width_mm, chip.mesh.rows * chip.mesh.tile_height_mm))
    share = max(side / most for side, most in zip(sides, RETICLE_MM, strict=True))
    detail = (
        f"mesh of {sides[0]:.3g} x {sides[1]:.3g} mm in a field of {RETICLE_MM[0]:g} x {RETICLE_MM[1]:g} mm"
    )
    return _at_most("a chip fits a reticle", share, 1.0, "share", detail)


def _tiles(chip: ChipConfig, area: Area) -> Iterator[Check]:
    """What a tile holds, all tiles alike, against its width times its height."""
    tile_mm2 = chip.mesh.tile_width_mm * chip.mesh.tile_height_mm
    inside_mm2 = area.total_mm2 - area.by_component_mm2.get("periphery", 0.0)
    low, high = (inside_mm2 / chip.tiles * end / area.total_mm2 for end in (area.low_mm2, area.high_mm2))
    detail = f"tile of {tile_mm2:.3g} mm2, its parts {low:.3g} to {high:.3g} mm2; see mesh.tile_width_mm"
    yield _at_most("what tiles hold against their area", low / tile_mm2, CROWDED, "times", detail)
    yield _at_most("the area of tiles against what they hold", tile_mm2 / high, ROOMY, "times", detail)
