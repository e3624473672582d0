"""STOP against STBP: the tables of docs/stop-against-stbp.md.

Run as `python benchmarks/stop_against_stbp.py PICTURES EVENTS [THRESHOLD ...]`; these are folders that `nmsim train
mnist-dense` and `nmsim train nmnist-small` have filled, the last ones with thresholds of traces, `--set
precision.trace_threshold=33`. The first tables replay them; the others replay synthetic activity, the same samples under
both rules.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from nmsim import config, units
from nmsim.cost.table import load_table
from nmsim.errors import DoesNotFitError
from nmsim.evaluate import Evaluation, evaluate
from nmsim.mapper.mapping_search import search_mapping
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_table import network_memory
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulate import evaluate_rule, read_chip
from nmsim.statistics import Interval, ratio_of_means
from nmsim.validate.synthetic import Densities, synthetic_activity
from nmsim.workload import WorkloadSpec

STOP, STBP = "stop-wtl", "stbp"
SAMPLES = 6
TRACE_STEPS = 9
"""Steps that a spike's trace of u12.8 lasts with a leak of 1/2: it falls below half an LSB after nine."""
PICTURE = Densities(inputs=0.2, spikes=0.15, deltas=0.6)
EVENTS = Densities(inputs=0.03, spikes=0.1, deltas=0.6)
LEAST_SHARE = 0.002
"""Smaller differences are left out of the table of causes."""
SCALAR = ("precision.static_trace=scalar", "precision.layers.0.weight_gradient=s48")
"""Its weight gradient has the fraction bits of the picture besides."""
ECONOMIES: dict[str, tuple[str, ...]] = {
    "as shipped": (),
    "traces touched by events only (`trace_decay: lazy`)": ("options.trace_decay=lazy",),
    "16 neuron lanes": ("core_types.0.neuron_lanes=16",),
    "four cores in place of 16": (
        "mesh.columns=2",
        "mesh.rows=2",
        *(f"core_types.0.memories.{m}.words={w}" for m, w in ((1, 8192), (2, 16384))),
    ),
    "gradient as factors over T": ("options.weight_gradient=factored",),
    "update of rows with a trace only (`skip.gradients: scan`)": ("options.skip.gradients=scan",),
    "scalar trace of the picture (`static_trace: scalar`)": SCALAR,
    "scalar trace, and the update of rows with a trace only": (*SCALAR, "options.skip.gradients=scan"),
    "all but the cores": (
        "options.trace_decay=lazy",
        "options.weight_gradient=factored",
        "options.skip.gradients=scan",
    ),
}
MEMORY = "core_types.0.memories.3"
"""The memory of edge-28nm that holds membranes, deltas and histories."""


@dataclass(frozen=True)
class Job:
    """A network with its input on a chip."""

    network: NetworkSpec
    densities: Densities = PICTURE
    static: bool = True
    batch_size: int = 32
    chip: str = "edge-28nm"
    settings: tuple[str, ...] = ()

    def evaluation(self, rule: str, *settings: str) -> Evaluation:
        """Under a rule; raises `DoesNotFitError`."""
        activity = synthetic_activity(
            self.network, SAMPLES, self.densities, rule=rule, static_input=self.static, trace_steps=TRACE_STEPS,
            input_bits=8 if self.static else 1,
        )  # fmt: skip
        chip = read_chip(self.chip, (*self.settings, *settings))
        costs = load_table(chip.technology)
        job = search_mapping(self.network, Precision(), self.needs(rule), activity, chip, costs).job
        return evaluate(job, activity, costs)

    def needs(self, rule: str) -> TrainingNeeds:
        """What the rule asks of memory."""
        bits = 8 if self.static else 1
        return TrainingNeeds.for_rule(
            rule, batch_size=self.batch_size, sample_bits=bits, static_input=self.static
        )

    def memory_kb(self, rule: str) -> float:
        """What one sample carries from step to step, without copies on several cores."""
        found = network_memory(self.network, Precision(), self.needs(rule))
        return found.bits("state_only") / units.BITS_PER_KIB


def both(job: Job) -> tuple[Evaluation, Evaluation | None, str]:
    """STOP, and STBP as it fits: with its history, else recomputed, else not at all; and which."""
    stop = job.evaluation(STOP)
    for history in ("stored", "recompute"):
        try:
            return stop, job.evaluation(STBP, f"options.stbp_history={history}"), history
        except DoesNotFitError:
            continue
    return stop, None, "does not fit"


def ratio(above: Evaluation, below: Evaluation) -> Interval:
    """Energy over energy, sample by sample."""
    return ratio_of_means(above.energy.total_pj, below.energy.total_pj)


