"""Verbs that work: run, train, simulate, report, compare."""

import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from nmsim.cli.console import Screen, table
from nmsim.cli.fitted import FittedTable
from nmsim.cli.options import (
    ChipOption,
    DataOption,
    DeviceOption,
    JobsOption,
    JsonOption,
    ModelOption,
    OutOption,
    OverwriteOption,
    PrecisionOption,
    QuietOption,
    ResumeOption,
    RuleOption,
    RunArgument,
    SeedOption,
    SetOption,
    StrictOption,
    WorkloadArgument,
    limit_threads,
)
from nmsim.cli.output import show_json
from nmsim.diagnosis import Diagnosis
from nmsim.errors import CheckFailedError, ConfigError, DoesNotFitError
from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.misfit import Misfit
from nmsim.pipeline import report as report_stage
from nmsim.pipeline import simulate as simulate_stage
from nmsim.pipeline import train as train_stage
from nmsim.pipeline.along import can_be_followed, simulate_along
from nmsim.pipeline.compile_ahead import event_model_compiled
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.start import same_shapes, started_from, trained_parameters
from nmsim.pipeline.study import StudyFolder
from nmsim.pipeline.subject import is_run
from nmsim.report.compare import OTHER_MACHINE_NOTE, RATIO_NOTE, comparison, mixes_machines, side_by_side
from nmsim.report.learning_tables import sums_for_people, training_energy_table
from nmsim.report.levels import level_lines, words_filled
from nmsim.report.text import summary_lines
from nmsim.stop.history import EpochRow
from nmsim.stop.protocol import Parameters
from nmsim.storage import file_name
from nmsim.workload import WorkloadSpec

DEFAULT_WORKLOAD = "mnist-dense"
LARGER_CHIP = "mesh-16nm"
MODELS = ("analytic", "event")


def register(app: typer.Typer) -> None:
    """Add the verbs of this file."""
    for verb in (run, train, simulate, report, compare):
        app.command()(verb)


