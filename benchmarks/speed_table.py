"""One table of all speeds: what was measured, what was wanted, the peer, the machine's limit and the share of it reached.

Run as `python benchmarks/speed_table.py [PART ...] [--run RUN] [--vgg-run RUN]`; without parts, all of them:

- `startup`: `nmsim --help`, and a second run of the default job, whose compiled code is on disk;
- `search`: processor time of mapping searches of deep networks, for the first rule on a chip and for a further one;
- `sweeps`: `nmsim sweep` with two workers, start and page included, and the processor time of a design without them, of
  `mnist-edge` on RUN (a run of mnist-dense) and of `vgg11-mesh` on VGG_RUN;
- `engine`: samples per second of training and inference, beside SpikingJelly where the extra `bench` is installed, and
  what a core multiplies and reads, measured by small kernels;
- `event`: the event-driven model on VGG-11, and on a million neurons on 1,024 cores.

Starts, sweeps and samples per second are by the clock, which says something on an idle machine only: the load is printed
first. Processor seconds (user and system) stand beside them, which another program slows by its use of caches, but not by
its turn on the core. Rows of what is not measured say so. docs/performance.md says what was measured.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import engine_throughput as engine
import exploration
import numba
import numpy as np
from performance_models import MILLION, VGG, chip

from nmsim import config
from nmsim.cost.table import load_table
from nmsim.hardware.chip import ChipConfig
from nmsim.mapper.mapping_search import search_mapping
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.perf.census import ActivityCensus
from nmsim.perf.event.chip import EventModel
from nmsim.perf.work import StepWork, build_work
from nmsim.pipeline.simulate import CHIPS
from nmsim.pipeline.train import read_workload
from nmsim.stop.fixed.sizing import available_workers
from nmsim.stop.fixed.sums import PIECE, Rows, dot_narrow
from nmsim.stop.fixed.workspace import zeros
from nmsim.validate.synthetic import Densities, synthetic_activity

DENSITIES = Densities(0.15, 0.3, 0.2)
NONE = "-"
HEAD = ("point", "what", "measured", "wanted", "peer", "limit of the machine", "share")
DEEP = ("cifar10-vgg11", "cifar100-resnet18")
DESIGNS = {exploration.MNIST: 1000, exploration.VGG: 200}
NOWHERE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Row:
    """A line of the table; texts with their units."""

    point: str
    what: str
    measured: str
    wanted: str = NONE
    peer: str = "none measured"
    limit: str = "not known"
    share: str = NONE

    @property
    def text(self) -> str:
        """As a line of Markdown."""
        return f"| {' | '.join(astuple(self))} |"


@dataclass(frozen=True)
class Seconds:
    """What a process and its children took, by the clock and of processors."""

    clock: float
    processor: float

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.clock:.2f} s by the clock, {self.processor:.2f} s of processors"


def seconds_of(*command: str) -> Seconds:
    """A command from its start to its end."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Seconds(clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def startup(_: argparse.Namespace) -> Iterator[Row]:
    """Help, and the default job a second time."""
    nmsim = (sys.executable, "-m", "nmsim.cli.main")
    helped = sorted((seconds_of(*nmsim, "--help") for _ in range(3)), key=lambda found: found.clock)
    yield Row("4", "`nmsim --help`, median of 3", helped[1].text, "0.5 s")
    with tempfile.TemporaryDirectory() as folder:
        runs = [seconds_of(*nmsim, "run", "--quiet", "--overwrite", "--out", folder) for _ in range(4)]
    later = sorted(runs[1:], key=lambda found: found.clock)
    yield Row("4", "`nmsim run` when it ran before, median of 3", later[1].text, "5 s by the clock")