def shown(found: Interval) -> str:
    """A ratio with half of its 95 % interval."""
    return f"{found.value:.2f}" + ("" if found.high is None else f" +- {found.high - found.value:.2f}")


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A Markdown table, printed row by row."""
    print(f"\n### {title}\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def replayed(run: Path, chip: str, rule: str, *settings: str) -> Evaluation:
    """A trained run under a rule on a chip; settings that begin with `precision.` change formats and traces."""
    folder = RunFolder(run)
    formats = tuple(text for text in settings if text.startswith("precision."))
    workload = config.read(WorkloadSpec, folder.workload_file, formats)
    machine = read_chip(chip, [text for text in settings if text not in formats])
    return evaluate_rule(workload, folder, machine, rule, "analytic")


def places(item: Evaluation) -> dict[str, tuple[float, float]]:
    """Nanojoules and actions of every phase and memory, logic, clock or other component."""
    found: dict[str, tuple[float, float]] = {}
    for (phase, component, unit), part in item.energy.by("phase", "component", "unit").items():
        name = f"{phase}: {f'memory {unit}' if component in {'sram', 'registers'} else component}"
        joules, count = found.get(name, (0.0, 0.0))
        found[name] = joules + part.mean_j * units.NJ_PER_J, count + float(part.count.mean(axis=1).sum())
    return found


def causes(run: Path, chip: str) -> None:
    """From one rule to the other: every phase and memory, actions and energy, largest difference first."""
    pair = [replayed(run, chip, rule) for rule in (STOP, STBP)]
    stop, stbp = (places(item) for item in pair)
    none = (0.0, 0.0)
    rows = []
    for name in dict.fromkeys((*stop, *stbp)):
        (stop_nj, stop_n), (stbp_nj, stbp_n) = stop.get(name, none), stbp.get(name, none)
        if abs(stop_nj - stbp_nj) < LEAST_SHARE * pair[0].energy_j.mean * units.NJ_PER_J:
            continue
        counts = f"{stop_n:,.0f} / {stbp_n:,.0f}" if "memory" in name or name.endswith("alu") else ""
        rows.append(
            (
                stop_nj - stbp_nj,
                (name, counts, f"{stop_nj:.0f}", f"{stbp_nj:.0f}", f"{stop_nj - stbp_nj:+.0f}"),
            )
        )
    ordered = [row for _, row in sorted(rows, key=lambda row: -abs(row[0]))]
    total = [item.energy_j.mean * units.NJ_PER_J for item in pair]
    ordered.append(("all", "", f"{total[0]:.0f}", f"{total[1]:.0f}", f"{total[0] - total[1]:+.0f}"))
    header = ("where", "words or operations, STOP / STBP", "STOP-WTL, nJ", "STBP, nJ", "difference")
    table(f"{pair[0].network_name} trained, {chip}", header, ordered)
    times = [item.latency_s.mean * units.US_PER_S for item in pair]
    print(f"\nenergy {shown(ratio(*pair))} of STBP, time {times[0]:.1f} us against {times[1]:.1f} us")


def economies(run: Path, chip: str) -> None:
    """What options of a chip save, for both rules, and what a scalar trace saves STOP."""

    def rows() -> Iterable[Sequence[str]]:
        first = replayed(run, chip, STOP)
        for name, settings in ECONOMIES.items():
            stop = replayed(run, chip, STOP, *settings)
            stbp = replayed(run, chip, STBP, *(text for text in settings if text not in SCALAR))
            joules = [f"{item.energy_j.mean * units.UJ_PER_J:.2f}" for item in (stop, stbp)]
            micro = [f"{item.latency_s.mean * units.US_PER_S:.1f}" for item in (stop, stbp)]
            yield (
                name,
                joules[0],
                joules[1],
                shown(ratio(stop, stbp)),
                micro[0],
                micro[1],
                shown(ratio(stop, first)),
            )

    header = ("", "STOP-WTL, uJ", "STBP, uJ", "STOP / STBP", "STOP, us", "STBP, us", "STOP / STOP as shipped")
    table(f"Options of the chip, {chip}", header, rows())


def sweep(title: str, jobs: dict[str, Job]) -> None:
    """A line a job."""

    def rows() -> Iterable[Sequence[str]]:
        for name, job in jobs.items():
            try:
                stop, stbp, history = both(job)
            except DoesNotFitError:
                yield (
                    name,
                    "does not fit",
                    "",
                    "",
                    "",
                    "",
                    f"{job.memory_kb(STOP):.0f}",
                    f"{job.memory_kb(STBP):.0f}",
                )
                continue
            memory = (f"{job.memory_kb(STOP):.0f}", f"{job.memory_kb(STBP):.0f}")
            stop_uj = f"{stop.energy_j.mean * units.UJ_PER_J:.2f}"
            if stbp is None:
                yield (name, stop_uj, "", history, "", "", *memory)
                continue
            times = stop.latency_s.mean / stbp.latency_s.mean
            yield (name, stop_uj, f"{stbp.energy_j.mean * units.UJ_PER_J:.2f}", history, shown(ratio(stop, stbp)),
                   f"{times:.2f}", *memory)  # fmt: skip

    table(
        title,
        ("", "STOP-WTL, uJ", "STBP, uJ", "history", "energy, STOP / STBP", "time", "STOP, KB", "STBP, KB"),
        rows(),
    )


def picture(time_steps: int = 6, hidden: int = 256, **more: Any) -> Job:
    """784-hidden-10 on a picture that is the same at every step."""
    return Job(dense(784, hidden, 10).model_copy(update={"time_steps": time_steps}), **more)


def events(time_steps: int, hidden: int = 256, **more: Any) -> Job:
    """1152-hidden-10 on events of 2 x 24 x 24."""
    network = dense(1152, hidden, 10).model_copy(update={"time_steps": time_steps})
    return Job(network, EVENTS, static=False, **more)


def convolutions(time_steps: int, *, static: bool) -> Job:
    """32-64-10 with kernels of 3 on 2 x 24 x 24."""
    layers = [{"kind": "conv", "channels": 32, "kernel": 3, "padding": 1}, {"kind": "avg_pool", "size": 2},
              {"kind": "conv", "channels": 64, "kernel": 3, "padding": 1}, {"kind": "avg_pool", "size": 2},
              {"kind": "dense", "units": 10}]  # fmt: skip
    network = NetworkSpec.model_validate(
        {"input_shape": [2, 24, 24], "time_steps": time_steps, "layers": layers}
    )
    return Job(network, PICTURE if static else EVENTS, static=static, chip="mesh-16nm")


def small(words: int) -> tuple[str, ...]:
    """Edge-28nm with so many words for membranes, deltas and history."""
    return (f"{MEMORY}.words={words}",)


def trace_threshold(run: Path) -> int:
    """Below it, a raw number of the trace's format, a trace takes no part in gradients."""
    return config.read(WorkloadSpec, RunFolder(run).workload_file).precision.trace_threshold


