"""Energy along learning: what a training sample costs, and how active the network is, against how well it does."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from nmsim.report.learning_energy import LearningEnergy, LearningPoint
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import MARKERS, PALETTE, QUIET, grid, look, new_figure, svg_of
from nmsim.statistics import mean_interval
from nmsim.units import prefix, scaled

ACCURACIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Where the axis of accuracy may have a tick."""


def energy_along_learning(own: LearningEnergy, other: LearningEnergy | None, described: str) -> Picture:
    """Energy per sample under the trained rule and the baseline (left), spike rate and delta density (right).

    Along the accuracy on held-out samples, spread like a logit, so that 97 and 98 % are as far apart as they are in errors;
    along the samples seen where no accuracy was measured.
    """
    curves = [item for item in (own, other) if item is not None]
    with look():
        figure = new_figure("Energy along learning", described, height=3.1)
        left, right = figure.subplots(1, 2)
        factor, letter = prefix(max(float(point.energy_j.mean()) for item in curves for point in item.points))
        for place, item in enumerate(curves):
            _energies(left, item, place, factor)
        left.set_ylabel(f"energy per training sample ({letter}J)")
        left.set_ylim(bottom=0)
        across = _across(own.points)
        for place, (name, values) in enumerate(_densities(own).items()):
            right.plot(across, values, marker=MARKERS[place + 2], color=PALETTE[place + 2], label=name)
        right.set_ylabel("fraction of neurons and time steps (%)")
        right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
        right.set_ylim(bottom=0)
        for axes in (left, right):
            _axis(axes, own.points)
            axes.legend(loc="best")
            grid(axes, "y")
        _ends(left, own, factor)
        svg = svg_of(figure)
    first, last = own.points[0], own.points[-1]
    alt = (
        f"Lines over {len(own.points)} milestones: a training sample under {own.rule} costs"
        f" {scaled(float(first.energy_j.mean()), 'J')} at the start, {scaled(float(last.energy_j.mean()), 'J')} at the end;"
        f" spike rate goes from {first.spike_rate:.1%} to {last.spike_rate:.1%}, delta density from"
        f" {first.delta_density:.1%} to {last.delta_density:.1%}."
    )
    caption = (
        f"Modelled from activity that was recorded at each milestone on the same {own.samples} training samples; whiskers:"
        " 95 % confidence interval over them. Spikes and deltas are those of"
        f" {own.rule}."
    )
    return Picture("energy-along-learning", "Energy along learning", alt, caption, svg)


def _densities(own: LearningEnergy) -> dict[str, list[float]]:
    return {
        "deltas not zero": [point.delta_density for point in own.points],
        "neurons spiking": [point.spike_rate for point in own.points],
    }


def _energies(axes: Axes, item: LearningEnergy, place: int, factor: float) -> None:
    found = [mean_interval(point.energy_j) for point in item.points]
    half = [0.0 if one.high is None else (one.high - one.value) / factor for one in found]
    axes.errorbar(
        _across(item.points),
        [one.value / factor for one in found],
        yerr=half,
        marker=MARKERS[place],
        color=PALETTE[place],
        elinewidth=1.0,
        label=item.rule,
    )


def _ends(axes: Axes, own: LearningEnergy, factor: float) -> None:
    """Say which end of the line is the start of the training."""
    across = _across(own.points)
    for index, text, side in ((0, "start", "center"), (-1, "end", "left")):
        where = (across[index], float(own.points[index].energy_j.mean()) / factor)
        axes.annotate(
            text, where, xytext=(0, 7), textcoords="offset points", ha=side, fontsize=7.5, color=QUIET
        )


def _across(points: Sequence[LearningPoint]) -> list[float]:
    """Accuracies as logits, kept away from 0 and 1 by half a sample; samples seen where there are none."""
    if any(point.accuracy is None for point in points):
        return [float(point.samples_seen) for point in points]
    return [_logit(float(point.accuracy or 0.0), point.accuracy_samples) for point in points]


def _logit(fraction: float, samples: int) -> float:
    edge = 0.5 / max(samples, 1)
    kept = min(max(fraction, edge), 1 - edge)
    return float(np.log(kept / (1 - kept)))


def _axis(axes: Axes, points: Sequence[LearningPoint]) -> None:
    if any(point.accuracy is None for point in points):
        axes.set_xlabel("training samples seen")
        return
    across = _across(points)
    room = 0.08 * max(max(across) - min(across), 0.1)
    low, high = min(across) - room, max(across) + room
    ticks = {_logit(fraction, 10**6): fraction for fraction in ACCURACIES}
    shown = [place for place in ticks if low <= place <= high]
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(shown, [f"{100 * ticks[place]:g}" for place in shown])
    axes.set_xlabel(f"accuracy on {points[-1].accuracy_samples:,} held-out samples (%)")
