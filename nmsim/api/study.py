"""Study: a design space that was swept or searched, with its front."""

from dataclasses import dataclass
from pathlib import Path

from nmsim.explore.analysis import Analysis
from nmsim.explore.result import Result
from nmsim.pipeline.study import StudyFolder
from nmsim.report.looks import Look, look_of, picture_of
from nmsim.report.picture import Picture
from nmsim.report.plots.scatter import Measure, Point, scatter
from nmsim.report.tables import Cell, Column, Table, value_text
from nmsim.shown import Shown


@dataclass(frozen=True, repr=False)
class Study(Shown):
    """What `nmsim.sweep` and `nmsim.search` give: every design with its figures, and the front.

    The folder holds the same as a page, as CSV and Parquet, and as a database. Printed, a study shows its front;
    `to_frame()` gives every design, one row each, and `plot()` draws them along the objectives. A design's `metrics` are
    those of `nmsim.FIGURES` that have a better and a worse, and its accuracy where its workload was trained.
    """

    folder: Path
    analysis: Analysis

    @property
    def results(self) -> tuple[Result, ...]:
        """Every design in order of its number, those without figures too: `status` and `reason` say why."""
        return self.analysis.analytic

    @property
    def front(self) -> tuple[Result, ...]:
        """Designs that no other dominates, nearest to the ideal first."""
        return self.analysis.front

    @property
    def page(self) -> Path:
        """The page of the study."""
        return StudyFolder(self.folder).page


def _table(study: Study, results: tuple[Result, ...]) -> Table:
    space = study.analysis.space
    names = list(dict.fromkeys(name for result in study.results for name in result.metrics))
    columns = [Column("design", "design"), Column("status", "status")]
    columns += [Column(label, label) for label in space.labels]
    columns += [Column(name, name) for name in names]
    rows: list[tuple[Cell, ...]] = [
        (r.design, str(r.status), *r.values, *(r.metrics.get(name) for name in names)) for r in results
    ]
    return Table("designs", tuple(columns), tuple(rows))


@look_of.register
def _(value: Study) -> Look:
    found, space = value.analysis, value.analysis.space
    objectives = [objective.described for objective in space.objectives]
    columns = [Column("design", "design"), *(Column(m.name, m.text, m.unit) for m in objectives)]
    columns += [Column(label, label) for label in space.labels]
    rows: list[tuple[Cell, ...]] = [
        (str(r.design), *(r.metrics[m.name] for m in objectives), *map(value_text, r.values))
        for r in value.front
    ]
    lines = [f"{count:,} designs are out: {reason}" for reason, count in found.refused.items()]
    return Look(
        f"{space.name}: {len(value.front)} of {len(value.results):,} designs are on the front",
        (Table("front", tuple(columns), tuple(rows)),),
        _table(value, value.results),
        (*lines, f"{value.page.name} in {value.folder.name}/ shows it"),
    )


@picture_of.register
def _(value: Study) -> Picture:
    found, objectives = value.analysis, value.analysis.space.objectives
    chosen = None if found.chosen is None else found.chosen.design
    measures = [Measure(o.described.text, o.described.unit, o.sign < 0) for o in objectives]
    points = [
        Point(
            str(item.result.design), tuple(float(item.result.metrics[o.metric] or 0) for o in objectives), item.rank == 1,
            item.result.model == "event", item.result.design == chosen,
        )
        for item in found.ranked
    ]  # fmt: skip
    return scatter(points, measures, f"{found.space.name} · {len(value.results):,} designs")
