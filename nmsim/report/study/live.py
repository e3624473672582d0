"""The study's live chart: any objective against any other, any axis as colour, every design with its values."""

from collections.abc import Sequence

from nmsim.report.live.chart import Row, Spec, choice_filters, choice_params
from nmsim.report.plots.scatter import scale_of
from nmsim.report.study.result import FeasibleDesign, StudyResult
from nmsim.report.tables import for_people

SHAPES = {"front": "front, analytic", "simulated": "front, event-driven", "rest": "dominated"}
MOST_ROWS = 3000
"""Designs in the chart: the front, and the best of the others."""


def choosable(result: StudyResult) -> tuple[str, ...]:
    """Axes with few enough levels to choose one."""
    shown = result.entries[:MOST_ROWS]
    return tuple(
        axis.name for place, axis in enumerate(result.axes) if 1 < len({e.values[place] for e in shown}) <= 12
    )


def front_chart(result: StudyResult) -> Spec:
    """A scatter plot whose two axes and colour the reader chooses; drag and wheel move and zoom, a click opens a report."""
    axes, measures = (
        [axis.name for axis in result.axes],
        [_titled(result, k) for k in range(len(result.measures))],
    )
    filters = choosable(result)
    positive = all(figure > 0 for entry in result.entries for figure in entry.figures)
    scale: Spec = {"type": "log"} if positive else {"type": "linear", "zero": False}
    scale |= {"nice": False, "padding": 12}
    tooltip = [{"field": "design", "title": "design"}, {"field": "kind", "title": "is"}]
    tooltip += [{"field": f"text{k}", "title": measure.name} for k, measure in enumerate(result.measures)]
    tooltip += [{"field": name} for name in axes]
    position = {"type": "quantitative", "scale": scale}
    return {
        "data": {"values": _rows(result, result.entries[:MOST_ROWS])},
        "width": "container",
        "height": 430,
        "params": [
            _select("horizontal", measures[0], measures),
            _select("vertical", measures[1], measures),
            _select("colour", "kind", ["kind", *axes]),
            {"name": "zoom", "select": "interval", "bind": "scales"},
            *choice_params(filters),
        ],
        "transform": [
            *choice_filters(filters),
            {"calculate": "datum[horizontal]", "as": "x"},
            {"calculate": "datum[vertical]", "as": "y"},
            {"calculate": "datum[colour]", "as": "shade"},
        ],
        "mark": {"type": "point", "filled": True},
        "encoding": {
            "x": {"field": "x", **position, "axis": {"title": {"signal": "horizontal"}}},
            "y": {"field": "y", **position, "axis": {"title": {"signal": "vertical"}}},
            "color": {"field": "shade", "type": "nominal", "title": "colour"},
            "shape": {
                "field": "kind", "type": "nominal", "title": "is",
                "scale": {"domain": list(SHAPES.values()), "range": ["circle", "diamond", "cross"]},
            },
            "size": {"condition": {"test": "datum.front", "value": 110}, "value": 26},
            "opacity": {"condition": {"test": "datum.front", "value": 1.0}, "value": 0.45},
            "href": {"field": "link"},
            "order": {"field": "front", "type": "ordinal"},
            "tooltip": tooltip,
        },
    }  # fmt: skip


def _select(name: str, value: str, options: Sequence[str]) -> Spec:
    return {
        "name": name,
        "value": value,
        "bind": {"input": "select", "options": list(options), "name": f"{name} "},
    }


def _titled(result: StudyResult, index: int) -> str:
    """A measure with its unit, as the selects name it."""
    unit = scale_of(result.measures[index], [entry.figures[index] for entry in result.entries])[1]
    return f"{result.measures[index].name} ({unit})" if unit else result.measures[index].name


def _rows(result: StudyResult, entries: Sequence[FeasibleDesign]) -> list[Row]:
    scales = [
        scale_of(measure, [entry.figures[k] for entry in result.entries])[0]
        for k, measure in enumerate(result.measures)
    ]
    rows: list[Row] = []
    for entry in entries:
        front = entry.rank == 1
        kind = SHAPES["rest"] if not front else SHAPES["simulated" if entry.model == "event" else "front"]
        row: dict[str, str | float | int | bool | None] = {
            "design": entry.design,
            "front": front,
            "kind": kind,
        }
        row["link"] = entry.report or (f"#design-{entry.design}" if front else None)
        for k, measure in enumerate(result.measures):
            row[_titled(result, k)] = float(f"{entry.figures[k] / scales[k]:.6g}")
            row[f"text{k}"] = for_people(entry.figures[k], measure.unit)
        row |= {axis.name: value for axis, value in zip(result.axes, entry.values, strict=True)}
        rows.append(row)
    return rows
