"""Tables: named columns with their unit, written as CSV for machines and as cells for people."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from nmsim.figures import Figure
from nmsim.report.markup import Markup, join, tag
from nmsim.units import BITS_PER_BYTE, scaled

Cell = str | int | float | bool | None
NOT_AVAILABLE = "n/a"
RATIO_DIGITS_FROM, RATIO_DIGITS_TO = 0.1, 1000
"""Ratios between these have two digits behind the point."""
SHORT = 24
"""A column whose lines are no longer is never broken."""
ONE_WORD = 36
"""Nor is one of single words up to this length, such as keys of a configuration, which would be broken in the middle."""
WHOLE_LINE = 13
"""Lines with a figure, up to this length, are never broken: `1.28 pJ s`, `to 3.86 uJ`."""
NO_BREAK = "\N{NO-BREAK SPACE}"
FEW, MANY = 3, 9
"""A table of up to `FEW` columns fits a narrow screen as it is, one of more than `MANY` is set smaller everywhere."""
LEAST_SHARE = 0.0005
"""Smaller fractions would be shown as 0.0%."""
BAND = [("band_low", "Band, low"), ("band_high", "Band, high")]
"""Columns of the band of the prices: part of a name, heading."""
SCALED_UNITS = frozenset({"J", "s", "W", "Hz", "J s", "1/s", "sample/s", "SOP/s"})


class Sortable(str):
    """A cell that is text for people and sorts by its `key`."""

    __slots__ = ("key",)
    key: float

    def __new__(cls, text: str, key: float) -> Self:
        """Text, and the number behind it."""
        made = super().__new__(cls, text)
        made.key = key
        return made


@dataclass(frozen=True)
class Column:
    """`name` as CSV files spell it, unit included (`energy_j`); `heading` and `unit` for people.

    Units `J`, `s`, `W` and alike take a prefix for people, `bit` becomes bytes, `fraction` becomes percent, `ratio` a
    factor such as 1.84x.
    """

    name: str
    heading: str
    unit: str = ""


def figure_columns(figure: Figure) -> tuple[Column, ...]:
    """Columns of a figure, under which `figure.cells` stand: value, ends of its interval, ends of its band."""
    parts = [("ci95_low", "95 % CI, low"), ("ci95_high", "95 % CI, high")] if figure.interval else []
    parts += BAND if figure.banded else []
    more = (Column(figure.part(name), heading, figure.unit) for name, heading in parts)
    return Column(figure.name, figure.heading, figure.unit), *more


def share_columns(figure: Figure, heading: str) -> tuple[Column, ...]:
    """Columns of what a component, phase or layer adds to a figure: the value, and the ends of its band if it has one."""
    band = BAND if figure.banded else []
    more = (Column(figure.share(name), end, figure.unit) for name, end in band)
    return Column(figure.share(), heading, figure.unit), *more


@dataclass(frozen=True)
class Table:
    """Rows of plain cells under named columns; `name` is its file stem.

    >>> table = Table("t", (Column("energy_j", "Energy", "J"),), ((3.2e-7,),))
    >>> table.texts()
    [['320 nJ']]
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def csv(self) -> str:
        """Comma-separated text: header of column names, floats to the last bit, empty where there is no value."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([column.name for column in self.columns])
        writer.writerows(["" if cell is None else cell for cell in row] for row in self.rows)
        return stream.getvalue()

    def texts(self) -> list[list[str]]:
        """Every cell as people read it."""
        return [
            [for_people(c, column.unit) for c, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]

    def html(self, caption: str, footer: Sequence[Cell] | None = None, *, live: bool = False) -> Markup:
        """An HTML table; numbers align right, the first column is the row's heading.

        `live`: readers may sort it by any column, and the choices of its section (`nmsim.report.live`) filter its rows.
        """
        texts = self.texts()
        numeric = [_is_numeric([row[index] for row in self.rows]) for index in range(len(self.columns))]
        sides = [
            _side([row[index] for row in texts], numeric=numeric[index]) for index in range(len(numeric))
        ]
        head = join(
            tag("th", c.heading, scope="col", class_=side)
            for c, side in zip(self.columns, sides, strict=True)
        )
        labels = [column.heading for column in self.columns]
        keys = self.rows if live else [()] * len(texts)
        body = join(_row(row, sides, labels, key) for row, key in zip(texts, keys, strict=True))
        parts = [tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", body)]
        if footer is not None:
            last = [
                for_people(cell, column.unit) if cell is not None else ""
                for cell, column in zip(footer, self.columns, strict=True)
            ]
            parts.append(tag("tfoot", _row(last, sides, labels)))
        width = "few" if len(labels) <= FEW else "many" if len(labels) > MANY else "some"
        if not live:
            return tag("div", tag("table", *parts, class_=width), class_="scroll")
        names = "|".join(column.name for column in self.columns)
        return tag(
            "div", tag("table", *parts, class_=f"{width} sortable asc", data_choose=names), class_="scroll"
        )

    def markdown(self) -> str:
        """A table in Markdown."""
        lines = [[column.heading for column in self.columns], ["---"] * len(self.columns), *self.texts()]
        return (
            "\n".join(
                "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in line) + " |"
                for line in lines
            )
            + "\n"
        )

    def records(self) -> list[dict[str, Cell]]:
        """One dictionary per row, keyed by column name: `pandas.DataFrame(table.records())`."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def _row(
    texts: Sequence[str], sides: Sequence[str], labels: Sequence[str], keys: Sequence[Cell] = ()
) -> Markup:
    """A row; every cell carries its column's heading, which a narrow screen shows in front of it.

    `keys`: values to sort by, where they are numbers.
    """
    sorting = [_sort_key(key) for key in keys] or [{}] * len(texts)
    first = tag("th", texts[0], scope="row", class_=sides[0], **sorting[0])
    cells = zip(texts[1:], sides[1:], labels[1:], sorting[1:], strict=True)
    return tag(
        "tr",
        first,
        *(tag("td", _whole(text), class_=side, data_label=label, **key) for text, side, label, key in cells),
    )


