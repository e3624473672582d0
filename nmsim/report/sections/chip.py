"""The chapter on the chip: what it is, its area, the load of its cores and links."""

from nmsim.cost.area import Area
from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core
from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.picture import Picture
from nmsim.report.result import RunResult
from nmsim.report.sections.section import Evidence, Section, badge, bullets
from nmsim.report.tables import Column, Table
from nmsim.report.words import MODEL_WORDS, component_name
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
