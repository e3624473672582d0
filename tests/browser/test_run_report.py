"""The report of a run in a real browser, wide and on paper."""

import subprocess
from pathlib import Path

from page_check import look_at


def test_the_report_of_a_run_renders(run_page: Path, browser: str, tmp_path: Path) -> None:
    ask = 'return [document.querySelector("#comparison tbody tr:nth-child(2) td[data-label=Energy]").innerText];'
    seen = look_at(run_page, browser, tmp_path, ask=ask)
    (energy,) = seen.answers
    assert len(energy.split("\n")) == 4, "figure, ratio and the ends of its interval stand below each other"
    assert "\N{NO-BREAK SPACE}" in energy.split("\n")[0], "a figure and its unit stay together"
    assert seen.title == "mnist-test on tester"
    assert seen.images >= 10
    assert seen.broken_images == seen.broken_links == seen.repeated_ids == seen.console == ()
    assert seen.unnamed_images == seen.invisible == 0
    assert seen.charts == seen.live == 1
    assert seen.overflow_px <= 0
    assert "<span" not in seen.text
    assert "held-out samples" in seen.text


def test_the_report_of_a_run_prints(run_page: Path, browser: str, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={paper}", run_page.as_uri()]  # fmt: skip
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    pages = paper.read_bytes().count(b"/Type /Page\n") + paper.read_bytes().count(b"/Type /Page ")
    assert 8 <= pages <= 25
