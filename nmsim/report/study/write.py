"""The page of a study as a file."""

import re
from collections.abc import Mapping
from pathlib import Path

from nmsim.report.page import page
from nmsim.report.picture import Picture
from nmsim.report.study.plots import draw
from nmsim.report.study.result import StudyResult
from nmsim.report.study.sections import sections
from nmsim.storage import write_text

LINK = re.compile(rb"</?a\b[^>]*>")
FOOTER = (
    "Made by nmsim. Accuracies are what the training runs of this study measured; energies, times and areas are modelled,"
    " by the model each row names."
)


def write_page(result: StudyResult, path: Path) -> None:
    """Write the page and its pictures into one folder; the same result gives the same bytes."""
    pictures = draw(result)
    for picture in pictures.values():
        alone = LINK.sub(b"", picture.svg)  # its links are relative to the page
        write_text(path.parent / "pictures" / f"{picture.name}.svg", alone.decode())
    write_text(path, html(result, pictures))


def html(result: StudyResult, pictures: Mapping[str, Picture]) -> str:
    """The page as text."""
    lead = result.question or f"Which designs of the space {result.name} are worth building?"
    return page(f"Study {result.name}", lead, result.byline, list(sections(result, pictures)), FOOTER)
