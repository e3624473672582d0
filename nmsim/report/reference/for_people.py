"""The figures of a data set as people read them: one cell per figure, its interval and band in words."""

from collections.abc import Sequence

from nmsim.evaluate import Estimate
from nmsim.figures import (
    EDP,
    ENERGY,
    ENERGY_PER_SOP_ALL_IN,
    ENERGY_PER_SOP_INCREMENTAL,
    LATENCY,
    MACS,
    MEMORY_OF_USED_CORES,
    MEMORY_USED,
    POWER,
    SOPS,
    THROUGHPUT,
    Figure,
)
from nmsim.report.reference.result import DatasetResult, Outcome
from nmsim.report.tables import NOT_AVAILABLE, Cell, Column, Table
from nmsim.units import scaled


def costs_for_people(outcomes: Sequence[Outcome]) -> Table:
    """Energy and time of the rules that fit one chip."""
    more = (LATENCY, THROUGHPUT, POWER, EDP)
    columns = (
        Column("rule", "Rule"), _column(ENERGY), Column("band", "Band"), Column("ci", "95 % CI"), *map(_column, more),
    )  # fmt: skip
    rows = tuple(
        (
            outcome.case, ENERGY.of(item), band(item.energy_j, "J"), interval(item.energy_j, "J"),
            *(figure.of(item) for figure in more),
        )
        for outcome in outcomes
        if (item := outcome.evaluation) is not None
    )  # fmt: skip
    return Table("costs", columns, rows)


def operations_for_people(outcomes: Sequence[Outcome]) -> Table:
    """Operations, energy per synaptic operation and memory of the rules that fit one chip."""
    shown = (SOPS, MACS, ENERGY_PER_SOP_INCREMENTAL, ENERGY_PER_SOP_ALL_IN, MEMORY_USED, MEMORY_OF_USED_CORES)
    rows = tuple(
        (outcome.case, *(figure.of(outcome.evaluation) for figure in shown))
        for outcome in outcomes
        if outcome.evaluation is not None
    )
    return Table("operations", (Column("rule", "Rule"), *map(_column, shown)), rows)


def _column(figure: Figure) -> Column:
    return Column(figure.name, figure.heading, figure.unit)


def extrapolation_for_people(dataset: DatasetResult) -> Table:
    """An epoch and a full training on every chip, under every training rule that fits it."""
    columns = (
        Column("chip", "Chip"), Column("rule", "Rule"), Column("epoch", "Epoch", "J"), Column("epoch_ci", "95 % CI"),
        Column("epoch_time", "Time", "s"), Column("training", "Full training", "J"), Column("training_ci", "95 % CI"),
        Column("training_band", "Band"), Column("training_time", "Time", "s"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for outcome in dataset.outcomes:
        found = dataset.extrapolation(outcome)
        if found is None:
            continue
        epoch, training = found.epoch_energy_j, found.training_energy_j
        rows.append(
            (
                outcome.chip, outcome.case, epoch.mean, interval(epoch, "J"), found.epoch_latency_s.mean, training.mean,
                interval(training, "J"), band(training, "J"), found.training_latency_s.mean,
            )
        )  # fmt: skip
    return Table("extrapolated", columns, tuple(rows))


def band(estimate: Estimate | None, unit: str) -> str:
    """`14.2 to 32.1 uJ`: what the prices allow."""
    if estimate is None:
        return NOT_AVAILABLE
    return _span(estimate.band_low, estimate.band_high, unit)


def interval(estimate: Estimate | None, unit: str) -> str:
    """`20.1 to 22.3 uJ`: of the mean over samples; none for one sample."""
    if estimate is None or estimate.ci_low is None or estimate.ci_high is None:
        return NOT_AVAILABLE
    return _span(estimate.ci_low, estimate.ci_high, unit)


def _span(low: float, high: float, unit: str) -> str:
    """Two figures with one unit where they share its prefix; never broken over lines."""
    first, last = scaled(low, unit), scaled(high, unit)
    if first.partition(" ")[2] == last.partition(" ")[2]:
        first = first.partition(" ")[0]
    return f"{first} to {last}".replace(" ", "\u00a0")
