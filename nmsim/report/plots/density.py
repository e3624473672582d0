"""How sparse the activity is: spike rate, input, trace and delta density by layer."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from nmsim.activity import MASKS, Activity
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import MARKERS, PALETTE, grid, legend_right, look, new_figure, svg_of

SHOWN = {
    "inputs": "inputs not zero",
    "spikes": "neurons spiking",
    "traces": "weight traces not zero",
    "deltas": "deltas not zero",
}

UPRIGHT_LETTERS = 72
"""Letters of all layers' names that fit side by side."""
LAYERS_IN_BARS = 4
"""Layers up to which bars and their names fit side by side."""


def densities(activity: Activity) -> dict[str, list[float]]:
    """Fraction of non-zero values by mask and layer, over all profiled samples and time steps."""
    return {name: [layer.density(name) for layer in activity.layers] for name in MASKS}


def density_by_layer(activity: Activity, layers: Sequence[str], described: str) -> Picture:
    """Grouped bars, or a dot plot for many layers; what is zero in every layer (inference has no deltas) is left out."""
    table = {name: values for name, values in densities(activity).items() if any(values)}
    few = len(layers) <= LAYERS_IN_BARS
    with look():
        figure = new_figure("Activity by layer", described, height=3.0 if few else 1.2 + 0.24 * len(layers))
        axes = figure.add_subplot()
        (_bars if few else _dots)(axes, table, layers)
        legend_right(axes, "mean over samples and steps")
        svg = svg_of(figure)
    rates = ", ".join(
        f"layer {index}: {layer.density('spikes'):.1%}" for index, layer in enumerate(activity.layers)
    )
    return Picture(
        "activity-by-layer",
        "Activity by layer",
        f"Bars of non-zero fractions by layer. Spike rates per neuron and time step: {rates}.",
        f"Measured over {activity.samples} profiled samples and {activity.time_steps} time steps"
        f" ({activity.origin} arithmetic). Event-driven hardware works in proportion to these fractions.",
        svg,
    )


def _bars(axes: Axes, table: Mapping[str, Sequence[float]], layers: Sequence[str]) -> None:
    width = 0.8 / max(len(table), 1)
    positions = np.arange(len(layers))
    for place, (name, values) in enumerate(table.items()):
        x = positions + (place - (len(table) - 1) / 2) * width
        bars = axes.bar(x, values, width * 0.92, label=SHOWN[name], color=PALETTE[place])
        axes.bar_label(bars, [f"{value:.1%}" for value in values], fontsize=7)
    axes.set_xticks(positions, layers)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel("fraction per time step (%)")
    axes.set_xlabel("synaptic layer")
    grid(axes, "y")


def _dots(axes: Axes, table: Mapping[str, Sequence[float]], layers: Sequence[str]) -> None:
    rows = range(len(layers))
    for place, (name, values) in enumerate(table.items()):
        axes.plot(
            values,
            rows,
            linestyle="",
            marker=MARKERS[place],
            color=PALETTE[place],
            label=SHOWN[name],
            markersize=5.5,
        )
    axes.set_yticks(rows, layers)
    axes.set_ylim(len(layers) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("fraction per time step (%)")
    grid(axes, "both")
