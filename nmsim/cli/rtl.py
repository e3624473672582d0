"""Verb `rtl`: SystemVerilog of a core, checked against the engine bit by bit."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from nmsim.cli.answers import RtlAnswer, RtlComparison
from nmsim.cli.console import Screen, table
from nmsim.cli.options import DataOption, JsonOption, PrecisionOption, QuietOption, SetOption
from nmsim.errors import CheckFailedError, ConfigError
from nmsim.pipeline import rtl as rtl_stage
from nmsim.pipeline.rtl_area import AreaComparison, compare_area
from nmsim.pipeline.rtl_cycles import CycleComparison
from nmsim.pipeline.simulate import read_chip
from nmsim.pipeline.subject import read_subject
from nmsim.storage import file_name

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
    synth: Annotated[
        bool,
        typer.Option(
            "--synth", help="Map the core to cells with Yosys (extra rtl): area by block, flip-flops."
        ),
    ] = False,
    liberty: Annotated[
        str,
        typer.Option(
            metavar="FILES", help="Cell libraries for --synth, separated by commas; .lib or .lib.gz."
        ),
    ] = "",
    timed: Annotated[
        bool,
        typer.Option("--timed", help="With --synth: map the core flat with buffers, for its longest path."),
    ] = False,
    epoch: Annotated[
        bool,
        typer.Option(
            "--epoch",
            help="Train a whole epoch in the RTL and compare parameters and overflows with the engine's.",
        ),
    ] = False,
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
    as_json: JsonOption = False,
) -> None:
    """Write the RTL of a core that trains a network, and check it against the engine, integer by integer."""
    screen = Screen(quiet=quiet or as_json)
    subject = read_subject(target, assignments or (), precision=precision, data=data, seed=seed)
    folder = out or Path("runs") / file_name(f"{subject.workload.name}-rtl")
    if epoch:
        agreed = _verify(rtl_stage.verify_epoch(subject, read_chip(chip), folder, screen.say), folder, screen)
        if as_json:
            RtlAnswer(folder=str(folder), verified=agreed, area=None).show()
        return
    samples = verify or SAMPLES_OF_THE_BENCH
    in_place = subject.chip.training.update == "in_place"
    batch = batch_size or (1 if in_place else max(samples // 2, 1))
    design = rtl_stage.design_core(subject, read_chip(chip), samples, batch)
    chosen = rtl_stage.first_samples(subject, split, samples)
    rtl_stage.write(subject, read_chip(chip), design, chosen, folder)
    screen.say(
        f"SystemVerilog of one core in {folder}: start with {folder / 'README.md'}; all of it belongs to you"
    )
    compared: RtlComparison | None = None
    area: AreaComparison | None = None
    if verify:
        compared = _verify(rtl_stage.verify(design, read_chip(chip), chosen, folder), folder, screen)
    if synth:
        files = [Path(part) for part in liberty.split(",") if part]
        if not files:
            raise ConfigError(
                "--synth: no cell library is given; add --liberty FILE[,FILE], nmsim ships none"
            )
        area = compare_area(design, read_chip(chip), files, folder, timed=timed)
        _show_area(area, screen)
    if as_json:
        RtlAnswer(folder=str(folder), verified=compared, area=None if area is None else area.record()).show()


def _verify(found: rtl_stage.Verified, folder: Path, screen: Screen) -> RtlComparison:
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
        if found.timing is not None:
            _show_cycles(found.timing, screen)
        return RtlComparison(
            integers=comparison.total,
            overflow_counters=found.counters,
            cycles=None if found.timing is None else found.timing.record(),
        )
    shown = [*comparison.first]
    shown += [
        f"{name}: counted {rtl:,}, the engine {engine:,}"
        for name, (rtl, engine) in found.wrong_counts.items()
    ]
    raise CheckFailedError(
        f"{folder}: {comparison.differences:,} of {comparison.total:,} integers differ from the engine's, and"
        f" {len(found.wrong_counts)} overflow counts\n" + "\n".join(shown)
    )


def _show_cycles(found: CycleComparison, screen: Screen) -> None:
    rows = [
        [row.name, f"{row.rtl:,}", f"{row.analytic:,.0f}", f"{row.gap('analytic'):+.1%}", f"{row.event:,.0f}",
         f"{row.gap('event'):+.1%}"]
        for row in (*found.rows, found.total)
    ]  # fmt: skip
    screen.show(table("Cycles", ["stage", "RTL", "analytic", "gap", "event", "gap"], rows))
    screen.say(
        f"Per sample the analytic model is {np.median(found.sample_gaps):+.1%} from the RTL in the median, at most"
        f" {np.abs(found.sample_gaps).max():.1%}"
    )


def _show_area(found: AreaComparison, screen: Screen) -> None:
    blocks = found.synthesis.blocks
    rows = [[b.name, f"{b.cells:,}", f"{b.flip_flops:,}", f"{b.area_um2:,.0f}"] for b in blocks]
    rows.append(
        [
            "all",
            f"{sum(b.cells for b in blocks):,}",
            f"{found.synthesis.flip_flops:,}",
            f"{found.synthesis.area_um2:,.0f}",
        ]
    )
    screen.show(table("Cells of the core, memories left out", ["block", "cells", "flip-flops", "um2"], rows))
    modelled = sum(found.modelled_um2.values())
    screen.say(
        f"The area model's logic at {found.node_nm} nm: {modelled:,.0f} um2 of cells, {found.gap:+.0%} of the RTL's if the"
        " library is of that node"
    )
    path = found.synthesis.longest_path_ps
    screen.say(
        "No longest path: add --timed"
        if path is None
        else f"Longest path, buffered, without wires: {path / 1e3:.2f} ns"
    )
