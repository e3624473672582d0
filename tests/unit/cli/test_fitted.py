"""Tables of the terminal: at 80 columns no word is broken, whatever the table."""

import re

import pytest
from rich.console import Console, ConsoleOptions, RenderResult
from typer.testing import CliRunner

from nmsim.cli.fitted import FittedTable
from nmsim.cli.verbs import app

WIDTH = 80


def printed(table: FittedTable, width: int = WIDTH) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def words_of(table: FittedTable) -> set[str]:
    return {word for row in (table.columns, *table.rows) for cell in row for word in cell.split()}


WIDE = FittedTable(
    "Side by side",
    ["Chip", "Rule", "Model", "Cores used", "Energy", "Band of the energy", "Latency", "Power", "EDP", "Memory used",
     "Area"],
    [
        ["single-core-dram-28nm", "inference", "analytic", "16", "514 nJ\n0.54x", "334 nJ\nto 779 nJ", "4.29 us\n2.65x",
         "120 mW\n0.20x", "2.25 pJ s\n1.44x", "423 kB\n1.02x", "8.162 mm2\n0.06x"],
    ],
    numeric_from=3, keys=3,
)  # fmt: skip
LONG = FittedTable(
    "Prices",
    ["constant\nunit", "value\nband", "kind\nnode, supply", "source"],
    [["sram.size_word_pj_per_bit_sqrt_kb (unused)\npJ/bit/sqrt(KB)", "0.01022\n0.00664..0.0138",
      "derived\n28 nm, 0.9 V", "[4]"]],
    numeric_from=9,
)  # fmt: skip


@pytest.mark.parametrize("table", [WIDE, LONG], ids=["wide", "long"])
@pytest.mark.parametrize("width", [WIDTH, 100, 200])
def test_no_word_is_broken_and_no_line_is_too_long(table: FittedTable, width: int) -> None:
    text = printed(table, width)
    assert words_of(table) <= set(text.split())
    assert max(map(len, text.splitlines())) <= width


def test_what_does_not_fit_comes_in_parts_that_repeat_the_keys() -> None:
    text = printed(WIDE)
    assert len(WIDE.parts(WIDTH)) == 3
    assert text.count("single-core-dram-28nm") == text.count("Chip") == 3
    assert printed(WIDE, 200).count("Chip") == 1


def test_a_figure_keeps_its_unit_on_its_line() -> None:
    assert re.search(r"334 nJ\b", printed(WIDE))
    assert "to 779 nJ" in printed(WIDE)


def test_the_columns_that_lack_least_are_widened_first() -> None:
    text = (
        "a description of many words that will have to go over several lines, since there is no room for it"
    )
    found = printed(FittedTable("t", ["name", "text"], [["two words", text]], numeric_from=9))
    assert "two words" in found
    assert len(found.splitlines()) > 4


def test_an_empty_table_is_its_heading() -> None:
    assert "name" in printed(FittedTable("t", ["name", "text"], []))


@pytest.mark.parametrize("command", [("costs",), ("list",)], ids=" ".join)
def test_a_command_at_80_columns_breaks_no_word(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables: list[FittedTable] = []
    show = FittedTable.__rich_console__

    def remember(self: FittedTable, console: Console, options: ConsoleOptions) -> RenderResult:
        tables.append(self)
        return show(self, console, options)

    monkeypatch.setattr(FittedTable, "__rich_console__", remember)
    found = CliRunner().invoke(app, command, env={"COLUMNS": str(WIDTH)})
    assert found.exit_code == 0, found.output
    assert tables
    assert {word for table in tables for word in words_of(table)} <= set(found.output.split())