def run(
    workload: WorkloadArgument = DEFAULT_WORKLOAD,
    chip: ChipOption = None,
    out: OutOption = None,
    seed: SeedOption = 1,
    assignments: SetOption = None,
    data: DataOption = None,
    precision: PrecisionOption = None,
    rule: RuleOption = None,
    model: ModelOption = "both",
    jobs: JobsOption = None,
    device: DeviceOption = None,
    resume: ResumeOption = False,
    overwrite: OverwriteOption = False,
    strict: StrictOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train, simulate and report: the whole way from a workload to report.html."""
    screen = Screen(quiet=quiet or as_json)
    spec, for_chips = _workload(workload, assignments, data, precision)
    chips = [
        simulate_stage.read_chip(name, for_chips) for name in _names(chip) or [simulate_stage.DEFAULT_CHIP]
    ]
    folder, rules = _out(out, spec), _names([rule] if rule else None)
    _fit_first(screen, spec, chips, rules, chosen=bool(chip))
    models = _models(model)
    report_stage.load_ahead()
    with event_model_compiled() if "event" in models else nullcontext():
        _train(screen, spec, folder, seed, jobs, device=device, resume=resume, overwrite=overwrite)
    screen.say("Simulate")
    simulate_stage.simulate(
        folder, chips, rules=rules, models=models, say=lambda text: screen.say(f"  {text}")
    )
    if can_be_followed(folder, rules):
        simulate_along(folder, chips, rules=rules, say=lambda text: screen.say(f"  {text}"))
    _report(screen, folder, as_json=as_json, strict=strict)


def train(
    workload: WorkloadArgument = DEFAULT_WORKLOAD,
    out: OutOption = None,
    seed: SeedOption = 1,
    assignments: SetOption = None,
    data: DataOption = None,
    precision: PrecisionOption = None,
    start_from: Annotated[
        Path | None, typer.Option("--from", metavar="RUN", help="Start from the parameters of this run.")
    ] = None,
    jobs: JobsOption = None,
    device: DeviceOption = None,
    resume: ResumeOption = False,
    overwrite: OverwriteOption = False,
    strict: StrictOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a workload, or a run's network further (RUN in place of WORKLOAD), and record the activity of its profile."""
    screen = Screen(quiet=quiet or as_json)
    if is_run(workload):
        start_from, workload = start_from or Path(workload), str(RunFolder(Path(workload)).workload_file)
    spec, for_chips = _workload(workload, assignments, data, precision)
    if for_chips:
        raise ConfigError(f"--set {for_chips[0]}: training knows no chip; give it to simulate or run")
    start = None
    if start_from is not None:
        start = trained_parameters(RunFolder(start_from))
        same_shapes(spec, start, str(start_from))
        spec = started_from(spec, start)
    folder = _out(out, spec)
    if start_from is not None and folder.resolve() == start_from.resolve():
        raise ConfigError(f"--out {folder}: is the run that training starts from; give another folder")
    last = _train(screen, spec, folder, seed, jobs, start, device=device, resume=resume, overwrite=overwrite)
    if as_json:
        from nmsim.cli.answers import TrainAnswer  # declarations that nothing else here needs

        found = report_stage.diagnose_run(folder)
        TrainAnswer(
            folder=str(folder), workload=spec.name, seed=seed, epochs=last.epoch + 1, train_loss=last.train_loss,
            train_accuracy=last.train_accuracy, test_accuracy=last.test_accuracy, stamp=found.stamp,
            warnings=list(found.warnings),
        ).show()  # fmt: skip
    _examine(screen, folder, strict=strict)
    screen.say(f"Next: nmsim simulate {folder} --chip edge-28nm")


def simulate(
    run_folder: RunArgument,
    chip: ChipOption = None,
    rule: RuleOption = None,
    model: ModelOption = "analytic",
    assignments: SetOption = None,
    along: Annotated[
        bool,
        typer.Option(
            "--along", help="Replay the milestones of the training: energy of epochs and of all of it."
        ),
    ] = False,
    strict: StrictOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Replay the recorded activity of a run on chips."""
    screen = Screen(quiet=quiet or as_json)
    chips = [
        simulate_stage.read_chip(name, assignments or ())
        for name in _names(chip) or [simulate_stage.DEFAULT_CHIP]
    ]
    if along:
        _along(screen, run_folder, chips, _names([rule] if rule else None), model, as_json=as_json)
        return
    found = simulate_stage.simulate(
        run_folder, chips, rules=_names([rule] if rule else None), models=_models(model), say=screen.say
    )
    network = report_stage.diagnose_run(run_folder)
    if as_json:
        show_json(comparison(found.evaluations, found.misfits, network).records())
    _show(screen, found, network, chosen=bool(chip))
    _say_levels(screen, found.evaluations)
    _examine(screen, run_folder, strict=strict, misfits=found.misfits)
    _check_audits(found.evaluations)
    screen.say(f"Next: nmsim report {run_folder}")


def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or of a study.")],
    designs: Annotated[
        list[int] | None,
        typer.Option("--design", help="Of a study: also write the full report of this design."),
    ] = None,
    strict: StrictOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write report.html, summaries and tables of a run from what was trained and simulated, or the page of a study."""
    screen = Screen(quiet=quiet or as_json)
    if StudyFolder(run_folder).store.exists():
        from nmsim.cli.explore import report_study  # takes a quarter of a second, which only a study pays

        report_study(screen, run_folder, designs or (), as_json=as_json)
        return
    if designs:
        raise ConfigError(
            f"--design {designs[0]}: {run_folder} is no study; leave it out, or give a study's folder"
        )
    _report(screen, run_folder, as_json=as_json, strict=strict)


def compare(
    run_folder: RunArgument,
    chip: ChipOption = None,
    rule: RuleOption = None,
    model: ModelOption = "analytic",
    strict: StrictOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put learning rules and chips side by side on the recorded activity of one run."""
    screen = Screen(quiet=quiet or as_json)
    chips = [simulate_stage.read_chip(name) for name in _names(chip) or [simulate_stage.DEFAULT_CHIP]]
    rules = _names([rule] if rule else None) or simulate_stage.rules_of(run_folder)
    found = simulate_stage.simulate(run_folder, chips, rules=rules, models=_models(model))
    network = report_stage.diagnose_run(run_folder)
    if as_json:
        show_json(comparison(found.evaluations, found.misfits, network).records())
    _show(screen, found, network, chosen=bool(chip))
    _examine(screen, run_folder, strict=strict, misfits=found.misfits)
    _check_audits(found.evaluations)


def _along(
    screen: Screen,
    folder: Path,
    chips: Sequence[ChipConfig],
    rules: Sequence[str],
    model: str,
    *,
    as_json: bool,
) -> None:
    """Simulate a run along its training and show what an epoch and the whole training cost."""
    if model != "analytic":
        raise ConfigError(f"--model {model}: --along uses the analytic model; leave --model out")
    done = simulate_along(folder, chips, rules=rules, say=screen.say)
    trained = RunFolder(folder).workload().training.rule.name
    found = sums_for_people(done.found, trained)
    if as_json:
        network = report_stage.diagnose_run(folder)
        show_json(training_energy_table(done.found, trained, network).records())
    screen.show(table("Energy along learning", [c.heading for c in found.columns], found.texts(), 3, 3))
    _say_misfits(screen, done.misfits, anything=bool(done.found), chosen=True)
    screen.say(f"Next: nmsim report {folder}")


def _show(screen: Screen, found: simulate_stage.Simulated, network: Diagnosis, *, chosen: bool) -> None:
    """The table, then what does not fit and why; an error only if nothing fits."""
    if found.evaluations:
        screen.show(results_table(found.evaluations, found.misfits, network))
        if len(found.evaluations) > 1:
            screen.say(RATIO_NOTE.capitalize())
        if mixes_machines(found.evaluations):
            screen.say(OTHER_MACHINE_NOTE)
    _say_misfits(screen, found.misfits, anything=bool(found.evaluations), chosen=chosen)


def _say_levels(screen: Screen, evaluations: Sequence[Evaluation]) -> None:
    """How well the memories of one evaluation are used: of a training rule if there is one."""
    shown = next((item for item in evaluations if item.training), next(iter(evaluations), None))
    if shown is None or not (lines := level_lines(shown)):
        return
    screen.say(f"Operations per word of every memory, {shown.rule} on {shown.chip_name}:")
    for line in lines:
        screen.say(f"  {line}")
    filled = words_filled(shown).items()
    screen.say("Words filled: " + ", ".join(f"{memory} {share:.0%}" for memory, share in filled))


def _say_misfits(screen: Screen, misfits: Sequence[Misfit], *, anything: bool, chosen: bool) -> None:
    """What does not fit, with its remedies; whoever chose no chip learns that there are larger ones.

    Raises:
        DoesNotFitError: nothing that was asked for fits.
    """
    lines = [line for misfit in misfits for line in misfit.lines()]
    if misfits and not chosen:
        lines.append(
            f"    a larger chip than {simulate_stage.DEFAULT_CHIP}, which nobody chose: --chip {LARGER_CHIP}"
        )
    if misfits and not anything:
        raise DoesNotFitError("\n".join(lines), misfits)
    for line in lines:
        screen.say(line)


def _fit_first(
    screen: Screen, spec: WorkloadSpec, chips: Sequence[ChipConfig], rules: Sequence[str], *, chosen: bool
) -> None:
    """Say what does not fit before hours of training, and end where nothing does."""
    misfits = simulate_stage.misfits_of(spec, chips, rules)
    asked = len(chips) * len(simulate_stage.chosen_rules(spec, rules))
    _say_misfits(screen, misfits, anything=len(misfits) < asked, chosen=chosen)


def results_table(
    evaluations: Sequence[Evaluation], misfits: Sequence[Misfit] = (), network: Diagnosis | None = None
) -> FittedTable:
    """Energy, latency, power and ratios of several evaluations."""
    shown = side_by_side(evaluations, misfits, network)
    headings = [column.heading for column in shown.columns]
    return table("Side by side", headings, shown.texts(), numeric_from=3, keys=3)


def _workload(
    name: str, assignments: list[str] | None, data: Path | None, precision: Path | None
) -> tuple[WorkloadSpec, list[str]]:
    """The workload with its overrides, and the overrides that are for chips."""
    given = assignments or []
    for_chips = [text for text in given if text.startswith("chip.")]
    own = [text for text in given if not text.startswith("chip.")]
    spec = train_stage.read_workload(name, *own, precision=precision)
    return (spec.with_data(str(data)) if data is not None else spec), for_chips


def _names(values: Iterable[str] | None) -> list[str]:
    return [name.strip() for value in values or () for name in value.split(",") if name.strip()]


def _models(text: str) -> tuple[Any, ...]:
    if text == "both":
        return MODELS
    if text not in MODELS:
        raise ConfigError(f"--model {text}: no such model; use analytic, event or both")
    return (text,)


def _out(out: Path | None, spec: WorkloadSpec) -> Path:
    return out if out is not None else Path("runs") / file_name(spec.name)


def _train(
    screen: Screen,
    spec: WorkloadSpec,
    folder: Path,
    seed: int,
    jobs: int | None,
    start: Parameters | None = None,
    *,
    device: str | None,
    resume: bool,
    overwrite: bool,
) -> EpochRow:
    """Train; the last epoch."""
    limit_threads(jobs)
    screen.say(
        f"Train {spec.name}: {spec.training.rule}, {spec.training.arithmetic}, seed {seed}, into {folder}"
    )
    with screen.training(spec.name) as listen:
        history = train_stage.train(
            spec,
            folder,
            seed=seed,
            resume=resume,
            overwrite=overwrite,
            start=start,
            device=device,
            listen=listen,
            say=screen.say,
        )
    screen.say(f"  accuracy: {history.rows[-1].accuracy_text}")
    return history.rows[-1]


def _report(screen: Screen, folder: Path, *, as_json: bool, strict: bool) -> None:
    screen.say("Report")
    result, written = report_stage.reported(folder)
    if as_json:
        show_json(json.loads((folder / "summary.json").read_text(encoding="utf-8")))
    for line in summary_lines(result):
        screen.say(f"  {line}")
    screen.say(f"{len(written)} files in {folder}; open {folder / 'report.html'}")
    _be_strict(result.diagnosis.warnings, result.misfits, strict=strict)
    _check_audits(result.evaluations)


def _check_audits(evaluations: Iterable[Evaluation]) -> None:
    """Raise `CheckFailedError` if a check of an audit fails, after everything was written and shown."""
    texts = [
        f"{item.rule} on {item.chip_name}, {item.model} model: the audit fails, do not use its figures: {check.text}"
        for item in evaluations
        for check in item.failed_checks
    ]
    if texts:
        raise CheckFailedError("\n".join(texts))


def _examine(screen: Screen, folder: Path, *, strict: bool, misfits: Sequence[Misfit] = ()) -> None:
    """Say what the run finds about itself."""
    found = report_stage.diagnose_run(folder)
    for text in found.warnings:
        screen.say(f"WARNING: {text}")
    _be_strict(found.warnings, misfits, strict=strict)


def _be_strict(warnings: Sequence[str], misfits: Sequence[Misfit], *, strict: bool) -> None:
    """Raise `CheckFailedError` if warnings count and there are any."""
    texts = [*warnings, *(f"{misfit.rule} on {misfit.chip_name}: {misfit.kind}" for misfit in misfits)]
    if strict and texts:
        raise CheckFailedError("\n".join(f"--strict: {text}" for text in texts))
