"""Every rule over STOP-WTL on the same chip: what a reader compares, with the interval of paired samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from nmsim.evaluate import Estimate, Evaluation
from nmsim.report.live.chart import Row, Spec, choice_filters, choice_params
from nmsim.report.network_columns import NETWORK_COLUMNS
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import INK, MARKERS, PALETTE, grid, look, new_figure, svg_of
from nmsim.report.ratio import energy_ratio, latency_ratio, ratio_with_interval
from nmsim.report.reference.result import CASES, RECOMPUTED, STORED, SUBJECT, DatasetResult, Reference
from nmsim.report.tables import Cell, Column, Sortable, Table
from nmsim.rules import rule_named

COMPARED = tuple(case.name for case in CASES if rule_named(case.rule).trains and case.name != SUBJECT)
"""Training rules that are compared with the subject; an inference is another amount of work."""
WHISKER, STEM = 2.2, 0.7
"""Line widths of the confidence interval and of the band of the prices."""


@dataclass(frozen=True)
class RuleRatio:
    """One rule over STOP-WTL on one chip; None where one of the two does not fit."""

    dataset: DatasetResult
    chip: str
    case: str
    energy_ratio: Estimate | None
    latency_ratio: Estimate | None


def ratios(reference: Reference) -> Iterator[RuleRatio]:
    """Every data set, chip and compared rule, in that order."""
    for dataset in reference.datasets:
        for chip in reference.chips:
            found = {outcome.case: outcome.evaluation for outcome in dataset.on_chip(chip.name)}
            for case in COMPARED:
                yield _ratio(dataset, chip.name, case, found[case], found[SUBJECT])


def _ratio(
    dataset: DatasetResult, chip: str, case: str, above: Evaluation | None, below: Evaluation | None
) -> RuleRatio:
    if above is None or below is None:
        return RuleRatio(dataset, chip, case, None, None)
    # the cases of a chip differ in its options only, on which no price depends
    return RuleRatio(
        dataset, chip, case, energy_ratio(above, below, same_prices=True), latency_ratio(above, below)
    )


def ratio_table(reference: Reference) -> Table:
    """The ratios for machines, with intervals over samples and the bands that prices allow."""
    columns = (
        Column("dataset", "Data set"), Column("chip", "Chip"), Column("rule", "Rule"),
        Column("energy_over_stop_wtl", "Energy", "ratio"), Column("energy_ci95_low", "95 % CI, low", "ratio"),
        Column("energy_ci95_high", "95 % CI, high", "ratio"), Column("energy_band_low", "Band, low", "ratio"),
        Column("energy_band_high", "Band, high", "ratio"), Column("latency_over_stop_wtl", "Time", "ratio"),
        Column("latency_ci95_low", "95 % CI, low", "ratio"), Column("latency_ci95_high", "95 % CI, high", "ratio"),
        *NETWORK_COLUMNS,
    )  # fmt: skip
    rows = []
    for item in ratios(reference):
        energy, latency = item.energy_ratio, item.latency_ratio
        cells = (
            (energy.mean, energy.ci_low, energy.ci_high, energy.band_low, energy.band_high)
            if energy
            else (None,) * 5
        )
        more = (latency.mean, latency.ci_low, latency.ci_high) if latency else (None,) * 3
        rows.append((item.dataset.title, item.chip, item.case, *cells, *more, *item.dataset.network_cells))
    return Table("ratios", columns, tuple(rows))


def stbp_table(reference: Reference) -> Table:
    """STBP over STOP-WTL for people: one row per data set and chip that holds both."""
    columns = (
        Column("dataset", "Data set"), Column("chip", "Chip"), Column("energy", "Energy, history stored"),
        Column("latency", "Time, stored"), Column("recomputed", "Energy, recomputed"),
        Column("recomputed_latency", "Time, recomputed"), Column("network", "Network"),
    )  # fmt: skip
    found = {(item.dataset.title, item.chip, item.case): item for item in ratios(reference)}
    rows = []
    for dataset in reference.datasets:
        for chip in reference.chips:
            stored, again = (found[dataset.title, chip.name, case] for case in (STORED, RECOMPUTED))
            if stored.energy_ratio is None and again.energy_ratio is None:
                continue
            cells = (stored.energy_ratio, stored.latency_ratio, again.energy_ratio, again.latency_ratio)
            rows.append((dataset.title, chip.name, *(_cell(cell) for cell in cells), dataset.network_text))
    return Table("stbp-over-stop", columns, tuple(rows))


def _cell(ratio: Estimate | None) -> Cell:
    return "does not fit" if ratio is None else Sortable(ratio_with_interval(ratio), ratio.mean)


def ratio_overview(reference: Reference) -> Picture:
    """Two panels, energy and time: a line per data set and chip, a mark per rule, 1 is STOP-WTL."""
    found = [item for item in ratios(reference) if item.energy_ratio is not None]
    lines = list(
        dict.fromkeys((item.dataset.title, bool(item.dataset.stand_in), item.chip) for item in found)
    )
    labels = [f"{title}{' (stand-in)' if stand_in else ''}\n{chip}" for title, stand_in, chip in lines]
    title = "Energy and time per training sample over those of STOP-WTL"
    with look():
        figure = new_figure(
            title,
            f"plan {reference.name}, analytic chip model",
            width=8.4,
            height=1.5 + 0.62 * max(len(lines), 2),
        )
        panels = figure.subplots(1, 2, sharey=True)
        for panel, (quantity, name) in zip(
            panels, (("energy_ratio", "energy"), ("latency_ratio", "time")), strict=True
        ):
            for place, case in enumerate(COMPARED):
                rows = [
                    (lines.index((item.dataset.title, bool(item.dataset.stand_in), item.chip)), ratio)
                    for item in found
                    if item.case == case and (ratio := getattr(item, quantity)) is not None
                ]
                _marks(panel, rows, place, case)
            panel.axvline(1.0, color=INK, linewidth=0.8)
            panel.set_xlabel(f"{name} over STOP-WTL's")
            grid(panel, "x")
        panels[0].set_yticks(range(len(lines)), labels, fontsize=7.5)
        panels[0].set_ylim(len(lines) - 0.5, -0.5)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(COMPARED))
        svg = svg_of(figure)
    return Picture(
        "ratios-to-stop-wtl",
        title,
        "Marks of energy and time over those of STOP-WTL, one per rule. " + "; ".join(_spoken(found)),
        "Modelled: the recorded activity, replayed on a chip model and priced. Left of the line a rule costs less than"
        " STOP-WTL. Thick whiskers: 95 % confidence interval of the ratio over the profiled samples, which are the same for"
        " every rule; thin ones: what the bands of the prices allow, when one price is off in both alike.",
        svg,
    )


def ratio_chart(reference: Reference) -> Spec:
    """The same for a screen: a row per data set and chip, a mark per rule, intervals and bands; choices leave some in."""
    rows: list[Row] = []
    for item in ratios(reference):
        for quantity, ratio in (("energy", item.energy_ratio), ("time", item.latency_ratio)):
            if ratio is not None:
                rows.append(
                    {
                        "dataset": item.dataset.title, "chip": item.chip, "rule": item.case, "quantity": quantity,
                        "where": f"{item.dataset.title}, {item.chip}", "ratio": ratio.mean, "ci_low": ratio.ci_low,
                        "ci_high": ratio.ci_high, "band_low": ratio.band_low, "band_high": ratio.band_high,
                        "text": ratio_with_interval(ratio), "band": f"{ratio.band_low:.2f} to {ratio.band_high:.2f}",
                    }
                )  # fmt: skip
    chosen = ("dataset", "chip", "rule")
    position = {"field": "where", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 0}}
    offset = {"field": "rule", "type": "nominal"}
    colour = {"field": "rule", "type": "nominal", "sort": list(COMPARED), "title": "rule"}
    tooltip = [
        {"field": name, "title": title}
        for name, title in (
            ("dataset", "data set"), ("chip", "chip"), ("rule", "rule"), ("text", "over STOP-WTL (95 % CI)"),
            ("band", "band of the prices"),
        )
    ]  # fmt: skip

    def whisker(low: str, high: str, width: float) -> Spec:
        scale = {"zero": False, "padding": 8}
        across = {"field": low, "type": "quantitative", "title": "over STOP-WTL's", "scale": scale}
        return {
            "mark": {"type": "rule", "strokeWidth": width},
            "encoding": {
                "x": across,
                "x2": {"field": high},
                "y": position,
                "yOffset": offset,
                "color": colour,
            },
        }

    return {
        "data": {"values": rows},
        "width": "container",
        "height": {"step": 12},
        "params": [
            {
                "name": "quantity", "value": "energy",
                "bind": {"input": "select", "options": ["energy", "time"], "name": "what "},
            },
            *choice_params(chosen),
        ],
        "transform": [*choice_filters(chosen), {"filter": "datum.quantity === quantity"}],
        "layer": [
            {"mark": {"type": "rule", "color": INK}, "encoding": {"x": {"datum": 1, "type": "quantitative"}}},
            whisker("band_low", "band_high", 1.0),
            whisker("ci_low", "ci_high", 3.5),
            {
                "mark": {"type": "point", "filled": True, "size": 55},
                "encoding": {
                    "x": {"field": "ratio", "type": "quantitative"}, "y": position, "yOffset": offset, "color": colour,
                    "tooltip": tooltip,
                },
            },
        ],
    }  # fmt: skip


def _marks(panel: Axes, rows: Sequence[tuple[int, Estimate]], place: int, label: str) -> None:
    """One rule's marks, shifted within their lines so that rules do not cover each other."""
    shift = (place - (len(COMPARED) - 1) / 2) * 0.8 / len(COMPARED)
    ys = [row + shift for row, _ in rows]
    for y, (_, ratio) in zip(ys, rows, strict=True):
        panel.plot((ratio.band_low, ratio.band_high), (y, y), color=PALETTE[place], linewidth=STEM)
        if ratio.ci_low is not None and ratio.ci_high is not None:
            panel.plot((ratio.ci_low, ratio.ci_high), (y, y), color=PALETTE[place], linewidth=WHISKER)
    style = {
        "linestyle": "",
        "marker": MARKERS[place],
        "markersize": 4.5,
        "color": PALETTE[place],
        "label": label,
    }
    panel.plot([ratio.mean for _, ratio in rows], ys, **style)  # type: ignore[arg-type]


def _spoken(found: Sequence[RuleRatio]) -> Iterator[str]:
    for item in found:
        if item.case in {STORED, RECOMPUTED}:
            yield f"{item.case} on {item.dataset.title}, {item.chip}: energy {ratio_with_interval(item.energy_ratio)}"
