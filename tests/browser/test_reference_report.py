"""The committed report as a reader sees it: it renders, links and pictures resolve, the console stays silent."""

from pathlib import Path

import pytest
from page_check import look_at

REPORTS = Path(__file__).resolve().parents[2] / "reports"
PAGES = sorted(REPORTS.rglob("*.html"))
BAD = """<!DOCTYPE html><html><head><title>bad</title></head><body>
<p id="a">text</p><p id="a"></p><a href="#nowhere">x</a><a href="missing.html">y</a><a href="#a">z</a>
<img alt="broken" src="data:image/png;base64,AAAA"><img alt="" src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>">
<div style="width: 3000px">wide</div><script>console.error("oops")</script></body></html>"""


def test_the_check_sees_what_is_wrong(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(BAD)
    seen = look_at(page, browser, tmp_path)
    assert seen.title == "bad"
    assert seen.broken_images[0] == "broken"
    assert seen.unnamed_images == 1
    assert seen.broken_links == ("#nowhere", "missing.html")
    assert seen.repeated_ids == ("a",)
    assert seen.overflow_px > 1000
    assert seen.scripts == 1
    assert any("oops" in line for line in seen.console)


def test_there_is_a_committed_report() -> None:
    assert PAGES, f"no page below {REPORTS}"


@pytest.mark.parametrize("width", [1400, pytest.param(600, marks=pytest.mark.slow)], ids=["wide", "narrow"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPORTS)))
def test_a_committed_page_renders(page: Path, width: int, browser: str, tmp_path: Path) -> None:
    seen = look_at(page, browser, tmp_path, width=width)
    assert seen.title
    assert seen.images > 0
    assert seen.broken_images == ()
    assert seen.unnamed_images == 0
    assert seen.broken_links == ()
    assert seen.repeated_ids == ()
    assert seen.invisible == 0
    assert seen.foreign == (), "nothing is loaded from elsewhere"
    assert seen.charts == seen.live
    assert seen.overflow_px <= 0
    assert seen.outside == (), "no column is outside the visible part of its frame"
    assert seen.covered == ()
    assert seen.height_px > 1000
    assert "<span" not in seen.text, "markup shows as text"
    assert seen.console == ()