def _whole(text: str) -> str:
    """Lines that hold a figure and little else, unbroken: its unit stays with it."""
    return "\n".join(
        line.replace(" ", NO_BREAK) if len(line) <= WHOLE_LINE and any(map(str.isdigit, line)) else line
        for line in text.split("\n")
    )


def _sort_key(cell: Cell) -> dict[str, str]:
    if isinstance(cell, Sortable):
        return {"data_sort": repr(cell.key)}
    number = isinstance(cell, int | float) and not isinstance(cell, bool)
    return {"data_sort": repr(float(cell))} if number else {}  # type: ignore[arg-type]


def _side(texts: Sequence[str], *, numeric: bool) -> str:
    """How a column is set: numbers to the right, short texts unbroken, others wrapped."""
    if numeric:
        return "number"
    lines = [line for text in texts for line in text.split("\n")]
    one_word = all(len(line) <= ONE_WORD and " " not in line for line in lines)
    return "short" if one_word or all(len(line) <= SHORT for line in lines) else "text"


def _is_numeric(cells: Sequence[Cell]) -> bool:
    found = [cell for cell in cells if cell is not None]
    return bool(found) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in found)


def ratio_text(ratio: float) -> str:
    """A ratio as a factor: `1.84x`.

    >>> ratio_text(1.84), ratio_text(0.0321)
    ('1.84x', '0.0321x')
    """
    return f"{ratio:.2f}x" if RATIO_DIGITS_FROM <= ratio < RATIO_DIGITS_TO else f"{ratio:.3g}x"


def for_people(cell: Cell, unit: str = "") -> str:  # noqa: PLR0911 - one branch per kind of cell
    """A cell as text: value with its unit, scaled.

    >>> for_people(3.2e-7, "J"), for_people(1024, "bit"), for_people(0.973, "fraction")
    ('320 nJ', '128 B', '97.3%')
    """
    if cell is None:
        return NOT_AVAILABLE
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return cell
    if unit in SCALED_UNITS:
        return scaled(float(cell), unit)
    if unit == "bit":
        return scaled(float(cell) / BITS_PER_BYTE, "B")
    if unit == "fraction":
        return f"{cell:.1%}" if not 0 < abs(cell) < LEAST_SHARE else f"{100 * cell:.1g}%"
    if unit == "ratio":
        return ratio_text(float(cell))
    number = f"{cell:,}" if isinstance(cell, int) else f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.4g}"
    return f"{number} {unit}".rstrip()


def value_text(value: object) -> str:
    """A value of a design's axis as people write it: whole numbers without exponent.

    >>> value_text(4096.0), value_text("compact")
    ('4,096', 'compact')
    """
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return str(value)
