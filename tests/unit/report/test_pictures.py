"""Every picture of a report as it is drawn: no two texts cover each other, none is cut off."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from nmsim.report.plots.canvas import log_scale
from nmsim.report.result import RunResult
from nmsim.report.write import draw

TOUCH = 1.0
"""Points by which the boxes of two texts may overlap: a box is larger than its letters."""


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Texts that are drawn, with their boxes; the title has room for the line below it and is taken without."""
    figure.draw_without_rendering()
    axes_of = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    ticks = {
        id(t)
        for axis in axes_of
        for tick in (*axis.majorTicks, *axis.minorTicks)
        for t in (tick.label1, tick.label2)
    }
    seen = {id(t) for axis in axes_of for tick in axis._update_ticks() for t in (tick.label1, tick.label2)}
    found = []
    for item in figure.findobj(Text):
        assert isinstance(item, Text)
        hidden = id(item) in ticks and id(item) not in seen
        if (
            item.get_visible()
            and item.get_text().strip()
            and not hidden
            and not item.get_text().endswith("\n")
        ):
            found.append((item.get_text(), item.get_window_extent()))
    return found


def covered(figure: Figure) -> list[tuple[str, str]]:
    margin = TOUCH * figure.dpi / 72
    shown = [(text, box.padded(-margin)) for text, box in texts(figure)]
    return [(a, b) for (a, one), (b, other) in combinations(shown, 2) if one.overlaps(other)]


def cut_off(figure: Figure) -> list[str]:
    page = figure.bbox
    return [
        text for text, box in texts(figure)
        if box.x0 < page.x0 - 1 or box.x1 > page.x1 + 1 or box.y0 < page.y0 - 1 or box.y1 > page.y1 + 1
    ]  # fmt: skip


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Every figure that is written as SVG."""
    figures: list[Figure] = []
    write = FigureCanvasSVG.print_svg

    def remember(self: FigureCanvasSVG, *arguments: object, **options: object) -> None:
        write(self, *arguments, **options)
        figures.append(self.figure)

    monkeypatch.setattr(FigureCanvasSVG, "print_svg", remember)
    return figures


def test_the_check_sees_texts_that_cover_each_other() -> None:
    figure = Figure(figsize=(3, 3))
    for x in (0.4, 0.42):
        figure.text(x, 0.5, "some words")
    figure.text(0.95, 0.1, "too far to the right")
    assert covered(figure) == [("some words", "some words")]
    assert cut_off(figure) == ["too far to the right"]


def test_no_text_of_a_run_report_covers_another(result: RunResult, drawn: list[Figure]) -> None:
    draw(result)
    assert len(drawn) >= 9
    for figure in drawn:
        assert covered(figure) == [], figure.get_suptitle()
        assert cut_off(figure) == [], figure.get_suptitle()


def test_the_axis_of_a_loss_spans_the_loss(result: RunResult, drawn: list[Figure]) -> None:
    draw(result)
    axes = [
        item for figure in drawn for item in figure.axes if item.get_ylabel().startswith("loss per sample")
    ]
    assert axes
    for item in axes:
        values = [value for line in item.lines for value in np.asarray(line.get_ydata(), np.float64)]
        low, high = item.get_ylim()
        assert max(values) - min(values) > 0.5 * (high - low) or item.get_yscale() == "log"


def test_marks_of_a_logarithmic_axis_are_plain_numbers() -> None:
    for values, expected in (
        ((12.0, 70.0), ["20", "50"]),
        ((2e8, 4e10), ["500 M", "1 G", "20 G"]),
        ((2e-4, 0.3), ["0.001", "0.1"]),
    ):
        axes = Figure().add_subplot()
        axes.plot(values, values)
        log_scale(axes, "x")
        axes.figure.canvas.draw()
        shown = [text.get_text() for text in axes.get_xticklabels(which="both") if text.get_text()]
        assert set(expected) <= set(shown)
        assert not any("$" in text or "e" in text for text in shown)
