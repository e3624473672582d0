"""Pictures of a comparison with float64: SQNR by tensor and step, spikes, gradients, accuracy, convergence."""

from collections.abc import Sequence
from math import isinf

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import (
    INK,
    MARKERS,
    PALETTE,
    QUIET,
    SEQUENTIAL,
    grid,
    legend_right,
    look,
    new_figure,
    svg_of,
)
from nmsim.validate.numerics.measured import AccuracyGap, ComparedWith, ConvergencePoint, NumericsResult

MEASURED = "Measured on {samples} {split} samples with {source}."
REFERENCE_WORDS = {
    ComparedWith.OWN: "own rounding",
    ComparedWith.FORCED: "forced spikes",
    ComparedWith.FREE: "free running",
}
CEILING_DB = 100.0
"""Higher SQNR is drawn in one colour."""
WRITTEN_UP_TO = 100
"""Cells of a map up to which values are written into it."""
LEAST_ERROR = 1e-9


def described(result: NumericsResult) -> str:
    """What was compared, under every title."""
    return f"{result.workload} · {result.rule} · {result.source} · {result.samples} {result.split} samples"


def sqnr_map(result: NumericsResult) -> Picture:
    """SQNR of every tensor of every layer against the three references, as three maps side by side."""
    names = list(dict.fromkeys(item.tensor for item in result.tensors))
    layers = range(len(result.layers))
    with look():
        figure = new_figure("SQNR by tensor and layer", described(result), height=1.6 + 0.24 * len(names))
        panels = figure.subplots(1, 3, sharey=True)
        for axes, reference in zip(panels, ComparedWith, strict=True):
            values = np.full((len(names), len(layers)), np.nan)
            for item in result.tensors:
                sums = item.errors.get(reference)
                found = None if sums is None else sums.sqnr_db()
                if found is not None:
                    values[names.index(item.tensor), item.layer] = min(found, CEILING_DB)
            image = axes.imshow(values, aspect="auto", cmap=SEQUENTIAL, vmin=0, vmax=CEILING_DB)
            if values.size <= WRITTEN_UP_TO:
                _write(axes, values)
            axes.set_title(REFERENCE_WORDS[reference])
            axes.set_xticks(layers, [str(layer) for layer in layers])
            axes.set_xlabel("synaptic layer")
            axes.tick_params(length=0)
        panels[0].set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
        figure.colorbar(
            image, ax=list(panels), label=f"SQNR (dB), {CEILING_DB:.0f} and more or exact: darkest", pad=0.01
        )
        svg = svg_of(figure)
    return Picture(
        "sqnr",
        "SQNR by tensor and layer",
        f"Maps of SQNR for {len(names)} tensors in {len(layers)} layers, against three references.",
        "Measured. Own rounding: against the exact value of each tensor's own expression. Forced spikes: against a float64"
        " pass that emits the same spikes. Free running: against float64 that decides its own spikes.",
        svg,
    )


def _write(axes: Axes, values: np.ndarray) -> None:
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            text = "exact" if value >= CEILING_DB else f"{value:.0f}"
            shade = "white" if value > CEILING_DB / 2 else INK
            axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=shade)


