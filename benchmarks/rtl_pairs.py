"""Cycles over random pairs of a chip and a network: the RTL beside the analytic model, and a table for docs/rtl.md.

    python benchmarks/rtl_pairs.py --pairs 100 --out /tmp/pairs

Every pair is built with Verilator, trained for a few samples, and its final parameters and overflow counters compared with
the engine's. Its cycles are kept in the folder, so that an interrupted run goes on where it was, and a changed model is
compared again without a simulation. About twelve seconds of one core a pair.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "rtl"))
from random_cores import CHIP, Case, build_quickly
from random_pairs import pair

from nmsim.pipeline.rtl import wrong_counts
from nmsim.pipeline.rtl_cycles import compare_cycles
from nmsim.rtl.agreement import compare_trace, read_cycles
from nmsim.rtl.bench import run
from nmsim.rtl.golden import final_parameters
from nmsim.storage import write_text

Cycles = dict[tuple[int, int, int], int]


def simulate(case: Case) -> dict[str, Any]:
    """Build and run a pair: cycles by sample, stage and layer; integers and counters that differ from the engine's."""
    with tempfile.TemporaryDirectory() as folder:
        case.write(Path(folder))
        build_quickly(Path(folder))
        samples = len(case.batch.labels)
        run(Path(folder), only_final=True, samples=samples)
        expected = case.run
        sections = final_parameters(case.design, expected.updates[-1], samples - 1)
        comparison = compare_trace(Path(folder) / "trace.hex", sections, only="threshold")
        cycles, counts = read_cycles(Path(folder) / "cycles.txt")
    return {
        "integers": comparison.total, "different": comparison.differences,
        "cycles": [[*place, number] for place, number in cycles.items()],
        "counters": len(counts), "overflows": sum(counts.values()),
        "wrong_counts": wrong_counts(case.design, expected.overflows, counts),
    }  # fmt: skip


def record(seed: int, out: Path) -> dict[str, Any]:
    """What was found for a pair, simulated once."""
    path = out / f"pair-{seed:03d}.json"
    if not path.exists():
        write_text(path, json.dumps(simulate(pair(seed))) + "\n")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def main() -> None:
    """Simulate what is missing, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("runs/rtl-pairs"))
    parser.add_argument("--by-stage", action="store_true", help="print every stage of every pair")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    gaps: dict[str, list[float]] = {}
    samples, totals, stages = [], [], []
    kept = dict.fromkeys(("integers", "different", "counters", "overflows"), 0)
    wrong = 0
    for seed in range(options.pairs):
        found, case = record(seed, options.out), pair(seed)
        cycles: Cycles = {(s, p, layer): number for s, p, layer, number in found["cycles"]}
        timing = compare_cycles(case.design, CHIP, case.run, cycles)
        kept = {key: number + found[key] for key, number in kept.items()}
        wrong += len(found["wrong_counts"])
        samples.append(timing.sample_gaps)
        totals.append(timing.total.gap("analytic"))
        for row in timing.rows:
            gaps.setdefault(stage_kind(row.name), []).append(row.gap("analytic"))
            allowed = max(0.02 * row.rtl, 8 * executions(case, row.name))
            stages.append(abs(row.analytic - row.rtl) <= allowed)
            if options.by_stage:
                print(seed, row.name, row.rtl, f"{row.analytic:.0f}", f"{row.gap('analytic'):+.1%}")
        d = case.design
        lanes = f"K {d.lanes:2d} NL {d.neuron_lanes} UL {d.update_lanes:2d}"
        network = "-".join(map(str, [d.inputs[0], *d.neurons]))
        print(
            f"{seed:3d} {lanes} {network:16s} {'in place' if d.in_place else 'accumulate'}: {timing.total.rtl:9,} cycles,"
            f" {totals[-1]:+.1%}; samples {np.median(timing.sample_gaps):+.1%}, at most"
            f" {np.abs(timing.sample_gaps).max():.1%}; {found['different']} different",
            flush=True,
        )
    every = np.concatenate(samples)
    print(
        f"{kept['integers']:,} integers compared, {kept['different']} different; {kept['counters']:,} overflow counters,"
        f" {kept['overflows']:,} counted, {wrong} different"
    )
    print(f"{sum(stages)} of {len(stages)} stages within 2 % or 8 cycles an execution")
    print(
        f"{len(every)} samples of {len(totals)} pairs: median {np.median(every):+.2%}, of sizes"
        f" {np.median(np.abs(every)):.2%}, largest {np.abs(every).max():.2%},"
        f" within 5 %: {(np.abs(every) <= 0.05).mean():.0%}"
    )
    print("| stage | pairs and layers | median gap | 5 to 95 % | largest |\n|---|---|---|---|---|")
    for name, rows in [*gaps.items(), ("all, updates included", totals)]:
        low, middle, high = np.percentile(rows, (5, 50, 95))
        print(
            f"| {name} | {len(rows)} | {middle:+.1%} | {low:+.1%} to {high:+.1%} | {max(rows, key=abs):+.1%} |"
        )


def executions(case: Case, stage: str) -> int:
    """How often a stage runs: every time step of every sample, but for updates and for sums of a static input."""
    samples = len(case.batch.labels)
    if stage_kind(stage) == "update":
        return samples // case.design.training.batch_size
    once = case.design.once and stage == "integrate 0"
    return samples if once else samples * case.design.side.network.time_steps


def stage_kind(name: str) -> str:
    """`error 1: delta` is a delta."""
    return name.rpartition(": ")[2].rstrip(" 0123456789")


if __name__ == "__main__":
    main()
