"""The page of a study in a real browser: it renders, its links lead somewhere, points of the front lead to reports."""

import json
import re
from pathlib import Path

import pytest
from page_check import Seen, look_at

REPORTS = 2


@pytest.fixture(scope="module")
def seen(study_folder: Path, browser: str, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return look_at(study_folder / "study.html", browser, tmp_path_factory.mktemp("scratch"))


def test_the_page_of_a_study_renders(seen: Seen) -> None:
    assert seen.title == "Study small-study"
    assert seen.images >= 3
    assert "How the front was found" not in seen.text, "the order of a grid says nothing of a search"
    assert seen.broken_images == seen.broken_links == seen.repeated_ids == seen.console == ()
    assert seen.unnamed_images == seen.invisible == 0
    assert seen.charts == seen.live == 1
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


def test_every_point_of_the_front_leads_to_a_report_or_its_row(
    study_folder: Path, browser: str, tmp_path: Path
) -> None:
    ask = 'return [document.querySelector("#live-front-scatter script").textContent];'
    (spec,) = look_at(study_folder / "study.html", browser, tmp_path, ask=ask).answers
    assert json.loads(spec)["encoding"]["href"] == {"field": "link"}
    targets = {row["link"] for row in json.loads(spec)["data"]["values"] if row["front"]}
    reports = {target for target in targets if target.startswith("designs/")}
    assert len(reports) == REPORTS
    assert all((study_folder / target).is_file() for target in reports)
    front = set(re.findall(r'id="(design-\d+)"', (study_folder / "study.html").read_text()))
    assert {target[1:] for target in targets - reports} < front
    assert len(targets) == len(front)


def test_a_choice_leaves_designs_with_that_value_in_chart_and_table(
    study_folder: Path, browser: str, tmp_path: Path
) -> None:
    ask = """
      const section = document.querySelector("#front");
      const points = () => section.querySelectorAll(".mark-symbol.role-mark path").length;
      const table = section.querySelector("table.sortable"), names = table.dataset.choose.split("|");
      const values = name => [...table.tBodies[0].rows].map(row => row.cells[names.indexOf(name)].textContent);
      const select = [...section.querySelectorAll(".choices select")].find(select => new Set(values(select.name)).size > 1);
      const before = points(), value = values(select.name)[0];
      select.value = value;
      select.dispatchEvent(new Event("change", {bubbles: true}));
      await new Promise(resolve => setTimeout(resolve, 1500));
      const rows = [...table.tBodies[0].rows], left = rows.filter(row => !row.hidden);
      const alike = left.every(row => row.cells[names.indexOf(select.name)].textContent === value);
      return [before, points(), rows.length, left.length, alike].map(String);
    """
    before, after, rows, left, alike = look_at(
        study_folder / "study.html", browser, tmp_path, ask=ask
    ).answers
    assert 0 < int(after) < int(before)
    assert 0 < int(left) < int(rows)
    assert alike == "true"


def test_a_click_on_a_heading_sorts_by_the_number_behind_the_text(
    study_folder: Path, browser: str, tmp_path: Path
) -> None:
    ask = """
      const table = document.querySelector("#front table.sortable"), heading = table.tHead.rows[0].cells[1];
      const sorted = async () => {
        heading.click();
        await new Promise(resolve => setTimeout(resolve, 200));
        return [...table.tBodies[0].rows].map(row => row.cells[1].dataset.sort).join(" ");
      };
      return [await sorted(), await sorted()];
    """
    first, second = look_at(study_folder / "study.html", browser, tmp_path, ask=ask).answers
    found = [[float(text) for text in line.split()] for line in (first, second)]
    assert found[0] == sorted(found[0])
    assert found[1] == sorted(found[0], reverse=True)
    assert len(set(found[0])) > 1
