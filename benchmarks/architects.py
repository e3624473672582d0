"""What an architect learns from one trained run: the tables and pictures of docs/architects.md.

Run as `python benchmarks/architects.py RUN CHIP [FOLDER OF PICTURES]`; RUN is a folder that `nmsim train` (or
`nmsim reference`) has filled, CHIP a shipped name or a YAML file. A run that the reference report prepared is evaluated
as the report does it, for the training section of the planned workload (batch size, momentum) and not of the short
preparation, so that one case has one figure.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from nmsim.counts import Action, ActionCounts, Component, Phase
from nmsim.evaluate import Evaluation, Model, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.reference_plan import DEFAULT_PLAN, planned_workload, read_plan
from nmsim.pipeline.simulate import mapped, read_chip
from nmsim.report.picture import Picture
from nmsim.report.plots.energy_bars import energy_by_phase
from nmsim.report.plots.latency import latency_by_phase
from nmsim.report.plots.mesh import load_of, mesh_load
from nmsim.report.words import component_name, context
from nmsim.rules import rule_named
from nmsim.units import scaled
from nmsim.workload import WorkloadSpec

NETWORK_BOUND = {"links", "injection", "ejection"}
"""Bottlenecks of a stage that lie in the network on chip."""
FORWARD, BACKWARD = (Phase.INTEGRATE,), (Phase.ERROR, Phase.UPDATE)


class Study:
    """One run on one chip under rules and options."""

    def __init__(self, run: Path, chip: str) -> None:
        self.folder, self.chip_name = RunFolder(run), chip
        self.workload = _planned(self.folder.workload())
        self.known: dict[tuple[str, ...], Evaluation] = {}

    def chip(self, *assignments: str) -> ChipConfig:
        """The chip with overrides."""
        return read_chip(self.chip_name, assignments)

    def of(self, rule: str, *assignments: str, event: bool = False) -> Evaluation:
        """An evaluation, made once."""
        key = (rule, str(event), *assignments)
        if key not in self.known:
            chip = self.chip(*assignments)
            model: Model = "event" if event else "analytic"
            activity = self.folder.activity(rule_named(rule).profile)
            job = mapped(self.workload, rule, activity, chip)
            self.known[key] = evaluate(job, activity, model=model, detail=True)
        return self.known[key]


def _planned(prepared: WorkloadSpec) -> WorkloadSpec:
    """The workload that the figures of the reference report are for, if the plan has one of this name."""
    for entry in read_plan(DEFAULT_PLAN).datasets:
        if entry.workload == prepared.name:
            return planned_workload(entry, entry.settings, None, f"plan {DEFAULT_PLAN}")
    return prepared


def show(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    print(f"\n{title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))


def where_energy_goes(study: Study) -> None:
    """Phases down, components across, shares of the whole."""
    item = study.of("stop-wtl")
    parts = {key: part.mean_j for key, part in item.energy.by("phase", "component").items()}
    spent = {str(phase): part.mean_j for (phase,), part in item.energy.by("phase").items()}
    phases = [str(phase) for phase in Phase if spent.get(phase)]
    components = [str(name) for (name,), part in item.energy.by("component").items() if part.mean_j]
    whole = item.energy_j.mean
    rows = []
    for phase in phases:
        shares = [parts.get((phase, name), 0.0) / whole for name in components]
        rows.append(
            [
                phase,
                scaled(spent[phase], "J"),
                f"{spent[phase] / whole:.1%}",
                *(f"{share:.1%}" for share in shares),
            ]
        )
    heads = ["phase", "energy", "share", *(component_name(name) for name in components)]
    show(f"STOP-WTL: {scaled(whole, 'J')} per training sample", heads, rows)


def what_bounds_time(study: Study) -> None:
    """Resources that bound stages, as parts of all stage time; what comes once per batch left out."""
    item = study.of("stop-wtl")
    parts: dict[tuple[str, str], float] = {}
    for row, label in zip(item.perf.stage_cycles, item.perf.stages, strict=True):
        if label.cadence != "batch":
            key = (f"{label.phase}: {label.part}", label.bottleneck)
            parts[key] = parts.get(key, 0.0) + float(row.sum())
    whole = sum(parts.values())
    largest = sorted(parts.items(), key=lambda part: -part[1])[:6]
    rows = [[stage, bound, f"{cycles / whole:.0%}"] for (stage, bound), cycles in largest]
    show("What bounds the time of STOP-WTL", ["stage, all layers", "bound by", "of all stage time"], rows)


def rules(study: Study) -> None:
    """STOP against STBP, stored and recomputed."""
    cases = (
        ("inference", ()), ("stop-w", ()), ("stop-wtl", ()), ("stbp", ("options.stbp_history=stored",)),
        ("stbp", ("options.stbp_history=recompute",)),
    )  # fmt: skip
    base = study.of("stop-wtl")
    rows = []
    for rule, options in cases:
        item = study.of(rule, *options)
        name = f"{rule} {options[0].rpartition('=')[2]}" if options else rule
        gradient = sum(
            part.mean_j for (phase,), part in item.energy.by("phase").items() if phase == "gradient"
        )
        rows.append(
            [
                name, scaled(item.energy_j.mean, "J"), f"{item.energy_j.mean / base.energy_j.mean:.2f}",
                scaled(item.latency_s.mean, "s"), f"{item.latency_s.mean / base.latency_s.mean:.2f}",
                scaled(gradient, "J"), f"{sum(use.used_bits for use in item.memory) / 8e3:,.0f} kB",
            ]
        )  # fmt: skip
    heads = ["rule", "energy", "of WTL", "time", "of WTL", "its gradient", "memory used"]
    show("Rules, per sample", heads, rows)


def traffic(study: Study) -> None:
    """What goes over the mesh forward and backward, and what a wider flit changes."""
    item = study.of("stop-wtl")
    hops = item.perf.counts.select(component=Component.NOC, action=Action.FLIT_HOP)
    noc = {str(p): e.mean_j for (p, c), e in item.energy.by("phase", "component").items() if c == "noc"}
    rows = []
    for name, phases in (("forward", FORWARD), ("backward", BACKWARD)):
        flits = sum(_per_sample(item, hops.select(phase=phase)) for phase in phases)
        energy = sum(noc.get(str(phase), 0.0) for phase in phases)
        rows.append([name, f"{flits:,.0f}", scaled(energy, "J")])
    show("STOP-WTL, per training sample", ["direction", "flit-hops", "NoC energy"], rows)
    rows = []
    for bits in (16, 32, 64, 128, 256):
        row = [str(bits)]
        for rule in ("inference", "stop-wtl"):
            wide = study.of(rule, f"noc.flit_bits={bits}")
            row += [scaled(wide.latency_s.mean, "s"), f"{_network_share(wide):.0%}"]
        row.append(f"{wide.perf.link_utilization.mean(axis=1).max():.0%}")
        row.append(scaled(wide.energy_j.mean, "J"))
        rows.append(row)
    heads = ["flit bits", "inference", "in network-bound stages", "training", "in network-bound stages",
             "busiest link", "energy"]  # fmt: skip
    show("Width of a flit", heads, rows)


def _per_sample(item: Evaluation, counts: ActionCounts) -> float:
    per = counts.counts.mean(axis=1)
    return float(per[~counts.per_batch].sum() + per[counts.per_batch].sum() / item.batch_size)


def _network_share(item: Evaluation) -> float:
    """Part of all stage time that belongs to stages bound by links or ports; what comes once per batch left out."""
    cycles = [
        (float(row.sum()), label.bottleneck)
        for label, row in zip(item.perf.stages, item.perf.stage_cycles, strict=True)
        if label.cadence != "batch"
    ]
    return sum(c for c, bound in cycles if bound in NETWORK_BOUND) / sum(c for c, _ in cycles)


def schedules(study: Study) -> None:
    """What overlapping buys and costs, by both models."""
    rows = []
    base = study.of("stop-wtl", "options.schedule=sequential")
    for schedule in ("sequential", "overlapped", "pipelined"):
        chosen = f"options.schedule={schedule}"
        estimate, truth = study.of("stop-wtl", chosen), study.of("stop-wtl", chosen, event=True)
        waits = {cause: float(cycles.mean()) for cause, cycles in truth.perf.stall_cycles.items()}
        longest = max(waits, key=lambda cause: waits[cause])
        memory = sum(use.used_bits for use in estimate.memory) / 8e3
        rows.append(
            [
                schedule, scaled(estimate.latency_s.mean, "s"), scaled(truth.latency_s.mean, "s"),
                f"{base.latency_s.mean / estimate.latency_s.mean:.2f}", scaled(estimate.energy_j.mean, "J"),
                f"{estimate.perf.barriers}", f"{memory:,.0f} kB", f"{longest} {waits[longest]:,.0f}",
            ]
        )  # fmt: skip
    heads = ["schedule", "analytic", "event-driven", "speed-up", "energy", "barriers", "memory used",
             "waits most for (cycles, all resources)"]  # fmt: skip
    show("STOP-WTL, by schedule", heads, rows)


def pictures(study: Study) -> list[Picture]:
    """Where energy and time go, and the mesh in training and in inference."""
    item, name = study.of("stop-wtl"), study.workload.name
    compared = [study.of(rule) for rule in ("stop-wtl", "inference")] + [
        study.of("stbp", "options.stbp_history=stored")
    ]
    return [
        energy_by_phase(item, context(name, item)),
        latency_by_phase(compared, name),
        mesh_load(load_of(item, study.chip()), context(name, item)),
    ]


def main(run: str, chip: str, out: str | None = None) -> None:
    """Print every table; write the pictures."""
    study = Study(Path(run), chip)
    print(f"{study.workload.name} on {chip}")
    for part in (where_energy_goes, what_bounds_time, rules, traffic, schedules):
        part(study)
    if out:
        Path(out).mkdir(parents=True, exist_ok=True)
        for picture in pictures(study):
            (Path(out) / f"{study.workload.name}-{picture.name}.svg").write_bytes(picture.svg)


if __name__ == "__main__":
    main(*sys.argv[1:4])
