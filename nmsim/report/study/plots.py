"""The pictures of a study."""

from nmsim.report.picture import Picture
from nmsim.report.plots.disagreement import disagreement
from nmsim.report.plots.hypervolume import hypervolume
from nmsim.report.plots.influence import sensitivity
from nmsim.report.plots.parallel import Line, Scale, parallel
from nmsim.report.plots.scatter import Point, scatter
from nmsim.report.study.result import StudyResult
from nmsim.report.tables import for_people


def draw(result: StudyResult) -> dict[str, Picture]:
    """Every picture that the result has the data for, by name."""
    pictures = []
    if len(result.entries) > 1:
        if len(result.measures) > 1:
            pictures.append(scatter(_points(result), result.measures, result.described))
        pictures.append(_parallel(result))
        if result.history:
            pictures.append(hypervolume({"this study": result.history}, result.described))
    if result.influences:
        names = [measure.name for measure in result.measures]
        cells = {(item.axis, names[item.measure]): item for item in result.influences}
        shares = {key: item.share for key, item in cells.items()}
        factors = {key: item.factor for key, item in cells.items()}
        axes = [axis.name for axis in result.axes if any(key[0] == axis.name for key in cells)]
        together = {names[item.measure]: item.together for item in result.influences}
        designs = max(item.designs for item in result.influences)
        pictures.append(sensitivity(axes, names, shares, factors, together, designs, result.described))
    if result.disagreed:
        measures = [result.measures[item.measure] for item in result.disagreed]
        pictures.append(disagreement([item.pairs for item in result.disagreed], measures, result.described))
    return {picture.name: picture for picture in pictures}


def _points(result: StudyResult) -> list[Point]:
    first = result.entries[0].design
    return [
        Point(
            str(e.design), e.figures, e.rank == 1, e.model == "event", e.design == first,
            (e.report or f"#design-{e.design}") if e.rank == 1 else "",
        )
        for e in result.entries
    ]  # fmt: skip


def _parallel(result: StudyResult) -> Picture:
    columns = list(zip(*(entry.figures for entry in result.entries), strict=True))
    ends = [(min(column), max(column)) for column in columns]
    scales = [Scale(axis.name, axis.marks) for axis in result.axes]
    for measure, (low, high) in zip(result.measures, ends, strict=True):
        marks = ((0.0, for_people(low, measure.unit)), (1.0, for_people(high, measure.unit)))
        scales.append(Scale(measure.name, marks))
    lines = [
        Line(
            (*entry.places, *(_place(v, *end) for v, end in zip(entry.figures, ends, strict=True))),
            entry.rank == 1,
        )
        for entry in result.entries
    ]
    return parallel(lines, scales, len(result.axes), result.described)


def _place(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5
