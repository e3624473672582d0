"""The page of one data set: what was run, how active the network is, what it costs on each chip, and how far to trust it."""

from collections.abc import Iterator
from dataclasses import replace

from nmsim.diagnosis import overflow_lines
from nmsim.report.extrapolate import ASSUMED_OF_SHORT_TRAINING
from nmsim.report.learning_energy import against
from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.page import page
from nmsim.report.plots.density import density_by_layer
from nmsim.report.plots.energy_bars import energy_by_layer
from nmsim.report.plots.learning import energy_along_learning
from nmsim.report.plots.memory_by_rule import memory_by_scheme
from nmsim.report.reference.for_people import (
    costs_for_people,
    extrapolation_for_people,
    operations_for_people,
)
from nmsim.report.reference.plots import energy_by_rule
from nmsim.report.reference.result import SUBJECT, DatasetResult, Reference
from nmsim.report.reference.tables import activity_table, memory_table, selected
from nmsim.report.reference.wording import FOOTER, INDEX, byline, renamed_memory, run_facts
from nmsim.report.sections.along_learning import learning_energy
from nmsim.report.sections.section import Evidence, Section, badge, bullets
from nmsim.report.tables import Column, Table
from nmsim.report.words import context, how_many
from nmsim.rules import BASELINE

SOP_WORDS = (
    "A SOP is one synapse served for one spike, an addition; a MAC multiplies as well (errors, gradients, and inputs that"
    " are no spikes). Energy per SOP is two different figures: incremental divides only the dynamic energy of integration"
    " in layers that serve spikes alone; all-in divides everything, static power and training included. They are not"
    " comparable."
)


def dataset_page(reference: Reference, dataset: DatasetResult) -> str:
    """The page as HTML."""
    lead = (
        f"Energy, time and memory of {dataset.workload.network.name} on {dataset.title}, under every learning rule, on"
        f" {len(reference.chips)} chips. What happened in the network was measured bit for bit on real samples; what it"
        " costs is modelled."
    )
    sections = [
        _run(dataset),
        _activity(reference, dataset),
        *_learning(dataset),
        *_chips(reference, dataset),
        _memory(reference, dataset),
        _extrapolation(dataset),
        _trust(dataset),
    ]
    return page(f"{dataset.title}: {dataset.name}", lead, byline(reference), sections, FOOTER)


def _run(dataset: DatasetResult) -> Section:
    table = Table("run", (Column("what", "What"), Column("value", "Value")), run_facts(dataset))
    parts = [tag("p", tag("a", "All data sets", href=INDEX)), table.html("What was run")]
    if dataset.stand_in:
        parts.insert(1, tag("p", f"Stand-in. {dataset.stand_in}", class_="verdict failed"))
    return Section("run", "What was run", join(parts))


def _activity(reference: Reference, dataset: DatasetResult) -> Section:
    profile = dataset.profile
    text = (
        f"Recorded bit-accurately on {profile.samples} samples with the parameters after the preparation. The STOP rules"
        " differ in which parameters they update, not in what happens in a pass with given parameters, so that one record"
        " serves all of them; STBP's record is a float64 pass with the same parameters, surrogate table and delta formats. "
    )
    picture = density_by_layer(profile, dataset.layers, dataset.name)
    table = selected(
        activity_table(reference), "scheme", "layer", "input_density", "spike_rate", "trace_density", "delta_density",
        dataset=dataset.title,
    )  # fmt: skip
    body = join(
        [
            tag("p", text, badge(Evidence.MEASURED)),
            figure(picture),
            table.html("Fractions of non-zero values, mean over samples, time steps and neurons or inputs"),
        ]
    )
    return Section("activity", "Spike rates and densities", body)


def _learning(dataset: DatasetResult) -> Iterator[Section]:
    """What a training sample costs while the network learns, on the first chip that was followed."""
    own = next((item for item in dataset.learning if item.rule == SUBJECT), None)
    if own is not None:
        other = against(own, dataset.learning, BASELINE.name)
        picture = energy_along_learning(own, other, f"{dataset.name} \u00b7 {own.chip_name}")
        yield learning_energy(own, dataset.learning, dataset.network_text, picture)


