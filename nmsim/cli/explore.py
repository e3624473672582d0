"""Verbs of exploration: sweep, search."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from nmsim.cli.console import PLAIN_LINE_SECONDS, Screen, table
from nmsim.cli.output import show_json
from nmsim.config import Document
from nmsim.errors import CheckFailedError, ConfigError
from nmsim.explore.analysis import Analysis
from nmsim.explore.backends import create_backend
from nmsim.explore.sample import METHODS, Method
from nmsim.explore.search import SAMPLERS, Sampler
from nmsim.explore.space import load_space
from nmsim.pipeline import explore as stage
from nmsim.pipeline.study import REPORTS, Listener, StudyFolder, StudyOptions, StudyProgress
from nmsim.report.tables import for_people, value_text
from nmsim.storage import file_name

ALL = 1_000_000
SHOWN = 12

SpaceArgument = Annotated[
    str, typer.Argument(metavar="SPACE", help="Design space: shipped name or a YAML file.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder of the study; default studies/SPACE.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of the sample or of the sampler.")]
RunOption = Annotated[
    Path | None,
    typer.Option("--run", help="A finished run whose activity is replayed instead of training again."),
]
EventOption = Annotated[
    int,
    typer.Option(
        "--event", min=0, help="Simulate at most so many designs near the front by the event-driven model."
    ),
]
ReportsOption = Annotated[
    str, typer.Option("--reports", help="Designs of the front that get a full report: a number, or all.")
]
BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend", help="serial, processes or dask; processes with a worker per processor if absent."
    ),
]
JobsOption = Annotated[int | None, typer.Option("--jobs", min=1, help="Workers; never changes a result.")]
SchedulerOption = Annotated[
    str | None, typer.Option("--scheduler", help="Address of a Dask scheduler, tcp://HOST:8786.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key of the space: base.chip=mesh-16nm, must_fit=true."),
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the study in the folder.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace the study in the folder.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file."""
    app.command()(sweep)
    app.command()(search)


