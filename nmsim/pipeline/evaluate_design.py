"""One design of a study: train what its numerics need, replay the activity on its chip, and keep the figures."""

import errno
import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from nmsim.activity import Activity
from nmsim.cost.clocking import ClockReport
from nmsim.errors import DoesNotFitError, NmsimError, RunError, TooFastError
from nmsim.evaluate import Evaluation, Model, evaluate
from nmsim.explore.configure import Configurator, Configured
from nmsim.explore.result import Result, Status
from nmsim.explore.space import Values
from nmsim.figures import measured
from nmsim.mapper.mapping_search import search_mapping
from nmsim.mapping.fit import FitReport
from nmsim.mapping.mapping import Mapping
from nmsim.network.spec import NetworkSpec
from nmsim.perf.census import ActivityCensus
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulate import needs_of
from nmsim.pipeline.train import train
from nmsim.rules import rule_named
from nmsim.workload import WorkloadSpec

DATA_PATH = "dataset.path"
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Job:
    """A design to evaluate with a model."""

    design: int
    values: Values
    model: Model = "analytic"


@dataclass(frozen=True)
class Numerics:
    """Where the training runs of a study are: `folder/HASH`, or a finished run that was given."""

    folder: str
    given: str | None = None
    given_hash: str | None = None

    def run(self, run_hash: str) -> RunFolder:
        """The folder of a training run."""
        return RunFolder(
            Path(self.given if run_hash == self.given_hash and self.given else f"{self.folder}/{run_hash}")
        )

    def finished(self, run_hash: str) -> bool:
        """Whether the run has its activity."""
        return self.run(run_hash).training_file.exists()


def training_key(configurator: Configurator, workload: WorkloadSpec) -> str:
    """Name of a design's training run: its hash, and which data, where those are an axis."""
    run_hash = workload.run_hash(configurator.space.base.seed)
    if not any(DATA_PATH in axis.paths for axis in configurator.space.axes):
        return run_hash
    return f"{run_hash}-{hashlib.sha256(str(workload.dataset.path).encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class TrainVariant:
    """Train the workload of one design (runs in a worker). Returns an empty string, or the reason it failed."""

    configurator: Configurator
    numerics: Numerics

    def __call__(self, values: Values) -> str:
        """Train, or go on training; empty if it succeeded."""
        seed = self.configurator.space.base.seed
        try:
            workload = self.configurator.workload_of(values)
            folder = self.numerics.run(training_key(self.configurator, workload))
            train(workload, folder.path, seed=seed, resume=True)
            folder.checkpoint.unlink(missing_ok=True)  # as large as the parameters, and of no use any more
        except Exception as error:  # noqa: BLE001 - a failing point never kills the batch
            return _reason(error)
        return ""


@dataclass(frozen=True)
class EvaluateDesign:
    """Worker's function: the result of one design."""

    configurator: Configurator
    numerics: Numerics

    def __call__(self, job: Job) -> Result:
        """Map, replay, price; whatever goes wrong with this design is its result."""
        run_hash = ""
        try:
            made = self.configurator.configure(job.values)
            run_hash = training_key(self.configurator, made.workload)
            folder = self.numerics.run(run_hash)
            evaluation, _ = evaluate_configured(made, folder, self.rule(made), job.model)
            figures = measured(evaluation, _accuracy(folder.path))
            status = Status.OK if evaluation.audit_passed else Status.IMPLAUSIBLE
            reason = "; ".join(check.text for check in evaluation.failed_checks)
        except DoesNotFitError as error:
            return Result(job.design, job.model, job.values, Status.DOES_NOT_FIT, _reason(error), run_hash)
        except TooFastError as error:
            return Result(job.design, job.model, job.values, Status.TOO_FAST, _reason(error), run_hash)
        except Exception as error:  # noqa: BLE001 - a failing point never kills the batch
            return Result(job.design, job.model, job.values, Status.ERROR, _reason(error), run_hash)
        return Result(job.design, job.model, job.values, status, reason, run_hash, figures)

    def rule(self, made: Configured) -> str:
        """What is evaluated: the space's rule, or the one that was trained."""
        return self.configurator.space.base.rule or str(made.workload.training.rule)


def evaluate_configured(
    made: Configured, folder: RunFolder, rule: str, model: Model
) -> tuple[Evaluation, Mapping]:
    """One evaluation on the activity of a run, and the mapping it rests on; under the hash of the design's own chip."""
    workload = made.workload
    profile = rule_named(rule).profile
    record = folder.activity_file(profile)
    activity, census = _replayed(
        folder, profile, workload.network, record.stat().st_mtime_ns if record.exists() else 0
    )
    needs = needs_of(workload, rule, activity)
    job = search_mapping(
        workload.network,
        workload.precision,
        needs,
        activity,
        made.chip,
        made.costs,
        effort="quick",
        census=census,
    ).job
    found = evaluate(job, activity, made.costs, model=model, census=census)
    return replace(found, chip_hash=made.chip.content_hash()), job.mapping


@lru_cache(maxsize=8)
def _replayed(
    folder: RunFolder,
    profile: str,
    network: NetworkSpec,
    written: int,  # noqa: ARG001 - a file that was written again is another key
) -> tuple[Activity, ActivityCensus]:
    """An activity with its census, kept from design to design; read again once its file has changed."""
    activity = folder.activity(profile)
    return activity, ActivityCensus(network, activity)


@lru_cache(maxsize=1024)
def _accuracy(run: Path) -> float | None:
    return RunFolder(run).history().test_accuracy


def _reason(error: Exception) -> str:
    """Why a design has no figures, in one line; a full disk is not the design's fault and ends the study."""
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        raise RunError(
            f"{error.filename or 'the study'}: the disk is full; every result so far is kept, free space and go on with"
            " --resume"
        ) from error
    if isinstance(error, DoesNotFitError) and isinstance(error.report, FitReport):
        return "; ".join(item.text() for item in error.report.shortfalls)
    if isinstance(error, TooFastError) and isinstance(error.report, ClockReport):
        return "; ".join(error.report.reasons())
    if isinstance(error, NmsimError):
        return " | ".join(str(error).splitlines())
    return f"internal error: {type(error).__name__}: {error}"
