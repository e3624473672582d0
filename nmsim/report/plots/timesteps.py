"""Energy, latency and spikes by time step."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nmsim.evaluate import Evaluation
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import (
    COMPONENT_COLOURS,
    PALETTE,
    colour,
    grid,
    look,
    new_figure,
    svg_of,
)
from nmsim.report.times import slot_latency_s
from nmsim.report.words import component_name
from nmsim.units import J_PER_PJ, prefix, scaled


def by_time_step(item: Evaluation, spikes: Sequence[float], described: str) -> Picture:
    """Three panels: dynamic energy by step (stacked by component), latency by slot of the schedule, spikes by step.

    `spikes` is the mean number of spikes of all layers per sample at each time step.
    """
    latency = slot_latency_s(item)
    sequential = len(latency) == item.time_steps
    with look():
        figure = new_figure("Energy, latency and spikes by time step", described, height=3.3)
        panels = figure.subplots(1, 3)
        energies = _energy(panels[0], item)
        factor, name = prefix(max(latency))
        panels[1].bar(range(1, len(latency) + 1), [v / factor for v in latency], color=PALETTE[0], width=0.7)
        panels[1].set_title(f"latency ({name}s)")
        panels[1].set_xlabel("time step" if sequential else "slot of the schedule")
        panels[2].bar(range(1, len(spikes) + 1), spikes, color=PALETTE[2], width=0.7)
        panels[2].set_title("spikes per sample")
        panels[2].set_xlabel("time step")
        for axes in panels:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
            axes.set_ylim(bottom=0)
            grid(axes, "y")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower left", ncols=6)
        svg = svg_of(figure)
    return Picture(
        "time-steps",
        "Energy, latency and spikes by time step",
        f"Bars by time step. Dynamic energy from {scaled(min(energies), 'J')} to {scaled(max(energies), 'J')}, latency"
        f" from {scaled(min(latency), 's')} to {scaled(max(latency), 's')}, spikes from {min(spikes):.0f} to"
        f" {max(spikes):.0f} per sample.",
        "Modelled energy and latency, measured spikes; means per sample. Energy by step is the dynamic part: static"
        " power, barriers and the update come besides. Latency includes the barrier at the end"
        f" of each {'step' if sequential else 'slot; in this schedule a slot is not a time step'}.",
        svg,
    )


def step_energy_j(item: Evaluation) -> dict[str, list[float]]:
    """Mean dynamic energy per sample by component and time step; empty if it was not evaluated."""
    if item.step_energy is None:
        return {}
    parts = item.step_energy.by("component").items()
    return {str(key[0]): (part.total_pj * J_PER_PJ).tolist() for key, part in parts}


def _energy(axes: Axes, item: Evaluation) -> list[float]:
    table = step_energy_j(item)
    totals = np.array([sum(steps) for steps in zip(*table.values(), strict=True)] or [0.0] * item.time_steps)
    factor, name = prefix(float(totals.max()))
    bottom = np.zeros(item.time_steps)
    for component in [c for c in COMPONENT_COLOURS if c in table]:
        height = np.array(table[component]) / factor
        shade = colour(component, COMPONENT_COLOURS)
        axes.bar(
            range(1, item.time_steps + 1),
            height,
            bottom=bottom,
            color=shade,
            width=0.7,
            label=component_name(component),
            edgecolor="white",
            linewidth=0.4,
        )
        bottom = bottom + height
    axes.set_title(f"dynamic energy ({name}J)")
    axes.set_xlabel("time step")
    return [float(total) for total in totals]