def sweep(
    space: SpaceArgument,
    out: OutOption = None,
    method: Annotated[str, typer.Option("--method", help="grid, random, lhs or sobol.")] = "grid",
    designs: Annotated[int | None, typer.Option("--designs", min=1, help="Designs of a sample.")] = None,
    seed: SeedOption = 1,
    run: RunOption = None,
    event: EventOption = 0,
    reports: ReportsOption = str(REPORTS),
    backend: BackendOption = None,
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    assignments: SetOption = None,
    resume: ResumeOption = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate the designs of a grid or a sample, and find their front."""
    screen = Screen(quiet=quiet or as_json)
    document = _space(space, assignments)
    chosen = cast("Method", _one_of("--method", method, METHODS))
    with _progress(screen) as listen:
        options = _options(document, out, run, event, reports, listen, resume=resume, overwrite=overwrite)
        screen.say(f"Sweep {document.data['name']} into {options.out}")
        workers = create_backend(backend, jobs, scheduler)
        found = stage.sweep(document, workers, options, method=chosen, designs=designs, seed=seed)
    _show(screen, found, options.out, as_json=as_json)


def search(
    space: SpaceArgument,
    out: OutOption = None,
    sampler: Annotated[str, typer.Option("--sampler", help="tpe (Bayesian) or nsga2 (genetic).")] = "tpe",
    evaluations: Annotated[int, typer.Option("--evaluations", min=1, help="Designs to evaluate.")] = 200,
    batch: Annotated[
        int, typer.Option("--batch", min=2, help="Designs proposed at a time; changes the search.")
    ] = 16,
    seed: SeedOption = 1,
    warm_start: Annotated[
        list[Path] | None,
        typer.Option("--warm-start", help="Folder of an earlier study; its best designs come first."),
    ] = None,
    run: RunOption = None,
    event: EventOption = 0,
    reports: ReportsOption = str(REPORTS),
    backend: BackendOption = None,
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    assignments: SetOption = None,
    resume: ResumeOption = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a multi-objective sampler look for the front."""
    screen = Screen(quiet=quiet or as_json)
    document = _space(space, assignments)
    chosen = cast("Sampler", _one_of("--sampler", sampler, SAMPLERS))
    with _progress(screen) as listen:
        options = _options(document, out, run, event, reports, listen, resume=resume, overwrite=overwrite)
        screen.say(f"Search {document.data['name']} by {chosen} into {options.out}")
        found = stage.search(
            document,
            create_backend(backend, jobs, scheduler),
            options,
            sampler=chosen,
            evaluations=evaluations,
            batch=batch,
            seed=seed,
            warm_start=warm_start or (),
        )
    _show(screen, found, options.out, as_json=as_json)


def report_study(screen: Screen, out: Path, designs: Sequence[int], *, as_json: bool) -> None:
    """What `nmsim report` does with the folder of a study."""
    _show(screen, stage.report(out, designs), out, as_json=as_json)
    for design in designs:
        screen.say(f"Open {StudyFolder(out).designs / f'{design:05d}' / 'report.html'}")


def _space(name: str, assignments: list[str] | None) -> Document:
    document = load_space(name)
    for text in assignments or ():
        document = document.with_value(text)
    return document


def _one_of(option: str, given: str, known: tuple[str, ...]) -> str:
    if given not in known:
        raise ConfigError(f"{option} {given}: not known; use {', '.join(known)}")
    return given


def _options(
    document: Document,
    out: Path | None,
    run: Path | None,
    event: int,
    reports: str,
    listen: Listener,
    *,
    resume: bool,
    overwrite: bool,
) -> StudyOptions:
    if reports != "all" and not reports.isdigit():
        raise ConfigError(f"--reports {reports}: not a number of designs; give one, or all")
    folder = out or Path("studies") / file_name(str(document.data.get("name", "study")))
    most = ALL if reports == "all" else int(reports)
    return StudyOptions(folder, run, event, most, resume, overwrite, listen)


@contextmanager
def _progress(screen: Screen) -> Iterator[Listener]:
    """A bar per stage on a terminal, plain lines elsewhere."""
    if not screen.is_terminal:
        yield _Lines(screen)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def listen(step: StudyProgress) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bar.add_task(step.stage, total=step.total, rate="")
            failed = f"{step.failed} failed" if step.failed else ""
            bar.update(tasks[step.stage], completed=step.done, total=step.total, rate=failed)

        yield listen


class _Lines:
    """Listener that prints a line from time to time and at the end of a stage."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.stage, self.first = screen, "", 0
        self.began = self.line_at = time.monotonic()

    def __call__(self, step: StudyProgress) -> None:
        """Take one report."""
        now = time.monotonic()
        if step.stage != self.stage:
            self.stage, self.began, self.line_at, self.first = step.stage, now, now, step.done
        if now - self.line_at < PLAIN_LINE_SECONDS and step.done < step.total:
            return
        self.line_at = now
        rate = (step.done - self.first) / max(now - self.began, 1e-9)
        left = (
            f", {(step.total - step.done) / rate:.0f} s left" if step.done < step.total and rate > 0 else ""
        )
        failed = f", {step.failed} failed" if step.failed else ""
        self.screen.say(f"  {step.stage}: {step.done:,} of {step.total:,}, {rate:.1f}/s{failed}{left}")


def _show(screen: Screen, found: Analysis, out: Path, *, as_json: bool) -> None:
    """Print the front and where everything is; exit code 1 if no design is feasible or some were lost."""
    if as_json:
        show_json(stage.summary(found))
    _show_front(screen, found)
    for reason, count in found.refused.items():
        screen.say(f"  {count:,} designs are out: {reason}")
    screen.say(f"Open {StudyFolder(out).page}; every design: {StudyFolder(out).store}, results.csv")
    lost = found.refused.get("lost", 0)
    if lost:
        raise CheckFailedError(
            f"{out}: the workers of {lost} designs died each time; --resume tries them again"
        )
    if not found.ranked:
        raise CheckFailedError(f"{out}: no design is feasible; see {StudyFolder(out).page}")


def _show_front(screen: Screen, found: Analysis) -> None:
    objectives = [objective.described for objective in found.space.objectives]
    rows = [
        [
            str(result.design),
            *(for_people(result.metrics[m.name], m.unit) for m in objectives),
            *(value_text(value) for value in result.values),
        ]
        for result in found.front[:SHOWN]
    ]
    title = f"{len(found.front)} of {len(found.analytic):,} designs are on the front"
    more = f", the first {SHOWN}" if len(found.front) > SHOWN else ""
    if found.chosen is None:
        return
    columns = ["design", *(metric.text for metric in objectives), *found.space.labels]
    screen.show(table(title + more, columns, rows, numeric_from=0))
    values = zip(found.space.labels, found.chosen.values, strict=True)
    screen.say(f"Nearest to the ideal is design {found.chosen.design}:")
    screen.say("  " + ", ".join(f"{label}={value_text(value)}" for label, value in values))
