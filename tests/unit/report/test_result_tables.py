"""Tables: what machines read, and what people read."""

import csv
import io
from html.parser import HTMLParser

import pytest

from nmsim.report.tables import NOT_AVAILABLE, Column, Table, for_people

TABLE = Table(
    "energy",
    (Column("layer", "Layer"), Column("energy_j", "Energy", "J"), Column("share", "Share", "fraction")),
    (("0 | dense", 3.2e-7, 0.1), ("<shared>", 0.1 + 0.2, None)),
)


def test_csv_keeps_every_bit_of_a_float_and_leaves_missing_values_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(TABLE.csv())))
    assert float(rows[1]["energy_j"]) == 0.1 + 0.2
    assert rows[1]["share"] == ""
    assert list(rows[0]) == ["layer", "energy_j", "share"]


def test_csv_ends_lines_alike_on_every_system() -> None:
    assert "\r" not in TABLE.csv()


def test_markdown_escapes_its_own_separator() -> None:
    assert "0 \\| dense" in TABLE.markdown()
    assert TABLE.markdown().splitlines()[2].count("|") == 5


def test_html_escapes_text_and_aligns_numbers() -> None:
    cells: list[tuple[str, str]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in {"td", "th"}:
                cells.append((tag, str(dict(attrs).get("class"))))

    html = TABLE.html("Energy", ("total", 0.3, None))
    Parser().feed(html)
    assert "&lt;shared&gt;" in html
    assert cells[:3] == [("th", "short"), ("th", "number"), ("th", "number")]
    assert len(cells) == 3 * 4


def test_records_are_named_rows() -> None:
    assert TABLE.records()[0] == {"layer": "0 | dense", "energy_j": 3.2e-7, "share": 0.1}


@pytest.mark.parametrize(
    ("cell", "unit", "text"),
    [
        (3.2e-7, "J", "320 nJ"),
        (0.9999, "s", "1 s"),
        (8_000, "bit", "1 kB"),
        (0.1234, "fraction", "12.3%"),
        (1.8449, "ratio", "1.84x"),
        (1_234_567, "", "1,234,567"),
        (1234.5, "", "1,234"),
        (0.25, "mm2", "0.25 mm2"),
        (True, "", "yes"),
        (None, "J", NOT_AVAILABLE),
        ("words", "J", "words"),
    ],
)
def test_people_read_scaled_values_with_their_unit(cell: float | str | None, unit: str, text: str) -> None:
    assert for_people(cell, unit) == text


def test_columns_of_single_words_and_figures_with_their_unit_are_not_broken_in_html() -> None:
    key = "precision.layers.1.surrogate"
    table = Table("t", (Column("a", "A"), Column("b", "B"), Column("c", "C")), (("x", key, "1.28 pJ s"),))
    html = str(table.html("caption"))
    assert f'class="short" data-label="B">{key}' in html
    assert "1.28\N{NO-BREAK SPACE}pJ\N{NO-BREAK SPACE}s" in html