def thresholds(runs: Sequence[Path], chip: str) -> None:
    """What leaving small traces out of gradients costs in accuracy and saves in energy; means over the seeds of the runs."""

    def rows() -> Iterable[Sequence[str]]:
        for threshold, group in groupby(sorted(runs, key=trace_threshold), key=trace_threshold):
            same = list(group)
            pairs = [(replayed(run, chip, STOP), replayed(run, chip, STBP)) for run in same]
            accuracies = [RunFolder(run).history().test_accuracy for run in same]
            stop, stbp = (
                fmean(pair[side].energy_j.mean * units.UJ_PER_J for pair in pairs) for side in (0, 1)
            )
            yield (
                f"{threshold}",
                f"{fmean(accuracies):.1%} ({', '.join(f'{a:.1%}' for a in accuracies)})",
                f"{stop:.1f}",
                f"{stbp:.1f}",
                ", ".join(shown(ratio(*pair)) for pair in pairs),
            )

    header = ("trace threshold", "accuracy", "STOP-WTL, uJ", "STBP, uJ", "STOP / STBP, run by run")
    table(f"Thresholds of traces, {chip}", header, rows())


def main(picture_run: Path, event_run: Path, *threshold_runs: Path) -> None:
    """All tables."""
    causes(picture_run, "edge-28nm")
    economies(picture_run, "edge-28nm")
    causes(event_run, "mesh-16nm")
    if threshold_runs:
        thresholds(threshold_runs, "mesh-16nm")
    sweep("Time steps, 784-256-10 on a static picture", {f"T = {t}": picture(t) for t in (2, 6, 12, 24, 48)})
    sweep("Time steps, 1152-256-10 on events", {f"T = {t}": events(t) for t in (4, 10, 20, 40, 80)})
    sweep("Width, events, T = 20", {f"{n} hidden": events(20, n) for n in (32, 64, 128, 256)})
    sweep("Batch, 784-256-10 on a picture", {f"batch {b}": picture(batch_size=b) for b in (1, 8, 32)})
    sweep("Memory for history, events, T = 20",
          {f"{w // 64} KB a core": events(20, settings=small(w)) for w in (128, 256, 512, 1024)})  # fmt: skip
    conv = {}
    for static, steps in product((True, False), (4, 16)):
        conv[f"{'picture' if static else 'events'}, T = {steps}"] = convolutions(steps, static=static)
    sweep("Convolutions, mesh-16nm", conv)


if __name__ == "__main__":
    np.seterr(all="raise")
    main(*map(Path, sys.argv[1:]))
