"""A live chart: a Vega-Lite specification with its data, and the picture that takes its place on paper."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import INK, PALETTE, QUIET, RULE

ALL = ""
"""Value of a choice that leaves everything in."""
LOOK = {
    "font": "system-ui, Segoe UI, Helvetica Neue, Arial, sans-serif",
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": INK, "gridColor": RULE, "domainColor": QUIET, "tickColor": QUIET,
        "titleFontWeight": "normal", "labelLimit": 260, "labelOverlap": True,
        "labelFlush": False,
    },
    "legend": {"orient": "bottom", "columns": 3, "labelLimit": 260, "titleColor": INK, "labelColor": INK},
    "range": {"category": list(PALETTE)},
}  # fmt: skip
Spec = dict[str, Any]
Row = Mapping[str, str | float | int | bool | None]


def live(picture: Picture, spec: Spec) -> Markup:
    """The chart in a page, with `picture` for paper and where scripts do not run."""
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": LOOK,
        **spec,
    }
    text = json.dumps(whole, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    data = tag("script", Markup(text), type="application/json")
    chart = tag("div", "", class_="chart", role="group", aria_label=picture.alt)
    return tag("div", chart, data, figure(picture), class_="live", id=f"live-{picture.name}")


def choice_params(names: Sequence[str]) -> list[Spec]:
    """Parameters that the page's choices set."""
    return [{"name": f"choose_{name}", "value": ALL} for name in names]


def choice_filters(names: Sequence[str]) -> list[Spec]:
    """Transforms that keep the rows whose field `name` is what was chosen."""
    return [{"filter": f"choose_{name} === '' || datum['{name}'] === choose_{name}"} for name in names]


def choices(options: Mapping[str, tuple[str, Sequence[str]]]) -> Markup:
    """Selects for the charts and tables of a section: name to heading and values; those with one value are left out."""
    labels = []
    for name, (heading, values) in options.items():
        if len(values) > 1:
            entries = [tag("option", f"all ({len(values)})", value=ALL)]
            entries += [tag("option", value, value=value) for value in values]
            labels.append(tag("label", f"{heading} ", tag("select", *entries, name=name)))
    return tag("form", join(labels), class_="choices", autocomplete="off") if labels else Markup("")
