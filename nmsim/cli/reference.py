"""Verbs around the reference report: reference, balance."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.answers import FilesAnswer
from nmsim.cli.console import Screen, table
from nmsim.cli.options import (
    ChipOption,
    DataOption,
    JobsOption,
    JsonOption,
    QuietOption,
    SetOption,
    WorkloadArgument,
    limit_threads,
)
from nmsim.cli.output import show_json
from nmsim.errors import ConfigError
from nmsim.pipeline import reference as reference_stage
from nmsim.pipeline.reference_plan import DEFAULT_PLAN, ReferencePlan, read_plan
from nmsim.pipeline.train import balance_workload, read_workload

RateOption = Annotated[
    float, typer.Option(min=0.001, max=0.9, help="Spikes per neuron and time step to aim at.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file."""
    app.command()(reference)
    app.command()(balance)


def reference(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Shipped name or a YAML file.")] = DEFAULT_PLAN,
    data_root: Annotated[Path, typer.Option(help="Folder that holds the data sets.")] = Path("data"),
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports/reference"),
    work: Annotated[Path, typer.Option(help="Folder of the training runs.")] = Path("runs/reference"),
    only: Annotated[
        str | None, typer.Option(help="Workloads of the plan to make, separated by commas; default all.")
    ] = None,
    chip: ChipOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from finished or begun training runs.")
    ] = False,
    jobs: JobsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the energy report over data sets, learning rules and chips."""
    limit_threads(jobs)
    screen = Screen(quiet=quiet or as_json)
    chosen = _only(read_plan(plan), only)
    chips = tuple(name.strip() for value in chip or () for name in value.split(","))
    chosen = chosen.model_copy(update={"chips": chips}) if chips else chosen
    listener = reference_stage.Listener(screen.say, screen.training)
    written = reference_stage.reference(chosen, data_root, out, work, resume=resume, listener=listener)
    if as_json:
        FilesAnswer(folder=str(out), files=len(written)).show()
    screen.say(f"{len(written)} files in {out}; open {out / 'index.html'}")


def _only(plan: ReferencePlan, only: str | None) -> ReferencePlan:
    """The plan with some of its data sets."""
    if only is None:
        return plan
    names = [name.strip() for name in only.split(",")]
    known = [entry.workload for entry in plan.datasets]
    for name in names:
        if name not in known:
            raise ConfigError(
                f"--only {name}: plan '{plan.name}' has no such workload; use one of {', '.join(known)}"
            )
    kept = tuple(entry for entry in plan.datasets if entry.workload in names)
    return plan.model_copy(update={"datasets": kept})


def balance(
    workload: WorkloadArgument,
    spike_rate: RateOption = 0.15,
    samples: Annotated[int, typer.Option(min=1, help="Training samples to look at.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the initial weights.")] = 1,
    assignments: SetOption = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Find weight scales at which every layer of a network without batch normalisation spikes."""
    spec = read_workload(workload, *(assignments or ()))
    if data is not None:
        spec = spec.with_data(str(data))
    found = balance_workload(spec, seed=seed, samples=samples, spike_rate=spike_rate)
    if as_json:
        show_json([asdict(layer) for layer in found])
        return
    rows = [[str(layer.layer), f"{layer.weight_scale:g}", f"{layer.spike_rate:.1%}"] for layer in found]
    Screen().show(table(f"weight_scale of {spec.name}", ["layer", "weight_scale", "spike rate"], rows))
