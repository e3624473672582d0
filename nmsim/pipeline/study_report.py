"""A study as files: tables, the page, and full reports of its best designs."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nmsim.config import to_yaml
from nmsim.evaluate import Evaluation, Model
from nmsim.explore.analysis import Analysis, Ranked, analyse
from nmsim.explore.axis import Axis
from nmsim.explore.configure import Configurator, Configured
from nmsim.explore.result import Result
from nmsim.explore.result_tables import csv_text, write_tables
from nmsim.explore.space import Objective
from nmsim.figures import ACCURACY, CORES_USED, MEMORY_USED, POWER, Figure
from nmsim.pipeline.evaluate_design import EvaluateDesign, Numerics, evaluate_configured
from nmsim.pipeline.folder import RunFolder, package_versions
from nmsim.pipeline.report import report_run
from nmsim.pipeline.simulations import Simulations
from nmsim.pipeline.study import StudyRunner
from nmsim.pipeline.study_safety import edge_sentences, stability_sentences
from nmsim.report.plots.disagreement import Pair
from nmsim.report.plots.scatter import Measure
from nmsim.report.study.result import AxisView, Disagreed, FeasibleDesign, Influence, StudyResult
from nmsim.report.study.write import write_page
from nmsim.report.tables import Column, value_text
from nmsim.rules import INFERENCE
from nmsim.storage import write_text

BESIDES = (ACCURACY, POWER, CORES_USED, MEMORY_USED)
"""Metrics that the ranking shows besides the objectives."""
MOST_TICKS = 7
ADDED = ("run.json", "workload.yaml", "training.json", "parameters.npz", "activity.npz", "activity-stbp.npz")
"""Files of a training run that the report of a design reads."""


def write_study(study: StudyRunner, reports: int) -> Analysis:
    """Analyse a study and write tables, full reports of the front's best `reports` designs, and the page."""
    found = analyse(study.space, study.results())
    write_tables(study.store, study.folder.path)
    write_text(study.folder.path / "sensitivity.csv", _sensitivity_csv(found))
    write_designs(study, found.front[:reports])
    write_page(view(study, found), study.folder.page)
    return found


def write_designs(study: StudyRunner, results: Sequence[Result]) -> None:
    """The full reports of some designs, each by a worker."""
    simulated = frozenset(result.design for result in study.store.results("event") if result.ok)
    writer = DesignReport(study.configurator, study.numerics, str(study.folder.designs.resolve()), simulated)
    study.each(writer, results, "report")


@dataclass(frozen=True)
class DesignReport:
    """Worker's function: the full report of one design, its chip replayed on the activity of its training run.

    It goes into `folder/DESIGN`, and looks like `nmsim run`'s; `simulated` designs are told of by both models.
    """

    configurator: Configurator
    numerics: Numerics
    folder: str
    simulated: frozenset[int]

    def __call__(self, result: Result) -> None:
        """Replay and write."""
        folder = RunFolder(Path(self.folder) / f"{result.design:05d}")
        made = self.configurator.configure(result.values)
        source = self.numerics.run(result.numerics)
        folder.path.mkdir(parents=True, exist_ok=True)
        for name in ADDED:
            if (source.path / name).exists():
                shutil.copyfile(source.path / name, folder.path / name)
        named = made.chip.model_copy(update={"name": f"{made.chip.name}, design {result.design}"})
        for item in self._evaluations(made.with_chip(named), source, result):
            Simulations(folder).save(named, item.model, item)
        space = self.configurator.space
        text = to_yaml(space.assignments(result.values))
        write_text(folder.path / "design.yaml", f"# Design {result.design} of study {space.name}\n{text}")
        report_run(folder.path)

    def _evaluations(self, made: Configured, source: RunFolder, result: Result) -> list[Evaluation]:
        rule = EvaluateDesign(self.configurator, self.numerics).rule(made)
        models: tuple[Model, ...] = (
            ("analytic", "event") if result.design in self.simulated else ("analytic",)
        )
        found = [evaluate_configured(made, source, rule, model)[0] for model in models]
        if rule != INFERENCE.name:
            found.append(evaluate_configured(made, source, INFERENCE.name, "analytic")[0])
        return found


