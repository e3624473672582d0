"""Verb `map`: which core does what, and how full its memories are."""

import json
from collections import defaultdict
from dataclasses import asdict
from typing import Annotated

import typer

from nmsim import config
from nmsim.cli.console import Screen, table
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.mapping import Mapping
from nmsim.pipeline.simulate import DEFAULT_CHIP, read_chip
from nmsim.units import BITS_PER_KIB
from nmsim.workload import WorkloadSpec


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command("map")(show_mapping)


def show_mapping(
    workload: Annotated[str, typer.Argument(help="Shipped name or a YAML file.")] = "mnist-dense",
    chip: Annotated[str, typer.Option("--chip", help="Shipped name or a YAML file.")] = DEFAULT_CHIP,
    rule: Annotated[
        str | None, typer.Option("--rule", help="Learning rule; the workload's if absent.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Map a workload's network onto a chip, without training: parts of layers per core, memory used."""
    spec = config.read(WorkloadSpec, config.find("workloads", workload))
    machine = read_chip(chip)
    needs = spec.needs(
        rule or str(spec.training.rule),
        static_input=spec.encoding.kind == "direct",
        stbp_history=machine.options.stbp_history,
    )
    mapping = map_network(spec.network, spec.precision, needs, machine)
    if as_json:
        content = {"slices": [asdict(piece) for piece in mapping.slices], "notes": mapping.notes}
        print(json.dumps(content, indent=2))
        return
    screen = Screen()
    columns = ["core", "tile", "parts (layer: channels x rows)", "memory used"]
    title = f"{spec.network.name} on {machine.name}, {needs.rule}"
    cores = machine.cores()
    places = {core.index: f"{core.column},{core.row}" for core in cores}
    used = _memory(mapping, machine)
    rows = [[str(core), places[core], _parts(mapping, core), used[core]] for core in mapping.cores_used]
    screen.show(table(title, columns, rows, numeric_from=9))
    for note in mapping.notes:
        screen.say(f"note: {note}")
    screen.say(f"{len(mapping.cores_used)} of {len(cores)} cores in use")


def _parts(mapping: Mapping, core: int) -> str:
    return "; ".join(
        f"{p.layer}: {p.channel_start}..{p.channel_stop - 1} x {p.row_start}..{p.row_stop - 1}"
        + ("" if p.owner else " (partial sums)")
        for p in mapping.slices
        if p.core == core
    )


def _memory(mapping: Mapping, machine: ChipConfig) -> dict[int, str]:
    texts: dict[int, list[str]] = defaultdict(list)
    for use in mapping.memory_use(machine):
        texts[use.core].append(
            f"{use.memory} {use.utilization:.0%} of {use.words * use.word_bits / BITS_PER_KIB:,.0f} KiB"
        )
    return {core: ", ".join(parts) for core, parts in texts.items()}
