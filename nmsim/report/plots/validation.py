"""Modelled against published figures, with the line where both agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import (
    PALETTE,
    QUIET,
    RULE,
    grid,
    legend_right,
    log_scale,
    look,
    new_figure,
    svg_of,
)
from nmsim.report.plots.labels import label_points

FIELD_BAR = 0.25
"""Closeness that published simulators of the field reach or aim at."""
GROUPS = (
    ("held out", "o", PALETTE[0], "held out, frame published"),
    ("assumed", "^", PALETTE[4], "held out, frame partly assumed"),
    ("calibrated", "s", PALETTE[1], "used to calibrate"),
)


@dataclass(frozen=True)
class PublishedFigure:
    """A published figure and the model's, in one unit.

    `group` is one of `GROUPS`: agreement with a figure that was used for calibration proves nothing.
    """

    label: str
    published: float
    modelled: float
    unit: str
    group: str

    @property
    def error(self) -> float:
        """Relative error of the model."""
        return self.modelled / self.published - 1


def modelled_against_published(points: Sequence[PublishedFigure], name: str) -> Picture:
    """Log-log scatter of figures of many units, the y = x line, and +-25 % around it; names what lies outside."""
    values = [value for point in points for value in (point.published, point.modelled)]
    span = np.array([min(values) / 2, max(values) * 2])
    title = "Modelled against published figures"
    with look():
        figure = new_figure(title, "", height=4.8)
        axes = figure.add_subplot()
        axes.fill_between(
            span, span * (1 - FIELD_BAR), span * (1 + FIELD_BAR), color=RULE, linewidth=0, label="within 25 %"
        )
        axes.plot(span, span, color=QUIET, linewidth=0.9, label="y = x")
        for group, marker, shade, text in GROUPS:
            chosen = [point for point in points if point.group == group]
            if chosen:
                axes.plot(
                    [point.published for point in chosen], [point.modelled for point in chosen], marker, color=shade,
                    markersize=5, label=text,
                )  # fmt: skip
        axes.set_xlim(*span)
        axes.set_ylim(*span)
        log_scale(axes, "x", "y")
        axes.set_xlabel("published, each in its own unit")
        axes.set_ylabel("modelled, in the same unit")
        grid(axes, "both")
        legend_right(axes)
        outside = sorted(
            (p for p in points if abs(p.error) > FIELD_BAR), key=lambda p: -abs(log(p.modelled / p.published))
        )
        labels = [(f"{p.label} ({p.error:+.0%})", p.published, p.modelled) for p in outside]
        label_points(axes, labels, [(p.published, p.modelled) for p in points])
        svg = svg_of(figure)
    listed = "; ".join(
        f"{p.label}: {p.modelled:.3g} for {p.published:.3g} {p.unit} ({p.error:+.1%})" for p in points
    )
    caption = (
        "Square points were used to set the model's constants and prove nothing; round points were not; of the chips behind"
        " triangles a part is assumed. Names stand at what is off by more than 25 %, where there is room."
    )
    return Picture(name, title, f"Scatter on logarithmic axes around the line y = x. {listed}.", caption, svg)
