"""Evaluations in one table, with every figure as a ratio to the first."""

from collections.abc import Sequence

from nmsim.evaluate import Evaluation
from nmsim.figures import AREA, EDP, ENERGY, LATENCY, MEMORY_USED, POWER, THROUGHPUT
from nmsim.report.tables import Cell, Column, Sortable, Table, figure_columns, for_people, ratio_text
from nmsim.report.words import sample_kind
from nmsim.units import scaled

COMPARED = (ENERGY, LATENCY, POWER, THROUGHPUT, EDP, MEMORY_USED, AREA)
"""Figures of a comparison, in its order."""
SHOWN = tuple(figure for figure in COMPARED if figure is not THROUGHPUT)
"""Figures of the comparison for people; throughput is the inverse of latency."""


def comparison(evaluations: Sequence[Evaluation]) -> Table:
    """One row per evaluation: figures with their intervals and bands, and their ratios to the first row's.

    Ratios are safer than the figures themselves: most of a price's error is common to both.
    """
    columns = [
        Column("chip", "Chip"),
        Column("rule", "Rule"),
        Column("model", "Model"),
        Column("sample", "Per"),
        Column("cores_used", "Cores used"),
    ]
    for figure in COMPARED:
        columns += [
            *figure_columns(figure),
            Column(f"{figure.name.partition('_')[0]}_ratio", "ratio", "ratio"),
        ]
    first = evaluations[0]
    return Table("comparison", tuple(columns), tuple(_row(item, first) for item in evaluations))


def _row(item: Evaluation, first: Evaluation) -> tuple[Cell, ...]:
    row: list[Cell] = [item.chip_name, item.rule, item.model, sample_kind(item), len(item.perf.cores)]
    for figure in COMPARED:
        value, reference = figure.of(item), figure.of(first)
        row += [*figure.cells(item), value / reference if value is not None and reference else None]
    return tuple(row)


def side_by_side(evaluations: Sequence[Evaluation]) -> Table:
    """The same comparison for people: a cell holds a figure and, on a second line, its ratio to the first row."""
    columns = [Column("chip", "Chip"), Column("rule", "Rule"), Column("model", "Model")]
    columns += [Column(figure.name, figure.heading) for figure in SHOWN]
    columns.insert(3, Column("cores_used", "Cores used"))
    columns.insert(5, Column("band", "Band of the energy"))
    rows = []
    for item in evaluations:
        row: list[Cell] = [item.chip_name, item.rule, item.model, len(item.perf.cores)]
        for figure in SHOWN:
            value, reference = figure.of(item), figure.of(evaluations[0])
            text = for_people(value, figure.unit)
            if value is not None and reference and item is not evaluations[0]:
                text += f"\n{ratio_text(value / reference)}"
            row.append(text if value is None else Sortable(text, value))
        row.insert(5, f"{scaled(item.energy_j.band_low, 'J')}\nto {scaled(item.energy_j.band_high, 'J')}")
        rows.append(tuple(row))
    return Table("comparison", tuple(columns), tuple(rows))
