"""Verb `formats`: the narrowest formats that keep the accuracy."""

from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.console import Screen, table
from nmsim.cli.options import (
    DataOption,
    JobsOption,
    OverwriteOption,
    PrecisionOption,
    QuietOption,
    ResumeOption,
    SetOption,
    WorkloadArgument,
    limit_threads,
)
from nmsim.cli.output import show_json
from nmsim.cli.progress import counted
from nmsim.pipeline.folder import package_versions
from nmsim.pipeline.formats import FormatsListener, FormatsPlan, search_formats
from nmsim.pipeline.numerics import ShortTraining
from nmsim.pipeline.train import read_workload
from nmsim.report.formats import format_table, formats_data
from nmsim.stop.train import Progress
from nmsim.storage import file_name
from nmsim.units import BITS_PER_BYTE, scaled
from nmsim.validate.formats.format_search import Found
from nmsim.validate.formats.found import FormatSearchResult
from nmsim.validate.formats.widths import PRECISION_FILE


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command()(formats)


def formats(
    workload: WorkloadArgument,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Accuracy that may be lost against float64, as a fraction.")
    ] = FormatsPlan.tolerance,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs while searching; the workload's if absent.")
    ] = None,
    train_samples: Annotated[
        int | None, typer.Option(min=1, help="Training samples while searching; all if absent.")
    ] = None,
    test_samples: Annotated[
        int | None, typer.Option(min=1, help="Held-out samples while searching; all if absent.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Training runs per candidate, whose mean counts.")] = 2,
    confirm_seeds: Annotated[
        int, typer.Option(min=0, help="Other seeds, on which whole training runs confirm the result.")
    ] = FormatsPlan.confirm_seeds,
    budget: Annotated[int, typer.Option(min=1, help="Candidates at most.")] = FormatsPlan.budget,
    guard_bits: Annotated[
        int, typer.Option(min=0, help="Unused integer bits above the calibrated ranges.")
    ] = FormatsPlan.guard_bits,
    saturating: Annotated[
        bool, typer.Option("--saturating", help="Let formats become narrower than the ranges that were seen.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="First seed.")] = 1,
    assignments: SetOption = None,
    precision: PrecisionOption = None,
    data: DataOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the files; default runs/WORKLOAD-formats.")
    ] = None,
    jobs: JobsOption = None,
    resume: ResumeOption = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Find the narrowest formats that keep the accuracy, and write them as a precision file."""
    limit_threads(jobs)
    screen = Screen(quiet=quiet or as_json)
    spec = read_workload(workload, *(assignments or ()), precision=precision)
    spec = spec.with_data(str(data)) if data is not None else spec
    folder = out or Path("runs") / file_name(f"{spec.name}-formats")
    trainings = ShortTraining(seeds, epochs, train_samples, test_samples)
    plan = FormatsPlan(trainings, tolerance, budget, guard_bits, confirm_seeds, saturating, seed)
    screen.say(f"Formats of {spec.name}, within {tolerance:.2%} of float64, into {folder}")
    with counted(screen) as count:

        def searching(found: Found, limit: int) -> None:
            trial = found.trials[-1]
            verdict = (
                "cannot be trained"
                if trial.problem
                else f"{trial.accuracy:.2%}{'' if trial.passes else ', too low'}"
            )
            if not screen.is_terminal:
                screen.say(f"  {len(found.trials):>3} {trial.stage}: {trial.what}: {verdict}")
            count("candidates", len(found.trials), limit, f"{trial.what}: {verdict}")

        def training(name: str, step: Progress) -> None:
            done, total = step.epoch * step.batches + step.batch, step.epochs * step.batches
            if screen.is_terminal:
                count("training run", done, total, name)

        listener = FormatsListener(searching, training)
        result, files = search_formats(
            spec, folder, plan, resume=resume, overwrite=overwrite, listener=listener
        )
    if as_json:
        show_json(formats_data(result, package_versions()))
        return
    _show(screen, result)
    screen.say(
        f"{len(files)} files in {folder}; use: nmsim run {workload} --precision {folder / PRECISION_FILE}"
    )


def _show(screen: Screen, result: FormatSearchResult) -> None:
    found = format_table(result)
    screen.show(table("Formats", [column.heading for column in found.columns], found.texts(), numeric_from=2))
    before, after = (
        scaled(bits / BITS_PER_BYTE, "B") for bits in (result.given_memory_bits, result.memory_bits)
    )
    others = f"float64 {result.reference_accuracy:.2%}, formats given {result.given_accuracy:.2%}"
    screen.say(
        f"Accuracy {result.accuracy:.2%} on {result.samples:,} samples ({others}); memory {after} instead of {before}"
    )
    if result.confirmed_gap is not None:
        seeds = ", ".join(f"{s.seed}: {s.fixed:.2%} against {s.real:.2%}" for s in result.confirmed)
        screen.say(
            f"Confirmed by {result.confirmed_description} on other seeds: {result.confirmed_gap:+.2%} against float64"
            f" (seed {seeds})"
        )
    if result.exhausted:
        screen.say(
            "The budget was used up: narrower formats may exist; go on with --resume and a larger --budget"
        )
