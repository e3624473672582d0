"""Parallel coordinates: every design a line through its values and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.collections import LineCollection

from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import INK, QUIET, RULE, look, new_figure, svg_of

MOST_LINES = 1500
COLOURS = "viridis"


@dataclass(frozen=True)
class Scale:
    """One vertical axis: its name, and text at places from 0 (bottom) to 1 (top)."""

    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Line:
    """A design: a place per scale, and whether it is on the front."""

    places: tuple[float, ...]
    front: bool


def parallel(lines: Sequence[Line], scales: Sequence[Scale], coloured_by: int, described: str) -> Picture:
    """Front designs in colour by the scale `coloured_by`, the others (at most 1,500, evenly drawn) in grey behind."""
    title = "Values and figures of the front's designs"
    rest = [line for line in lines if not line.front]
    rest = rest[:: max(1, -(-len(rest) // MOST_LINES))]
    front = [line for line in lines if line.front]
    colours = mpl.colormaps[COLOURS]
    with look():
        figure = new_figure(title, described, width=max(7.2, 0.95 * len(scales)), height=4.2)
        axes = figure.add_subplot()
        places = range(len(scales))
        axes.add_collection(
            LineCollection(
                [list(zip(places, line.places, strict=True)) for line in rest], colors=RULE, linewidths=0.5
            )
        )
        shades = [colours(0.9 * line.places[coloured_by]) for line in front]
        axes.add_collection(
            LineCollection(
                [list(zip(places, line.places, strict=True)) for line in front], colors=shades, linewidths=1.3
            )
        )
        for place, scale in enumerate(scales):
            axes.axvline(place, color=QUIET, linewidth=0.7, zorder=3)
            for height, text in scale.ticks:
                axes.text(
                    place + 0.04, height, text, fontsize=6.5, color=INK, va="center", zorder=4,
                    bbox={"facecolor": "white", "alpha": 0.92, "edgecolor": "none", "pad": 0.4},
                )  # fmt: skip
        axes.set_xlim(-0.1, len(scales) - 0.35)
        axes.set_ylim(-0.04, 1.04)
        axes.set_xticks(list(places), [scale.name for scale in scales], rotation=18, ha="right")
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_visible(False)
        svg = svg_of(figure)
    return Picture(
        "parallel-coordinates",
        title,
        f"{len(front)} front designs and {len(rest)} others as lines over {len(scales)} axes.",
        f"Modelled. Coloured: the front, dark where {scales[coloured_by].name} is low; grey: other feasible designs."
        " Where coloured lines meet in one place, the front agrees on that value.",
        svg,
    )
