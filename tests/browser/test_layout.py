"""Every page as people see it, on a wide and on a narrow screen: nothing outside its box, nothing on top of another."""

from pathlib import Path

import pytest
from page_check import Seen, look_at

WIDE, NARROW = 1400, 600
PAGES = ("run", "reference index", "reference data set", "study", "validation", "formats")
BAD = """<!DOCTYPE html><html><head><title>bad</title></head><body>
<table style="width: 200px; table-layout: fixed"><tr>
<td style="width: 60px">averyveryverylongword</td><td>b</td></tr></table>
<p style="position: absolute; top: 200px; left: 10px">one text</p>
<p style="position: absolute; top: 203px; left: 12px">another</p></body></html>"""


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest) -> Path:
    """Path of one kind of page."""
    match request.param:
        case "run":
            return request.getfixturevalue("run_page")
        case "reference index":
            return request.getfixturevalue("reference_folder") / "index.html"
        case "reference data set":
            return request.getfixturevalue("reference_folder") / "digits.html"
        case "study":
            return request.getfixturevalue("study_folder") / "study.html"
        case "validation":
            return request.getfixturevalue("validation_page")
    return request.getfixturevalue("formats_page")


@pytest.fixture(scope="module", params=[WIDE, NARROW], ids=["wide", "narrow"])
def seen(
    page: Path, browser: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Seen:
    """The page at one width."""
    return look_at(page, browser, tmp_path_factory.mktemp("scratch"), width=request.param)


def test_the_check_sees_what_sticks_out_and_what_covers(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(BAD)
    seen = look_at(page, browser, tmp_path)
    assert any("averyverylong" in text or "averyveryverylong" in text for text in seen.outside)
    assert "one text | another" in seen.covered


def test_nothing_is_outside_its_box(seen: Seen) -> None:
    assert seen.outside == ()
    assert seen.overflow_px <= 0, "the body never scrolls sideways"


def test_no_text_lies_on_another(seen: Seen) -> None:
    assert seen.covered == ()


def test_every_live_chart_is_drawn_and_nothing_is_loaded(seen: Seen) -> None:
    assert seen.charts == seen.live
    assert seen.foreign == ()
    assert seen.console == ()
    assert seen.broken_images == ()
