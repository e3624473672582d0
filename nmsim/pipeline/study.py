"""A study: a design space, its folder, its store and a back end; evaluates what has no result yet."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Self

from nmsim import config
from nmsim.config import Document, to_yaml
from nmsim.cost.chip_file import TABLE_KEY
from nmsim.errors import ConfigError, RunError
from nmsim.explore.backends import Backend, Lost
from nmsim.explore.backends.serial import Serial
from nmsim.explore.configure import Configurator
from nmsim.explore.result import Result, Status
from nmsim.explore.space import DesignSpace, Values, design_key
from nmsim.explore.store import Store
from nmsim.pipeline.evaluate_design import EvaluateDesign, Job, Numerics, TrainVariant, training_key
from nmsim.pipeline.folder import RunFolder, package_versions
from nmsim.pipeline.neighbours import in_order
from nmsim.storage import sweep, write_text

REPORTS = 10
"""Designs of the front that get a full report, nearest to the ideal first."""
HOW = ("verb", "method", "designs", "seed", "sampler", "batch", "warm_start")
"""Parts of a study's identity that say which designs are looked at; the rest are hashes of files."""


@dataclass(frozen=True)
class StudyFolder:
    """Paths of one study."""

    path: Path

    @property
    def store(self) -> Path:
        """Every result."""
        return self.path / "results.sqlite"

    @property
    def space(self) -> Path:
        """The design space as it was given, base files in it by name."""
        return self.path / "space.yaml"

    @property
    def numerics(self) -> Path:
        """Training runs, each in a folder named by its hash."""
        return self.path / "numerics"

    @property
    def designs(self) -> Path:
        """Full reports of single designs."""
        return self.path / "designs"

    @property
    def page(self) -> Path:
        """The page of the study."""
        return self.path / "study.html"

    def clear(self) -> None:
        """Remove the results; training runs are kept, being named by what they are."""
        for file in self.path.glob(f"{self.store.name}*"):
            file.unlink()
        shutil.rmtree(self.designs, ignore_errors=True)


@dataclass(frozen=True)
class StudyProgress:
    """Reported to a listener after every finished task: `stage` is `train`, `analytic`, `event` or `report`."""

    stage: str
    done: int
    total: int
    failed: int


Listener = Callable[[StudyProgress], None]


@dataclass(frozen=True)
class StudyOptions:
    """How a study is run; none of this changes a result. Give it to `nmsim.sweep` or `nmsim.search`.

    `out` is the study's folder, `resume` goes on with what is there, `overwrite` replaces another study, `listen` is called
    with every result. `run` is a finished run whose training is taken over where it is what a design needs. `event` is
    the most designs that the event-driven model simulates, `reports` the most designs of the front that get a full
    report.
    """

    out: Path
    run: Path | None = None
    event: int = 0
    reports: int = REPORTS
    resume: bool = False
    overwrite: bool = False
    listen: Listener = lambda _: None


