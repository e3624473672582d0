"""Stacked horizontal bars: the shape of every "where does it go" picture."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from nmsim.report.plots.canvas import INK, QUIET, colour, grid
from nmsim.units import prefix, scaled

ROOM_FOR_TOTALS, ROOM_FOR_SHARES = 1.16, 1.28
"""The axis beyond the longest bar, for what is written behind it."""


def stacked(
    axes: Axes,
    bars: Sequence[str],
    parts: Mapping[str, Sequence[float]],
    unit: str,
    quantity: str,
    colours: Mapping[str, str],
    *,
    shares: bool = True,
    digits: int = 3,
) -> None:
    """Draw one bar per name, top down, stacked by part, with its total (and share) behind it.

    The axis takes a fitting SI prefix.
    """
    values = np.array([list(parts[name]) for name in parts], float).reshape(len(parts), len(bars))
    totals = values.sum(axis=0)
    factor, name_of_prefix = prefix(float(totals.max(initial=0.0)))
    start = np.zeros(len(bars))
    for part, row in zip(parts, values / factor, strict=True):
        shade = colour(part, colours, tuple(parts))
        axes.barh(
            range(len(bars)),
            row,
            left=start,
            height=0.62,
            color=shade,
            label=part.replace("_", " "),
            edgecolor="white",
            linewidth=0.5,
        )
        start = start + row
    whole = float(totals.sum())
    for index, total in enumerate(totals):
        share = f"  {total / whole:.0%}" if shares and whole > 0 and len(bars) > 1 else ""
        axes.text(
            total / factor,
            index,
            f" {scaled(float(total), unit, digits)}{share}",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_yticks(range(len(bars)), bars)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    room = ROOM_FOR_SHARES if shares and len(bars) > 1 else ROOM_FOR_TOTALS
    axes.set_xlim(0, max(float(totals.max(initial=0.0)) / factor * room, 1e-12))
    axes.set_xlabel(f"{quantity} ({name_of_prefix}{unit})", color=QUIET)
    grid(axes, "x")


def height_of(bars: int) -> float:
    """Figure height in inches for a number of bars."""
    return 1.25 + 0.33 * max(bars, 3)
