"""The reference report as files: pages, CSV tables, a JSON record and a README."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nmsim.figures import EDP, ENERGY, LATENCY, POWER
from nmsim.report.plots.density import densities
from nmsim.report.reference.dataset_page import dataset_page
from nmsim.report.reference.index_page import index_page
from nmsim.report.reference.ratios import ratio_table
from nmsim.report.reference.result import DatasetResult, Outcome, Reference
from nmsim.report.reference.tables import learning_table, memory_table, result_table, selected, tables
from nmsim.report.reference.wording import INDEX, accuracy, mean_spike_rates
from nmsim.report.tables import Table
from nmsim.report.words import NOT_MODELLED
from nmsim.storage import file_name, write_text

SCHEMA = "nmsim/reference-2"
IN_README = (
    "chip", "rule", ENERGY.name, ENERGY.part("band_low"), ENERGY.part("band_high"), LATENCY.name, POWER.name, EDP.name,
    "training_energy_j",
)  # fmt: skip

HOW_TO_READ = (
    "Spike rates and accuracies are measured bit-accurately on real samples; energies, times and areas are modelled, with"
    " the band that the prices allow; the energy of a full training is extrapolated. What that rests on is on the pages.\n"
)


def write_reference(reference: Reference, folder: Path) -> list[Path]:
    """Write every file of the report into `folder`; the same reference gives the same bytes. Returns the paths."""
    written = []
    for name, text in reference_files(reference):
        write_text(folder / name, text)
        written.append(folder / name)
    return written


def reference_files(reference: Reference) -> Iterator[tuple[str, str]]:
    """Names and contents."""
    yield INDEX, index_page(reference)
    for dataset in reference.datasets:
        yield f"{file_name(dataset.name)}.html", dataset_page(reference, dataset)
    for table in (*tables(reference), ratio_table(reference), learning_table(reference)):
        yield f"{table.name}.csv", table.csv()
    yield "reference.json", json.dumps(record(reference), indent=2, allow_nan=False) + "\n"
    yield "README.md", readme(reference)


def record(reference: Reference) -> dict[str, Any]:
    """Identity of everything that went in, and what was measured, as plain data; figures are in the CSV files."""
    return {
        "schema": SCHEMA,
        "plan": {"name": reference.name, "hash": reference.plan_hash, "seed": reference.seed},
        "command": reference.command,
        "versions": dict(reference.versions),
        "chips": {chip.name: chip.content_hash() for chip in reference.chips},
        "datasets": [_dataset_record(dataset) for dataset in reference.datasets],
        "absent": {entry.title: entry.reason for entry in reference.absent},
        "not_modelled": list(NOT_MODELLED),
    }


def _dataset_record(dataset: DatasetResult) -> dict[str, Any]:
    last = dataset.history.rows[-1]
    return {
        "title": dataset.title,
        "stand_in": dataset.stand_in,
        "workload": {"name": dataset.name, "hash": dataset.workload.content_hash()},
        "network_hash": dataset.workload.network.content_hash(),
        "provenance": dict(dataset.provenance),
        "preparation": {
            "training": dataset.prepared.training.model_dump(mode="json"),
            "training_samples_seen": dataset.prepared_samples,
            "held_out_accuracy": last.test_accuracy,
            "held_out_samples": last.test_samples,
            "overflows": {
                name: count for name, count in sorted(dataset.history.overflow_counts.items()) if count
            },
        },
        "activity": {
            scheme: {"hash": activity.content_hash, "origin": activity.origin, "samples": activity.samples}
            | densities(activity)
            for scheme, activity in dataset.activities.items()
        },
        "outcomes": [_outcome_record(outcome) for outcome in dataset.outcomes],
    }


def _outcome_record(outcome: Outcome) -> dict[str, Any]:
    item = outcome.evaluation
    if item is None:
        return {"rule": outcome.case, "chip": outcome.chip, "problem": outcome.problem}
    return {
        "rule": outcome.case,
        "chip": outcome.chip,
        "model": item.model,
        "hashes": {
            "chip": item.chip_hash,
            "mapping": item.mapping_hash,
            "activity": item.activity_hash,
            "costs": item.costs_hash,
        },
        "audit": {check.name: bool(check.passed) for check in item.audit},
        "unavailable": dict(item.unavailable),
        "notes": list(item.notes),
    }


def readme(reference: Reference) -> str:
    """The main figures as Markdown."""
    parts = [
        f"# Reference report: {reference.name}\n",
        f"{reference.description}\n",
        f"Made by `{reference.command}`; generated, do not edit. Pages: [{INDEX}]({INDEX}).\n",
        HOW_TO_READ,
    ]
    results = result_table(reference)
    for dataset in reference.datasets:
        table = selected(results, *IN_README, dataset=dataset.title)
        stand_in = f"\n**Stand-in.** {dataset.stand_in}\n" if dataset.stand_in else ""
        parts.append(
            f"## {dataset.title}, {dataset.workload.network.name}\n{stand_in}\nMeasured: accuracy {accuracy(dataset)}; spike"
            f" rates by layer {mean_spike_rates(dataset)}.\n\n{_without_gaps(table).markdown()}"
        )
    parts += [f"## {entry.title}\n\nNot made here: {entry.reason}.\n" for entry in reference.absent]
    parts.append(f"## Memory\n\n{memory_table(reference).markdown()}")
    return "\n".join(parts)


def _without_gaps(table: Table) -> Table:
    """The rows that have an energy; those that do not fit are on the pages, with their reasons."""
    return Table(table.name, table.columns, tuple(row for row in table.rows if row[2] is not None))
