"""Sensitivity: how much each axis explains of each objective, as a table of shades."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np

from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import INK, look, new_figure, svg_of

DARK = 0.55
SHADES = "Blues"


def sensitivity(
    axes_names: Sequence[str],
    measures: Sequence[str],
    shares: Mapping[tuple[str, str], float],
    factors: Mapping[tuple[str, str], float],
    together: Mapping[str, float],
    designs: int,
    described: str,
) -> Picture:
    """Rows are axes, columns are measures; a cell shows the share of variance and the factor between extreme levels.

    The last row shows what all axes explain `together`, fitted over so many `designs`.
    """
    title = f"What decides which objective, of the {designs:,} designs that fit"
    rows = [[shares.get((axis, measure), np.nan) for measure in measures] for axis in axes_names]
    table = np.array([*rows, [together.get(measure, np.nan) for measure in measures]])
    with look():
        figure = new_figure(
            title, described, width=max(7.2, 1.5 + 1.35 * len(measures)), height=1.55 + 0.34 * len(axes_names)
        )
        axes = figure.add_subplot()
        axes.imshow(table, cmap=SHADES, vmin=0.0, vmax=1.0, aspect="auto")
        for row, axis in enumerate(axes_names):
            for column, measure in enumerate(measures):
                share = shares.get((axis, measure))
                text = "-" if share is None else f"{share:.0%}  x{factors[axis, measure]:.3g}"
                colour = "white" if share is not None and share > DARK else INK
                axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=colour)
        for column, measure in enumerate(measures):
            colour = "white" if together.get(measure, 0.0) > DARK else INK
            text = f"{together[measure]:.0%}" if measure in together else "-"
            axes.text(
                column,
                len(axes_names),
                text,
                ha="center",
                va="center",
                fontsize=7.5,
                color=colour,
                weight="bold",
            )
        axes.axhline(len(axes_names) - 0.5, color="white", linewidth=3)
        axes.set_xticks(range(len(measures)), [fill(measure, 18) for measure in measures])
        axes.set_yticks(range(len(axes_names) + 1), [*axes_names, "all together"])
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        svg = svg_of(figure)
    strongest = {m: max(axes_names, key=lambda axis, m=m: shares.get((axis, m), 0.0)) for m in measures}  # type: ignore[misc]
    return Picture(
        "sensitivity",
        title,
        "; ".join(f"{measure}: most by {axis}" for measure, axis in strongest.items()),
        f"Modelled. Among the {designs:,} designs that fit, axes are correlated, for not every combination fits: all of them"
        " explain an objective (its logarithm) in one fit. A cell: the axis' part of the variance (Shapley's value, so that"
        " a column adds up to its last row), and the factor between best and worst level, the other axes alike. What the"
        " last row lacks to 100 % is interaction of axes.",
        svg,
    )