def search(_: argparse.Namespace) -> Iterator[Row]:
    """Deep networks on a mesh of 64 cores, activities drawn at random."""
    machine = config.read(ChipConfig, config.find(CHIPS, "mesh-16nm"))
    costs = load_table(machine.technology)
    for name in DEEP:
        workload = read_workload(name, "training.momentum=0.0")
        activity = synthetic_activity(workload.network, 3, DENSITIES, rule="stop-wtl")
        census = ActivityCensus(workload.network, activity)
        for rule, which in (("stop-wtl", "first rule"), ("stop-w", "a further rule")):
            needs = workload.needs(
                rule, sample_bits=activity.layers[0].input_bits, static_input=activity.static_input
            )
            began = time.process_time()
            found = search_mapping(
                workload.network, workload.precision, needs, activity, machine, costs, census=census
            )
            seconds = time.process_time() - began
            what = f"mapping search, {name} on mesh-16nm, {which}"
            yield Row("1", what, f"{seconds:.1f} s for {found.tried} mappings")


def sweeps(given: argparse.Namespace) -> Iterator[Row]:
    """Designs of a Sobol sample: by the clock with two workers, and of one process as minutes of two processors."""
    for space, run, wanted in (
        (exploration.MNIST, given.run, 10_000),
        (exploration.VGG, given.vgg_run, 1_000),
    ):
        what, designs = f"designs of {space} a minute", DESIGNS[space]
        if run is None:
            yield Row("1", what, "not measured: give the run", f"{wanted:,}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "sweep"
            seconds = exploration.sweep(space, out, *exploration.sampled(designs, run, 2))
            done, fit = exploration.counts(out)
            found = exploration.cpu(space, Path(folder), designs, run)
        sample = f"{done:,} by Sobol, of which {fit:,} fit"
        yield Row(
            "1", f"{what}, `nmsim sweep --jobs 2`, {sample}", f"{60 * done / seconds:,.0f}", f"{wanted:,}"
        )
        each = f"{1e3 * found.seconds:.1f} ms of processor time each; figures {found.digest}"
        yield Row("1", f"{what}, twice one process", f"{120 / found.seconds:,.0f} ({each})", f"{wanted:,}")


def throughput(given: argparse.Namespace) -> Iterator[Row]:
    """Samples per second on one machine, the peer in the same rounds."""
    peak, hz, read = multiply_adds_per_s(), clock_hz(), bytes_per_s()
    limit = (
        f"{peak / 1e9:.0f} G multiply-adds of 16 bits a second and core, {peak / hz:.0f} a cycle;"
        f" {read / 1e9:.0f} GB/s read"
    )
    for case in engine.CASES.values():
        found = engine.measure(case, processor_time=given.processor_time)
        rate = median(found.ours)
        network = NetworkSpec.model_validate(case.network)
        cores = 1 if given.processor_time else available_workers()
        done = sum(multiply_adds(layer, network, case) for layer in network.synaptic_layers) * rate
        what = f"{case.network['name']}, batch {case.batch}, {'training' if case.training else 'inference'}"
        ratio = (
            f"{found.ratio:.2f}x SpikingJelly, its better of {sorted(found.peers)} threads"
            if found.peers
            else "not installed"
        )
        share = f"{done / peak / cores:.0%} of the multiply-adds of {cores} core(s), zeros counted"
        yield Row("2", what, f"{rate:,.1f} samples/s", f"{case.wanted:g}x", ratio, limit, share)


def multiply_adds(layer: SynapticLayer, network: NetworkSpec, case: engine.Case) -> int:
    """Of a sample in a layer: currents (of the constant input once), in training also errors, but not below, and dW."""
    steps, first = network.time_steps, layer.index == 0
    passes = (1 if first else steps) + case.training * (steps if first else 2 * steps)
    return layer.dense_macs * passes


@cache
def multiply_adds_per_s() -> float:
    """What one core does by the engine's innermost product on rows in its first cache: the best of 20."""
    rows = zeros(8 * PIECE, np.int16)
    rows[:] = np.random.default_rng(1).integers(-99, 99, rows.size)
    out = zeros(16, np.int64)
    return 1000 * 16 * PIECE / best_s(lambda: _products(rows, out, 1000))


@cache
def clock_hz() -> float:
    """Cycles per second, by a chain of shifts and exclusive ors, each of which takes a cycle and needs the one before."""
    return 6e6 / best_s(lambda: _chain(3, 1_000_000))


@cache
def bytes_per_s() -> float:
    """What one core reads of an array that no cache holds: the best of 20."""
    array = np.ones(1 << 26, np.int16)
    return array.nbytes / best_s(lambda: _sum(array))


def best_s(run: Callable[[], object]) -> float:
    """Processor seconds of a run, once warm, the best of 20."""
    run()
    best = float("inf")
    for _ in range(20):
        began = time.process_time()
        run()
        best = min(best, time.process_time() - began)
    return best


@numba.njit(error_model="numpy", _nrt=False)
def _products(rows: Any, out: Any, times: int) -> None:
    for _ in range(times):
        dot_narrow(Rows(rows, 0, PIECE, 4), Rows(rows, 4 * PIECE, PIECE, 4), NOWHERE, PIECE, out, 0)


@numba.njit
def _chain(value: int, times: int) -> int:
    for _ in range(times):
        value ^= value << 13
        value ^= value >> 7
        value ^= value << 17
    return value


@numba.njit
def _sum(array: Any) -> int:
    total = 0
    for k in range(array.size):
        total += array[k]
    return total


def event(_: argparse.Namespace) -> Iterator[Row]:
    """VGG-11 on 64 cores, one sample, event by event; all time steps of a million neurons."""
    peer = "SANA-FE: benchmarks/against_sanafe.py, where it is installed"
    EventModel().run(_work(VGG, chip(8, 8, 64), "inference", Densities(0.3, 0.0, 0.0)))  # compile first
    for given, machine, rule, wanted in (
        (VGG, chip(8, 8, 64), "stop-wtl", NONE),
        (MILLION, chip(32, 32, 64), "inference", "60 s a time step"),
        (MILLION, chip(32, 32, 64), "stop-wtl", "60 s a time step"),
    ):
        work = _work(given, machine, rule, Densities(0.3, 0.12, 0.5))
        began = time.process_time()
        EventModel().run(work)
        seconds = time.process_time() - began
        what = f"event-driven, {given['name']}, {len(work.cores_used)} cores, {rule}, a sample of {work.time_steps} steps"
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Row("3", what, f"{seconds:.1f} s, peak {peak_mb:.0f} MB", wanted, peer)


def _work(given: dict[str, Any], machine: ChipConfig, rule: str, densities: Densities) -> StepWork:
    """A sample of a network on a chip, drawn at random."""
    network, needs = NetworkSpec.model_validate(given), TrainingNeeds.for_rule(rule)
    mapping = map_network(network, Precision(), needs, machine)
    activity = synthetic_activity(network, 1, densities, rule=rule)
    return build_work(Deployment(network, Precision(), needs, machine, mapping), activity)


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "startup": startup, "search": search, "sweeps": sweeps, "engine": throughput, "event": event,
}  # fmt: skip


def main() -> None:
    """The table, row by row as it is found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all if none is named")
    parser.add_argument("--run", type=Path, help="a trained run of mnist-dense, for sweeps")
    parser.add_argument("--vgg-run", type=Path, help="a trained run of cifar10-vgg11, for sweeps")
    parser.add_argument(
        "--processor-time", action="store_true", help="engine: one thread each, by processor time"
    )
    given = parser.parse_args()
    print(
        f"{engine.load()}, python {sys.version.split()[0]}, numpy {np.__version__}, {os.cpu_count()} cores\n"
    )
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for part in given.parts or PARTS:
        for row in PARTS[part](given):
            print(row.text, flush=True)
    if not given.parts:
        print(Row("5", "training by `--device cuda`, the same bits", "not measured by this command").text)


if __name__ == "__main__":
    main()
