"""Hypervolume over evaluations: how fast a study found its front."""

from collections.abc import Mapping, Sequence

from matplotlib.ticker import PercentFormatter

from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import PALETTE, QUIET, grid, look, new_figure, svg_of

MARK = 0.95


def hypervolume(
    histories: Mapping[str, Sequence[float]], described: str, whole: str = "the study's last"
) -> Picture:
    """One line per history, each a fraction of `whole` after every evaluation."""
    title = "Hypervolume over evaluations"
    reached = {}
    with look():
        figure = new_figure(title, described, height=3.0)
        axes = figure.add_subplot()
        axes.axhline(MARK, color=QUIET, linestyle="--", linewidth=0.8)
        for place, (name, history) in enumerate(histories.items()):
            axes.step(
                range(1, len(history) + 1),
                history,
                where="post",
                color=PALETTE[place % len(PALETTE)],
                label=name,
            )
            reached[name] = next((index + 1 for index, value in enumerate(history) if value >= MARK), None)
        axes.set_xlabel("designs evaluated")
        axes.set_ylabel("hypervolume (%)")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_ylim(0, 1.04)
        axes.set_xlim(left=0)
        grid(axes, "y")
        if len(histories) > 1:
            axes.legend(loc="lower right")
        svg = svg_of(figure)
    words = {name: f"after {at:,} designs" if at else "not at all" for name, at in reached.items()}
    told = (
        "; ".join(f"{name}: {text}" for name, text in words.items())
        if len(words) > 1
        else "".join(words.values())
    )
    return Picture(
        "hypervolume",
        title,
        f"The hypervolume rises with the evaluations; {MARK:.0%} of {whole}: {told}.",
        f"Modelled. Volume of the objectives' space (logarithms of positive objectives) that the designs so far dominate,"
        f" relative to {whole}. {MARK:.0%} is reached {told}.",
        svg,
    )
