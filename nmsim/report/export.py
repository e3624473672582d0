"""Tables of a run as its CSV files hold them; docs/report.md lists every column."""

from dataclasses import asdict

import numpy as np

from nmsim.activity import Activity
from nmsim.columns import distinct
from nmsim.evaluate import Evaluation
from nmsim.figures import AREA, ENERGY, LATENCY
from nmsim.hardware.routing import DIRECTIONS
from nmsim.operations import operations_of
from nmsim.report.learning_tables import point_table, training_energy_table
from nmsim.report.network_columns import NETWORK_COLUMNS, network_cells, of_rule
from nmsim.report.plots.timesteps import step_energy_j
from nmsim.report.result import RunResult
from nmsim.report.tables import Cell, Column, Table, figure_columns, share_columns
from nmsim.report.times import latency_by_phase_s, slot_latency_s, stage_times, utilization
from nmsim.report.words import layer_label

WHICH = (Column("chip", "Chip"), Column("rule", "Rule"), Column("model", "Model"))
"""First columns of every table over several evaluations."""
WIDTHS = ("bits_a", "bits_b", "bits_c")
"""Columns of the operands' widths in a table of counts."""


def tables(result: RunResult) -> tuple[Table, ...]:
    """Every table that is written as a CSV file."""
    every: tuple[Table, ...] = (
        energy_table(result),
        latency_table(result),
        stage_table(result),
        memory_use_table(result),
        time_step_table(result),
        core_table(result),
        link_table(result),
        action_table(result),
        operation_table(result),
        *neurobench_table(result),
        area_table(result),
    )
    if result.history.rows:
        every = (*every, training_table(result))
    if result.learning:
        found, trained = result.learning, result.workload.training.rule.name
        every = (*every, point_table(found, trained), training_energy_table(found, trained, result.diagnosis))
    return every


