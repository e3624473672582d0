"""Exploration at its stated size: designs per minute, speed-up by workers, hypervolume that a search finds.

Run as `python benchmarks/exploration.py PART --work FOLDER`, parts in any order; each reuses what is in the folder:

- `mnist`: 1,000 designs of mnist-edge with two workers, training included (wanted: under 60 s);
- `vgg --run RUN`: 200 designs of vgg11-mesh on the activity of a trained `cifar10-vgg11` (wanted: under 5 min);
- `cpu --run RUN [--space SPACE] [--designs N]`: CPU time of a design in one process without a store, and a digest of all
  figures: the same digest before and after a change means that no bit of a figure changed;
- `memory --run RUN [--space SPACE] [--designs N]`: resident memory of one process at the end of a sweep with its store, the
  rows that the store takes a second, and its share of the time;
- `workers [--run RUN]`: speed-up by two worker processes, of mnist-edge, or of vgg11-mesh on the activity of RUN;
- `search`: what 20 searches per sampler find with a tenth of the evaluations of the full grid of mnist-edge
  (wanted: 95 % of its hypervolume).

That a killed sweep and a cluster that loses workers give the same store, bit for bit, is shown by
`pytest -m benchmark tests/conformance/test_explore_interruption.py`.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmsim import config
from nmsim.explore.backends.serial import Serial
from nmsim.explore.pareto import hypervolume, hypervolume_history, reference_point
from nmsim.explore.result import Result, costs, feasible
from nmsim.explore.sample import sample
from nmsim.explore.search import SAMPLERS, Sampler, Searcher
from nmsim.explore.space import SPACES, DesignSpace
from nmsim.pipeline.evaluate_design import EvaluateDesign, Job
from nmsim.pipeline.explore import reopen
from nmsim.pipeline.neighbours import in_order
from nmsim.pipeline.study import StudyOptions, StudyRunner
from nmsim.report.plots.hypervolume import hypervolume as hypervolume_picture

MNIST, VGG = "mnist-edge", "vgg11-mesh"
MNIST_DESIGNS, VGG_DESIGNS = 1000, 200
MNIST_SECONDS, VGG_SECONDS = 60.0, 300.0
WORKERS_DESIGNS = {MNIST: 1000, VGG: 40}
WANTED = 0.95
SHARE = 10
SEEDS = range(1, 21)
BATCH = 16


def sweep(space: str, out: Path, *options: str) -> float:
    """Seconds of a sweep, from the start of the command to its end."""
    command = [sys.executable, "-m", "nmsim.cli.main", "sweep", space, "--out", str(out), "--quiet", *options]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def sampled(designs: int, run: Path | None, jobs: int) -> list[str]:
    """Options of a sweep over a Sobol sample without reports."""
    options = f"--method sobol --designs {designs} --jobs {jobs} --reports 0 --overwrite".split()
    return options + (["--run", str(run)] if run else [])


def rate(space: str, work: Path, designs: int, run: Path | None, seconds_wanted: float) -> None:
    """One sweep with two workers, against the time wanted."""
    out = work / f"{space}-{designs}"
    shutil.rmtree(out, ignore_errors=True)
    seconds = sweep(space, out, *sampled(designs, run, 2))
    evaluated, fit = counts(out)
    verdict = "ok" if seconds < seconds_wanted else "TOO SLOW"
    print(
        f"{space}: {evaluated:,} designs in {seconds:.1f} s ({60 * evaluated / seconds:,.0f} per minute),"
        f" {fit:,} of them fit; wanted under {seconds_wanted:.0f} s: {verdict}"
    )


@dataclass(frozen=True)
class Cpu:
    """Processor time of a design in seconds, designs with figures, and a digest of all figures."""

    seconds: float
    fit: int
    digest: str


def cpu(space: str, work: Path, designs: int, run: Path) -> Cpu:
    """CPU time per design, in one process and without a store."""
    document = config.load(config.find(SPACES, space))
    options = StudyOptions(work / "cpu", run=run, reports=0, overwrite=True)
    how = {"verb": "sweep", "method": "sobol", "seed": 1}
    with StudyRunner(document, how, Serial(), options) as study:
        chosen = sample(study.space, "sobol", designs, 1)
        jobs = in_order([Job(index, values) for index, values in enumerate(chosen)], study.configurator)
        evaluate = EvaluateDesign(study.configurator, study.numerics)
        evaluate(jobs[0])  # reads the run, loads compiled code
        began = time.process_time()
        found: list[Result] = []
        study.backend.run(evaluate, jobs, lambda _, result: found.append(result))
        seconds = (time.process_time() - began) / designs
    rows = sorted((r.design, r.status, r.reason, sorted(r.metrics.items())) for r in found)
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
    return Cpu(seconds, sum(result.ok for result in found), digest)


def memory(space: str, work: Path, designs: int, run: Path) -> None:
    """Memory of a process that does a whole sweep, and what its store takes."""
    document = config.load(config.find(SPACES, space))
    options = StudyOptions(work / "memory", run=run, reports=0, overwrite=True)
    how = {"verb": "sweep", "method": "sobol", "seed": 1}
    with StudyRunner(document, how, Serial(), options) as study:
        stored_s = 0.0
        add = study.store.add

        def timed(result: Result) -> None:
            nonlocal stored_s
            began = time.process_time()
            add(result)
            stored_s += time.process_time() - began

        study.store.add = timed  # type: ignore[method-assign]
        began = time.process_time()
        chosen = sample(study.space, "sobol", designs, 1)
        study.evaluate([Job(index, values) for index, values in enumerate(chosen)])
        seconds = time.process_time() - began
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    print(
        f"{space}: {designs:,} designs: {resident:,.0f} MB resident; the store takes {designs / stored_s:,.0f} rows a second"
        f" of processor time, {stored_s / seconds:.1%} of the sweep's"
    )


def tell_cpu(space: str, designs: int, found: Cpu) -> None:
    """For people; two processors are twice one, by assumption."""
    print(
        f"{space}: {designs:,} designs, {found.fit:,} of them fit: {1e3 * found.seconds:.1f} ms of CPU time each,"
        f" {120 / found.seconds:,.0f} a minute on two processors; load {os.getloadavg()[0]:.1f}; figures {found.digest}"
    )


def counts(out: Path) -> tuple[int, int]:
    """Designs evaluated, and those with figures."""
    _, results = reopen(out)
    return len(results), sum(result.ok for result in results)


def workers(space: str, work: Path, run: Path | None) -> None:
    """Time per design with one and two worker processes.

    The time of a sweep of eight designs is taken off each: starting the program, its workers, and writing the page.
    """
    sweep(space, work / "workers", *sampled(8, run, 2))  # trains, if there is no run
    designs, found = WORKERS_DESIGNS[space], {}
    for count in (1, 2):
        options = ["--backend", "processes"]
        base = sweep(space, work / "workers", *sampled(8, run, count), *options)
        whole = sweep(space, work / "workers", *sampled(designs, run, count), *options)
        found[count] = whole - base
        print(f"{space}: {count} worker(s): {whole:.1f} s for {designs:,} designs, {base:.1f} s for 8")
    print(f"{space}: speed-up by two workers {found[1] / found[2]:.2f} in {designs - 8:,} designs")


def search(work: Path, run: Path | None) -> None:
    """Searches over stored results of the full grid, which is evaluated first if it is not there."""
    grid = work / f"{MNIST}-grid"
    sweep(MNIST, grid, "--reports", "0", "--jobs", "2", "--resume", *(["--run", str(run)] if run else []))
    space, stored = reopen(grid)
    results = [result for result in stored if result.model == "analytic"]
    table = Volumes(results, space)
    budget = len(results) // SHARE
    print(
        f"{MNIST}: {len(results):,} designs, {budget:,} evaluations per search, seeds {SEEDS[0]} to {SEEDS[-1]}"
    )
    rng = np.random.default_rng(1)
    drawn = [[results[i] for i in rng.permutation(len(results))[:budget]] for _ in SEEDS]
    found = {"random": drawn}
    found |= {name: [searched(space, results, name, seed, budget) for seed in SEEDS] for name in SAMPLERS}
    for name, runs in found.items():
        tell(name, [table.share(run) for run in runs])
    middle = {f"{name}, median of {len(runs)}": table.middle(runs) for name, runs in found.items()}
    picture = hypervolume_picture(middle, f"{space.name} · {budget} evaluations", "the full grid's")
    (work / "hypervolume-of-searches.svg").write_bytes(picture.svg)


def searched(
    space: DesignSpace, results: Sequence[Result], sampler: Sampler, seed: int, budget: int
) -> list[Result]:
    """What a search evaluates, its results looked up."""
    known = {result.values: result for result in results}
    searcher = Searcher(space, sampler, seed, BATCH)
    found: list[Result] = []
    while len(found) < budget and (asked := searcher.ask(budget - len(found))):
        new = [replace(known[values], design=len(found) + i) for i, values in enumerate(asked)]
        searcher.tell(new)
        found += new
    return found


class Volumes:
    """Hypervolume of some designs as a share of that of all: of the objectives, and of their logarithms."""

    def __init__(self, results: Sequence[Result], space: DesignSpace) -> None:
        self.space = space
        table = self._costs(results)
        self.references = reference_point(table), reference_point(np.log(table))
        self.whole = self._both(table)

    def share(self, results: Sequence[Result]) -> tuple[float, float]:
        """Of the objectives, and of their logarithms, as in the page of a study."""
        linear, log = self._both(self._costs(results))
        return linear / self.whole[0], log / self.whole[1]

    def middle(self, runs: Sequence[Sequence[Result]]) -> list[float]:
        """Share of the logarithmic volume after each evaluation, the median of some runs."""
        return [float(value) for value in np.median([self._history(run) for run in runs], axis=0)]

    def _history(self, results: Sequence[Result]) -> NDArray[np.float64]:
        table = np.full((len(results), len(self.space.objectives)), np.nan)
        good = [index for index, result in enumerate(results) if feasible(result, self.space)]
        table[good] = np.log(self._costs(results))
        return hypervolume_history(table, self.references[1]) / self.whole[1]

    def _costs(self, results: Sequence[Result]) -> NDArray[np.float64]:
        return costs([result for result in results if feasible(result, self.space)], self.space.objectives)

    def _both(self, table: NDArray[np.float64]) -> tuple[float, float]:
        return hypervolume(table, self.references[0]), hypervolume(np.log(table), self.references[1])


def tell(name: str, shares: Sequence[tuple[float, float]]) -> None:
    """Worst and median over the seeds."""
    columns = np.array(shares).T
    texts = [
        f"{scale} worst {column.min():.3f}, median {np.median(column):.3f}"
        for scale, column in zip(("linear", "logarithmic"), columns, strict=True)
    ]
    verdict = "ok" if columns.min() >= WANTED else "MISSES"
    print(f"{name:>7}: {'; '.join(texts)}; wanted {WANTED}: {verdict}")


def main() -> None:
    """The part asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("mnist", "vgg", "cpu", "memory", "workers", "search"))
    parser.add_argument("--work", type=Path, required=True, help="folder of the studies")
    parser.add_argument("--run", type=Path, help="a trained run of cifar10-vgg11; for search, of mnist-dense")
    parser.add_argument("--space", default=MNIST, help="space of cpu and memory")
    parser.add_argument("--designs", type=int, default=MNIST_DESIGNS, help="designs of cpu and memory")
    given = parser.parse_args()
    if given.part in {"vgg", "cpu", "memory"} and given.run is None:
        parser.error(f"{given.part} needs --run")
    given.work.mkdir(parents=True, exist_ok=True)
    if given.part == "mnist":
        rate(MNIST, given.work, MNIST_DESIGNS, None, MNIST_SECONDS)
    elif given.part == "vgg":
        rate(VGG, given.work, VGG_DESIGNS, given.run, VGG_SECONDS)
    elif given.part == "cpu":
        tell_cpu(given.space, given.designs, cpu(given.space, given.work, given.designs, given.run))
    elif given.part == "memory":
        memory(given.space, given.work, given.designs, given.run)
    elif given.part == "search":
        search(given.work, given.run)
    else:
        workers(VGG if given.run else MNIST, given.work, given.run)


if __name__ == "__main__":
    main()
