"""Evaluations in one table, with every figure as a ratio to the first."""

from collections.abc import Callable, Iterator, Sequence

from nmsim.diagnosis import Diagnosis
from nmsim.evaluate import Estimate, Evaluation
from nmsim.figures import AREA, EDP, ENERGY, LATENCY, MEMORY_USED, POWER, THROUGHPUT, Figure
from nmsim.misfit import Misfit
from nmsim.report.network_columns import NETWORK_COLUMNS, network_cells, network_text, of_rule
from nmsim.report.ratio import energy_ratio, interval_text, latency_ratio, same_machine
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
LINE_TO = "\nto "
"""Between the ends of a range in a cell: columns stay narrow, and the table in as few parts as a terminal allows."""
RATIO_NOTE = (
    "the second line of a cell is the ratio to the first row; under it stands that ratio's 95 % interval over paired"
    " samples and, in the column of the band, what the prices allow of the ratio"
)
RATIOS: dict[str, Callable[[Evaluation, Evaluation], Estimate | None]] = {
    ENERGY.name: energy_ratio,
    LATENCY.name: latency_ratio,
}
"""Figures whose ratio has an interval, since they are means over the samples that both rows replay."""


def comparison(
    evaluations: Sequence[Evaluation], misfits: Sequence[Misfit] = (), network: Diagnosis | None = None
) -> Table:
    """One row per evaluation: figures with their intervals and bands, and their ratios to the first row's.

    Ratios are safer than the figures themselves: most of a price's error is common to both, and so are the samples; the
    ratios of energy and latency carry the interval and the band that follow from that. `same_machine` tells whether
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
            *_ratio_columns(figure),
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
        row += [*figure.cells(item), *_ratio_cells(figure, item, first)]
    return tuple(row)


def _ratio_columns(figure: Figure) -> Iterator[Column]:
    """The ratio to the first row, the ends of its interval and of its band as far as it has them."""
    name = f"{figure.name.partition('_')[0]}_ratio"
    yield Column(name, "ratio", "ratio")
    if figure.name in RATIOS:
        yield Column(f"{name}_ci95_low", "95 % CI of the ratio, low", "ratio")
        yield Column(f"{name}_ci95_high", "95 % CI of the ratio, high", "ratio")
        if figure.banded:
            yield Column(f"{name}_band_low", "Band of the ratio, low", "ratio")
            yield Column(f"{name}_band_high", "Band of the ratio, high", "ratio")


def _ratio_cells(figure: Figure, item: Evaluation, first: Evaluation) -> Iterator[Cell]:
    """What stands under `_ratio_columns`."""
    value, reference = figure.of(item), figure.of(first)
    yield value / reference if value is not None and reference else None
    if figure.name in RATIOS:
        found = RATIOS[figure.name](item, first)
        yield from (None, None) if found is None else (found.ci_low, found.ci_high)
        if figure.banded:
            yield from (None, None) if found is None else (found.band_low, found.band_high)


def side_by_side(
    evaluations: Sequence[Evaluation], misfits: Sequence[Misfit] = (), network: Diagnosis | None = None
) -> Table:
    """The same comparison for people: a cell holds a figure and below it its ratio to the first row, as `RATIO_NOTE` says.

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
                ratio = RATIOS[figure.name](item, evaluations[0]) if figure.name in RATIOS else None
                text += f"\n{interval_text(ratio).replace(' to ', LINE_TO)}" if ratio is not None else ""
            row.append(text if value is None else Sortable(text.rstrip("\n"), value))
        row.insert(5, _band(item, evaluations[0]))
        rows.append(tuple(row))
    empty = ("",) * (len(columns) - 5)
    rows += [(misfit.chip_name, misfit.rule, "", "", misfit.kind, *empty) for misfit in misfits]
    return Table("comparison", tuple(columns), tuple(rows))


def _band(item: Evaluation, first: Evaluation) -> str:
    """The band of the energy, and what the prices allow of its ratio to the first row."""
    if item.energy_j is None:
        return NOT_AVAILABLE
    text = f"{scaled(item.energy_j.band_low, 'J')}{LINE_TO}{scaled(item.energy_j.band_high, 'J')}"
    ratio = None if item is first else energy_ratio(item, first)
    return (
        text
        if ratio is None
        else f"{text}\n{ratio_text(ratio.band_low)}{LINE_TO}{ratio_text(ratio.band_high)}"
    )


def mixes_machines(evaluations: Sequence[Evaluation]) -> bool:
    """Whether the rows are not all of one chip and one price table, so that a ratio carries the mark."""
    return not all(same_machine(item, evaluations[0]) for item in evaluations)
