"""The look shared by all pictures: colour-blind safe, quiet, deterministic to the byte."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from nmsim.units import scaled

INK, QUIET, RULE = "#1b2733", "#5d6b78", "#d5dbe1"
ALARM = "#d55e00"
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d31", "#7f7f7f", "#000000")
"""Colours of Okabe and Ito, without their yellow, which is too pale on white."""
SEQUENTIAL = "cividis_r"
LOAD = LinearSegmentedColormap.from_list("load", ("#e6edf3", "#7fb0d6", "#0072b2", "#002b4d"))
"""From pale for little to dark for much: what stands out is what is loaded."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "h")

COMPONENT_COLOURS: Mapping[str, str] = {
    "alu": "#0072b2",
    "registers": "#8c6d31",
    "sram": "#e69f00",
    "noc": "#009e73",
    "chip_link": "#8c6d31",
    "dram": "#d55e00",
    "sync": "#cc79a7",
    "host": "#c9b458",
    "event": "#56b4e9",
    "static": "#7f7f7f",
    "clock": "#b8b8b8",
    "control": "#3d4f60",
}
PHASE_COLOURS: Mapping[str, str] = {
    "integrate": "#0072b2",
    "neuron": "#56b4e9",
    "error": "#d55e00",
    "gradient": "#e69f00",
    "update": "#009e73",
    "barrier": "#cc79a7",
    "transfer": "#8c6d31",
    "load": "#8c6d31",
    "idle": "#b8b8b8",
    "static": "#7f7f7f",
}

_STYLE: Any = {
    "svg.hashsalt": "nmsim",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlepad": 6,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "path.simplify": True,
}


_DOCTYPE = re.compile(rb"<!DOCTYPE[^>]*>\s*")


FEW_DECADES = 1e3
"""Span up to which a logarithmic axis has marks inside its decades."""
RASTER_DPI = 200
"""Of the parts that are drawn as images inside a picture."""


@contextmanager
def look() -> Iterator[None]:
    """The settings under which pictures are drawn and written; nothing global is left behind."""
    with mpl.rc_context(_STYLE):
        yield


def new_figure(title: str, subtitle: str, width: float = 7.2, height: float = 3.2) -> Figure:
    """An empty figure (inches) with its title and a line that says what was run on what."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    text = f"{title}\n" if subtitle else title
    figure.suptitle(text, x=0.012, ha="left", fontsize=10.5, fontweight="bold", linespacing=1.5)
    if subtitle:
        line = 1 - 0.33 / height
        figure.text(0.012, line, subtitle, ha="left", va="center", fontsize=8, color=QUIET)
    return figure


def svg_of(figure: Figure) -> bytes:
    """The figure as SVG: no date, stable identifiers; its layout is found here, once."""
    engine, canvas = figure.get_layout_engine(), figure.canvas
    assert engine is not None
    assert isinstance(canvas, FigureCanvasSVG)
    # `savefig` would draw everything once more, into nothing, to find the layout
    engine.execute(figure)
    figure.set_layout_engine("none")
    figure.dpi = RASTER_DPI
    stream = io.BytesIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    canvas.print_svg(stream, metadata=no_metadata)  # type: ignore[no-untyped-call]
    return _DOCTYPE.sub(b"", stream.getvalue(), count=1)


def grid(axes: Axes, axis: str = "y") -> None:
    """Light lines across the values only."""
    axes.grid(visible=True, axis=axis)  # type: ignore[arg-type]
    for side in ("left",) if axis == "y" else ("bottom",):
        axes.spines[side].set_visible(axis == "both")
    axes.tick_params(axis="both", length=0)


def log_scale(axes: Axes, *names: Literal["x", "y"]) -> None:
    """Logarithmic axes whose marks are plain numbers, at 1, 2, 5 where few decades are shown; call it when all is drawn."""
    for name in names:
        getattr(axes, f"set_{name}scale")("log")
        axis = getattr(axes, f"{name}axis")
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < FEW_DECADES * low else (1.0,)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
        axis.set_minor_formatter(NullFormatter())


def plain(value: float) -> str:
    """A number as people write it, with a prefix where it has many digits.

    >>> plain(0.02), plain(2000), plain(2e9)
    ('0.02', '2,000', '2 G')
    """
    return f"{value:,g}" if 1e-4 <= value < 1e5 else scaled(value, "").strip()


def legend_right(axes: Axes, title: str = "", columns: int = 1) -> None:
    """Legend outside, to the right of the axes."""
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0,
        title=title or None,
        ncols=columns,
        alignment="left",
        title_fontproperties={"weight": "bold", "size": 8},
    )


def colour(name: str, known: Mapping[str, str], order: Sequence[str] = ()) -> str:
    """The fixed colour of a name, or the next of the palette for a name that has none."""
    if name in known:
        return known[name]
    return PALETTE[(list(order).index(name) if name in order else len(name)) % len(PALETTE)]
