"""The verbs: train, deploy, evaluate, compare, sweep, search, validate, report, load, save."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from numpy.typing import ArrayLike

from nmsim import config, records
from nmsim.activity import Activity
from nmsim.api.comparison import Comparison
from nmsim.api.run import Run
from nmsim.api.study import Study
from nmsim.config import Document
from nmsim.cost.table import CostTable, load_table
from nmsim.datasets.arrays import from_arrays
from nmsim.datasets.dataset import Dataset
from nmsim.errors import ConfigError, DoesNotFitError, RunError
from nmsim.evaluate import Evaluation, Model
from nmsim.evaluate import evaluate as evaluate_job
from nmsim.explore.backends import create_backend
from nmsim.explore.sample import Method
from nmsim.explore.search import Sampler
from nmsim.explore.space import SPACES
from nmsim.hardware.chip import ChipConfig
from nmsim.mapper.mapping_search import search_mapping
from nmsim.mapping.automatic import deploy_network
from nmsim.mapping.deployment import Deployment, needs_on
from nmsim.mapping.fit import FitReport
from nmsim.mapping.manual import ManualMapping, map_manually
from nmsim.pipeline import explore
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.numerics import NumericsListener, NumericsPlan, measure_numerics
from nmsim.pipeline.report import report_run
from nmsim.pipeline.simulate import needs_of, read_chip
from nmsim.pipeline.simulations import EVALUATION_SCHEMA
from nmsim.pipeline.study import StudyFolder, StudyOptions
from nmsim.pipeline.subject import read_subject
from nmsim.pipeline.train import read_workload
from nmsim.pipeline.train import train as train_into
from nmsim.report.result import RunResult
from nmsim.report.write import write_report
from nmsim.stop.train import Progress
from nmsim.validate.numerics.measured import NumericsResult
from nmsim.workload import WorkloadSpec

PathLike = str | Path
SAMPLE_BITS = 8
"""Width of a sample's values where no activity says so."""


def train(
    workload: WorkloadSpec | str,
    folder: PathLike | None = None,
    *,
    seed: int = 1,
    data: Dataset | tuple[ArrayLike, ...] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    device: str | None = None,
    progress: bool = True,
) -> Run:
    """Train a workload bit for bit, and record the activity that chips are evaluated with.

    Call it first. With a `folder` the run is kept there, checkpoints included, so that `resume` can go on after an
    interruption; without one it is only a value, and `run.save(folder)` keeps it later.

    Args:
        workload: a `WorkloadSpec`, or a shipped name or YAML path.
        folder: where to keep the run.
        seed: of initial weights, order of samples, and random draws: the same seed gives the same bits everywhere.
        data: own samples in the place of the workload's data set: `nmsim.from_arrays(...)`, or arrays `(x, y)` or
            `(x_train, y_train, x_test, y_test)`.
        resume: go on from the folder's checkpoint.
        overwrite: replace another run in the folder.
        device: device of PyTorch to train on, such as `cuda`; it changes no bit. The processor, with compiled kernels, if
            absent.
        progress: show a bar in a terminal or a notebook.

    Raises:
        ConfigError, DataError, FormatError: the workload or its data are wrong, or there is no such device.
        RunError: the folder belongs to another configuration.
    """
    spec = read_workload(workload) if isinstance(workload, str) else workload
    given = from_arrays(*data) if isinstance(data, tuple) else data  # type: ignore[arg-type]
    with TemporaryDirectory() as made:
        out = Path(folder) if folder is not None else Path(made) / "run"
        with _bar(f"train {spec.name}", shown=progress) as listen:
            train_into(
                spec,
                out,
                seed=seed,
                resume=resume,
                overwrite=overwrite,
                listen=listen,
                data=given,
                device=device,
            )
        run = Run.load(out)
    return run if folder is not None else replace(run, folder=None)


