"""Energy along learning as tables: every milestone, and the sums over an epoch and over the whole training."""

from collections.abc import Sequence

from nmsim.diagnosis import Diagnosis
from nmsim.figures import ENERGY, LATENCY
from nmsim.report.learning_energy import LearningEnergy, LearningPoint, against, learning_sums
from nmsim.report.network_columns import NETWORK_COLUMNS, network_cells
from nmsim.report.tables import NOT_AVAILABLE, Cell, Column, Sortable, Table, figure_columns
from nmsim.rules import BASELINE
from nmsim.statistics import Interval, mean_interval, ratio_of_means
from nmsim.units import scaled

WHICH = (Column("chip", "Chip"), Column("rule", "Rule"), Column("model", "Model"))


def point_table(every: Sequence[LearningEnergy], trained: str) -> Table:
    """Every milestone of every rule and chip, for machines; ratios are to the rule that was trained, sample by sample."""
    columns = (
        *WHICH, Column("updates", "Updates"), Column("samples_seen", "Samples seen"),
        Column("accuracy", "Held-out accuracy", "fraction"), Column("accuracy_samples", "Held-out samples"),
        Column("spike_rate", "Spike rate", "fraction"), Column("delta_density", "Deltas not zero", "fraction"),
        Column("samples", "Recorded samples"), *figure_columns(ENERGY), Column(LATENCY.name, "Latency", "s"),
        Column("energy_to_trained_ratio", "Over the trained rule", "ratio"),
        Column("energy_to_trained_ratio_ci95_low", "95 % CI, low", "ratio"),
        Column("energy_to_trained_ratio_ci95_high", "95 % CI, high", "ratio"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for item in every:
        own = against(item, every, trained)
        for index, point in enumerate(item.points):
            energy = mean_interval(point.energy_j)
            below = None if own is None else own.points[index]
            rows.append(
                (
                    *_which(item), point.updates, point.samples_seen, point.accuracy, point.accuracy_samples,
                    point.spike_rate, point.delta_density, len(point.energy_j), *_cells(energy),
                    energy.value * point.band_low, energy.value * point.band_high, float(point.latency_s.mean()),
                    *_cells(_ratio(point, below)),
                )
            )  # fmt: skip
    return Table("learning", columns, tuple(rows))


def training_energy_table(every: Sequence[LearningEnergy], trained: str, network: Diagnosis) -> Table:
    """Energy and time of the first and the last epoch and of the whole training, integrated over the milestones."""
    columns = (
        *WHICH, Column("of", "Of"), Column("training_samples", "Training samples"), Column("energy_j", "Energy", "J"),
        Column("energy_ci95_low_j", "95 % CI, low", "J"), Column("energy_ci95_high_j", "95 % CI, high", "J"),
        Column("energy_band_low_j", "Band, low", "J"), Column("energy_band_high_j", "Band, high", "J"),
        Column("time_s", "Time", "s"), Column("energy_to_trained_ratio", "Over the trained rule", "ratio"),
        Column("energy_to_trained_ratio_ci95_low", "95 % CI, low", "ratio"),
        Column("energy_to_trained_ratio_ci95_high", "95 % CI, high", "ratio"),
        Column("energy_to_end_ratio", "Over the last profile's", "ratio"), *NETWORK_COLUMNS,
    )  # fmt: skip
    of_network = network_cells(network)
    rows = tuple(
        (
            *_which(item), found.of, found.training_samples, found.energy_j.mean, found.energy_j.ci_low,
            found.energy_j.ci_high, found.energy_j.band_low, found.energy_j.band_high, found.time_s.mean,
            *_cells(found.over_trained), found.over_end, *of_network,
        )
        for item in every
        for found in learning_sums(item, every, trained)
    )  # fmt: skip
    return Table("learning-energy", columns, rows)


def points_for_people(every: Sequence[LearningEnergy], trained: str) -> Table:
    """A row per milestone and chip: how well the network does, how active it is, what a sample costs under either rule."""
    columns = (
        Column("chip", "Chip"), Column("samples_seen", "Samples seen"), Column("accuracy", "Held-out accuracy", "fraction"),
        Column("spike_rate", "Spike rate", "fraction"), Column("delta_density", "Deltas not zero", "fraction"),
        Column("energy", f"{trained}, per sample"), Column("baseline", f"{BASELINE}, per sample"),
        Column("ratio", f"{BASELINE} over {trained}"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for item in (found for found in every if found.rule == trained):
        other = against(item, every, BASELINE.name)
        for index, point in enumerate(item.points):
            above = None if other is None else other.points[index]
            ratio = None if above is None else _ratio(above, point)
            rows.append(
                (
                    item.chip_name, point.samples_seen, point.accuracy, point.spike_rate, point.delta_density,
                    _joules(point), NOT_AVAILABLE if above is None else _joules(above), interval_cell(ratio),
                )
            )  # fmt: skip
    return Table("learning", columns, tuple(rows))


def sums_for_people(every: Sequence[LearningEnergy], trained: str) -> Table:
    """A row per chip, rule and part of the training: energy with its interval and band, time, and the two ratios."""
    columns = (
        Column("chip", "Chip"), Column("rule", "Rule"), Column("of", "Of"), Column("energy", "Energy"),
        Column("band", "Band of the energy"), Column("time", "Time", "s"), Column("over", f"Over {trained}"),
        Column("over_end", "Over what the last profile tells", "ratio"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for item in every:
        for found in learning_sums(item, every, trained):
            joules = found.energy_j
            energy = f"{_scaled(joules.mean)}\n{_scaled(joules.ci_low)} to {_scaled(joules.ci_high)}"
            band = f"{_scaled(joules.band_low)}\nto {_scaled(joules.band_high)}"
            ratio = None if item.rule == trained else found.over_trained
            rows.append(
                (
                    item.chip_name, item.rule, f"{found.of},\n{found.training_samples:,} samples",
                    Sortable(energy, joules.mean), band, found.time_s.mean, interval_cell(ratio, ""), found.over_end,
                )
            )  # fmt: skip
    return Table("learning-energy", columns, tuple(rows))


def interval_cell(ratio: Interval | None, lost: str = NOT_AVAILABLE) -> Cell:
    """`0.81x` and below it `0.80 to 0.82`, sortable by the ratio."""
    if ratio is None:
        return lost
    digits = 3 if ratio.low is not None and ratio.high is not None and ratio.high - ratio.low < 0.02 else 2
    text = f"{ratio.value:.{digits}f}x"
    if ratio.low is not None and ratio.high is not None:
        text += f"\n{ratio.low:.{digits}f} to {ratio.high:.{digits}f}"
    return Sortable(text, ratio.value)


def _joules(point: LearningPoint) -> Cell:
    energy = mean_interval(point.energy_j)
    return Sortable(
        f"{scaled(energy.value, 'J')}\n{_scaled(energy.low)} to {_scaled(energy.high)}", energy.value
    )


def _scaled(joules: Cell) -> str:
    return NOT_AVAILABLE if joules is None else scaled(float(joules), "J")


def _ratio(above: LearningPoint, below: LearningPoint | None) -> Interval | None:
    return None if below is None else ratio_of_means(above.energy_j, below.energy_j)


def _cells(found: Interval | None) -> tuple[Cell, Cell, Cell]:
    return (None, None, None) if found is None else (found.value, found.low, found.high)


def _which(item: LearningEnergy) -> tuple[Cell, Cell, Cell]:
    return item.chip_name, item.rule, item.model
