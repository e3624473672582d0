"""How many bits are enough: accuracy against bit width, and observed ranges against formats."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nmsim.fixedpoint.format import QFormat
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import (
    ALARM,
    INK,
    MARKERS,
    PALETTE,
    QUIET,
    grid,
    legend_right,
    look,
    new_figure,
    svg_of,
)

BELOW = 4
"""Exponents below the smallest LSB that are drawn; smaller magnitudes count as the lowest."""


@dataclass(frozen=True)
class BitsPoint:
    """Accuracy of one run in which `tensor` had `bits` bits, on `samples` held-out samples."""

    tensor: str
    bits: int
    accuracy: float
    samples: int


@dataclass(frozen=True)
class TensorRange:
    """What a tensor would hold: `exponents[e]` values of magnitude `[2^e, 2^(e+1))`, its format, and how many leave it."""

    name: str
    format: QFormat
    exponents: Mapping[int, int]
    outside: int

    @property
    def ends(self) -> tuple[float, float]:
        """log2 of the format's LSB and of its largest magnitude."""
        low = math.log2(self.format.lsb)
        return low, math.log2(max(abs(self.format.min_raw), self.format.max_raw)) + low


def accuracy_by_bits(points: Sequence[BitsPoint], reference: float | None, described: str) -> Picture:
    """One line per tensor; `reference` is the accuracy of the float64 run, drawn as a line."""
    tensors = list(dict.fromkeys(point.tensor for point in points))
    with look():
        figure = new_figure("Accuracy against bit width", described, height=3.4)
        axes = figure.add_subplot()
        if reference is not None:
            axes.axhline(
                reference, color=QUIET, linestyle="--", linewidth=1, label=f"float64: {reference:.2%}"
            )
        for place, tensor in enumerate(tensors):
            line = sorted((p.bits, p.accuracy) for p in points if p.tensor == tensor)
            axes.plot(
                [bits for bits, _ in line],
                [value for _, value in line],
                marker=MARKERS[place % len(MARKERS)],
                color=PALETTE[place % len(PALETTE)],
                label=tensor.replace("_", " "),
            )
        axes.set_xlabel("total bits of the tensor")
        axes.set_ylabel("held-out accuracy (%)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        grid(axes, "y")
        legend_right(axes, "narrowed tensor")
        svg = svg_of(figure)
    best = max(points, key=lambda point: point.accuracy)
    return Picture(
        "accuracy-by-bits",
        "Accuracy against bit width",
        f"Lines for {len(tensors)} tensors; best {best.accuracy:.2%} with {best.tensor} in {best.bits} bits.",
        f"Measured: each point is a bit-accurate training run, tested on {best.samples:,} held-out samples, with the other"
        " tensors in their default formats.",
        svg,
    )


def ranges_by_format(ranges: Sequence[TensorRange], described: str, name: str = "ranges") -> Picture:
    """Per tensor the magnitudes its format can hold (frame, log2) and how often each occurs (shades)."""
    low, high = _window(ranges)
    shares = np.zeros((len(ranges), high - low))
    for row, tensor in enumerate(ranges):
        total = max(sum(tensor.exponents.values()), 1)
        for exponent, count in tensor.exponents.items():
            shares[row, min(max(exponent - low, 0), high - low - 1)] += count / total
    with look():
        figure = new_figure("Values against formats", described, height=1.5 + 0.27 * len(ranges))
        axes = figure.add_subplot()
        image = axes.imshow(
            np.ma.masked_equal(shares, 0), aspect="auto", cmap="Blues", extent=(low, high, len(ranges) - 0.5, -0.5),
            norm=PowerNorm(0.5, 0, float(shares.max(initial=0.01))), interpolation="nearest",
        )  # fmt: skip
        for row, tensor in enumerate(ranges):
            left, right = tensor.ends
            shade = ALARM if tensor.outside else INK
            axes.add_patch(
                Rectangle((left, row - 0.38), right - left, 0.76, fill=False, edgecolor=shade, linewidth=1.1)
            )
            note = f"{tensor.format}, {tensor.outside:,} outside" if tensor.outside else str(tensor.format)
            place = (1.01, row)
            axes.annotate(
                note, place, xycoords=("axes fraction", "data"), va="center", fontsize=7.5, color=shade
            )
        axes.set_yticks(range(len(ranges)), [tensor.name.replace("_", " ") for tensor in ranges])
        axes.set_xlabel("log2 of magnitude; frame: what the format holds, LSB to maximum")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(length=0)
        figure.colorbar(
            image, ax=axes, label="share of non-zero values", pad=0.16, format=PercentFormatter(1.0)
        )
        svg = svg_of(figure)
    over = [tensor.name for tensor in ranges if tensor.outside]
    return Picture(
        name,
        "Values against formats",
        f"Shades of how often magnitudes occur in {len(ranges)} tensors, framed by their formats; outside in"
        f" {', '.join(over) or 'none'}.",
        "Measured. Shades right of a frame saturate, left of it vanish; an empty right part of a frame is unused integer"
        " bits.",
        svg,
    )


def _window(ranges: Sequence[TensorRange]) -> tuple[int, int]:
    """Exponents that are drawn: every format's range and what lies above it, and a little of what lies below."""
    low = min(math.floor(tensor.ends[0]) for tensor in ranges) - BELOW
    tops = [max(tensor.exponents, default=low) + 1 for tensor in ranges]
    return low, max(*tops, *(math.ceil(tensor.ends[1]) for tensor in ranges))
