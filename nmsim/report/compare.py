"""Evaluations in one table, with every figure as a ratio to the first."""

from collections.abc import Sequence

from nmsim.diagnosis import Diagnosis
from nmsim.evaluate import Estimate, Evaluation
from nmsim.figures import AREA, EDP, ENERGY, LATENCY, MEMORY_USED, POWER, THROUGHPUT
from nmsim.misfit import Misfit
from nmsim.report.network_columns import NETWORK_COLUMNS, network_cells, network_text, of_rule
from nmsim.report.ratio import same_machine
from nmsim.report.tables import (
    NOT_AVAILABLE,
    Cell,
    Column,
    Sortable,
    Table,
    figure_columns,
    for_people,
    ratio_text,
)
from nmsim.report.words import sample_kind
from nmsim.units import scaled

COMPARED = (ENERGY, LATENCY, POWER, THROUGHPUT, EDP, MEMORY_USED, AREA)
"""Figures of a comparison, in its order."""
SHOWN = tuple(figure for figure in COMPARED if figure is not THROUGHPUT)
"""Figures of the comparison for people; throughput is the inverse of latency."""


AUDIT_FAILS = "audit fails"
"""Behind figures that a check of the audit refuses."""
OTHER_MACHINE = "†"
"""Behind a ratio between two chips, or two states of a price table."""
OTHER_MACHINE_NOTE = f"{OTHER_MACHINE} the first row is of another chip, or priced from another table"


def comparison(
    evaluations: Sequence[Evaluation], misfits: Sequence[Misfit] = (), network: Diagnosis | None = None
) -> Table:
    """One row per evaluation: figures with their intervals and bands, and their ratios to the first row's.

    Ratios are safer than the figures themselves: most of a price's error is common to both. `same_machine` tells whether
    they are: one chip and one price table in both, by their hashes. A rule that a chip does not serve is a row that says
    so in `problem`, with no figures.
    """
    columns = [
        Column("chip", "Chip"),
        Column("chip_hash", "Chip's hash"),
        Column("rule", "Rule"),
        Column("model", "Model"),
        Column("sample", "Per"),
        Column("cores_used", "Cores used"),
        Column("same_machine", "Same machine as the first"),
        Column("problem", "Why not"),
        *NETWORK_COLUMNS,
    ]
    before = len(columns)
    for figure in COMPARED:
        columns += [
            *figure_columns(figure),
            Column(f"{figure.name.partition('_')[0]}_ratio", "ratio", "ratio"),
        ]
    rows = [_row(item, evaluations[0], network) for item in evaluations]
    empty = (None,) * (len(columns) - before)
    rows += [
        (
            misfit.chip_name,
            misfit.chip_hash,
            misfit.rule,
            None,
            None,
            None,
            None,
            misfit.text,
            *network_cells(of_rule(network, misfit.rule)),
            *empty,
        )
        for misfit in misfits
    ]
    return Table("comparison", tuple(columns), tuple(rows))


def _marked(item: Evaluation, text: str, between: str = ", ") -> str:
    """A text about the network, and whether the figures of the row are to be used at all."""
    return between.join(part for part in (text, "" if item.audit_passed else AUDIT_FAILS) if part)


def _row(item: Evaluation, first: Evaluation, network: Diagnosis | None) -> tuple[Cell, ...]:
    row: list[Cell] = [
        item.chip_name,
        item.chip_hash,
        item.rule,
        item.model,
        sample_kind(item),
        len(item.perf.cores),
    ]
    stamp, *measured = network_cells(of_rule(network, item.rule))
    row += [same_machine(item, first), "", _marked(item, str(stamp or "")), *measured]
    for figure in COMPARED:
        value, reference = figure.of(item), figure.of(first)
        row += [*figure.cells(item), value / reference if value is not None and reference else None]
    return tuple(row)


def side_by_side(
    evaluations: Sequence[Evaluation], misfits: Sequence[Misfit] = (), network: Diagnosis | None = None
) -> Table:
    """The same comparison for people: a cell holds a figure and, on a second line, its ratio to the first row.

    A ratio to another machine carries a mark; see `mixes_machines`.
    """
    columns = [Column("chip", "Chip"), Column("rule", "Rule"), Column("model", "Model")]
    columns += [Column(figure.name, figure.heading) for figure in SHOWN]
    columns.insert(3, Column("cores_used", "Cores used"))
    columns.insert(5, Column("band", "Band of the energy"))
    rows = []
    for item in evaluations:
        own = of_rule(network, item.rule)
        of_network = "" if own is None else network_text(own, between="\n")
        mark = _marked(item, of_network, "\n")
        model = f"{item.model}\n{mark}" if mark else item.model
        row: list[Cell] = [item.chip_name, item.rule, model, len(item.perf.cores)]
        for figure in SHOWN:
            value, reference = figure.of(item), figure.of(evaluations[0])
            text = for_people(value, figure.unit)
            if value is not None and reference and item is not evaluations[0]:
                mark = "" if same_machine(item, evaluations[0]) else f" {OTHER_MACHINE}"
                text += f"\n{ratio_text(value / reference)}{mark}"
            row.append(text if value is None else Sortable(text, value))
        row.insert(5, _band(item.energy_j))
        rows.append(tuple(row))
    empty = ("",) * (len(columns) - 5)
    rows += [(misfit.chip_name, misfit.rule, "", "", misfit.kind, *empty) for misfit in misfits]
    return Table("comparison", tuple(columns), tuple(rows))


def _band(energy_j: Estimate | None) -> str:
    if energy_j is None:
        return NOT_AVAILABLE
    return f"{scaled(energy_j.band_low, 'J')}\nto {scaled(energy_j.band_high, 'J')}"


def mixes_machines(evaluations: Sequence[Evaluation]) -> bool:
    """Whether the rows are not all of one chip and one price table, so that a ratio carries the mark."""
    return not all(same_machine(item, evaluations[0]) for item in evaluations)
