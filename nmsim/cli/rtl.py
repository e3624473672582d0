"""Verb `rtl`: SystemVerilog of a core, checked against the engine bit by bit."""

from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.console import Screen
from nmsim.cli.stages import DataOption, PrecisionOption, QuietOption, SetOption
from nmsim.errors import CheckFailedError
from nmsim.pipeline import rtl as rtl_stage
from nmsim.pipeline.simulate import read_chip
from nmsim.pipeline.subject import read_subject

SAMPLES_OF_THE_BENCH = 4


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command("rtl")(rtl)


def rtl(
    target: Annotated[
        str, typer.Argument(metavar="RUN | WORKLOAD", help="Folder of a run, shipped name or YAML file.")
    ],
    chip: Annotated[
        str, typer.Option("--chip", help="A chip with one core: shipped name or a YAML file.")
    ] = "stop-core-28nm",
    out: Annotated[Path | None, typer.Option(help="Folder to write; default runs/WORKLOAD-rtl.")] = None,
    verify: Annotated[
        int,
        typer.Option(
            "--verify",
            metavar="N",
            min=0,
            help="Train N samples in the RTL with Verilator and compare every stored integer with the engine's.",
        ),
    ] = 0,
    split: Annotated[str, typer.Option(help="Split of the samples: train or test.")] = "train",
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Samples per update of the bench; half of its samples if absent."),
    ] = None,
    assignments: SetOption = None,
    precision: PrecisionOption = None,
    data: DataOption = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of a workload's initial parameters, and of the draws.")
    ] = 1,
    quiet: QuietOption = False,
) -> None:
    """Write the RTL of a core that trains a network, and check it against the engine, integer by integer."""
    screen = Screen(quiet=quiet)
    subject = read_subject(target, assignments or (), precision=precision, data=data, seed=seed)
    folder = out or Path("runs") / f"{subject.workload.name}-rtl"
    samples = verify or SAMPLES_OF_THE_BENCH
    in_place = subject.chip.training.update == "in_place"
    batch = batch_size or (1 if in_place else max(samples // 2, 1))
    design = rtl_stage.design_core(subject, read_chip(chip), samples, batch)
    chosen = rtl_stage.first_samples(subject, split, samples)
    rtl_stage.write(subject, read_chip(chip), design, chosen, folder)
    screen.say(
        f"SystemVerilog of one core in {folder}: start with {folder / 'README.md'}; all of it belongs to you"
    )
    if verify:
        _verify(rtl_stage.verify(design, chosen, folder), folder, screen)


def _verify(found: rtl_stage.Verified, folder: Path, screen: Screen) -> None:
    """Say what was compared.

    Raises:
        CheckFailedError: an integer or a counter differs.
    """
    comparison = found.comparison
    if found.passed:
        screen.say(
            f"The RTL agrees with the engine: {comparison.total:,} integers compared, 0 different; {found.counters} overflow"
            " counters equal where hardware can count"
        )
        return
    shown = [*comparison.first]
    shown += [
        f"{name}: counted {rtl:,}, the engine {engine:,}"
        for name, (rtl, engine) in found.wrong_counts.items()
    ]
    raise CheckFailedError(
        f"{folder}: {comparison.differences:,} of {comparison.total:,} integers differ from the engine's, and"
        f" {len(found.wrong_counts)} overflow counts\n" + "\n".join(shown)
    )
