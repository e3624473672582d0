"""The verbs of one job: train, deploy, evaluate, compare, validate, report."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from numpy.typing import ArrayLike

from nmsim import config
from nmsim.activity import Activity
from nmsim.api.comparison import Comparison
from nmsim.api.run import Run
from nmsim.cost.table import CostTable, load_table
from nmsim.datasets.arrays import from_arrays
from nmsim.datasets.dataset import Dataset
from nmsim.errors import ConfigError, DoesNotFitError, RunError
from nmsim.evaluate import Evaluation, Model
from nmsim.evaluate import evaluate as evaluate_job
from nmsim.hardware.chip import ChipConfig
from nmsim.mapper.mapping_search import search_mapping
from nmsim.mapping.automatic import deploy_network
from nmsim.mapping.deployment import Deployment, needs_on
from nmsim.mapping.fit import FitReport
from nmsim.mapping.manual import ManualMapping, map_manually
from nmsim.pipeline.numerics import NumericsListener, NumericsPlan, measure_numerics
from nmsim.pipeline.report import report_run
from nmsim.pipeline.simulate import needs_of, read_chip
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

    >>> job = deploy("mnist-dense", "edge-28nm", "inference")
    >>> job.rule, len(job.mapping.cores_used), job.mapping.off_chip_bits()
    ('inference', 16, 0)
    >>> print(deploy("mnist-dense", read_chip("edge-28nm", ["mesh.columns=1", "mesh.rows=1"])).text())  # doctest: +ELLIPSIS
    edge-28nm...: network '784-256-10' with stop-wtl does not fit its 1 core
    ...
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

    Activity comes from a training (`run.activity_for(job.rule)`), from another tool (`nmsim.import_activity`), or, to try
    a chip before anything was trained, from stated densities:

    >>> from nmsim.validate.synthetic import Densities, synthetic_activity
    >>> job = deploy("mnist-dense", "edge-28nm", "inference")
    >>> activity = synthetic_activity(job.network, 2, Densities(inputs=0.2, spikes=0.1), rule=job.rule)
    >>> found = evaluate(job, activity)
    >>> found.training, found.audit_passed, found.energy_j.band_low < found.energy_j.mean < found.energy_j.band_high
    (False, True, True)
    """
    if isinstance(job, FitReport):
        raise DoesNotFitError(job.text(), job)
    record = activity.activity_for(job.rule) if isinstance(activity, Run) else activity
    prices = load_table(costs) if isinstance(costs, str) else costs
    return evaluate_job(job, record, prices, model=model, detail=detail)


def compare(*evaluations: Evaluation) -> Comparison:
    """Evaluations side by side, every figure with its ratio to the first one's.

    Call it with evaluations of the same samples: then a ratio says what the chip, the rule or the model changes. In a
    notebook the result is a table; `to_frame()` gives it to pandas, `plot()` draws it.

    Args:
        evaluations: two or more as a rule; the first is what the others are compared with.

    Raises:
        ConfigError: nothing was given.

    >>> from nmsim.validate.synthetic import synthetic_activity
    >>> chips = read_chip("edge-28nm"), read_chip("edge-28nm", ["clock_hz=1e8"])
    >>> jobs = [deploy("mnist-dense", chip, "inference") for chip in chips]
    >>> activity = synthetic_activity(jobs[0].network, 2, rule="inference")
    >>> found = compare(*(evaluate(job, activity) for job in jobs))
    >>> found.ratio("latency_per_sample_s")
    2.0
    """
    if not evaluations:
        raise ConfigError("compare: nothing to compare; give one evaluation or more")
    return Comparison(evaluations)


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

    Give a run folder that was simulated, or a run with its evaluations and the chips they are of. Files that are there
    are replaced, each at once.

    Args:
        run: a run, or the folder of one.
        evaluations: what `nmsim.evaluate` gave for this run.
        chips: every chip that an evaluation is of.
        folder: where to write; the run's own folder if absent.

    Raises:
        RunError: nothing was evaluated, there is no folder to write into, or the chip of an evaluation is missing.
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
