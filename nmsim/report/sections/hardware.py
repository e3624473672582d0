"""Chapters on the chip: what it is, where energy and time go, what its memories hold."""

from collections.abc import Sequence

from nmsim.cost.area import Area
from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core
from nmsim.misfit import Misfit
from nmsim.report.compare import OTHER_MACHINE_NOTE, RATIO_NOTE, mixes_machines, side_by_side
from nmsim.report.extrapolate import ASSUMPTION, extrapolate
from nmsim.report.levels import levels_table, words_filled
from nmsim.report.live.chart import choices, live
from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.picture import Picture
from nmsim.report.plots.evaluations import comparison_chart
from nmsim.report.result import RunResult
from nmsim.report.sections.section import Evidence, Section, badge, bullets
from nmsim.report.tables import Column, Table
from nmsim.report.text import energy_by, energy_total, memory_rule_table
from nmsim.report.times import latency_by_phase_s, stage_times
from nmsim.report.words import MODEL_WORDS, component_name, how_many, sample_kind, with_band, with_interval
from nmsim.units import BITS_PER_BYTE, scaled


def chip(result: RunResult, mesh: Picture) -> Section:
    """The machine, how much of it is in use, and the map of loads."""
    item = result.subject
    machine = result.chip_of(item)
    parts = [
        tag("p", machine.description or f"Chip {machine.name}."),
        _description(machine, item).html("The modelled chip"),
    ]
    if machine.sources:
        parts += [tag("p", "Its figures come from:"), bullets(machine.sources)]
    if item.area is not None:
        parts.append(_areas(item.area))
    parts += [tag("h3", "Load of cores and links"), figure(mesh), _stalls(result)]
    return Section("chip", "Chip and mapping", join(parts))


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


def comparison(result: RunResult, picture: Picture | None) -> Section:
    """All evaluations side by side."""
    shown = result.subject_first
    options = {
        "chip": ("Chip", list(dict.fromkeys(item.chip_name for item in shown))),
        "rule": ("Rule", list(dict.fromkeys(item.rule for item in shown))),
        "model": ("Model", list(dict.fromkeys(item.model for item in shown))),
    }
    text = (
        f"Per sample; {RATIO_NOTE}. Ratios are safer than the figures: most of the error of a price is common to both, and"
        " so are the samples. A training sample and an inference are different amounts of work."
        " Choose chips, rules and models; a click on a heading sorts. "
    )
    body = join(
        [
            tag("p", text, badge(Evidence.MODELLED)),
            *([choices(options), live(picture, comparison_chart(shown))] if picture else []),
            side_by_side(shown, result.misfits, result.diagnosis).html(
                "Every evaluation of this run", live=True
            ),
            tag("p", f"{OTHER_MACHINE_NOTE}.") if mixes_machines(shown) else "",
            *(_misfit(misfit) for misfit in result.misfits),
        ]
    )
    return Section("comparison", "Comparison", body)


def _misfit(misfit: Misfit) -> Markup:
    """What is short, and what would make it fit."""
    head, *rest = misfit.lines()
    return join([tag("h3", head), bullets(line.strip() for line in rest)])


def extrapolation(result: RunResult) -> Section:
    """An epoch and the whole training."""
    names = ("Rule", "Model", "Chip", "Of", "Energy", "Band of the energy", "CI of the energy", "Time")
    rows = []
    for item in extrapolate(result):
        found = item.evaluation
        for of, joules, seconds in (
            (
                f"one epoch as the last,\n{item.samples_per_epoch:,} samples",
                item.epoch_energy_j,
                item.epoch_latency_s,
            ),
            (
                f"all of {how_many(item.epochs, 'epoch')}\nat that cost",
                item.training_energy_j,
                item.training_latency_s,
            ),
        ):
            band = f"{scaled(joules.band_low, 'J')}\nto {scaled(joules.band_high, 'J')}"
            interval = with_interval(joules, "J").removeprefix("95 % CI ").replace(" to ", "\nto ")
            texts = scaled(joules.mean, "J"), band, interval, scaled(seconds.mean, "s")
            rows.append((found.rule, found.model, found.chip_name, of, *texts))
    columns = tuple(Column(name.lower(), name) for name in names)
    table = Table("extrapolation", columns, tuple(rows)).html(
        "Extrapolated energy and time on the chip; CI at 95 %"
    )
    text = f"Assumed: {ASSUMPTION}. "
    return Section(
        "extrapolation", "Extrapolation", join([tag("p", text, badge(Evidence.EXTRAPOLATED)), table])
    )


