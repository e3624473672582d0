"""Stage of its own: sweep a design space or search it, simulate what is near the front, and write the study."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nmsim import config
from nmsim.config import Document
from nmsim.errors import ConfigError, RunError
from nmsim.explore.analysis import Analysis, analyse
from nmsim.explore.backends import Backend
from nmsim.explore.fidelity import to_simulate
from nmsim.explore.result import Result
from nmsim.explore.sample import EXTENDABLE, Method, sample
from nmsim.explore.search import Sampler, Searcher, warm_designs
from nmsim.explore.space import DesignSpace, Values
from nmsim.explore.store import Store
from nmsim.pipeline.evaluate_design import Job
from nmsim.pipeline.study import StudyFolder, StudyOptions, StudyRunner
from nmsim.pipeline.study_report import write_designs, write_study

EVENT_BATCH = 16
"""Designs simulated before the event-driven model's disagreement is looked at again."""


def sweep(
    space: Document,
    backend: Backend,
    options: StudyOptions,
    *,
    method: Method = "grid",
    designs: int | None = None,
    seed: int = 1,
) -> Analysis:
    """Evaluate the designs of a grid or a sample of a space, and write the study into its folder.

    Raises:
        ConfigError, RunError: see `StudyRunner` and `sample`.
    """
    how: dict[str, Any] = {"verb": "sweep", "method": method}
    if method != "grid":
        how["seed"] = seed
    if method not in {*EXTENDABLE, "grid"}:
        how["designs"] = designs
    chosen = sample(config.build(DesignSpace, space), method, designs, seed)
    with StudyRunner(space, how, backend, options) as study, backend:
        study.evaluate([Job(index, values) for index, values in enumerate(chosen)])
        _refine(study)
        return write_study(study, options.reports)


def search(
    space: Document,
    backend: Backend,
    options: StudyOptions,
    *,
    sampler: Sampler = "tpe",
    evaluations: int = 200,
    batch: int = 16,
    seed: int = 1,
    warm_start: Sequence[Path] = (),
) -> Analysis:
    """Let a sampler propose designs in batches, and write the study into its folder.

    `warm_start` are folders of earlier studies with the same axes: their best designs are proposed first. What is
    proposed does not depend on the back end; `evaluations` may be raised on `resume`.

    Raises:
        ConfigError, RunError: see `StudyRunner` and `Searcher`.
    """
    record = config.build(DesignSpace, space)
    warm = [values for folder in warm_start for values in _earlier(record, folder, batch)]
    how = {
        "verb": "search",
        "sampler": sampler,
        "batch": batch,
        "seed": seed,
        "warm_start": [list(v) for v in warm],
    }
    searcher = Searcher(record, sampler, seed, batch, warm)
    with StudyRunner(space, how, backend, options) as study, backend:
        done = 0
        while done < evaluations:
            asked = searcher.ask(evaluations - done)
            if not asked:
                break
            searcher.tell(
                study.evaluate([Job(done + i, values) for i, values in enumerate(asked)], evaluations)
            )
            done += len(asked)
        _refine(study)
        return write_study(study, options.reports)


def report(out: Path, designs: Sequence[int]) -> Analysis:
    """Write the full reports of some designs of a study, and update its page.

    Raises:
        RunError: there is no study, or a design has no figures.
    """
    with StudyRunner.reopen(out) as study:
        results = {result.design: result for result in study.store.results("analytic")}
        for design in designs:
            if design not in results or not results[design].ok:
                raise RunError(f"{out}: design {design} has no figures; see the column status of results.csv")
        write_designs(study, [results[design] for design in designs])
        return write_study(study, 0)


def reopen(out: Path) -> tuple[DesignSpace, list[Result]]:
    """Space and results of a study, also while it is being written.

    Raises:
        RunError: there is no study.
    """
    folder = StudyFolder(out)
    if not folder.store.exists():
        raise RunError(f"{out}: no study here; make one with `nmsim sweep` or `nmsim search`")
    space = config.read(DesignSpace, folder.space)
    with Store(folder.store, space.axes) as store:
        return space, store.results()


def reopened(out: Path) -> Analysis:
    """What a study has found so far, from its folder.

    Raises:
        RunError: there is no study.
    """
    return analyse(*reopen(out))


def _earlier(space: DesignSpace, folder: Path, most: int) -> list[Values]:
    """The best designs of an earlier study, as far as they are designs of this space.

    Raises:
        ConfigError: it has no axis in common by name for every axis of this space.
    """
    earlier, results = reopen(folder)
    missing = [label for label in space.labels if label not in earlier.labels]
    if missing:
        raise ConfigError(
            f"--warm-start {folder}: that study has no axis '{missing[0]}', so its designs say nothing of this space;"
            " leave it out, or name the axes alike"
        )
    places = [earlier.labels.index(label) for label in space.labels]
    moved = [replace(r, values=tuple(r.values[p] for p in places)) for r in results if r.model == "analytic"]
    return warm_designs(space, [result for result in moved if space.holds(result.values)], most)


def _refine(study: StudyRunner) -> None:
    """Simulate what could be on the front, as far as is allowed, learning from the disagreement on the way."""
    done, most = 0, study.options.event
    while done < most:
        results = study.results()
        analytic = [r for r in results if r.model == "analytic"]
        event = [r for r in results if r.model == "event"]
        done = len(event)
        hopeful = to_simulate(analytic, event, study.space)
        if not hopeful:
            break
        chosen = hopeful[: min(EVENT_BATCH, most - done)]
        jobs = [Job(result.design, result.values, "event") for result in chosen]
        study.evaluate(jobs, min(most, done + len(hopeful)))
        done += len(chosen)


def summary(analysis: Analysis) -> dict[str, Any]:
    """Totals of a study for machines."""
    statuses = [str(result.status) for result in analysis.analytic]
    return {
        "space": analysis.space.name,
        "designs": len(analysis.analytic),
        "status": {name: statuses.count(name) for name in sorted(set(statuses))},
        "feasible": len(analysis.ranked),
        "front": [result.design for result in analysis.front],
        "chosen": analysis.chosen.design if analysis.chosen else None,
        "designs_of_the_front": [
            {"design": result.design, **dict(zip(analysis.space.labels, result.values, strict=True))}
            for result in analysis.front
        ],
        "simulated": len(analysis.event),
    }
