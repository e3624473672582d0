"""Verb `synapses`: what the masks of a run are worth on chips, format by format."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.output import show_json
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulate import DEFAULT_CHIP, read_chip
from nmsim.pipeline.synapses import SynapseCost, synapse_costs
from nmsim.units import BITS_PER_KIB, NJ_PER_J, US_PER_S


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command("synapses")(show_synapses)


def show_synapses(
    run: Annotated[Path, typer.Argument(help="Run folder of a bit-accurate training.")],
    chip: Annotated[
        str, typer.Option("--chip", help="Shipped names or YAML files, comma-separated.")
    ] = DEFAULT_CHIP,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Store the synapses of a run in every format: memory, energy and time of what touches them, on chips.

    Neurons, traces, packets and static power, the same whatever the format, are not in these figures.
    """
    chips = [read_chip(name.strip(), []) for name in chip.split(",")]
    found = synapse_costs(RunFolder(run), chips)
    if as_json:
        show_json([asdict(cost) for cost in found])
        return
    typer.echo(f"{run}: {found[0].density:.1%} of the synapses are there")
    typer.echo("per sample, only what touches synapses: weights, indices, operations, gradients")
    for name in dict.fromkeys(cost.chip for cost in found):
        typer.echo(f"\n{name}")
        typer.echo(
            f"{'format':22}{'KB':>8}{'index':>7}{'infer nJ':>10}{'train nJ':>10}{'infer us':>10}{'train us':>10}"
        )
        for cost in found:
            if cost.chip == name:
                typer.echo(_line(cost))


def _line(cost: SynapseCost) -> str:
    share = cost.index_bits / cost.storage_bits
    return (
        f"{cost.format:22}{cost.storage_bits / BITS_PER_KIB:>8.1f}{share:>7.0%}{cost.inference_j * NJ_PER_J:>10.1f}"
        f"{cost.training_j * NJ_PER_J:>10.1f}{cost.inference_s * US_PER_S:>10.2f}{cost.training_s * US_PER_S:>10.1f}"
    )
