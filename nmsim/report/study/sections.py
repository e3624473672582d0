"""The chapters of a study's page."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf

from nmsim.report.live.chart import choices, live
from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.picture import Picture
from nmsim.report.plots.scatter import Measure
from nmsim.report.sections.section import Evidence, Section, badge, bullets
from nmsim.report.study.live import choosable, front_chart
from nmsim.report.study.result import FeasibleDesign, StudyResult
from nmsim.report.tables import Column, Table, for_people

SHOWN = 200
"""Designs of the ranking on the page; all are in the store."""
HOW_TO_LOOK = (
    "Every point is a design that fits and keeps all demands: hover for its values, drag and turn the wheel to move and"
    " zoom, double-click to go back, click a design of the front for its report or its row. The choices below leave only"
    " designs with that value in the chart and in the table, which sorts by a click on a heading."
)


def sections(result: StudyResult, pictures: Mapping[str, Picture]) -> Iterator[Section]:
    """Answer first, evidence after, provenance last."""

    def drawn(*names: str) -> list[Markup]:
        return [figure(pictures[name]) for name in names if name in pictures]

    yield Section("answer", "The answer", join(_answer(result)))
    if result.front:
        yield Section("front", "The front", join([*_front(result, pictures), *drawn("parallel-coordinates")]))
        yield Section("common", "What the front's designs have in common", join(_common(result)))
    if result.influences:
        yield Section(
            "sensitivity", "What decides which objective", join([*drawn("sensitivity"), *_influences(result)])
        )
    yield Section("refused", "Designs that are out", join(_refused(result)))
    if result.disagreed:
        yield Section("models", "Two models", join([*_models(result), *drawn("model-disagreement")]))
    if "hypervolume" in pictures:
        yield Section("progress", "How the front was found", join(drawn("hypervolume")))
    yield Section("ranking", "Ranking of feasible designs", join(_ranking(result)))
    yield Section("space", "The space, and how to go on", join(_space(result)))


def _answer(result: StudyResult) -> Iterator[Markup]:
    good = len(result.entries)
    if not result.entries:
        text = f"None of the {result.evaluated:,} designs evaluated is feasible; the reasons are below."
        yield tag("div", text, class_="verdict failed")
        return
    best = result.entries[0]
    yield tag(
        "p",
        f"{result.evaluated:,} designs were evaluated; {good:,} are feasible, and {_form_the_front(result)}: none of these"
        f" can be improved in one objective without losing in another. Design {best.design} is the front's"
        " nearest to the ideal that combines the best of every objective; with other weights, take another of the front.",
    )
    cards = [_card(m, best, i, result) for i, m in enumerate(result.measures)]
    yield tag("ul", *cards, class_="cards")
    settings = [f"{axis.name}: {value}" for axis, value in zip(result.axes, best.values, strict=True)]
    yield tag("h3", f"Design {best.design}")
    yield bullets(settings)
    if best.report:
        yield tag("p", tag("a", f"Full report of design {best.design}", href=best.report))
    if result.demands:
        yield tag("p", f"Every feasible design keeps: {'; '.join(result.demands)}.")


def _card(measure: Measure, best: FeasibleDesign, index: int, result: StudyResult) -> Markup:
    values = [entry.figures[index] for entry in result.front]
    top = max(values) if measure.maximise else min(values)
    kind = Evidence.MEASURED if measure.unit == "fraction" else Evidence.MODELLED
    value = for_people(best.figures[index], measure.unit)
    note = f"best of the front: {for_people(top, measure.unit)}; {measure.wish}"
    return tag(
        "li",
        tag("span", tag("span", measure.name), badge(kind), class_="name"),
        tag("span", value, class_="value"),
        tag("span", note, class_="note"),
        class_=f"card {kind.value}",
    )


def _form_the_front(result: StudyResult) -> str:
    """How many designs the front has, and how many of them differ in what they are judged by."""
    front, different = len(result.front), len({entry.figures for entry in result.front})
    alike = f", with {different} different sets of figures," if different < front else ""
    return f"{front} of them{alike} form the front" if front > 1 else "one of them is the front"


def _front(result: StudyResult, pictures: Mapping[str, Picture]) -> Iterator[Markup]:
    if "front-scatter" in pictures:
        yield tag("p", HOW_TO_LOOK)
        levels = {
            axis.name: (axis.name, sorted({entry.values[place] for entry in result.entries}, key=_by_number))
            for place, axis in enumerate(result.axes)
            if axis.name in choosable(result)
        }
        yield choices(levels)
        yield live(pictures["front-scatter"], front_chart(result))
    yield _table(result, result.front, "front", "The front, nearest to the ideal first")
    same = [
        f"{column.heading} {for_people(values.pop(), column.unit)}"
        for index, column in enumerate(result.extras)
        if len(values := {entry.extra[index] for entry in result.front}) == 1
    ]
    if same:
        yield tag("p", f"The same in all of the front: {', '.join(same)}.")
    if not all(entry.report for entry in result.front):
        command = tag("code", "nmsim report STUDY --design NUMBER")
        yield tag("p", "Linked designs have a full report; ", command, " writes that of any other.")
    worded = []
    for index, measure in enumerate(result.measures):
        pick = max if measure.maximise else min
        entry = pick(result.front, key=lambda e: e.figures[index])
        worded.append(
            f"{measure.name}: design {entry.design}, {for_people(entry.figures[index], measure.unit)}"
        )
    yield tag("p", f"The extremes: {'; '.join(worded)}.")
    if result.edges:
        yield tag("h3", "At the edge of what was looked at")
        yield tag("p", "Designs of the front sit where an axis ends; a better one may lie beyond it:")
        yield bullets(result.edges)
    if result.stability:
        yield tag("h3", "When prices move within their bands")
        yield bullets(result.stability)


def _by_number(text: str) -> tuple[float, str]:
    """Numbers by size, then words."""
    try:
        return float(text.replace(",", "")), ""
    except ValueError:
        return inf, text


def _table(result: StudyResult, entries: Sequence[FeasibleDesign], name: str, caption: str) -> Markup:
    """Designs with objectives, values of the axes, and what else differs between them."""
    ranked = len({entry.rank for entry in entries}) > 1
    differing = [i for i in range(len(result.extras)) if len({entry.extra[i] for entry in entries}) > 1]
    columns = (
        Column("design", "Design"),
        *([Column("rank", "Rank")] if ranked else []),
        *(Column(measure.name, measure.name, measure.unit) for measure in result.measures),
        *(Column(axis.name, axis.name) for axis in result.axes),
        *(result.extras[i] for i in differing),
        Column("model", "Model"),
    )
    rows = tuple(
        (
            _link(entry, anchor=name == "front"),
            *([entry.rank] if ranked else []),
            *entry.figures,
            *entry.values,
            *(entry.extra[i] for i in differing),
            "event-driven" if entry.model == "event" else "analytic",
        )
        for entry in entries
    )
    return Table(name, columns, rows).html(caption, live=True)


def _link(entry: FeasibleDesign, *, anchor: bool) -> str:
    text = tag("a", str(entry.design), href=entry.report) if entry.report else str(entry.design)
    return tag("span", text, id=f"design-{entry.design}") if anchor else text


def _common(result: StudyResult) -> Iterator[Markup]:
    if result.traits:
        yield tag("p", "What chance does not explain, against all feasible designs:")
        yield bullets(result.traits)
    else:
        yield tag("p", "No level of any axis is more frequent in the front than chance explains.")
    for index, measure in enumerate(result.measures):
        items = sorted((i for i in result.influences if i.measure == index), key=lambda i: -i.share)[:3]
        told = [
            f"{i.axis}, {i.share:.0%} of its variance (best at {i.best_level}, a factor of {i.factor:.3g} to the worst)"
            for i in items
            if i.share >= 0.01
        ]
        if told:
            yield tag(
                "p",
                f"Among the {items[0].designs:,} designs that fit, {measure.name} is decided by {'; '.join(told)}. All axes"
                f" together explain {items[0].together:.0%}, when each adds its part whatever the others are.",
            )


def _influences(result: StudyResult) -> Iterator[Markup]:
    for index, measure in enumerate(result.measures):
        columns = (
            Column("axis", "Axis"),
            Column("level", "Level"),
            Column("mean", f"Mean {measure.name}", measure.unit),
        )
        rows = tuple(
            (i.axis, name, mean) for i in result.influences if i.measure == index for name, mean in i.levels
        )
        table = Table("levels", columns, rows).html(f"{measure.name} by level")
        yield tag("details", tag("summary", f"Mean {measure.name} at every level of every axis"), table)


def _refused(result: StudyResult) -> Iterator[Markup]:
    if not result.refused:
        yield tag("p", "None: every design evaluated is feasible.")
        return
    words = {
        "does_not_fit": "the network does not fit the chip",
        "too_fast": "the chip cannot run at this clock and supply",
        "error": "no valid design",
        "lost": "its workers died",
    }
    rows = tuple((words.get(name, f"breaks {name}"), count) for name, count in result.refused.items())
    table = Table("refused", (Column("reason", "Reason"), Column("designs", "Designs")), rows)
    yield table.html("Designs that are not feasible, by the first reason")
    if result.reasons:
        rows = tuple(result.reasons.items())
        table = Table(
            "reasons", (Column("reason", "What is short, or wrong"), Column("designs", "Designs")), rows
        )
        yield table.html("Designs without figures, by what is short or wrong")


def _models(result: StudyResult) -> Iterator[Markup]:
    count = len(result.disagreed[0].pairs)
    yield tag(
        "p",
        f"{count} designs that could be on the front were also simulated by the event-driven model; their figures above"
        " are the simulated ones."
        + (
            " The analytic figures of all others are corrected by the median ratio found here."
            if result.corrected
            else ""
        ),
    )
    for item in result.disagreed:
        measure = result.measures[item.measure]
        yield tag(
            "p",
            f"{measure.name}: simulation over estimate {item.bias:.3f} in the median; 95 % of the designs lie within a"
            f" factor of {item.margin:.3f} of that.",
        )


def _ranking(result: StudyResult) -> Iterator[Markup]:
    shown = result.entries[:SHOWN]
    more = f"; the first {SHOWN} of {len(result.entries):,}" if len(result.entries) > SHOWN else ""
    yield tag(
        "p",
        "By rank of non-domination (1 is the front, 2 the front of the rest), then by distance to the ideal on logarithmic"
        " scales.",
    )
    table = _table(result, shown, "ranking", f"Feasible designs{more}")
    yield tag("details", tag("summary", f"Show {len(shown)} designs"), table)


def _space(result: StudyResult) -> Iterator[Markup]:
    columns = (Column("axis", "Axis"), Column("keys", "Keys it moves"), Column("levels", "Levels"))
    rows = tuple((axis.name, axis.keys, axis.levels) for axis in result.axes)
    yield Table("axes", columns, rows).html("Axes")
    yield tag("p", "All results are in one SQLite table that any tool reads, for example")
    yield tag("p", tag("code", "pandas.read_sql('SELECT * FROM results', sqlite3.connect('results.sqlite'))"))
    yield tag("details", tag("summary", "The space as a file"), tag("pre", tag("code", result.space_text)))
    table = Table("provenance", (Column("what", "What"), Column("value", "Value")), result.provenance)
    yield table.html("Provenance")
