"""Verbs that work: run, train, simulate, report, compare."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.console import Screen, table
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
    models_named,
    names,
)
from nmsim.cli.output import show_json
from nmsim.cli.results import be_strict, check_audits, examine, say_levels, say_misfits, show
from nmsim.errors import ConfigError
from nmsim.hardware.chip import ChipConfig
from nmsim.pipeline import report as report_stage
from nmsim.pipeline import simulate as simulate_stage
from nmsim.pipeline import train as train_stage
from nmsim.pipeline.along import can_be_followed, simulate_along
from nmsim.pipeline.beside import Beside
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.start import same_shapes, started_from, trained_parameters
from nmsim.pipeline.subject import is_run
from nmsim.report.compare import comparison
from nmsim.report.learning_tables import sums_for_people, training_energy_table
from nmsim.report.text import summary_lines
from nmsim.sharing import Share, in_turn
from nmsim.stop.history import EpochRow
from nmsim.stop.protocol import Parameters
from nmsim.storage import file_name
from nmsim.workload import WorkloadSpec

DEFAULT_WORKLOAD = "mnist-dense"


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
        simulate_stage.read_chip(name, for_chips) for name in names(chip) or [simulate_stage.DEFAULT_CHIP]
    ]
    folder, rules = _out(out, spec), names([rule] if rule else None)
    _fit_first(screen, spec, chips, rules, chosen=bool(chip))
    models = models_named(model)
    report_stage.load_ahead()
    with Beside(jobs) as beside:
        _train(screen, spec, folder, seed, jobs, device=device, resume=resume, overwrite=overwrite)
        if "event" in models:
            beside.compiled()
        screen.say("Simulate")
        simulate_stage.simulate(
            folder,
            chips,
            rules=rules,
            models=models,
            say=lambda text: screen.say(f"  {text}"),
            share=beside.shared,
        )
        if can_be_followed(folder, rules):
            simulate_along(folder, chips, rules=rules, say=lambda text: screen.say(f"  {text}"))
        _report(screen, folder, as_json=as_json, strict=strict, share=beside.shared)


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
    examine(screen, folder, strict=strict)
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
        for name in names(chip) or [simulate_stage.DEFAULT_CHIP]
    ]
    if along:
        _along(screen, run_folder, chips, names([rule] if rule else None), model, as_json=as_json)
        return
    found = simulate_stage.simulate(
        run_folder, chips, rules=names([rule] if rule else None), models=models_named(model), say=screen.say
    )
    network = report_stage.diagnose_run(run_folder)
    if as_json:
        show_json(comparison(found.evaluations, found.misfits, network).records())
    show(screen, found, network, chosen=bool(chip))
    say_levels(screen, found.evaluations)
    examine(screen, run_folder, strict=strict, misfits=found.misfits)
    check_audits(found.evaluations)
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
    from nmsim.pipeline.study import StudyFolder

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
    chips = [simulate_stage.read_chip(name) for name in names(chip) or [simulate_stage.DEFAULT_CHIP]]
    rules = names([rule] if rule else None) or simulate_stage.rules_of(run_folder)
    found = simulate_stage.simulate(run_folder, chips, rules=rules, models=models_named(model))
    network = report_stage.diagnose_run(run_folder)
    if as_json:
        show_json(comparison(found.evaluations, found.misfits, network).records())
    show(screen, found, network, chosen=bool(chip))
    examine(screen, run_folder, strict=strict, misfits=found.misfits)
    check_audits(found.evaluations)


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
    say_misfits(screen, done.misfits, anything=bool(done.found), chosen=True)
    screen.say(f"Next: nmsim report {folder}")


def _fit_first(
    screen: Screen, spec: WorkloadSpec, chips: Sequence[ChipConfig], rules: Sequence[str], *, chosen: bool
) -> None:
    """Say what does not fit before hours of training, and end where nothing does."""
    misfits = simulate_stage.misfits_of(spec, chips, rules)
    asked = len(chips) * len(simulate_stage.chosen_rules(spec, rules))
    say_misfits(screen, misfits, anything=len(misfits) < asked, chosen=chosen)


def _workload(
    name: str, assignments: list[str] | None, data: Path | None, precision: Path | None
) -> tuple[WorkloadSpec, list[str]]:
    """The workload with its overrides, and the overrides that are for chips."""
    given = assignments or []
    for_chips = [text for text in given if text.startswith("chip.")]
    own = [text for text in given if not text.startswith("chip.")]
    spec = train_stage.read_workload(name, *own, precision=precision)
    return (spec.with_data(str(data)) if data is not None else spec), for_chips


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


def _report(screen: Screen, folder: Path, *, as_json: bool, strict: bool, share: Share = in_turn) -> None:
    screen.say("Report")
    result, written = report_stage.reported(folder, share)
    if as_json:
        show_json(json.loads((folder / "summary.json").read_text(encoding="utf-8")))
    for line in summary_lines(result):
        screen.say(f"  {line}")
    screen.say(f"{len(written)} files in {folder}; open {folder / 'report.html'}")
    be_strict(result.diagnosis.warnings, result.misfits, strict=strict)
    check_audits(result.evaluations)
