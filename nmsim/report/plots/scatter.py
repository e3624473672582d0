"""Designs of a study, objective against objective, the front marked and labelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import (
    ALARM,
    INK,
    PALETTE,
    QUIET,
    RULE,
    grid,
    log_scale,
    look,
    new_figure,
    svg_of,
)
from nmsim.report.plots.labels import label_points
from nmsim.units import prefix

LOG_FROM = 2.0
"""An axis whose values span more than this factor is logarithmic, as is the distance that ranks designs."""


@dataclass(frozen=True)
class Measure:
    """An objective: its words, its SI unit (`fraction` for parts of one, empty for counts), its good direction."""

    name: str
    unit: str
    maximise: bool = False

    @property
    def wish(self) -> str:
        """Which direction is better."""
        return "higher is better" if self.maximise else "lower is better"


@dataclass(frozen=True)
class Point:
    """A design with a figure per measure; `simulated` by the event-driven model; `link` is where its point leads."""

    label: str
    figures: tuple[float, ...]
    front: bool = False
    simulated: bool = False
    chosen: bool = False
    link: str = ""


def scale_of(measure: Measure, values: Sequence[float]) -> tuple[float, str]:
    """Divisor and unit text that suit the values of a measure."""
    if measure.unit == "fraction":
        return 0.01, "%"
    if measure.unit in {"", "mm2", "bit"}:
        return 1.0, {"mm2": "mm²"}.get(measure.unit, measure.unit)
    factor, name = prefix(max(abs(value) for value in values))
    return factor, f"{name}{measure.unit}"


def is_log(values: Sequence[float]) -> bool:
    """Whether a logarithmic axis separates the values better."""
    return min(values) > 0 and max(values) / min(values) > LOG_FROM


def scatter(points: Sequence[Point], measures: Sequence[Measure], described: str) -> Picture:
    """One panel per pair of measures; front points that look dominated in a panel are better in another measure."""
    pairs = list(combinations(range(len(measures)), 2))
    columns = min(len(pairs), 2)
    rows = -(-len(pairs) // columns)
    front = [point for point in points if point.front]
    title = "Designs of the study and their Pareto front"
    with look():
        figure = new_figure(title, described, width=max(5.8, 4.0 * columns + 0.4), height=3.4 * rows + 0.5)
        panels = np.ravel(figure.subplots(rows, columns, squeeze=False))
        for panel, (x, y) in zip(panels, pairs, strict=False):
            _panel(panel, points, measures, x, y)
        for panel in panels[len(pairs) :]:
            panel.set_axis_off()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        for panel, (x, y) in zip(panels, pairs, strict=False):
            _write_labels(panel, points, measures, x, y)
        svg = svg_of(figure)
    wishes = ", ".join(f"{measure.name}: {measure.wish}" for measure in measures)
    return Picture(
        "front-scatter",
        title,
        f"{len(points):,} feasible designs; {len(front)} of them are on the front.",
        f"Modelled. Every point is a feasible design; no other is at least as good in everything and better in something"
        f" than one of the front ({wishes}). Numbers are those of the ranking; a point of the front leads to its report.",
        svg,
    )


def _panel(axes: Axes, points: Sequence[Point], measures: Sequence[Measure], x: int, y: int) -> None:
    units = [scale_of(measure, [p.figures[k] for p in points]) for k, measure in enumerate(measures)]

    def draw(some: Sequence[Point], label: str, **style: object) -> None:
        xs, ys = ([p.figures[k] / units[k][0] for p in some] for k in (x, y))
        drawn = axes.scatter(xs, ys, label=f"{label} ({len(some):,})", **style)  # type: ignore[arg-type]
        drawn.set_urls([point.link or None for point in some])

    rest = [p for p in points if not p.front]
    draw(rest, "dominated", s=9, color=QUIET, alpha=0.35, linewidths=0, rasterized=len(rest) > 2000)
    estimated = [p for p in points if p.front and not p.simulated]
    simulated = [p for p in points if p.front and p.simulated]
    style = {"zorder": 3, "edgecolor": "white", "linewidths": 0.6}
    if estimated:
        draw(estimated, "front, analytic", s=30, color=PALETTE[0], **style)
    if simulated:
        draw(simulated, "front, event-driven", s=36, color=ALARM, marker="D", **style)
    chosen = [p for p in points if p.chosen]
    if chosen:
        draw(chosen, "nearest to the ideal", s=130, facecolor="none", edgecolor=INK, linewidths=1.2, zorder=4)
    axes_of: tuple[tuple[Literal["x", "y"], int], ...] = (("x", x), ("y", y))
    for axis, k in axes_of:
        name = f"{measures[k].name} ({units[k][1]})" if units[k][1] else measures[k].name
        getattr(axes, f"set_{axis}label")(name)
        if is_log([p.figures[k] for p in points]):
            log_scale(axes, axis)
    axes.set_facecolor("white")
    axes.grid(visible=True, color=RULE, linewidth=0.5)
    grid(axes, "both")


def _write_labels(axes: Axes, points: Sequence[Point], measures: Sequence[Measure], x: int, y: int) -> None:
    """Numbers of the front's designs, the chosen one first, then the extremes of the panel's measures."""
    scales = [scale_of(measure, [p.figures[k] for p in points])[0] for k, measure in enumerate(measures)]
    front = [point for point in points if point.front]
    ends = [sorted(front, key=lambda p: p.figures[k])[end] for k in (x, y) for end in (0, -1)]
    extremes = {point.label for point in ends}
    order = sorted(front, key=lambda p: (not p.chosen, p.label not in extremes))
    places = [(p.label, p.figures[x] / scales[x], p.figures[y] / scales[y]) for p in order]
    label_points(axes, places, [(a, b) for _, a, b in places])
