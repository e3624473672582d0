"""Verb `map`: which core does what, and how full its memories are."""

from collections import defaultdict
from dataclasses import asdict
from typing import Annotated

import typer

from nmsim.cli.console import Screen, table
from nmsim.cli.output import show_json
from nmsim.cost.table import load_table
from nmsim.hardware.chip import ChipConfig
from nmsim.mapper.mapping_search import Searched, search_mapping
from nmsim.mapping.mapping import Mapping
from nmsim.pipeline.simulate import DEFAULT_CHIP, read_chip
from nmsim.pipeline.train import read_workload
from nmsim.rules import rule_of
from nmsim.units import BITS_PER_KIB
from nmsim.validate.synthetic import synthetic_activity
from nmsim.workload import WorkloadSpec


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command("map")(show_mapping)


SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key of the workload, or of the chip: chip.options.spread=wide."),
]


def show_mapping(
    workload: Annotated[str, typer.Argument(help="Shipped name or a YAML file.")] = "mnist-dense",
    chip: Annotated[str, typer.Option("--chip", help="Shipped name or a YAML file.")] = DEFAULT_CHIP,
    rule: Annotated[
        str | None, typer.Option("--rule", help="Learning rule; the workload's if absent.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option("--objective", help="energy, latency, edp or area_delay; the chip's option if absent."),
    ] = None,
    assignments: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Search a mapping of a workload's network onto a chip, without training: parts of layers per core, memory used.

    Spikes, traces and deltas are drawn at random at the densities that are usual; `simulate` searches on those of a run.
    """
    given = assignments or []
    for_chip = [text for text in given if text.startswith("chip.")]
    if objective is not None:
        for_chip.append(f"options.objective={objective}")
    for_workload = tuple(text for text in given if not text.startswith("chip."))
    spec = read_workload(workload, *for_workload)
    machine = read_chip(chip, for_chip)
    found = _search(spec, machine, rule or str(spec.training.rule))
    mapping = found.mapping
    if as_json:
        content = {
            "slices": [asdict(piece) for piece in mapping.slices],
            "flows": [asdict(flow) for flow in mapping.flows],
            "objective": found.objective,
            "energy_j": found.cost.energy_j,
            "latency_s": found.cost.latency_s,
            "times_better_than": {policy: found.gain(policy) for policy in found.policies},
            "words_filled": mapping.words_filled(found.job.chip),
            "notes": mapping.notes,
        }
        show_json(content)
        return
    _print(found, machine, f"{spec.network.name} on {machine.name}, {mapping.rule}")


def _search(spec: WorkloadSpec, machine: ChipConfig, rule: str) -> Searched:
    static = spec.encoding.kind == "direct"
    needs = spec.needs(rule, static_input=static, stbp_history=machine.options.stbp_history)
    # activity of a pass that is usual for the rule; inference is served by that of a forward rule
    usual = rule_of(needs.carries if needs.trains else "traces", thresholds=True, leak=True)
    activity = synthetic_activity(
        spec.network, 1, rule=usual.name, static_input=static,
        input_bits=needs.sample_bits if static else 1,
    )  # fmt: skip
    if needs.artificial:
        activity = activity.as_artificial(spec.network)
    return search_mapping(
        spec.network, spec.precision, needs, activity, machine, load_table(machine.technology)
    )


def _print(found: Searched, machine: ChipConfig, title: str) -> None:
    mapping, screen, machine = found.mapping, Screen(), found.job.chip
    columns = ["core", "tile", "parts (layer: channels x rows)", "memory used"]
    cores = machine.cores()
    places = {core.index: f"{core.column},{core.row}" for core in cores}
    used = _memory(mapping, machine)
    rows = [[str(core), places[core], _parts(mapping, core), used[core]] for core in mapping.cores_used]
    screen.show(table(title, columns, rows, numeric_from=9))
    filled = ", ".join(f"{name} {share:.0%}" for name, share in mapping.words_filled(found.job.chip).items())
    screen.say(f"words filled with data: {filled}")
    screen.say(found.sentence)
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
