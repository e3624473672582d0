"""The reference as tables: one row per data set, chip and rule, and the same by part, by layer, and for memory."""

from collections.abc import Iterator

from nmsim.evaluate import Estimate, Evaluation
from nmsim.figures import (
    AREA,
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
)
from nmsim.report.learning_tables import point_table
from nmsim.report.network_columns import NETWORK_COLUMNS
from nmsim.report.plots.density import densities
from nmsim.report.reference.result import CASES, STORED, SUBJECT, DatasetResult, Outcome, Reference
from nmsim.report.tables import Cell, Column, Table, figure_columns, share_columns
from nmsim.report.words import layer_label
from nmsim.rules import rule_named

WHICH = (Column("dataset", "Data set"), Column("chip", "Chip"), Column("rule", "Rule"))
FIT_COLUMNS = (
    *WHICH, Column("workload", "Workload"), Column("sample", "Per"), Column("fits", "Fits"),
    Column("time_multiplexed", "Time-multiplexed"), *NETWORK_COLUMNS,
)  # fmt: skip
SHOWN = (
    ENERGY, LATENCY, THROUGHPUT, POWER, EDP, AREA, SOPS, MACS, ENERGY_PER_SOP_INCREMENTAL, ENERGY_PER_SOP_ALL_IN,
    MEMORY_USED, MEMORY_OF_USED_CORES,
)  # fmt: skip
"""Figures of every data set, chip and rule."""
FIGURE_COLUMNS = tuple(column for figure in SHOWN for column in figure_columns(figure))
EXTRAPOLATED_COLUMNS = (
    Column("epoch_samples", "Samples per epoch"), Column("epochs", "Epochs"),
    Column("epoch_energy_j", "Energy of an epoch", "J"), Column("epoch_energy_ci95_low_j", "95 % CI, low", "J"),
    Column("epoch_energy_ci95_high_j", "95 % CI, high", "J"), Column("epoch_time_s", "Time of an epoch", "s"),
    Column("training_energy_j", "Energy of a full training", "J"),
    Column("training_energy_ci95_low_j", "95 % CI, low", "J"), Column("training_energy_ci95_high_j", "95 % CI, high", "J"),
    Column("training_energy_band_low_j", "Band, low", "J"), Column("training_energy_band_high_j", "Band, high", "J"),
    Column("training_time_s", "Time of a full training", "s"),
)  # fmt: skip
RULE_OF = {case.name: rule_named(case.rule) for case in CASES}
DOES_NOT_FIT = "does not fit"


def result_table(reference: Reference) -> Table:
    """Every figure of every data set, chip and rule; empty cells where a chip does not hold the network."""
    columns = (*FIT_COLUMNS, *FIGURE_COLUMNS, *EXTRAPOLATED_COLUMNS, Column("problem", "Why not"))
    rows = tuple(
        (*_fit(dataset, outcome), *figures(outcome), *_extrapolation(dataset, outcome), outcome.problem)
        for dataset, outcome in reference.outcomes()
    )
    return Table("results", columns, rows)


def learning_table(reference: Reference) -> Table:
    """Every milestone of the preparations that were followed, by data set, chip and rule; without rows if none was."""
    found = [(dataset.title, point_table(dataset.learning, SUBJECT)) for dataset in reference.datasets]
    columns = (WHICH[0], *point_table((), SUBJECT).columns)
    return Table("learning", columns, tuple((title, *row) for title, table in found for row in table.rows))


def _fit(dataset: DatasetResult, outcome: Outcome) -> tuple[Cell, ...]:
    rule = RULE_OF[outcome.case]
    kind = "training sample" if rule.trains else str(rule)
    fits = outcome.evaluation is not None
    return (
        dataset.title, outcome.chip, outcome.case, dataset.name, kind, fits, outcome.time_multiplexed if fits else None,
        *dataset.network_cells,
    )  # fmt: skip


def figures(outcome: Outcome) -> tuple[Cell, ...]:
    """The cells under `FIGURE_COLUMNS`."""
    return tuple(cell for figure in SHOWN for cell in figure.cells(outcome.evaluation))


def _extrapolation(dataset: DatasetResult, outcome: Outcome) -> tuple[Cell, ...]:
    found = dataset.extrapolation(outcome)
    if found is None:
        return (None,) * len(EXTRAPOLATED_COLUMNS)
    epoch, training = found.epoch_energy_j, found.training_energy_j
    return (
        found.samples_per_epoch, found.epochs, *_with_interval(epoch), found.epoch_latency_s.mean, *_with_interval(training),
        training.band_low, training.band_high, found.training_latency_s.mean,
    )  # fmt: skip


def _with_interval(estimate: Estimate) -> tuple[Cell, Cell, Cell]:
    return estimate.mean, estimate.ci_low, estimate.ci_high


def energy_table(reference: Reference) -> Table:
    """Mean energy per sample three times over: by component, by phase and by layer; each adds up to the total."""
    columns = (
        *WHICH, Column("by", "By"), Column("part", "Part"), *share_columns(ENERGY, "Energy per sample"),
        *NETWORK_COLUMNS,
    )  # fmt: skip
    rows = [
        (dataset.title, outcome.chip, outcome.case, *cells, *dataset.network_cells)
        for dataset, outcome in reference.outcomes()
        if outcome.evaluation is not None
        for cells in energy_parts(outcome.evaluation, dataset.layers)
    ]
    return Table("energy", columns, tuple(rows))


