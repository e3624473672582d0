"""Evaluations side by side: energy and time of every chip, rule and model, for paper and for the screen."""

import json
from collections.abc import Sequence

from nmsim.evaluate import Evaluation
from nmsim.report.compare import COMPARED
from nmsim.report.live.chart import Row, Spec, choice_filters, choice_params
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import INK, PALETTE, grid, log_scale, look, new_figure, svg_of
from nmsim.report.tables import for_people
from nmsim.report.words import sample_kind
from nmsim.units import prefix, scaled

CHOSEN = ("chip", "rule", "model")


def label_of(item: Evaluation) -> str:
    """`edge-28nm, stop-wtl, analytic`."""
    return f"{item.chip_name}, {item.rule}, {item.model}"


def comparison(evaluations: Sequence[Evaluation], described: str) -> Picture:
    """Two panels of bars on logarithmic axes: energy with the band of its prices, and time; of evaluations with a total."""
    title = "Energy and time of every evaluation"
    totals = [(item, item.energy_j) for item in evaluations if item.energy_j is not None]
    evaluations, rows = [item for item, _ in totals], range(len(totals))
    with look():
        figure = new_figure(title, described, width=8.4, height=1.3 + 0.26 * max(len(evaluations), 3))
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, quantity, unit, values in (
            (left, "energy", "J", [energy_j.mean for _, energy_j in totals]),
            (right, "time", "s", [item.latency_s.mean for item in evaluations]),
        ):
            factor, name = prefix(max(values))
            shown = [value / factor for value in values]
            axes.plot(shown, rows, linestyle="", marker="o", color=PALETTE[0])
            if quantity == "energy":
                ends = [(energy_j.band_low / factor, energy_j.band_high / factor) for _, energy_j in totals]
                axes.hlines(
                    list(rows),
                    [low for low, _ in ends],
                    [high for _, high in ends],
                    color=PALETTE[0],
                    linewidth=1,
                )
            if max(shown) > 10 * min(shown) > 0:
                log_scale(axes, "x")
            else:
                axes.set_xlim(left=0)
            axes.set_xlabel(f"{quantity} per sample ({name}{unit})", color=INK)
            grid(axes, "x")
        left.set_yticks(list(rows), [label_of(item) for item in evaluations], fontsize=7.5)
        left.set_ylim(len(evaluations) - 0.5, -0.5)
        svg = svg_of(figure)
    told = "; ".join(
        f"{label_of(item)}: {scaled(energy_j.mean, 'J')}, {scaled(item.latency_s.mean, 's')}"
        for item, energy_j in totals
    )
    return Picture(
        "comparison",
        title,
        f"Marks by evaluation. {told}.",
        "Modelled, per training sample, or per inference where the rule is inference. Whiskers of the energy: the band of"
        " the prices, most of which is common to evaluations on one chip.",
        svg,
    )


def comparison_chart(evaluations: Sequence[Evaluation]) -> Spec:
    """The same for a screen, of any figure of the comparison."""
    names = [figure.heading for figure in COMPARED]
    tooltip = [{"field": name} for name in ("chip", "rule", "model", "per")]
    tooltip += [{"field": "text", "title": "value"}, {"field": "band", "title": "band of the prices"}]
    return {
        "data": {"values": _rows(evaluations)},
        "width": "container",
        "height": {"step": 24},
        "params": [
            {"name": "figure", "value": names[0], "bind": {"input": "select", "options": names, "name": "figure "}},
            *choice_params(CHOSEN),
        ],
        "transform": [*choice_filters(CHOSEN), {"filter": "datum.figure === figure"}],
        "layer": [
            {
                "mark": {"type": "bar", "height": 12},
                "encoding": {
                    "x": {
                        "field": "value", "type": "quantitative", "title": None, "axis": {"labelExpr": _with_unit()},
                    },
                    "y": {"field": "where", "type": "nominal", "sort": None, "title": None},
                    "color": {"field": "rule", "type": "nominal"},
                    "tooltip": tooltip,
                },
            },
            {
                "mark": {"type": "rule", "color": INK},
                "encoding": {
                    "x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"},
                    "y": {"field": "where", "type": "nominal", "sort": None},
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "dy": -9, "fontSize": 9, "color": INK},
                "encoding": {
                    "x": {"field": "value", "type": "quantitative"},
                    "y": {"field": "where", "type": "nominal", "sort": None},
                    "text": {"field": "text"},
                },
            },
        ],
    }  # fmt: skip


def _with_unit() -> str:
    """Vega expression: a mark of the axis with its prefix and the unit of the figure that is shown, as `20 uJ`."""
    units = json.dumps({figure.heading: figure.unit for figure in COMPARED})
    number = "replace(format(datum.value, '~s'), 'µ', 'u')"
    return f"replace({number}, regexp('[^0-9.]?$'), ' $&') + ({units})[figure]"


def _rows(evaluations: Sequence[Evaluation]) -> list[Row]:
    rows: list[Row] = []
    for item in evaluations:
        where = {"chip": item.chip_name, "rule": item.rule, "model": item.model, "where": label_of(item)}
        for figure in COMPARED:
            found = figure.estimate(item)
            if found is None:
                continue
            low, high = (found.band_low, found.band_high) if figure.banded else (found.mean, found.mean)
            rows.append(
                {
                    **where, "per": sample_kind(item), "figure": figure.heading, "value": found.mean, "low": low,
                    "high": high, "text": for_people(found.mean, figure.unit),
                    "band": f"{for_people(low, figure.unit)} to {for_people(high, figure.unit)}" if low < high else "none",
                }
            )  # fmt: skip
    return rows
