"""Chapters on what the chip does with a sample: where energy and time go, what its memories hold."""

from collections.abc import Sequence

from nmsim.evaluate import Evaluation
from nmsim.report.levels import levels_table, words_filled
from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.picture import Picture
from nmsim.report.result import RunResult
from nmsim.report.sections.section import Evidence, Section, badge
from nmsim.report.tables import Column, Table
from nmsim.report.text import energy_by, energy_total, memory_rule_table
from nmsim.report.times import latency_by_phase_s, stage_times
from nmsim.report.words import MODEL_WORDS, sample_kind, with_band, with_interval
from nmsim.units import scaled


def energy(result: RunResult, by_phase: Picture, by_layer: Picture) -> Section:
    """Energy of the subject."""
    item = result.subject
    each = sample_kind(item)
    sop = _per_sop(item)
    parts = [
        tag(
            "p",
            f"One {each} takes {with_band(item.energy_j, 'J')}; {with_interval(item.energy_j, 'J')} over"
            f" {item.samples} samples. ",
            badge(Evidence.MODELLED),
        ),
        figure(by_phase),
        energy_by(item, "component").html(f"Energy per {each} by component", energy_total(item)),
        energy_by(item, "phase").html(f"Energy per {each} by phase", energy_total(item)),
        figure(by_layer),
        tag("h3", "Energy per synaptic operation"),
        sop,
    ]
    return Section("energy", "Energy", join(parts))


def latency(result: RunResult, pictures: Sequence[Picture]) -> Section:
    """Time of the subject, what bounds each stage, and the gap between the two performance models."""
    item = result.subject
    total = sum(latency_by_phase_s(item).values())
    columns = (
        Column("phase", "Phase"),
        Column("latency_s", "Time", "s"),
        Column("share", "Share", "fraction"),
    )
    rows = tuple((phase, time, time / total) for phase, time in latency_by_phase_s(item).items())
    table = Table("latency", columns, rows).html(
        f"Time per {sample_kind(item)} by phase, {MODEL_WORDS[item.model]}", ("total", total, 1.0)
    )
    stages = tag("details", tag("summary", "Every stage and what bounds it"), _stages(item).html("Stages"))
    parts = [
        tag(
            "p",
            f"One {sample_kind(item)} takes {scaled(item.latency_s.mean, 's')}; {with_interval(item.latency_s, 's')}"
            f" over {item.samples} samples. ",
            badge(Evidence.MODELLED),
            " " + _gap(result),
        ),
        figure(pictures[0]),
        table,
        stages,
        *(figure(picture) for picture in pictures[1:]),
    ]
    return Section("latency", "Latency", join(parts))


def memory(result: RunResult, picture: Picture) -> Section:
    """Memory of the network by rule in both conventions, and how full the chip's memories are."""
    words = (
        "Two conventions, never to be mixed: neuron state only is what one sample carries from one time step to the next"
        " (membranes, spikes, traces; for STBP its history); everything adds parameters, gradient accumulators, buffers"
        " and tables. "
    )
    table = memory_rule_table(result).html(
        "Memory of the network by learning rule, one sample in flight, whatever the chip"
    )
    parts = [
        tag("p", words, badge(Evidence.COUNTED)),
        table,
        figure(picture),
        tag("h3", "Memories of the chip"),
    ]
    use = _memory_use(result.subject)
    parts += [
        tag(
            "p",
            "What the mapping stores in each kind of memory, over all cores in use; memory.csv lists every single one.",
        ),
        use.html(f"Memories in use, {result.subject.rule} on {result.subject.chip_name}"),
    ]
    reuse = levels_table(result.subject)
    if reuse.rows:
        parts += [
            tag("h3", "Levels and reuse"),
            tag(
                "p",
                "Words that each phase reads and writes per sample, and how many operations (synapses served,"
                " multiply-accumulates, additions) there are for one of them: the more, the better a level holds what is"
                " used again.",
            ),
            reuse.html(f"Levels of memory, {result.subject.rule} on {result.subject.chip_name}"),
        ]
    return Section("memory", "Memory", join(parts))


def _per_sop(item: Evaluation) -> Markup:
    def text(value: float | None) -> str:
        return "not available" if value is None else scaled(value, "J")

    words = (
        f"{item.sops_per_sample:,.0f} synaptic operations per {sample_kind(item)}. Incremental:"
        f" {text(item.energy_per_sop_incremental_j)}, what one more costs in the phase integrate. All-in:"
        f" {text(item.energy_per_sop_all_in_j)}, everything the chip spends divided by them. The two are different"
        " quantities; published chips quote one or the other."
    )
    return tag("p", words)


def _gap(result: RunResult) -> str:
    models = {
        item.model: item.latency_s.mean
        for item in result.evaluations
        if (item.rule, item.chip_hash) == (result.subject.rule, result.subject.chip_hash)
    }
    if {"analytic", "event"} - set(models):
        return "Only one of the two performance models was run."
    return (
        f"The analytic estimate is {scaled(models['analytic'], 's')}, the event-driven simulation"
        f" {scaled(models['event'], 's')}: the estimate is off by {models['analytic'] / models['event'] - 1:+.2%}."
    )


def _stages(item: Evaluation) -> Table:
    columns = (
        Column("stage", "Stage"), Column("phase", "Phase"), Column("cadence", "Once per"), Column("bottleneck", "Bound by"),
        Column("cycles", "Cycles per sample"), Column("latency_s", "Time per sample", "s"),
    )  # fmt: skip
    rows = tuple((s.name, s.phase, s.cadence, s.bottleneck, s.cycles, s.latency_s) for s in stage_times(item))
    return Table("stages", columns, rows)


def _memory_use(item: Evaluation) -> Table:
    columns = (
        Column("memory", "Memory"), Column("count", "Number"), Column("used", "Used", "bit"),
        Column("capacity", "Capacity", "bit"), Column("mean", "Filled on average", "fraction"),
        Column("fullest", "Fullest", "fraction"), Column("words_filled", "Words filled", "fraction"),
        Column("holds", "Holds"),
    )  # fmt: skip
    rows, filled = [], words_filled(item)
    for name in dict.fromkeys(use.memory for use in item.memory):
        group = [use for use in item.memory if use.memory == name]
        used, capacity = sum(use.used_bits for use in group), sum(use.capacity_bits for use in group)
        contents = sorted(
            {
                content.replace("_", " ")
                for use in group
                for content, bits in use.by_content_bits.items()
                if bits
            }
        )
        fullest = max(use.utilization for use in group)
        share = used / capacity
        rows.append((name, len(group), used, capacity, share, fullest, filled.get(name), ", ".join(contents)))
    return Table("memory-use", columns, tuple(rows))