def _description(machine: ChipConfig, item: Evaluation) -> Table:
    cores, options = machine.cores(), machine.options
    types = {core.type.name: core.type for core in cores}
    noc = f"{machine.noc.topology}, {machine.noc.flit_bits}-bit flits, {machine.noc.casting}"
    gradient = options.weight_gradient.replace("_", " ")
    dram = machine.dram
    by_events = any(core.event_timing for core in types.values())
    clock = "without a clock" if by_events else f"clock {scaled(machine.clock_hz, 'Hz')}"
    rows = [
        (
            "Technology",
            f"{machine.tech_node_nm} nm at {machine.voltage_v:g} V, {clock}",
        ),
        ("Mesh", f"{machine.columns} x {machine.rows} tiles, {noc}"),
        ("Cores", f"{len(cores)}, of which {len(item.perf.cores)} are in use"),
        *((f"Core '{name}'", _core(core)) for name, core in types.items()),
        (
            "Options",
            f"schedule {options.schedule}, weight gradient {gradient}, trace decay {options.trace_decay}",
        ),
        ("DRAM", f"{dram.kind}, {scaled(dram.bandwidth_bits_per_s, 'bit/s')}" if dram else "none"),
        ("Area of one chip", _area(item)),
        ("Price table", item.costs_name),
    ]
    return Table("chip", (Column("what", "What"), Column("value", "Value")), tuple(rows))


def _area(item: Evaluation) -> str:
    area = item.area
    if area is None:
        return item.unavailable.get("area", "not available")
    text = f"{area.total_mm2:.3g} mm2 (band {area.low_mm2:.3g} to {area.high_mm2:.3g} mm2)"
    return f"{text}, without {', '.join(area.not_included)}" if area.not_included else text


def _areas(area: Area) -> Markup:
    """Area by component; the band is that of the whole."""
    columns = (
        Column("component", "Component"),
        Column("area_mm2", "Area", "mm2"),
        Column("share", "Share", "fraction"),
    )
    rows = tuple(
        (component_name(name), mm2, mm2 / area.total_mm2) for name, mm2 in area.by_component_mm2.items()
    )
    caption = f"Area by component, estimated; band of the whole {area.low_mm2:.3g} to {area.high_mm2:.3g} mm2"
    return Table("area", columns, rows).html(caption, ("total", area.total_mm2, 1.0))


def _core(core: Core) -> str:
    memories = ", ".join(
        f"{m.name} {scaled(m.capacity_bits / BITS_PER_BYTE, 'B')} ({m.word_bits}-bit words, banks: {m.banks})"
        for m in core.memories
    )
    lanes = "lanes: " + ", ".join(
        f"{count} {name}"
        for name, count in (
            ("accumulate", core.accumulate_lanes),
            ("MAC", core.mac_lanes),
            ("neuron", core.neuron_lanes),
            ("update", core.update_lanes),
        )
    )
    if core.event_timing is not None:
        lanes = "timed by whole events"
    return f"{core.neuron_slots:,} neuron slots; {lanes}; memories: {memories}"


def _stalls(result: RunResult) -> Markup:
    """Of the event-driven run if there is one: only it knows links and queues."""
    item = result.counterpart(model="event") or result.subject
    perf = item.perf
    words = (
        f"Time lost to contention in the {MODEL_WORDS[item.model]}, of {perf.cycles.mean():,.0f} cycles per sample."
        " Resources wait at the same time, so that losses are means over the resources of a kind; their sum says nothing of"
        " the latency. "
    )
    lines = []
    for cause, cycles in perf.stall_cycles.items():
        if not cycles.any():
            continue
        kind, count = _resources(item, cause)
        each = cycles.mean() / count
        lines.append(
            f"{cause}: {each:,.1f} cycles per sample on the mean of {count:,} {kind} ({each / perf.cycles.mean():.2%})"
        )
    return join([tag("p", words, badge(Evidence.MODELLED)), bullets(lines or ["none"])])


def _resources(item: Evaluation, cause: str) -> tuple[str, int]:
    """Which kind of resource loses cycles to a cause, and how many of it are in use."""
    perf = item.perf
    links = int(perf.link_flits.any(axis=1).sum())
    found = {
        "bank conflict": ("memories", sum(len(names) for names in perf.memory_names)),
        "link contention": ("links with traffic", links),
        "queue full": ("links with traffic", links),
        "injection": ("cores that inject", len(perf.cores)),
    }
    kind, count = found.get(cause, ("channel", 1))
    return kind, max(count, 1)


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