def _chips(reference: Reference, dataset: DatasetResult) -> Iterator[Section]:
    for chip in reference.chips:
        outcomes = dataset.on_chip(chip.name)
        fitting = [outcome for outcome in outcomes if outcome.evaluation is not None]
        parts: list[Markup] = [tag("p", f"{chip.description} ", badge(Evidence.MODELLED))]
        if any(outcome.time_multiplexed for outcome in fitting):
            parts.append(
                tag(
                    "p",
                    "Time-multiplexed: what does not fit on chip lives in DRAM and is loaded piece by piece.",
                )
            )
        if fitting:
            parts += [
                costs_for_people(fitting).html(
                    f"Per training sample, or inference, on {chip.name}; network: {dataset.network_text}"
                ),
                operations_for_people(fitting).html(
                    f"Operations per sample, and memory of the cores in use; network: {dataset.network_text}"
                ),
                tag("p", SOP_WORDS),
            ]
        parts += [_problem(outcome.case, outcome.problem) for outcome in outcomes if outcome.problem]
        for within in ("phase", "component"):
            picture = energy_by_rule(dataset, chip.name, within)
            parts += [figure(picture)] if picture else []
        parts += _layers(dataset, chip.name)
        yield Section(f"chip-{chip.name}", chip.name, join(parts))


def _layers(dataset: DatasetResult, chip: str) -> list[Markup]:
    found = [item.evaluation for item in dataset.on_chip(chip) if item.case == SUBJECT and item.evaluation]
    return [
        figure(
            replace(
                energy_by_layer(item, dataset.layers, context(dataset.name, item)),
                name=f"energy-by-layer-{chip}",
            )
        )
        for item in found
    ]


def _problem(case: str, problem: str) -> Markup:
    summary = tag("summary", f"{case}: no figures, {problem.partition(chr(10))[0]}")
    return tag("details", summary, tag("div", tag("pre", problem), class_="scroll"))


def _memory(reference: Reference, dataset: DatasetResult) -> Section:
    text = (
        "Whatever the chip, one sample in flight. Neuron state only is the convention of the STOP paper: what a sample"
        " carries from one time step to the next. Everything adds weights, gradient accumulators, velocities and buffers. "
    )
    picture = memory_by_scheme(renamed_memory(dataset), dataset.name)
    table = selected(
        memory_table(reference), "rule", "state_only_bits", "stbp_stored_over_state_only", "everything_bits",
        "stbp_stored_over_everything", dataset=dataset.title,
    )  # fmt: skip
    body = join([tag("p", text, badge(Evidence.COUNTED)), table.html("Memory by rule"), figure(picture)])
    return Section("memory", "Memory of the network", body)


def _extrapolation(dataset: DatasetResult) -> Section:
    epochs = dataset.workload.training.epochs
    text = (
        f"An epoch of {dataset.epoch_samples:,} samples ({dataset.epoch_source}), and"
        f" {how_many(epochs, 'epoch')} of the workload's own training section. Nothing of this length was run. "
    )
    table = extrapolation_for_people(dataset)
    body = join(
        [
            tag("p", text, badge(Evidence.EXTRAPOLATED)),
            table.html(
                "Energy with its 95 % confidence interval; the full training's with the prices' band besides; network:"
                f" {dataset.network_text}"
            ),
            tag("p", f"Assumption. {ASSUMED_OF_SHORT_TRAINING}"),
        ]
    )
    return Section("extrapolation", "An epoch, and a full training", body)


def _trust(dataset: DatasetResult) -> Section:
    items = [outcome.evaluation for outcome in dataset.outcomes if outcome.evaluation]
    checks = [(item, check) for item in items for check in item.audit]
    failed = [f"{item.rule} on {item.chip_name}: {check.name}" for item, check in checks if not check.passed]
    verdict = f"All {len(checks)} checks of {len(items)} evaluations came out."
    if failed:
        verdict = f"{len(failed)} of {len(checks)} checks failed; do not use the figures concerned: {'; '.join(failed)}."
    notes = list(dict.fromkeys(note for item in items for note in item.notes))
    lines = overflow_lines(dataset.history.overflow_counts, dataset.diagnosis.saturated_shares)
    parts = [
        tag("p", verdict, class_="verdict failed" if failed else "verdict"),
        tag("h3", "Overflows during the preparation"),
        bullets(lines) if lines else tag("p", "No value overflowed its format. ", badge(Evidence.MEASURED)),
        tag("h3", "Notes of the models"),
        bullets(notes) if notes else tag("p", "None."),
    ]
    return Section("trust", "Audit and notes", join(parts))