def view(study: StudyRunner, found: Analysis) -> StudyResult:
    """What the page says, in plain values."""
    space = found.space
    objectives = [objective.described for objective in space.objectives]
    extras = [figure for figure in BESIDES if figure not in objectives]
    extras = [m for m in extras if any(item.result.metrics.get(m.name) is not None for item in found.ranked)]
    models = "analytic" if not found.event else "analytic, and event-driven near the front"
    return StudyResult(
        name=space.name,
        question=space.description,
        described=f"{space.name} · base chip {space.base.chip} · {len(found.analytic):,} designs · {models}",
        byline=f"nmsim {package_versions()['nmsim']} · space {space.content_hash()} · results {study.store.digest()[:16]}",
        axes=tuple(_axis(axis) for axis in space.axes),
        measures=tuple(Measure(o.described.text, o.described.unit, o.sign < 0) for o in space.objectives),
        extras=tuple(Column(m.name, m.text, m.unit) for m in extras),
        demands=tuple(demand.text for demand in space.demands),
        entries=tuple(_entry(study, item, objectives, extras) for item in found.ranked),
        evaluated=len(found.analytic),
        refused=found.refused,
        reasons=dict(sorted(found.reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:20]),
        traits=tuple(trait.text for trait in found.traits),
        influences=_influences(found, space.objectives),
        history=() if study.store.identity.get("method") == "grid" else tuple(found.history.tolist()),
        disagreed=_disagreed(found),
        corrected=found.corrected,
        space_text=study.folder.space.read_text(encoding="utf-8"),
        provenance=_provenance(study),
        edges=edge_sentences(found),
        stability=stability_sentences(study, found),
    )


def _axis(axis: Axis) -> AxisView:
    levels = axis.levels()
    shown = levels[:: max(1, -(-len(levels) // MOST_TICKS))]
    marks = tuple(
        (axis.position(level), f"{level:.3g}" if isinstance(level, float) else str(level)) for level in shown
    )
    words = f"{axis.low:g} to {axis.high:g}" if axis.kind == "continuous" else ", ".join(map(str, levels))
    return AxisView(axis.label, ", ".join(axis.paths), words, marks)


def _entry(
    study: StudyRunner, item: Ranked, objectives: Sequence[Figure], extras: Sequence[Figure]
) -> FeasibleDesign:
    result = item.result
    report = f"designs/{result.design:05d}/report.html"
    return FeasibleDesign(
        design=result.design,
        rank=item.rank,
        values=tuple(value_text(value) for value in result.values),
        places=tuple(
            axis.position(value) for axis, value in zip(study.space.axes, result.values, strict=True)
        ),
        figures=tuple(float(result.metrics[metric.name] or 0.0) for metric in objectives),
        extra=tuple(result.metrics.get(metric.name) for metric in extras),
        model=result.model,
        report=report if (study.folder.path / report).exists() else "",
    )


def _influences(found: Analysis, objectives: Sequence[Objective]) -> tuple[Influence, ...]:
    names = [objective.metric for objective in objectives]
    signs = {objective.metric: objective.sign for objective in objectives}
    return tuple(
        Influence(
            axis=effect.axis,
            measure=names.index(effect.metric),
            share=effect.share,
            factor=effect.factor,
            together=effect.together,
            designs=effect.designs,
            best_level=effect.best_level(signs[effect.metric]),
            levels=tuple(zip(effect.levels, effect.means, strict=True)),
        )
        for effect in found.effects
    )


def _disagreed(found: Analysis) -> tuple[Disagreed, ...]:
    estimates = {result.design: result for result in found.analytic}
    views = []
    for index, objective in enumerate(found.space.objectives):
        item = found.disagreements.get(objective.metric)
        if item is not None:
            figures = {d: float(estimates[d].metrics[objective.metric] or 0.0) for d in item.ratios}
            pairs = tuple(Pair(str(d), figures[d], figures[d] * ratio) for d, ratio in item.ratios.items())
            views.append(Disagreed(index, pairs, item.bias, item.margin))
    return tuple(views)


def _provenance(study: StudyRunner) -> tuple[tuple[str, str], ...]:
    rows = [(name, str(value)) for name, value in sorted(study.store.identity.items())]
    rows.append(("results, SHA-256", study.store.digest()))
    return tuple(rows + [(f"version of {name}", text) for name, text in package_versions().items()])


def _sensitivity_csv(found: Analysis) -> str:
    rows = [
        (effect.metric, effect.axis, effect.share, effect.together, effect.factor, level, mean, count)
        for effect in found.effects
        for level, mean, count in zip(effect.levels, effect.means, effect.counts, strict=True)
    ]
    return csv_text(("metric", "axis", "share", "together", "factor", "level", "mean", "designs"), rows)
