"""Pictures drawn from plain points: validation, bit widths, ranges, roofline, mesh."""

import xml.etree.ElementTree as ET
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pytest

from nmsim.fixedpoint.format import QFormat
from nmsim.hardware.routing import EAST
from nmsim.report.picture import Picture
from nmsim.report.plots.bit_widths import BitsPoint, TensorRange, accuracy_by_bits, ranges_by_format
from nmsim.report.plots.canvas import LOAD
from nmsim.report.plots.mesh import MeshLoad, mesh_load
from nmsim.report.plots.roofline import PhaseWork, Roofs, roofline
from nmsim.report.plots.validation import PublishedFigure, modelled_against_published


def validation() -> Picture:
    points = [
        PublishedFigure("A", 0.068, 0.066, "W", "calibrated"),
        PublishedFigure("B", 4.7e-4, 3.3e-4, "W", "held out"),
    ]
    return modelled_against_published(points, "validation")


def bits() -> Picture:
    return accuracy_by_bits([BitsPoint("weight", b, 1 - 0.5**b, 1000) for b in (4, 8)], 0.97, "test")


def ranges() -> Picture:
    return ranges_by_format([TensorRange("weight", QFormat.parse("s16.13"), {-10: 90, 3: 7}, 7)], "test")


def roofs() -> Picture:
    work = [PhaseWork("integrate", 1e5, {"core memories": 1e6}, 1e-5), PhaseWork("barrier", 0, {}, 1e-6)]
    return roofline(work, Roofs({"MAC": 1e11}, {"core memories": 1e12, "DRAM": 1e10}), "test")


def mesh() -> Picture:
    tiles, links = np.array([[0.5, np.nan], [0.1, np.nan]]), np.zeros(16)
    links[4 * 2 + EAST] = 0.25
    return mesh_load(MeshLoad(tiles[..., None], links), "test")


def tiles_of_four_cores() -> Picture:
    cores = np.full((2, 3, 4), np.nan)
    cores[0, 0], cores[1, 2, :2] = (0.9, 0.5, 0.1, 0.05), 0.3
    return mesh_load(MeshLoad(cores, np.zeros(24)), "test")


def large_mesh() -> Picture:
    return mesh_load(MeshLoad(np.full((20, 20, 1), 0.5), np.full(1600, 0.25)), "test")


def lone_core() -> Picture:
    return mesh_load(MeshLoad(np.array([[[0.5]]]), np.zeros(4)), "test")


ALL = [validation, bits, ranges, roofs, mesh, tiles_of_four_cores, large_mesh, lone_core]


@pytest.mark.parametrize("draw", ALL)
def test_a_picture_is_well_formed_complete_and_loads_nothing(draw: Callable[[], Picture]) -> None:
    picture = draw()
    root = ET.fromstring(picture.svg)  # noqa: S314 - made by this test
    assert root.tag.endswith("svg")
    assert picture.title
    assert len(picture.alt) > 30
    assert len(picture.caption) > 30
    assert b"<!DOCTYPE" not in picture.svg
    assert b'href="http' not in picture.svg


@pytest.mark.parametrize("draw", ALL)
def test_a_picture_is_the_same_to_the_byte(draw: Callable[[], Picture]) -> None:
    assert draw() == draw()


def test_drawing_leaves_no_global_setting_behind() -> None:
    before = dict(mpl.rcParams)
    validation()
    assert dict(mpl.rcParams) == before


def test_the_busiest_link_is_named() -> None:
    assert "from tile (column 0, row 1) to the east, carries flits 25.00%" in mesh().alt


def test_the_more_load_the_darker() -> None:
    light = [sum(LOAD(share)[:3]) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert light == sorted(light, reverse=True)


def test_an_overflow_is_named() -> None:
    assert "outside in weight" in ranges().alt


def test_relative_errors_are_named() -> None:
    assert "(-2.9%)" in validation().alt


def test_cores_of_one_tile_are_shown_one_by_one() -> None:
    assert "6 cores used, 90.0% busy at most" in tiles_of_four_cores().alt


def test_a_large_mesh_is_an_image_and_stays_small() -> None:
    svg = large_mesh().svg
    assert b"data:image/png" in svg
    assert len(svg) < 400_000