@contextmanager
def _bar(label: str, *, shown: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar in a terminal, or in a notebook that has ipywidgets, which rich draws it with."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    drawn = find_spec("ipywidgets") is not None if console.is_jupyter else console.is_terminal
    with Bar(console=console, transient=True, disable=not (shown and drawn)) as bar:
        task = bar.add_task(label, total=None)

        def listen(step: Progress) -> None:
            done, total = step.epoch * step.batches + step.batch, step.epochs * step.batches
            bar.update(task, completed=done, total=total)

        yield listen


def deploy(
    job: Run | WorkloadSpec | str,
    chip: ChipConfig | str,
    rule: str | None = None,
    *,
    mapping: ManualMapping | PathLike | None = None,
) -> Deployment | FitReport:
    """Map a network under a learning rule onto a chip, automatically or as a file says.

    Call it before `evaluate`. A network that does not fit is an answer, not an error: the report says what is short, by
    how much, and what would make it fit. With a run, mappings are compared on its activity and the best is taken.

    Args:
        job: a run, or a workload that was not trained yet.
        chip: a `ChipConfig`, or a shipped name or YAML path.
        rule: a learning rule or `inference`; the workload's own if absent.
        mapping: a mapping by hand, or its YAML path.

    Raises:
        ConfigError: an unknown rule or chip, or a chip whose options contradict the training.
    """
    workload = job.workload if isinstance(job, Run) else read_workload(job) if isinstance(job, str) else job
    machine = read_chip(chip) if isinstance(chip, str) else chip
    wanted = rule or workload.training.rule.name
    if isinstance(job, Run):
        needs = needs_of(workload, wanted, job.activity_for(wanted))
    else:
        static = workload.encoding.kind == "direct"
        needs = workload.needs(wanted, sample_bits=SAMPLE_BITS if static else 1, static_input=static)
    network, precision = workload.network, workload.precision
    try:
        if mapping is None and isinstance(job, Run):
            activity, costs = job.activity_for(wanted), load_table(machine.technology)
            return search_mapping(network, precision, needs, activity, machine, costs).job
        if mapping is None:
            return deploy_network(network, precision, needs, machine)
        lines = mapping if isinstance(mapping, ManualMapping) else config.read(ManualMapping, Path(mapping))
        found = map_manually(network, precision, needs, machine, lines)
        return Deployment(network, precision, needs_on(needs, machine)[0], machine, found)
    except DoesNotFitError as error:
        if isinstance(error.report, FitReport):
            return error.report
        raise


def evaluate(
    job: Deployment | FitReport,
    activity: Activity | Run,
    costs: CostTable | str | None = None,
    *,
    model: Model = "analytic",
    detail: bool = False,
) -> Evaluation:
    """Replay recorded activity on a mapped chip: what a sample costs in time and energy.

    Call it once per rule, chip and model to compare. `model`: `analytic` estimates in milliseconds, `event` simulates
    every stage, packet and stall. `costs` are the prices of the chip's technology if absent. `detail`: energy by time step
    as well, and the event-driven model keeps the timeline of its first sample.

    Raises:
        DoesNotFitError: `job` is the report of a network that does not fit.
        CostError: an action that happened has no usable price.
        TooFastError: the chip cannot run at its clock and supply.
        RunError: the activity belongs to another network, or is one of inference where the rule trains.
    """
    if isinstance(job, FitReport):
        raise DoesNotFitError(job.text(), job)
    record = activity.activity_for(job.rule) if isinstance(activity, Run) else activity
    prices = load_table(costs) if isinstance(costs, str) else costs
    return evaluate_job(job, record, prices, model=model, detail=detail)


def compare(*evaluations: Evaluation) -> Comparison:
    """Evaluations side by side, every figure with its ratio to the first one's.

    Raises:
        ConfigError: nothing was given.
    """
    if not evaluations:
        raise ConfigError("compare: nothing to compare; give one evaluation or more")
    return Comparison(evaluations)


def sweep(
    space: Document | PathLike,
    folder: PathLike,
    *,
    method: Method = "grid",
    designs: int | None = None,
    seed: int = 1,
    settings: Sequence[str] = (),
    options: StudyOptions | None = None,
    jobs: int | None = 1,
) -> Study:
    """Evaluate the designs of a grid or a sample of a design space, and find its front.

    Call it for spaces small enough to look at whole, or to see which axis matters; `search` is for the others. The folder
    holds every result, and a page.

    Args:
        space: a shipped name, a YAML path, or a document.
        folder: of the study.
        method: `grid`, `sobol`, `random`, ... (docs/exploration.md).
        designs: how many a sample takes.
        seed: of the sample.
        settings: single keys of the space set, such as `base.rule=inference`.
        options: how the study is run: a finished `run` to take over, `event` simulations, `resume`, `overwrite`.
        jobs: worker processes; None for one per processor.

    Raises:
        ConfigError, RunError: the space is wrong, or the folder holds another study.
    """
    document, options = _space(space, settings), _options(options, folder)
    backend = create_backend("serial" if jobs == 1 else "processes", jobs)
    return Study(
        options.out, explore.sweep(document, backend, options, method=method, designs=designs, seed=seed)
    )


def search(
    space: Document | PathLike,
    folder: PathLike,
    *,
    sampler: Sampler = "tpe",
    evaluations: int = 200,
    seed: int = 1,
    settings: Sequence[str] = (),
    options: StudyOptions | None = None,
    jobs: int | None = 1,
) -> Study:
    """Let a sampler propose designs of a space that is too large to sweep; arguments as for `sweep`.

    Raises:
        ConfigError, RunError: the space is wrong, the folder holds another study, or Optuna is not installed.
    """
    document, options = _space(space, settings), _options(options, folder)
    backend = create_backend("serial" if jobs == 1 else "processes", jobs)
    return Study(
        options.out,
        explore.search(document, backend, options, sampler=sampler, evaluations=evaluations, seed=seed),
    )


def _space(space: Document | PathLike, settings: Iterable[str]) -> Document:
    document = space if isinstance(space, Document) else config.load(config.find(SPACES, str(space)))
    for assignment in settings:
        document = document.with_value(assignment)
    return document


def _options(options: StudyOptions | None, folder: PathLike) -> StudyOptions:
    return StudyOptions(Path(folder)) if options is None else replace(options, out=Path(folder))


def validate(
    target: Run | PathLike,
    *,
    samples: int = 0,
    split: Literal["train", "test"] = "train",
    test_samples: int = 500,
) -> NumericsResult:
    """Compare the fixed-point arithmetic of a run or a workload with float64, tensor by tensor and step by step.

    Call it to see whether the number formats are wide enough; `result.findings` says what to change.

    Args:
        target: a run, a run folder, or a workload by shipped name or path.
        samples: how many to compare; 0 for a batch, 32 at most.
        split: of which part.
        test_samples: held-out samples for the accuracy of both.

    Raises:
        ConfigError, DataError, FormatError, RunError: the target cannot be read.
    """
    plan = NumericsPlan(samples, split, test_samples=test_samples)
    with TemporaryDirectory() as made:
        place = target.folder or target.save(Path(made) / "run") if isinstance(target, Run) else target
        return measure_numerics(read_subject(str(place)), plan, NumericsListener())


def report(
    run: Run | PathLike,
    evaluations: Sequence[Evaluation] = (),
    chips: Sequence[ChipConfig] = (),
    folder: PathLike | None = None,
) -> list[Path]:
    """Write the report: a page, CSV tables, a summary for machines; returns the files.

    Give a run folder that was simulated, or a run with its evaluations and the chips they are of.

    Raises:
        RunError: nothing was evaluated, or there is no folder to write into.
    """
    if not isinstance(run, Run):
        return report_run(Path(run))
    target = Path(folder) if folder is not None else run.folder
    if target is None:
        raise RunError("report: the run has no folder; give one, or save the run first")
    if not evaluations:
        return report_run(target)
    held = {chip.content_hash() for chip in chips}
    missing = [item.chip_name for item in evaluations if item.chip_hash not in held]
    if missing:
        raise RunError(f"report: chip '{missing[0]}' of an evaluation is not among `chips`; give it too")
    result = RunResult(
        run.workload, run.seed, run.provenance, run.history, run.activity, tuple(evaluations), tuple(chips)
    )
    return write_report(result, target)


def load(path: PathLike) -> Run | Study | Activity:
    """Read back what `save`, `train`, `sweep` or `search` kept: a run, a study, or an activity.

    Raises:
        RunError: there is nothing of the kind.
    """
    place = Path(path)
    if RunFolder(place).run_file.exists():
        return Run.load(place)
    if StudyFolder(place).store.exists():
        return Study(place, explore.reopened(place))
    if place.suffix == ".npz" and place.is_file():
        return Activity.load(place)
    raise RunError(
        f"{place}: neither a run nor a study nor an activity; give a folder that nmsim wrote, or an activity file"
    )


def save(value: Run | Activity | Evaluation, path: PathLike) -> Path:
    """Keep a value: a run as a folder, an activity or an evaluation as one `.npz` file; returns the path.

    Raises:
        RunError: the folder holds another run.
    """
    place = Path(path)
    if isinstance(value, Run):
        return value.save(place)
    if isinstance(value, Activity):
        value.save(place)
    elif isinstance(value, Evaluation):
        records.save(place, value, EVALUATION_SCHEMA)
    else:
        kind: Any = type(value)
        raise RunError(
            f"save: a {kind.__name__} is not kept by nmsim; give a run, an activity or an evaluation"
        )
    return place
