"""How values look: title, tables and picture of everything that is `Shown`, as text, HTML and data frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from io import StringIO
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from nmsim.errors import ConfigError
from nmsim.evaluate import Evaluation
from nmsim.figures import (
    AREA,
    CORES_USED,
    EDP,
    ENERGY,
    FORWARD_ENERGY,
    LATENCY,
    MEMORY_USED,
    POWER,
    THROUGHPUT,
)
from nmsim.mapping.mapping import Mapping
from nmsim.report.compare import RATIO_NOTE, comparison, side_by_side
from nmsim.report.markup import join, tag
from nmsim.report.picture import Picture
from nmsim.report.plots import evaluations as comparison_plot
from nmsim.report.plots.bars import height_of, stacked
from nmsim.report.plots.canvas import legend_right, look, new_figure, svg_of
from nmsim.report.plots.energy_bars import energy_by_phase
from nmsim.report.tables import Cell, Column, Table, for_people
from nmsim.report.text import audit_text, energy_by
from nmsim.report.words import MODEL_WORDS, sample_kind
from nmsim.units import BITS_PER_BYTE

MAIN = (ENERGY, FORWARD_ENERGY, LATENCY, THROUGHPUT, POWER, EDP, AREA, MEMORY_USED, CORES_USED)
"""Figures of an evaluation that a screen shows."""
KEYS = 3
"""First columns of a table, which say what a row is and are never broken."""
ROWS = 24
"""Rows of a table that a screen shows."""


@dataclass(frozen=True)
class Look:
    """A value for people: `tables` on a screen, the first of them large if it is long; `frame` for other tools."""

    title: str
    tables: Sequence[Table]
    frame: Table
    lines: Sequence[str] = field(default_factory=tuple)


@singledispatch
def look_of(value: Any) -> Look:
    """The look of a value; other rooms register their own."""
    raise TypeError(f"a {type(value).__name__} has no look")


@singledispatch
def picture_of(value: Any) -> Picture:
    """The main picture of a value."""
    raise TypeError(f"a {type(value).__name__} has no picture")


def text(value: Any) -> str:
    """Title, tables and lines, as wide as the terminal."""
    found = look_of(value)
    stream = StringIO()
    console = Console(file=stream, width=get_terminal_size().columns, highlight=False)
    console.print(found.title, markup=False)
    for table in found.tables:
        drawn = RichTable(box=None, pad_edge=False, header_style="", title_justify="left")
        for place, column in enumerate(table.columns):
            drawn.add_column(column.heading, no_wrap=place < KEYS)
        rows = table.texts()
        for row in rows[:ROWS]:
            drawn.add_row(*row)
        console.print()
        console.print(drawn, markup=False)
        if len(rows) > ROWS:
            console.print(f"... and {len(rows) - ROWS:,} more; to_frame() has all", markup=False)
    if found.lines:
        console.print()
    for line in found.lines:
        console.print(line, markup=False)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def html(value: Any) -> str:
    """The same as HTML, for a notebook."""
    found = look_of(value)
    parts = [tag("p", tag("strong", found.title))]
    parts += [Table(t.name, t.columns, t.rows[:ROWS]).html("") for t in found.tables]
    parts += [tag("p", line) for line in found.lines]
    return str(join(parts))


def frame(value: Any) -> Any:
    """The main table as a pandas data frame."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ConfigError(
            "to_frame() needs pandas, which is not installed; run `pip install pandas`"
        ) from error
    return pd.DataFrame(look_of(value).frame.records())


def picture(value: Any, path: Path | str | None) -> Picture:
    """The main picture, written to a file if a path is given."""
    found = picture_of(value)
    if path is not None:
        Path(path).write_bytes(found.svg)
    return found


@look_of.register
def _(value: Evaluation) -> Look:
    rows: list[tuple[Cell, ...]] = []
    for figure in MAIN:
        estimate = figure.estimate(value)
        if estimate is None:
            continue
        interval = _span(estimate.ci_low, estimate.ci_high, figure.unit) if figure.interval else ""
        band = _span(estimate.band_low, estimate.band_high, figure.unit) if figure.banded else ""
        rows.append((figure.text, for_people(figure.of(value), figure.unit), band, interval))
    columns = (
        Column("figure", f"per {sample_kind(value)}"), Column("value", "value"), Column("band", "band of the prices"),
        Column("interval", "95 % CI over samples"),
    )  # fmt: skip
    model = MODEL_WORDS.get(value.model, value.model)
    return Look(
        f"{value.network_name}, {value.rule}, on {value.chip_name}: {model} over {value.samples} samples",
        (Table("figures", columns, tuple(rows)), energy_by(value, "component"), energy_by(value, "phase")),
        comparison([value]),
        (audit_text(value), *value.notes),
    )


def _span(low: float | None, high: float | None, unit: str) -> str:
    return "" if low is None or high is None else f"{for_people(low, unit)} to {for_people(high, unit)}"


@picture_of.register
def _(value: Evaluation) -> Picture:
    return energy_by_phase(value, f"{value.network_name} · {value.rule} · chip {value.chip_name}")


@look_of.register
def _(value: Mapping) -> Look:
    columns = (
        Column("core", "core"), Column("layer", "layer"), Column("channels", "channels"), Column("rows", "rows"),
        Column("inputs", "inputs"), Column("owner", "keeps the neurons"),
    )  # fmt: skip
    pieces = tuple(
        (
            p.core, p.layer, f"{p.channel_start} to {p.channel_stop - 1}", f"{p.row_start} to {p.row_stop - 1}",
            f"{p.input_start} to {p.input_stop - 1}", p.owner,
        )
        for p in sorted(value.slices, key=lambda p: (p.core, p.layer))
    )  # fmt: skip
    found = Table("slices", columns, pieces)
    off_chip = value.off_chip_bits()
    lines = [f"{for_people(off_chip, 'bit')} live in DRAM"] if off_chip else []
    return Look(
        f"{value.rule} on {len(value.cores_used)} cores, {len(value.slices)} parts of layers",
        (found,),
        found,
        (*lines, *value.notes),
    )


@picture_of.register
def _(value: Mapping) -> Picture:
    cores = value.cores_used[:ROWS]
    contents = dict.fromkeys(row.content for row in value.residency if row.memory is not None)
    parts = {
        str(content): [
            sum(r.bits for r in value.residency if (r.core, r.content) == (core, content) and r.memory)
            / BITS_PER_BYTE
            for core in cores
        ]
        for content in contents
    }
    title = "Memory by core"
    with look():
        figure = new_figure(
            title, f"{value.rule}, the first {len(cores)} cores in use", height=height_of(len(cores))
        )
        axes = figure.subplots()
        stacked(axes, [f"core {core}" for core in cores], parts, "B", "data", {}, shares=False)
        legend_right(axes)
        svg = svg_of(figure)
    return Picture(
        "memory-by-core", title, "Bars of the data that each core keeps, by kind.", "From the mapping.", svg
    )


def evaluations_look(evaluations: Sequence[Evaluation]) -> Look:
    """Evaluations side by side, with their ratios to the first."""
    return Look(
        f"{len(evaluations)} evaluations; {RATIO_NOTE}",
        (side_by_side(evaluations),),
        comparison(evaluations),
    )


def evaluations_picture(evaluations: Sequence[Evaluation]) -> Picture:
    """Energy and time of evaluations side by side."""
    return comparison_plot.comparison(evaluations, "modelled; bands are those of the prices")
