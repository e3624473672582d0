"""Verb `validate`: fixed point against float64, models against what others measured."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.console import Screen
from nmsim.cli.numerics import validate_subject
from nmsim.cli.options import DataOption, JobsOption, PrecisionOption, QuietOption, SetOption, limit_threads
from nmsim.cli.output import show_json
from nmsim.cli.silicon import silicon_lines, sop_lines
from nmsim.cli.vectors import check_vectors
from nmsim.errors import ConfigError
from nmsim.pipeline.numerics import NumericsPlan, ShortTraining
from nmsim.pipeline.silicon import write_silicon
from nmsim.pipeline.subject import is_run, read_subject
from nmsim.storage import file_name
from nmsim.validate.point import overall
from nmsim.validate.shipped_sops import shipped_sops
from nmsim.validate.silicon import against_silicon
from nmsim.validate.trainers import trainers
from nmsim.validate.vectors.manifest import is_export

SILICON, FLOAT64, VECTORS = "silicon", "float64", "vectors"
REFERENCES = (FLOAT64, VECTORS, SILICON)


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command()(validate)


def validate(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[RUN | WORKLOAD]", help="Folder of a run, shipped name or YAML file."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="float64 for a run or a workload, vectors for exported ones, silicon without either."
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Samples that are compared; 0: a batch, at most 32.")
    ] = 0,
    split: Annotated[str, typer.Option(help="Their split: train or test.")] = "train",
    test_samples: Annotated[
        int, typer.Option(min=0, help="Held-out samples that both engines classify.")
    ] = NumericsPlan.test_samples,
    guard_bits: Annotated[
        int, typer.Option(min=0, help="Unused integer bits that proposed formats keep.")
    ] = 1,
    seeds: Annotated[int, typer.Option(min=0, help="Also train both engines, from so many seeds.")] = 0,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of these trainings; the workload's if absent.")
    ] = None,
    train_samples: Annotated[
        int | None, typer.Option(min=1, help="Their training samples; all if absent.")
    ] = None,
    convergence: Annotated[
        bool,
        typer.Option(
            "--convergence",
            help="Also show that errors halve with every fraction bit, up to 40; slow, one sample.",
        ),
    ] = False,
    assignments: SetOption = None,
    precision: PrecisionOption = None,
    data: DataOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of a workload's initial parameters.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the files; default RUN/validation or runs/WORKLOAD-validation; for silicon none."
        ),
    ] = None,
    jobs: JobsOption = None,
    quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Compare fixed point with float64, tensor by tensor, and say what to change; or estimates with silicon."""
    against = against or (SILICON if target is None else VECTORS if is_export(target) else FLOAT64)
    if against not in REFERENCES:
        raise ConfigError(f"--against {against}: {_no_reference(against)}")
    if (against == SILICON) == (target is not None):
        remedy = "leave it out" if target else "name one"
        raise ConfigError(
            f"validate --against {against}: {'needs no' if target else 'needs a'} run, workload or vectors; {remedy}"
        )
    if target is None:
        _silicon(out, as_json=as_json)
        return
    screen = Screen(quiet=quiet or as_json)
    if against == VECTORS:
        check_vectors(Path(target), screen, as_json=as_json)
        return
    limit_threads(jobs)
    subject = read_subject(target, assignments or (), precision=precision, data=data, seed=seed)
    trainings = ShortTraining(seeds, epochs, train_samples) if seeds else None
    plan = NumericsPlan(samples, split, guard_bits, test_samples, trainings, convergence)
    default = (
        Path(target) / "validation"
        if is_run(target)
        else Path("runs") / file_name(f"{subject.workload.name}-validation")
    )
    validate_subject(subject, out or default, plan, screen, as_json=as_json)


def _no_reference(given: str) -> str:
    """What `--against` wants, for what was given in its place."""
    use = f"use one of {', '.join(REFERENCES)}"
    if is_run(given):
        return (
            f"this is a run folder, and a reference is wanted: {use}; nmsim validate {given} compares that run with"
            " float64, nmsim compare puts rules and chips of a run side by side"
        )
    return f"no such reference; {use}"


def _silicon(out: Path | None, *, as_json: bool) -> None:
    points, shipped = (*against_silicon(), *trainers()), tuple(shipped_sops())
    if as_json:
        everything = {
            "points": [{**asdict(point), "relative_error": point.relative_error} for point in points],
            "overall": {name: asdict(closeness) for name, closeness in overall(points).items()},
            "shipped_pj_per_sop": [asdict(chip) for chip in shipped],
        }
        show_json(everything)
    else:
        for line in (*silicon_lines(points), "", *sop_lines(shipped)):
            print(line)
    if out is not None:
        written = write_silicon(points, out)
        if not as_json:
            print("\n" + ", ".join(map(str, written)))
    elif not as_json:
        print("\nPicture, conditions, sources and notes: --out FOLDER, or --json.")
