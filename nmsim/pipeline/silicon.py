"""Files of the comparison with published silicon: the picture, and a table with conditions, sources and notes."""

from collections.abc import Sequence
from pathlib import Path

from nmsim.report.picture import Picture
from nmsim.report.plots.validation import PublishedFigure, modelled_against_published
from nmsim.report.tables import Column, Table
from nmsim.storage import write_text
from nmsim.validate.point import CALIBRATED, SiliconPoint


def write_silicon(points: Sequence[SiliconPoint], folder: Path) -> tuple[Path, Path]:
    """Write `silicon.svg` and `silicon.csv` to a folder; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    picture, table = folder / "silicon.svg", folder / "silicon.csv"
    write_text(picture, silicon_picture(points).svg.decode())
    write_text(table, silicon_table(points).csv())
    return picture, table


def silicon_picture(points: Sequence[SiliconPoint]) -> Picture:
    """Every point that compares something, around the line y = x."""
    drawn = [
        PublishedFigure(point.what, point.published, point.model, point.unit, _group(point))
        for point in points
        if point.model is not None
    ]
    return modelled_against_published(drawn, "silicon")


def _group(point: SiliconPoint) -> str:
    if point.role == CALIBRATED:
        return "calibrated"
    return "held out" if point.frame_published else "assumed"


def silicon_table(points: Sequence[SiliconPoint]) -> Table:
    """One row a point."""
    columns = (
        Column("what", "What"), Column("condition", "Condition"), Column("published", "Published"),
        Column("model", "Model"), Column("unit", "Unit"), Column("relative_error", "Error"), Column("role", "Role"),
        Column("frame_published", "Frame published"), Column("source", "Source"), Column("note", "Note"),
    )  # fmt: skip
    rows = tuple(
        (
            p.what,
            p.condition,
            p.published,
            p.model,
            p.unit,
            p.relative_error,
            p.role,
            p.frame_published,
            p.source,
            p.note,
        )
        for p in points
    )
    return Table("silicon", columns, rows)