def energy_table(result: RunResult) -> Table:
    """Mean energy per sample by component, phase and layer; each evaluation's rows add up to its total."""
    columns = (
        *WHICH, Column("component", "Component"), Column("phase", "Phase"), Column("layer", "Layer"),
        Column("layer_name", "Layer name"), *share_columns(ENERGY, "Energy per sample"), *NETWORK_COLUMNS,
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for item in result.evaluations:
        network = network_cells(of_rule(result.diagnosis, item.rule))
        for (component, phase, layer), part in item.energy.by("component", "phase", "layer").items():
            low, high = part.band_j
            name = layer_label(layer, result.layers)
            where = (str(component), str(phase), int(layer), name)
            rows.append((*_which(item), *where, part.mean_j, low, high, *network))
    return Table("energy", columns, tuple(rows))


def action_table(result: RunResult) -> Table:
    """Mean number of actions per sample by component, action, unit, widths, phase and layer: what prices multiply."""
    columns = (
        *WHICH, Column("component", "Component"), Column("action", "Action"), Column("unit", "Memory or kind"),
        *(Column(name, f"Width {name[-1]}", "") for name in WIDTHS), Column("phase", "Phase"), Column("layer", "Layer"),
        Column("layer_name", "Layer name"), Column("cadence", "Once per"), Column("count_per_sample", "Per sample"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for item in result.evaluations:
        counts = item.perf.counts
        names = [counts.columns[name] for name in ("component", "action", "unit", *WIDTHS, "phase", "layer")]
        first, group = distinct([*names, counts.per_batch])
        mean = counts.counts.mean(axis=1) / np.where(counts.per_batch, item.batch_size, 1)
        for index, count in zip(first.tolist(), np.bincount(group, mean).tolist(), strict=True):
            *what, layer = (column[index].item() for column in names)
            cadence = "batch" if counts.per_batch[index] else "sample"
            rows.append((*_which(item), *what, layer, layer_label(layer, result.layers), cadence, count))
    return Table("actions", columns, tuple(rows))


def operation_table(result: RunResult) -> Table:
    """Operations on synapses that were served, the dense ones, and two energies of their arithmetic, means per sample."""
    columns = (
        *WHICH, Column("phase", "Phase"), Column("layer", "Layer"), Column("layer_name", "Layer name"),
        Column("operation", "Operation"), *(Column(name, f"Width {name[-1]}", "") for name in WIDTHS),
        Column("operations_per_sample", "Served"), Column("dense_operations_per_sample", "Dense"),
        Column("modelled_arithmetic_j", "Arithmetic, modelled", "J"),
        Column("convention_45nm_j", "Arithmetic, 45 nm convention", "J"), *NETWORK_COLUMNS,
    )  # fmt: skip
    rows = tuple(
        (
            *_which(item), one.phase, one.layer, layer_label(one.layer, result.layers), one.kind, *one.widths, one.served,
            one.dense, one.modelled_j, one.convention_j, *network_cells(of_rule(result.diagnosis, item.rule)),
        )
        for item in result.evaluations
        for one in operations_of(item, result.workload.network)
    )  # fmt: skip
    return Table("operations", columns, rows)


def neurobench_table(result: RunResult) -> tuple[Table, ...]:
    """NeuroBench's complexity metrics, one per row; no table where the run holds no weights."""
    found = result.neurobench
    if found is None:
        return ()
    rows = tuple((name, float(value)) for name, value in asdict(found).items())
    return (Table("neurobench", (Column("metric", "Metric"), Column("value", "Value")), rows),)


def area_table(result: RunResult) -> Table:
    """Modelled area of every chip by component, and its total with the band; chips without a sourced area are left out."""
    columns = (Column("chip", "Chip"), Column("component", "Component"), *figure_columns(AREA))
    rows: list[tuple[Cell, ...]] = []
    for item in {item.chip_hash: item for item in result.evaluations if item.area}.values():
        assert item.area is not None
        rows += [(item.chip_name, name, mm2, None, None) for name, mm2 in item.area.by_component_mm2.items()]
        rows.append((item.chip_name, "total", item.area.total_mm2, item.area.low_mm2, item.area.high_mm2))
    return Table("area", columns, tuple(rows))


def latency_table(result: RunResult) -> Table:
    """Mean time per sample by phase; each evaluation's rows add up to its latency."""
    columns = (
        *WHICH, Column("phase", "Phase"), Column("latency_cycles", "Cycles"), *share_columns(LATENCY, "Time"),
    )  # fmt: skip
    rows = tuple(
        (*_which(item), phase, seconds * item.perf.clock_hz, seconds)
        for item in result.evaluations
        for phase, seconds in latency_by_phase_s(item).items()
    )
    return Table("latency", columns, rows)


def stage_table(result: RunResult) -> Table:
    """Mean time per sample of every stage, and the resource that bounds it; stages may overlap in time."""
    columns = (
        *WHICH, Column("stage", "Stage"), Column("phase", "Phase"), Column("layer", "Layer"), Column("part", "Part"),
        Column("cadence", "Once per"), Column("bottleneck", "Bound by"), Column("latency_cycles", "Cycles"),
        *share_columns(LATENCY, "Time"),
    )  # fmt: skip
    rows = tuple(
        (
            *_which(item), s.name, s.phase, s.layer, s.part, s.cadence, s.bottleneck, s.cycles, s.latency_s,
        )
        for item in result.evaluations
        for s in stage_times(item)
    )  # fmt: skip
    return Table("stages", columns, rows)


def time_step_table(result: RunResult) -> Table:
    """Row `index` holds slot `index` of the schedule (latency) and time step `index` (energy), from 1.

    Sequential STOP and inference have one slot per time step; other schedules and STBP have more slots than steps.
    """
    energies = [step_energy_j(item) for item in result.evaluations]
    components = list(dict.fromkeys(component for table in energies for component in table))
    columns = (
        *WHICH,
        Column("index", "Time step, or slot"),
        Column("slot_latency_s", "Latency of the slot", "s"),
        Column("dynamic_energy_j", "Dynamic energy of the step", "J"),
        *(Column(f"{component}_energy_j", component, "J") for component in components),
        *NETWORK_COLUMNS,
    )
    rows: list[tuple[Cell, ...]] = []
    for item, table in zip(result.evaluations, energies, strict=True):
        network = network_cells(of_rule(result.diagnosis, item.rule))
        latencies, steps = slot_latency_s(item), item.time_steps if table else 0
        for index in range(max(len(latencies), steps)):
            latency = latencies[index] if index < len(latencies) else None
            parts = [table[c][index] if index < steps and c in table else None for c in components]
            total = sum(table[c][index] for c in table) if index < steps else None
            rows.append((*_which(item), index + 1, latency, total, *parts, *network))
    return Table("timesteps", columns, tuple(rows))


def spikes_by_step(activity: Activity) -> list[float]:
    """Mean number of spikes of all layers per sample, by time step."""
    masks = (layer.mask("spikes") for layer in activity.layers)
    return np.sum([mask.sum(axis=2).mean(axis=0) for mask in masks], axis=0).tolist()  # type: ignore[no-any-return]


def memory_use_table(result: RunResult) -> Table:
    """Bits used and capacity of every memory of every core in use."""
    columns = (
        *WHICH, Column("core", "Core"), Column("memory", "Memory"), Column("used_bits", "Used", "bit"),
        Column("capacity_bits", "Capacity", "bit"), Column("utilization", "Utilisation", "fraction"),
        Column("contents", "Contents"),
    )  # fmt: skip
    rows = tuple(
        (
            *_which(item), use.core, use.memory, use.used_bits, use.capacity_bits, use.utilization,
            " ".join(f"{content}={bits}" for content, bits in use.by_content_bits.items()),
        )
        for item in result.evaluations
        for use in item.memory
    )  # fmt: skip
    return Table("memory", columns, rows)


def training_table(result: RunResult) -> Table:
    """Metrics by epoch."""
    columns = (
        Column("epoch", "Epoch"), Column("train_accuracy", "Accuracy while learning", "fraction"),
        Column("test_accuracy", "Held-out accuracy", "fraction"), Column("test_samples", "Held-out samples"),
        Column("train_loss", "Loss"), Column("train_samples", "Training samples"),
        Column("rate_weight", "Rate, weights"), Column("rate_threshold", "Rate, thresholds"),
        Column("rate_leak", "Rate, leak factors"), Column("seconds", "Wall time", "s"),
        Column("samples_per_s", "Speed", "sample/s"),
    )  # fmt: skip
    rows = tuple(
        (
            row.epoch + 1, row.train_accuracy, row.test_accuracy, row.test_samples, row.train_loss, row.train_samples,
            row.rate_weight, row.rate_threshold, row.rate_leak, row.seconds, row.samples_per_s,
        )
        for row in result.history.rows
    )  # fmt: skip
    return Table("training", columns, rows)


def core_table(result: RunResult) -> Table:
    """Every core in use: where it is, how busy it is, what it spends."""
    columns = (
        *WHICH, Column("core", "Core"), Column("column", "Column"), Column("row", "Row"),
        Column("utilization", "Busy", "fraction"), Column("busy_cycles", "Busy cycles"),
        Column("waiting_cycles", "Waiting cycles"), Column(ENERGY.share(), "Energy per sample", ENERGY.unit),
        *NETWORK_COLUMNS,
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for item in result.evaluations:
        network = network_cells(of_rule(result.diagnosis, item.rule))
        places, busy = result.chip_of(item).cores(), utilization(item)
        spent = {key[0]: part.mean_j for key, part in item.energy.by("core").items()}
        for index, core in enumerate(item.perf.cores.tolist()):
            working = float(item.perf.core_busy_cycles[index].mean())
            waiting = float(item.perf.core_waiting_cycles[index].mean())
            place = places[core]
            rows.append(
                (
                    *_which(item),
                    core,
                    place.column,
                    place.row,
                    busy[core],
                    working,
                    waiting,
                    spent.get(core, 0.0),
                    *network,
                )
            )
    return Table("cores", columns, tuple(rows))


def link_table(result: RunResult) -> Table:
    """Every directed link that carried a flit, by the tile it leaves."""
    columns = (
        *WHICH, Column("column", "Column"), Column("row", "Row"), Column("direction", "Direction"),
        Column("flits_per_sample", "Flits per sample"), Column("utilization", "Busy", "fraction"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for item in result.evaluations:
        width = result.chip_of(item).columns
        flits, load = item.perf.link_flits.mean(axis=1), item.perf.link_utilization.mean(axis=1)
        for link in np.flatnonzero(flits).tolist():
            tile, direction = divmod(link, len(DIRECTIONS))
            place = (tile % width, tile // width, DIRECTIONS[direction])
            rows.append((*_which(item), *place, float(flits[link]), float(load[link])))
    return Table("links", columns, tuple(rows))


def _which(item: Evaluation) -> tuple[str, str, str]:
    return item.chip_name, item.rule, item.model
