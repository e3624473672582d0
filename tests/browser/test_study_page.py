"""The page of a study in a real browser: it renders, its links lead somewhere, points of the front lead to reports."""

import re
from pathlib import Path

import pytest
from page_check import Seen, look_at

EXAMPLE = Path(__file__).resolve().parents[1] / "unit" / "pipeline"
REPORTS = 2


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        from small_study import make_space, options
    from nmsim.explore.backends.serial import Serial
    from nmsim.pipeline.explore import sweep

    folder = tmp_path_factory.mktemp("study")
    sweep(make_space(folder), Serial(), options(folder / "study", event=8, reports=REPORTS))
    return folder / "study"


@pytest.fixture(scope="module")
def seen(study: Path, browser: str, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return look_at(study / "study.html", browser, tmp_path_factory.mktemp("scratch"))


def test_the_page_of_a_study_renders(seen: Seen) -> None:
    assert seen.title == "Study small-study"
    assert seen.images >= 3
    assert "How the front was found" not in seen.text, "the order of a grid says nothing of a search"
    assert seen.broken_images == seen.broken_links == seen.repeated_ids == seen.console == ()
    assert seen.unnamed_images == seen.scripts == seen.invisible == 0
    assert seen.overflow_px <= 0
    assert "<span" not in seen.text
    assert "<a " not in seen.text


def test_it_ranks_and_explains(seen: Seen) -> None:
    for words in (
        "form the front",
        "nearest to the ideal",
        "have in common",
        "of its variance",
        "simulation over estimate",
    ):
        assert words in seen.text


def test_every_point_of_the_front_leads_to_a_report_or_its_row(study: Path, seen: Seen) -> None:
    page = (study / "study.html").read_text()
    drawing = page[page.index('class="drawing"') : page.index("</figure>", page.index('class="drawing"'))]
    targets = set(re.findall(r'<a href="([^"]+)"', drawing))
    reports = {target for target in targets if target.startswith("designs/")}
    assert len(reports) == REPORTS
    assert all((study / target).is_file() for target in reports)
    front = set(re.findall(r'id="(design-\d+)"', page))
    assert {target[1:] for target in targets - reports} < front
    assert len(targets) == len(front)
    assert b"<a " not in (study / "pictures" / "front-scatter.svg").read_bytes()
