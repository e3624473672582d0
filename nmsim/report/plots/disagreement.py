"""Two models of the same designs: event-driven against analytic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import INK, PALETTE, QUIET, grid, log_scale, look, new_figure, svg_of
from nmsim.report.plots.scatter import Measure, is_log, scale_of


@dataclass(frozen=True)
class Pair:
    """One design: what the analytic and the event-driven model say of one measure."""

    label: str
    estimate: float
    simulation: float


def disagreement(pairs: Sequence[Sequence[Pair]], measures: Sequence[Measure], described: str) -> Picture:
    """One panel per measure with the line of agreement; labels on the three designs that part most."""
    title = "Event-driven simulation against analytic estimate"
    with look():
        figure = new_figure(title, described, width=3.6 * len(measures) + 0.4, height=3.6)
        panels = np.ravel(figure.subplots(1, len(measures), squeeze=False))
        for panel, some, measure in zip(panels, pairs, measures, strict=True):
            values = [value for pair in some for value in (pair.estimate, pair.simulation)]
            factor, unit = scale_of(measure, values)
            ends = np.array([min(values) * 0.95, max(values) * 1.05]) / factor
            panel.plot(ends, ends, color=QUIET, linewidth=0.8, label="agreement")
            panel.scatter(
                [p.estimate / factor for p in some], [p.simulation / factor for p in some], s=20, color=PALETTE[0],
                edgecolor="white", linewidths=0.5, zorder=3, label=f"{len(some)} designs",
            )  # fmt: skip
            for pair in sorted(some, key=lambda p: -abs(np.log(p.simulation / p.estimate)))[:3]:
                place = (pair.estimate / factor, pair.simulation / factor)
                panel.annotate(
                    pair.label, place, xytext=(4, -8), textcoords="offset points", fontsize=6.5, color=INK
                )
            if is_log(values):
                log_scale(panel, "x", "y")
            panel.set_xlabel(f"{measure.name}, analytic ({unit})")
            panel.set_ylabel(f"{measure.name}, event-driven ({unit})")
            grid(panel, "both")
        panels[0].legend(loc="upper left")
        svg = svg_of(figure)
    return Picture(
        "model-disagreement",
        title,
        f"{len(pairs[0])} designs simulated; points above the line are slower or costlier than estimated.",
        "Modelled twice. What the event-driven model adds is contention for links, ports and queues; a point on the line is"
        " a design without any that matters.",
        svg,
    )
