"""Roofline: what each phase achieves against what lanes and memories allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from nmsim.counts import Action, Component
from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import (
    INK,
    MARKERS,
    PHASE_COLOURS,
    QUIET,
    colour,
    grid,
    legend_right,
    log_scale,
    look,
    new_figure,
    svg_of,
)
from nmsim.report.times import latency_by_phase_s
from nmsim.units import scaled

CORE_MEMORIES, DRAM = "core memories", "DRAM"


@dataclass(frozen=True)
class Roofs:
    """Limits of a machine: operations per second by kind of lane, and bits per second by memory level."""

    lanes_per_s: Mapping[str, float]
    bandwidth_bits_per_s: Mapping[str, float]

    @property
    def peak_per_s(self) -> float:
        """All lanes busy."""
        return sum(self.lanes_per_s.values())


@dataclass(frozen=True)
class PhaseWork:
    """One phase: operations done, bits moved by memory level, and the time it took."""

    name: str
    operations: float
    bits: Mapping[str, float]
    seconds: float

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.operations / self.seconds

    def intensity(self, level: str) -> float:
        """Operations per bit moved at a memory level."""
        return self.operations / self.bits[level]


@dataclass(frozen=True)
class _Point:
    """A phase at a memory level, by their places in the legend."""

    work: PhaseWork
    place: int
    level: str
    is_first_level: bool


def roofline(work: Sequence[PhaseWork], roofs: Roofs, described: str) -> Picture:
    """Log-log: a slope per memory level up to the peak of all lanes; one point per phase and level."""
    points = [
        _Point(item, place, level, is_first_level=rank == 0)
        for rank, level in enumerate(roofs.bandwidth_bits_per_s)
        for place, item in enumerate(work)
        if item.operations > 0 and item.seconds > 0 and item.bits.get(level, 0) > 0
    ]
    with look():
        figure = new_figure("Roofline", described, height=3.7)
        axes = figure.add_subplot()
        _draw_roofs(axes, roofs, [point.work.intensity(point.level) for point in points])
        for point in points:
            _draw_point(axes, point)
        axes.margins(y=0.15)
        log_scale(axes, "x", "y")
        axes.set_xlabel("operations per bit of memory traffic (op/bit)")
        axes.set_ylabel("operations per second (op/s)")
        grid(axes, "both")
        legend_right(axes, "limits and phases")
        svg = svg_of(figure)
    listed = "; ".join(
        f"{p.work.name}: {scaled(p.work.rate, 'op/s')} at {p.work.intensity(p.level):.2g} op/bit"
        for p in points
        if p.is_first_level
    )
    return Picture(
        "roofline",
        "Roofline",
        f"Log-log roofline with a compute roof of {scaled(roofs.peak_per_s, 'op/s')}. {listed}.",
        "Modelled, for the cores in use. Phases under the slope wait for their memories, phases under the flat part for"
        " their lanes; a phase uses one or two kinds of lanes, whose own limits are dotted. A point far below all of them is"
        " held up by something else: one memory out of several, uneven load, links, barriers, pipeline fill.",
        svg,
    )


def _draw_roofs(axes: Axes, roofs: Roofs, intensities: Sequence[float]) -> None:
    peak = roofs.peak_per_s
    ridges = [peak / bandwidth for bandwidth in roofs.bandwidth_bits_per_s.values()]
    low, high = min([*intensities, *ridges]) / 4, max([*intensities, *ridges]) * 6
    x = np.geomspace(low, high, 200)
    for rank, (level, bandwidth) in enumerate(roofs.bandwidth_bits_per_s.items()):
        label = f"{level}: {scaled(bandwidth, 'bit/s')}"
        style = ("-", "--")[rank % 2]
        axes.plot(x, np.minimum(x * bandwidth, peak), color=INK, linewidth=1.3, linestyle=style, label=label)
    limits = {peak: ["all"]}
    for lane, rate in roofs.lanes_per_s.items():
        axes.axhline(rate, color=QUIET, linewidth=0.7, linestyle=":")
        limits.setdefault(rate, []).append(lane)
    for rate, names in limits.items():
        text = f"{' or '.join(names)} lanes, {scaled(rate, 'op/s')}"
        axes.annotate(
            text,
            (high, rate),
            xytext=(-3, 2),
            ha="right",
            textcoords="offset points",
            fontsize=6.5,
            color=INK,
        )
    axes.set_xlim(low, high)


def _draw_point(axes: Axes, point: _Point) -> None:
    shade = colour(point.work.name, PHASE_COLOURS)
    axes.plot(
        point.work.intensity(point.level),
        point.work.rate,
        linestyle="",
        marker=MARKERS[point.place % len(MARKERS)],
        markersize=7,
        label=point.work.name if point.is_first_level else f"{point.work.name}, {point.level}",
        color=shade if point.is_first_level else "white",
        markeredgecolor="white" if point.is_first_level else shade,
    )


def work_of(item: Evaluation) -> tuple[PhaseWork, ...]:
    """Operations, core-memory and DRAM bits of every phase per sample, and its time.

    Empty for chips that count whole events instead of operations and memory accesses.
    """
    counts, columns = item.perf.counts, item.perf.counts.columns
    share = np.where(counts.per_batch, item.batch_size, 1)[:, None]
    mean = (counts.counts / share).mean(axis=1)
    found = []
    for phase, seconds in latency_by_phase_s(item).items():
        inside = columns["phase"] == phase
        operations = inside & (columns["component"] == Component.ALU.value)
        words = inside & (columns["component"] == Component.SRAM.value)
        moved = np.isin(columns["action"], [Action.READ.value, Action.WRITE.value])
        dram = inside & moved & (columns["component"] == Component.DRAM.value)
        bits = {CORE_MEMORIES: float(mean[words] @ columns["bits_a"][words]), DRAM: float(mean[dram].sum())}
        if operations.any() and bits[CORE_MEMORIES] > 0:
            found.append(PhaseWork(phase, float(mean[operations].sum()), bits, seconds))
    return tuple(found)


def roofs_of(item: Evaluation, chip: ChipConfig) -> Roofs:
    """Limits of the cores in use, their memories, and the DRAM."""
    every = chip.cores()
    cores = [every[core].type for core in item.perf.cores]
    lanes = {
        "accumulate": sum(core.accumulate_lanes for core in cores),
        "MAC": sum(core.mac_lanes for core in cores),
        "neuron": sum(core.neuron_lanes for core in cores),
        "update": sum(core.update_lanes for core in cores),
    }
    bits = sum(
        memory.word_bits * memory.accesses_per_cycle
        for core in cores
        for memory in core.memories
        if memory.kind != "registers"
    )
    bandwidths = {CORE_MEMORIES: bits * chip.clock_hz}
    if chip.dram is not None:
        bandwidths[DRAM] = chip.dram.bandwidth_bits_per_s
    return Roofs({name: count * chip.clock_hz for name, count in lanes.items()}, bandwidths)
