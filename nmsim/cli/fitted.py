"""Tables that fit the terminal: words stay whole, and what is too wide comes in parts, one below the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

GAP = 2
"""Blanks between columns: the pad of a column, and the divider of the box, which is one more."""
WHOLE_LINE = 22
"""Lines of figures are never broken up to this length: `3.55 uJ` stays together."""
LONGEST_WORD = 44
"""Longer words (paths, hashes) may be broken."""


@dataclass(frozen=True)
class FittedTable:
    """A table of texts; cells may hold several lines.

    Columns from `numeric_from` on align right. Where the columns do not fit side by side, the first `keys` of them are
    repeated in front of each part.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric_from: int = 1
    keys: int = 1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich prints."""
        parts = self.parts(options.max_width)
        for number, part in enumerate(parts):
            yield self._table(part, options.max_width, self.title if number == 0 else "")
            yield ""

    def parts(self, width: int) -> list[list[int]]:
        """Columns of each part, so that no word has to be broken at this width."""
        keys = list(range(min(self.keys, len(self.columns))))
        parts: list[list[int]] = []
        current = list(keys)
        for column in range(len(keys), len(self.columns)):
            wanted = [*current, column]
            if len(current) > len(keys) and self._least_width(wanted) > width:
                parts.append(current)
                wanted = [*keys, column]
            current = wanted
        return [*parts, current]

    def _table(self, part: Sequence[int], width: int, title: str) -> Table:
        several = any("\n" in row[column] for row in self.rows for column in part)
        table = Table(
            title=title or None, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD,
            padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False, leading=int(several),
        )  # fmt: skip
        for column, least in zip(part, self._widths(part, width), strict=True):
            justify: JustifyMethod = "right" if column >= self.numeric_from else "left"
            table.add_column(Text(self.columns[column]), justify=justify, width=least, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(row[column]) for column in part))
        return table

    def _widths(self, part: Sequence[int], width: int) -> list[int]:
        """Width of each column: what its longest word needs, and what is left over to those that need least more."""
        widths = [self._least(column) for column in part]
        left = width - sum(widths) - GAP * len(part)
        lacking = [self._natural(column) - least for column, least in zip(part, widths, strict=True)]
        for place in sorted(range(len(part)), key=lambda place: lacking[place]):
            more = max(0, min(lacking[place], left))
            widths[place] += more
            left -= more
        return widths

    def _least_width(self, part: Sequence[int]) -> int:
        return sum(self._least(column) for column in part) + GAP * len(part)

    def _lines(self, column: int) -> list[str]:
        return [line for row in self.rows for line in row[column].split("\n")]

    def _natural(self, column: int) -> int:
        """Width at which nothing is wrapped."""
        return max(
            (len(line) for line in (*self._lines(column), *self.columns[column].split("\n"))), default=1
        )

    def _least(self, column: int) -> int:
        """Width of the longest text that must stay on one line."""
        words = [len(word) for word in self.columns[column].split()]
        for line in self._lines(column):
            whole = column >= self.numeric_from and len(line) <= WHOLE_LINE
            words += [len(line)] if whole else [min(len(word), LONGEST_WORD) for word in line.split()]
        return max(words, default=1)