def sqnr_by_step(result: NumericsResult) -> Picture:
    """One panel per tensor that is not exact: SQNR with forced spikes by time step, one line per layer."""
    compared = [item for item in result.tensors if ComparedWith.FORCED in item.errors]
    names = list(dict.fromkeys(i.tensor for i in compared if i.errors[ComparedWith.FORCED].noise.any()))
    exact = [name for name in dict.fromkeys(item.tensor for item in compared) if name not in names]
    rows, steps = max(-(-len(names) // 3), 1), range(1, result.time_steps + 1)
    with look():
        figure = new_figure("SQNR by time step, forced spikes", described(result), height=0.8 + 1.7 * rows)
        panels = figure.subplots(rows, 3, sharex=True, squeeze=False).ravel()
        for axes, name in zip(panels, names, strict=False):
            for item in (item for item in result.tensors if item.tensor == name):
                found = [item.errors[ComparedWith.FORCED].sqnr_db(step - 1) for step in steps]
                drawn = [np.nan if value is None or isinf(value) else value for value in found]
                axes.plot(steps, drawn, **_line(item.layer, result))
            axes.set_title(name.replace("_", " "))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
            grid(axes, "y")
        for axes in panels[len(names) :]:
            axes.set_visible(False)
        for axes in panels[max(len(names) - 3, 0) : len(names)]:
            axes.set_xlabel("time step")
            axes.tick_params(labelbottom=True)
        figure.supylabel("SQNR (dB)", fontsize=8.5)
        handles = [panels[0].plot([], [], **_line(layer, result))[0] for layer in range(len(result.layers))]
        figure.legend(handles, result.layers, loc="outside lower center", ncols=3)
        svg = svg_of(figure)
    return Picture(
        "sqnr-by-step",
        "SQNR by time step, forced spikes",
        f"Lines of SQNR by time step for {len(names)} tensors and {len(result.layers)} layers.",
        "Measured. How rounding adds up over time while both sides spike alike. Exact values have no point"
        + (f"; exact throughout: {', '.join(exact).replace('_', ' ')}." if exact else "."),
        svg,
    )


def _line(layer: int, result: NumericsResult) -> dict[str, object]:
    few = result.time_steps <= 20
    return {
        "color": PALETTE[layer % len(PALETTE)], "linestyle": ("-", "--", ":")[layer // len(PALETTE) % 3],
        "marker": MARKERS[layer % len(MARKERS)] if few else None, "markersize": 3,
    }  # fmt: skip


def spike_mismatch(result: NumericsResult) -> Picture:
    """Fraction of spikes that differ by time step and layer: free-running, and decided from the same past."""
    steps = range(1, result.time_steps + 1)
    with look():
        figure = new_figure("Spikes that differ from float64", described(result), height=3.1)
        left, right = figure.subplots(1, 2)
        for item in result.spikes:
            share = max(item.decisions, 1)
            left.plot(steps, item.free / share, label=result.layers[item.layer], **_line(item.layer, result))
            right.plot(steps, item.forced / share, **_line(item.layer, result))
        for axes, title in ((left, "free running"), (right, "decided from the chip's past spikes")):
            axes.set_title(title)
            axes.set_xlabel("time step")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
            axes.set_ylim(bottom=0)
            grid(axes, "y")
        left.set_ylabel("of all neurons (%)")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        svg = svg_of(figure)
    worst = max(result.spikes, key=lambda item: item.rate(ComparedWith.FREE))
    return Picture(
        "spike-mismatch",
        "Spikes that differ from float64",
        f"Lines by time step; free running, layer {worst.layer} differs most: {worst.rate(ComparedWith.FREE):.2%}.",
        "Measured. Left: both sides run freely, so one different spike changes what follows. Right: only the decisions"
        " that a layer's own rounding turns.",
        svg,
    )


def gradient_error(result: NumericsResult) -> Picture:
    """Relative error of every gradient by layer, against both float64 passes."""
    kinds = list(dict.fromkeys(item.parameter for item in result.gradients))
    with look():
        figure = new_figure("Relative error of gradients", described(result), height=3.0)
        axes = figure.add_subplot()
        for place, kind in enumerate(kinds):
            for reference, filled in ((ComparedWith.FORCED, True), (ComparedWith.FREE, False)):
                points = [
                    (item.layer + 0.12 * (place - 1), max(item.relative_error[reference] or 0.0, LEAST_ERROR))
                    for item in result.gradients
                    if item.parameter == kind
                ]
                axes.plot(
                    *zip(*points, strict=True), linestyle="", marker=MARKERS[place], color=PALETTE[place],
                    markerfacecolor=PALETTE[place] if filled else "white",
                    label=f"{kind.replace('_', ' ')}, {REFERENCE_WORDS[reference]}",
                )  # fmt: skip
        axes.set_yscale("log")
        axes.set_xticks(range(len(result.layers)), [str(layer) for layer in range(len(result.layers))])
        axes.set_xlabel("synaptic layer")
        axes.set_ylabel("norm of difference / norm")
        grid(axes, "y")
        legend_right(axes, "gradient of")
        svg = svg_of(figure)
    cosines = [
        c for item in result.gradients if item.parameter == "weight" and (c := item.cosine[ComparedWith.FREE])
    ]
    lowest = f"Lowest cosine of a weight gradient, free running: {min(cosines):.5f}." if cosines else ""
    return Picture(
        "gradient-error", "Relative error of gradients", f"Points by layer and parameter. {lowest}",
        "Measured on the sum over all samples; the gradient of a leak factor is one number, often a small difference of"
        f" large sums. {lowest}", svg,
    )  # fmt: skip


def accuracy_gap(result: NumericsResult, gap: AccuracyGap) -> Picture:
    """Held-out accuracy of both runs by seed, joined by a line."""
    seeds = gap.seeds
    with look():
        figure = new_figure("Accuracy by seed", f"{result.workload} · {gap.description}", height=2.8)
        axes = figure.add_subplot()
        for place, item in enumerate(seeds):
            axes.plot([place, place], [item.fixed, item.real], color=QUIET, linewidth=1, zorder=1)
        for name, values, shade, marker in (
            ("fixed point", [s.fixed for s in seeds], PALETTE[0], "o"),
            ("float64", [s.real for s in seeds], PALETTE[1], "s"),
        ):
            axes.plot(
                range(len(seeds)), values, linestyle="", marker=marker, color=shade, label=name, markersize=6
            )
        axes.set_xticks(range(len(seeds)), [str(item.seed) for item in seeds])
        axes.set_xlabel("seed")
        axes.set_ylabel("held-out accuracy (%)")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        axes.margins(x=0.2)
        grid(axes, "y")
        legend_right(axes)
        svg = svg_of(figure)
    text = f"{gap.sentence.capitalize()}; {seeds[0].samples:,} held-out samples."
    return Picture(
        "accuracy-gap",
        "Accuracy by seed",
        f"Paired points for {len(seeds)} seeds. {text}",
        f"Measured. {text}",
        svg,
    )


def convergence(points: Sequence[ConvergencePoint], about: str) -> Picture:
    """Relative distance from float64 by fraction bits on a logarithmic axis, with the line of one half per bit."""
    bits = [point.fraction_bits for point in points]
    with look():
        figure = new_figure("Convergence to float64", about, height=3.3)
        axes = figure.add_subplot()
        for place, name in enumerate(points[0].errors):
            values = [point.errors[name] or np.nan for point in points]
            axes.plot(bits, values, marker=MARKERS[place], color=PALETTE[place], label=name.replace("_", " "))
        start = max(points[0].errors.values())
        axes.plot(
            bits,
            [start * 2.0 ** (bits[0] - b) for b in bits],
            color=QUIET,
            linestyle="--",
            linewidth=1,
            label="half per bit",
        )
        axes.set_yscale("log", base=2)
        axes.set_xlabel("fraction bits of every tensor")
        axes.set_ylabel("relative distance")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        grid(axes, "both")
        legend_right(axes)
        svg = svg_of(figure)
    slope = convergence_slope(points)
    text = f"The largest error is multiplied by {slope:.2f} with every bit."
    return Picture(
        "convergence", "Convergence to float64", f"Falling lines over {bits[0]} to {bits[-1]} fraction bits. {text}",
        f"Measured, spikes forced, both sides with the same parameters. {text}", svg,
    )  # fmt: skip


def convergence_slope(points: Sequence[ConvergencePoint]) -> float:
    """Factor by which the largest error changes per bit, from the first point to the last."""
    first, last = points[0], points[-1]
    ratio = max(last.errors.values()) / max(first.errors.values())
    return float(ratio ** (1 / max(last.fraction_bits - first.fraction_bits, 1)))
