"""Spike raster of one sample: the input and every layer's neurons, time step by time step."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import PALETTE, QUIET, look, new_figure, svg_of

NEURONS_SHOWN = 800
"""Larger layers are thinned evenly, and their label says so."""
LAYERS_SHOWN = 12
PANEL_INCHES = 0.85


def spike_raster(activity: Activity, layers: Sequence[str], described: str, sample: int = 0) -> Picture:
    """One panel per layer from input (top) to output (bottom): neurons across, time steps down, a mark where one spikes.

    Networks of more than `LAYERS_SHOWN` layers show the first ones and the output.
    """
    bands = [("network input", activity.layers[0].mask("inputs")[sample])]
    bands += [
        (name, layer.mask("spikes")[sample]) for name, layer in zip(layers, activity.layers, strict=True)
    ]
    shown = bands if len(bands) <= LAYERS_SHOWN else [*bands[: LAYERS_SHOWN - 1], bands[-1]]
    label, index = int(activity.labels[sample]), int(activity.sample_index[sample])
    chosen = int(activity.spike_counts[sample].argmax())
    with look():
        title = f"Spikes of one sample (number {index}, class {label}, classified as {chosen})"
        figure = new_figure(title, described, height=0.9 + PANEL_INCHES * len(shown))
        panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
        for place, ((name, mask), axes) in enumerate(zip(shown, panels, strict=True)):
            _panel(axes, name, mask, PALETTE[0] if place else QUIET)
        panels[-1].set_xlabel("neuron (C order)")
        figure.supylabel("time step", fontsize=8.5)
        svg = svg_of(figure)
    total = sum(int(mask.sum()) for _, mask in bands[1:])
    left_out = f" {len(bands) - len(shown)} layers between are left out." if len(shown) < len(bands) else ""
    return Picture(
        "spike-raster",
        "Spikes of one sample",
        f"Raster of sample {index} of class {label}, classified as {chosen}: {total:,} spikes in {len(layers)} layers over"
        f" {activity.time_steps} time steps.",
        "Measured. A mark is a non-zero input (grey) or a spike (blue) of one neuron at one time step. Output spikes per"
        f" class: {', '.join(map(str, activity.spike_counts[sample][:12]))}"
        f"{', ...' if activity.spike_counts.shape[1] > 12 else ''}.{left_out}",
        svg,
    )


def _panel(axes: Axes, name: str, mask: NDArray[np.bool_], shade: str) -> None:
    steps, size = mask.shape
    kept = (
        np.arange(size)
        if size <= NEURONS_SHOWN
        else np.linspace(0, size - 1, NEURONS_SHOWN).round().astype(np.int64)
    )
    step, place = np.nonzero(mask[:, kept])
    corners = np.empty((2 * len(step), 2))
    corners[0::2] = np.column_stack([kept[place], step + 0.58])
    corners[1::2] = np.column_stack([kept[place], step + 1.42])
    codes = np.tile(np.array([Path.MOVETO, Path.LINETO], np.uint8), len(step))
    marks = Path(corners, codes)
    marks.should_simplify = False
    width = float(np.clip(300 / len(kept), 0.45, 14))
    axes.add_patch(PathPatch(marks, fill=False, edgecolor=shade, linewidth=width, capstyle="butt"))
    shown = f"{len(kept):,} of {size:,} shown" if len(kept) < size else f"{size:,}"
    axes.set_title(f"{name}, {shown}: {mask.mean():.1%} active", fontsize=8, pad=3)
    axes.set_xlim(-0.5 - size * 0.004, size - 0.5 + size * 0.004)
    axes.set_ylim(steps + 0.5, 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=3, min_n_ticks=2))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.tick_params(length=0, labelsize=7, pad=2)