class StudyRunner:
    """An open study, used in a `with` block.

    Raises:
        ConfigError: the space, its base files or its key paths are wrong.
        RunError: the folder holds another study, or one that was not asked to go on, or is in use.
    """

    def __init__(self, space: Document, how: dict[str, Any], backend: Backend, options: StudyOptions) -> None:
        """`how` is what decides which designs are looked at; with the space it is the study's identity."""
        self.folder, self.backend, self.options = StudyFolder(options.out), backend, options
        self.space = config.build(DesignSpace, space)
        given = RunFolder(options.run) if options.run is not None else None
        workload = config.load(given.workload_file) if given is not None else None
        self.configurator = Configurator.of(self.space, space, workload)
        self.numerics = Numerics(
            str(self.folder.numerics.resolve()),
            str(given.path.resolve()) if given is not None else None,
            given.provenance()["run_hash"] if given is not None else None,
        )
        if options.overwrite:
            self.folder.clear()
        elif self.folder.store.exists() and not options.resume:
            raise RunError(
                f"{options.out}: holds a study already; go on with it by --resume, or replace it by --overwrite"
            )
        self.store = Store(self.folder.store, self.space.axes, {**how, **_identity(self.configurator)})
        sweep(self.folder.path)
        self.store.note("versions", package_versions())
        self.store.note("run", self.numerics.given)
        write_text(self.folder.space, _text(self.space))

    @classmethod
    def reopen(cls, out: Path) -> Self:
        """A study that was written before, to look at it again or to report on more of its designs."""
        folder = StudyFolder(out)
        space = config.load(folder.space) if folder.store.exists() else None
        if space is None:
            raise RunError(f"{out}: no study here; make one with `nmsim sweep` or `nmsim search`")
        with Store(folder.store, config.build(DesignSpace, space).axes) as store:
            how = {key: value for key, value in store.identity.items() if key in HOW}
            run = store.noted("run")
        return cls(space, how, Serial(), StudyOptions(out, Path(run) if run else None, resume=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def evaluate(self, jobs: Sequence[Job], total: int | None = None) -> list[Result]:
        """The results of jobs of one model, in their order; nothing is done for those that are stored already.

        `total` is the number of jobs that progress is measured against, where more will follow.

        Raises:
            RunError: a stored design is another one than the job's; the disk is full.
        """
        wanted = {(job.design, job.model) for job in jobs}
        done = self.store.done(jobs[0].model) if jobs else set()
        missing = [job for job in jobs if job.design not in done]
        if missing:
            self._evaluate(missing, total or len(jobs), len(done))
        stored = {(r.design, r.model): r for r in self.store.results() if (r.design, r.model) in wanted}
        other = next((job for job in jobs if stored[job.design, job.model].values != job.values), None)
        if other is not None:
            raise RunError(
                f"{self.folder.store}: design {other.design} is another one than is proposed now, so another version of a"
                " sampling library made it; start a new study, with this one as --warm-start"
            )
        return [stored[job.design, job.model] for job in jobs]

    def _evaluate(self, jobs: Sequence[Job], total: int, done: int) -> None:
        failures = self._train([job.values for job in jobs])
        ready: list[Job] = []
        count = _Count(self.options.listen, jobs[0].model, total, done)
        for job in jobs:
            failure = failures.get(_run_hash(self.configurator, job.values) or "")
            if failure is None:
                ready.append(job)
            else:
                self._keep(count, Result(job.design, job.model, job.values, *failure))

        def on_result(job: Job, result: Result | Lost) -> None:
            if isinstance(result, Lost):
                result = Result(job.design, job.model, job.values, Status.LOST, result.reason)
            self._keep(count, result)

        self.backend.run(
            EvaluateDesign(self.configurator, self.numerics), in_order(ready, self.configurator), on_result
        )

    def each(self, function: Callable[[Result], Any], results: Sequence[Result], stage: str) -> None:
        """Have a worker do something for each of some results; whatever goes wrong there is raised here."""
        count = _Count(self.options.listen, stage, len(results), 0)
        self.backend.run(function, results, lambda _, found: count.one(failed=isinstance(found, Lost)))

    def _keep(self, count: "_Count", result: Result) -> None:
        self.store.add(result)
        count.one(failed=result.status in {Status.ERROR, Status.LOST})

    def _train(self, designs: Sequence[Values]) -> dict[str, tuple[Status, str]]:
        """Train what the numerics of designs need and is not there; run hash to status and reason where it failed."""
        variants: dict[str, Values] = {}
        for values in designs:
            run_hash = _run_hash(self.configurator, values)
            if run_hash is not None and not self.numerics.finished(run_hash):
                variants.setdefault(run_hash, values)
        failures: dict[str, tuple[Status, str]] = {}
        hashes = {design_key(values): run_hash for run_hash, values in variants.items()}
        count = _Count(self.options.listen, "train", len(variants), 0)

        def on_result(values: Values, reason: str | Lost) -> None:
            if isinstance(reason, Lost):
                failures[hashes[design_key(values)]] = (Status.LOST, f"training: {reason.reason}")
            elif reason:
                failures[hashes[design_key(values)]] = (Status.ERROR, f"training: {reason}")
            count.one(failed=bool(reason))

        if variants:
            self.backend.run(
                TrainVariant(self.configurator, self.numerics), list(variants.values()), on_result
            )
        return failures

    def results(self) -> list[Result]:
        """Every stored result."""
        return self.store.results()


class _Count:
    """Counts finished tasks for a listener."""

    def __init__(self, listen: Listener, stage: str, total: int, done: int) -> None:
        self._listen, self._stage, self._total = listen, stage, total
        self._done, self._failed = done, 0
        if total:
            self._tell()

    def one(self, *, failed: bool) -> None:
        self._done += 1
        self._failed += failed
        self._tell()

    def _tell(self) -> None:
        self._listen(StudyProgress(self._stage, self._done, self._total, self._failed))


def _run_hash(configurator: Configurator, values: Values) -> str | None:
    """Identity of the training run of a design; None if its workload is not valid."""
    try:
        return training_key(configurator, configurator.workload_of(values))
    except ConfigError:
        return None


def _identity(configurator: Configurator) -> dict[str, Any]:
    """Hashes of everything that decides what a design is."""
    documents = {"chip": configurator.chip, "workload": configurator.workload}
    documents |= {
        f"technology {PurePath(name).name}": table for name, table in configurator.technologies.items()
    }
    return {
        "nmsim": package_versions()["nmsim"],
        "space": configurator.space.content_hash(),
        **{name: _hash(document) for name, document in sorted(documents.items())},
    }


def _hash(document: Document) -> str:
    """Of a base file as it was written, but for the folders of the files that it names."""
    data = {**document.data}
    if isinstance(data.get(TABLE_KEY), str):
        data[TABLE_KEY] = PurePath(data[TABLE_KEY]).name
    if isinstance(data.get("dataset"), dict) and data["dataset"].get("path"):
        data["dataset"] = {**data["dataset"], "path": PurePath(str(data["dataset"]["path"])).name}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def _text(space: DesignSpace) -> str:
    return to_yaml(space.model_dump(mode="json", exclude_defaults=True))