def energy_parts(item: Evaluation, layers: tuple[str, ...]) -> Iterator[tuple[Cell, ...]]:
    """By what, which part, mean energy, and its band."""
    for by in ("component", "phase", "layer"):
        for (part,), found in item.energy.by(by).items():
            name = layer_label(int(part), layers) if by == "layer" else str(part)
            yield by, name, found.mean_j, *found.band_j


def latency_table(reference: Reference) -> Table:
    """Mean time per sample by phase."""
    columns = (*WHICH, Column("phase", "Phase"), *share_columns(LATENCY, "Time per sample"))
    rows = [
        (dataset.title, outcome.chip, outcome.case, phase.value, float(cycles.mean()) / item.perf.clock_hz)
        for dataset, outcome in reference.outcomes()
        if (item := outcome.evaluation) is not None
        for phase, cycles in item.perf.phase_cycles.items()
        if cycles.any()
    ]
    return Table("latency", columns, tuple(rows))


def activity_table(reference: Reference) -> Table:
    """Measured densities by layer, of the pass under STOP and of the pass under STBP."""
    columns = (
        Column("dataset", "Data set"), Column("scheme", "Pass"), Column("layer", "Layer"),
        Column("input_density", "Inputs not zero", "fraction"), Column("spike_rate", "Spike rate", "fraction"),
        Column("trace_density", "Weight traces not zero", "fraction"),
        Column("delta_density", "Deltas not zero", "fraction"),
    )  # fmt: skip
    rows = tuple(row for dataset in reference.datasets for row in _activity_rows(dataset))
    return Table("activity", columns, rows)


def _activity_rows(dataset: DatasetResult) -> Iterator[tuple[Cell, ...]]:
    for scheme, activity in dataset.activities.items():
        found = densities(activity)
        for index, layer in enumerate(dataset.layers):
            traces = found["traces"][index] if activity is dataset.profile else None
            yield (
                dataset.title, scheme, layer, found["inputs"][index], found["spikes"][index], traces,
                found["deltas"][index],
            )  # fmt: skip


def memory_table(reference: Reference) -> Table:
    """Memory of the networks in both conventions, whatever the chip, one sample in flight."""
    columns = (
        Column("dataset", "Data set"), Column("rule", "Rule"), Column("state_only_bits", "Neuron state only", "bit"),
        Column("stbp_stored_over_state_only", "STBP stored needs", "ratio"),
        Column("everything_bits", "Everything", "bit"),
        Column("stbp_stored_over_everything", "STBP stored needs", "ratio"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for dataset in reference.datasets:
        stored = dataset.memory[STORED]
        for case, entry in dataset.memory.items():
            state, everything = entry.bits("state_only"), entry.bits("everything")
            rows.append(
                (
                    dataset.title, case, state, stored.bits("state_only") / state, everything,
                    stored.bits("everything") / everything,
                )
            )  # fmt: skip
    return Table("memory", columns, tuple(rows))


def chip_table(reference: Reference) -> Table:
    """The chips: what they are, and their modelled area."""
    columns = (
        Column("chip", "Chip"), Column("description", "What it is"), Column("cores", "Cores"),
        Column("tech_node_nm", "Node", "nm"), Column("voltage_v", "Supply", "V"), Column("clock_hz", "Clock", "Hz"),
        Column("memory_bits", "Memory on chip", "bit"), Column("dram", "DRAM"), *figure_columns(AREA),
        Column("prices", "Price table"), Column("hash", "Hash"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for chip in reference.chips:
        held = [outcome.evaluation for _, outcome in reference.outcomes() if outcome.chip == chip.name]
        area = next((item.area for item in held if item is not None), None)
        bits = sum(memory.words * memory.word_bits for core in chip.cores() for memory in core.type.memories)
        rows.append(
            (
                chip.name, chip.description, len(chip.cores()), chip.tech_node_nm, chip.voltage_v, chip.clock_hz, bits,
                chip.dram.kind if chip.dram else "none", area.total_mm2 if area else None, area.low_mm2 if area else None,
                area.high_mm2 if area else None, chip.technology, chip.content_hash(),
            )
        )  # fmt: skip
    return Table("chips", columns, tuple(rows))


def tables(reference: Reference) -> tuple[Table, ...]:
    """Every table that becomes a CSV file."""
    return (
        result_table(reference),
        energy_table(reference),
        latency_table(reference),
        activity_table(reference),
        memory_table(reference),
        chip_table(reference),
    )


def selected(table: Table, *names: str, dataset: str = "", chip: str = "", name: str = "") -> Table:
    """Select columns of a table, and the rows of one data set or chip."""
    index = {column.name: place for place, column in enumerate(table.columns)}
    rows = [
        tuple(row[index[wanted]] for wanted in names)
        for row in table.rows
        if (not dataset or row[index["dataset"]] == dataset) and (not chip or row[index["chip"]] == chip)
    ]
    return Table(name or table.name, tuple(table.columns[index[wanted]] for wanted in names), tuple(rows))
