"""Accuracy over sparsity: pruning, growth, and both at a constant budget, bit-accurate, and what the runs cost on chips.

    python benchmarks/structure_study.py train --out /tmp/structure-study
    python benchmarks/structure_study.py train --out /tmp/structure-study --networks mnist-512 mnist-64 --methods prune
    python benchmarks/structure_study.py tables --out /tmp/structure-study
    python benchmarks/structure_study.py markdown --out /tmp/structure-study
    python benchmarks/structure_study.py plot --out /tmp/structure-study --to docs/pictures/structure.svg

`train` makes a run folder under `--out` for every training, goes on where it was interrupted and leaves alone what has
finished; several may work side by side on cases of their own. `tables` writes `results.csv`, a line for every finished run,
and `machine.csv`, what those of the first seed cost on whole chips with every synapse memory. `markdown` prints both as the
tables of docs/structure.md. `plot` draws accuracy over
sparsity and over energy from the two.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from nmsim.cost.table import load_table
from nmsim.errors import DoesNotFitError, FormatError
from nmsim.evaluate import evaluate
from nmsim.hardware.synapse_memory import SynapseMemory, SynapseStore
from nmsim.mapper.mapping_search import search_mapping
from nmsim.perf.sparse_synapses import by_input
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulate import needs_of, read_chip
from nmsim.pipeline.synapses import masks_of
from nmsim.pipeline.train import read_workload, train
from nmsim.rules import rule_named
from nmsim.units import BITS_PER_KIB, NJ_PER_J, US_PER_S
from nmsim.workload import WorkloadSpec

SPARSITIES = (0.9, 0.8, 0.95, 0.5)
CHIPS = ("edge-28nm", "mesh-16nm")
FOUR_TIMES = {"edge-28nm": ("mesh.rows=8", "mesh.columns=8")}
"""What CIFAR-10 networks need of the smaller chip, in whose 16 cores their packets do not find room."""
METHODS = {
    "prune": ("structure.method=prune",),
    "grow": ("structure.method=grow",),
    "exchange": ("structure.method=prune_and_grow",),
    "random-exchange": ("structure.method=prune_and_grow", "structure.grow_by=random"),
    "global-prune": ("structure.method=prune", "structure.scope=global"),
}
RULES = ("stop-wtl", "stop-w")
MEMORIES = (
    SynapseMemory(format="dense"),
    SynapseMemory(format="bitmap"),
    SynapseMemory(format="csr"),
    SynapseMemory(format="csr", transposed="index"),
)
"""Synapse memories of whole chips; `nmsim synapses` compares more of them."""


def _hidden(units: int) -> tuple[str, tuple[str, ...]]:
    return "mnist-dense", (f"network.layers=[{{kind: dense, units: {units}}}, {{kind: dense, units: 10}}]",)


NETWORKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "mnist-dense": ("mnist-dense", ()),
    "mnist-32": _hidden(32),
    "mnist-64": _hidden(64),
    "mnist-128": _hidden(128),
    "mnist-512": _hidden(512),
    "mnist-t4": ("mnist-dense", ("network.time_steps=4",)),
    "mnist-t8": ("mnist-dense", ("network.time_steps=8",)),
    "mnist-8bit": ("mnist-dense", ("precision.weight=s8.6",)),
    "lenet5": (
        "mnist-lenet5-small",
        ("precision.weight=s16.12",),
    ),  # a sparse start draws weights of up to 4.2
    "cifar10-small": ("cifar10-small", ()),
    "cifar10-vgg6": ("cifar10-vgg6", ()),
}
"""Networks of the study: shipped workload, and settings."""
FIRST_STAYS = ("lenet5", "cifar10-small", "cifar10-vgg6")
"""Networks whose first convolution, of 150 to 864 weights, keeps all its synapses."""


@dataclass(frozen=True)
class Case:
    """One training."""

    network: str
    rule: str
    method: str
    sparsity: float
    seed: int

    @property
    def folder(self) -> str:
        """Name of its run folder."""
        return f"{self.network}_{self.rule}_{self.method}_{round(100 * self.sparsity)}_{self.seed}"

    @classmethod
    def of(cls, folder: Path) -> "Case":
        """The case of a run folder."""
        network, rule, method, percent, seed = folder.name.split("_")
        return cls(network, rule, method, int(percent) / 100, int(seed))

    def workload(self, samples: int | None, epochs: int, data: str | None) -> WorkloadSpec:
        """The shipped workload with the structure section of the case; steps end after three quarters of the training."""
        name, extra = NETWORKS[self.network]
        settings = [f"training.epochs={epochs}", f"training.rule={self.rule}", "profile.samples=16", *extra]
        if samples is not None:
            settings.append(f"dataset.train_samples={samples}")
        if data is not None and self.network.startswith("cifar"):
            settings.append(f"dataset.path={data}")
        if self.sparsity == 0:
            return read_workload(name, *settings)
        batch = read_workload(name).training.batch_size
        per_epoch = (samples or 4000) // batch
        pruned = self.method in {"prune", "global-prune"}
        settings += [
            *METHODS[self.method],
            f"structure.sparsity={self.sparsity}",
            f"structure.begin_epoch={0.25 * epochs if pruned else 0.0}",
            f"structure.end_epoch={0.75 * epochs}",
            f"structure.every_updates={max(per_epoch // 4, 1)}",
        ]
        if self.method == "grow":
            settings.append(f"structure.initial_sparsity={1 - (1 - self.sparsity) / 2}")
        if self.network in FIRST_STAYS:
            settings.append("structure.dense_layers=[0]")
        return read_workload(name, *settings)


def cases(
    networks: Sequence[str], rules: Sequence[str], methods: Sequence[str], sparsities: Sequence[float], seeds: Sequence[int]
) -> Iterator[Case]:  # fmt: skip
    """All trainings, seed by seed, dense ones first; sparsity 0 is the dense one of every method."""
    for seed in seeds:
        for network in networks:
            for rule in rules:
                yield Case(network, rule, "dense", 0.0, seed)
                for sparsity in sparsities:
                    for method in methods:
                        yield Case(network, rule, method, sparsity, seed)


def train_all(arguments: argparse.Namespace) -> None:
    """Train what is missing."""
    chosen = cases(
        arguments.networks, arguments.rules, arguments.methods, arguments.sparsities, arguments.seeds
    )
    for case in chosen:
        workload = case.workload(arguments.samples, arguments.epochs, arguments.data)
        try:
            history = train(workload, arguments.out / case.folder, seed=case.seed, resume=True)
        except FormatError as error:  # the weights of a very sparse start are large
            print(f"{case.folder} left out: {error}", flush=True)
            continue
        print(case.folder, f"{history.rows[-1].test_accuracy:.3f}", flush=True)


def finished(out: Path) -> list[tuple[Case, RunFolder]]:
    """Runs that are done, in order of their names."""
    folders = [RunFolder(path) for path in sorted(out.iterdir()) if path.name.count("_") == 4]
    return [(Case.of(folder.path), folder) for folder in folders if folder.training_file.exists()]


def write_tables(arguments: argparse.Namespace) -> None:
    """Accuracy of every finished run; time, energy and memory of those of the first seed."""
    runs = finished(arguments.out)
    rows: list[dict[str, object]] = []
    for case, folder in runs:
        history = folder.history()
        row, masks = history.rows[-1], folder.parameters()["synapses"]
        rows.append(
            asdict(case)
            | {
                "density": float(np.mean(masks != 0)), "test_accuracy": row.test_accuracy,
                "test_samples": row.test_samples, "train_samples": row.train_samples, "epochs": len(history.rows),
                "train_accuracy": row.train_accuracy,
            }
            | stored_kib(folder)
        )  # fmt: skip
    write(arguments.out / "results.csv", rows)
    machine = read(arguments.out / "machine.csv")
    known = {row["run"] for row in machine}
    for case, folder in runs:
        chosen = case.method == "dense" or case.method in arguments.methods
        if chosen and case.network in arguments.networks and case.seed == 1 and case.folder not in known:
            wider = FOUR_TIMES if case.network.startswith("cifar10") else {}
            machine += [{"run": case.folder, **row} for row in on_whole_chips(folder, wider)]
            write(arguments.out / "machine.csv", machine)
            print(case.folder, flush=True)


def stored_kib(folder: RunFolder) -> dict[str, object]:
    """What the synapses of a run take in every memory, index included."""
    workload, found = folder.workload(), dict.fromkeys(map(named, MEMORIES), 0.0)
    for index, mask in enumerate(masks_of(folder)):
        bits = workload.precision.resolve(index).weight.format.total_bits
        for memory in MEMORIES:
            found[named(memory)] += SynapseStore(memory, by_input(mask), bits, 64).storage_bits / BITS_PER_KIB
    return {f"kib, {name}": kib for name, kib in found.items()}


def markdown(arguments: argparse.Namespace) -> None:
    """Accuracy of every method over sparsity, and each run of the first seed in the synapse memory of least energy."""
    accuracies: dict[tuple[str, str, float], list[float]] = defaultdict(list)
    for row in read(arguments.out / "results.csv"):
        key = str(row["network"]), str(row["method"]), float(str(row["sparsity"]))
        accuracies[key].append(100 * float(str(row["test_accuracy"])))
    print("| network | method | absent | accuracy | trainings |\n|---|---|---|---|---|")
    for (network, method, sparsity), own in sorted(accuracies.items()):
        spread = f" +- {np.std(own, ddof=1):.1f}" if len(own) > 1 else ""
        print(f"| {network} | {method} | {sparsity:.0%} | {np.mean(own):.1f}{spread} % | {len(own)} |")
    print("\n| run | chip | inference | training sample |\n|---|---|---|---|")
    rows: dict[tuple[str, str], list[dict[str, object]]] = defaultdict(list)
    for row in read(arguments.out / "machine.csv"):
        rows[str(row["run"]), str(row["chip"])].append(row)
    for (run, chip), own_rows in sorted(rows.items()):
        print(f"| {run} | `{chip}` | {cheapest(own_rows, 'inference')} | {cheapest(own_rows, 'training')} |")


def cheapest(rows: Sequence[dict[str, object]], part: str) -> str:
    """Energy, time, memory and format of the synapse memory that takes least energy, and what the dense one takes."""
    energies = {str(row["format"]): float(str(row[f"{part}_j"])) for row in rows if row[f"{part}_j"]}
    if not energies:
        return "does not fit"
    best = min(energies, key=lambda name: energies[name])
    row = next(row for row in rows if row["format"] == best)
    time, room = float(str(row[f"{part}_s"])), float(str(row[f"{part}_kib"]))
    dense = f"{energies['dense'] * NJ_PER_J:,.0f} nJ" if "dense" in energies else "does not fit"
    return f"{energies[best] * NJ_PER_J:,.0f} nJ, {time * US_PER_S:,.2f} us, {room:,.0f} KiB, {best} (dense {dense})"


def plot(arguments: argparse.Namespace) -> None:
    """Accuracy over sparsity by method, and over energy of an inference by storage of the pruned runs of the first seed."""
    results = [row for row in read(arguments.out / "results.csv") if row["rule"] == "stop-wtl"]
    accuracies: dict[tuple[str, float], list[float]] = defaultdict(list)
    for row in results:
        if row["network"] == "mnist-dense":
            accuracies[str(row["method"]), float(str(row["sparsity"]))].append(
                100 * float(str(row["test_accuracy"]))
            )
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained")
    whole = accuracies["dense", 0.0]
    for method, mark in zip(("prune", "exchange", "grow"), "osv", strict=True):
        points = {0.0: whole} | {
            sparsity: own for (name, sparsity), own in sorted(accuracies.items()) if name == method
        }
        left.errorbar(
            [100 * sparsity for sparsity in points], [np.mean(own) for own in points.values()],
            [np.std(own, ddof=1) if len(own) > 1 else 0 for own in points.values()], marker=mark, capsize=2, label=method,
        )  # fmt: skip
    left.set(xlabel="synapses that are absent (%)", ylabel="accuracy on held-out images (%)")
    left.legend(frameon=False)
    by_run = {
        case.folder: folder.history().rows[-1].test_accuracy or 0.0
        for case, folder in finished(arguments.out)
    }
    for (chip, memory), mark in zip(product(CHIPS, ("dense", "bitmap", "csr")), "oP^oP^", strict=True):
        priced = [
            (1e9 * float(str(row["inference_j"])), 100 * by_run[str(row["run"])])
            for row in read(arguments.out / "machine.csv")
            if row["chip"] == chip
            and row["format"] == memory
            and str(row["run"]).startswith(("mnist-dense_stop-wtl_prune", "mnist-dense_stop-wtl_dense"))
        ]
        right.plot(*zip(*priced, strict=True), mark + "-", label=f"{chip}, {memory}", linewidth=0.8)
    right.set(
        xlabel="energy of an inference (nJ)", xscale="log", ylabel="accuracy, seed 1 (%), standard error 0.8"
    )
    right.set_xticks([250, 350, 500, 700, 1000, 1400], ["250", "350", "500", "700", "1,000", "1,400"])
    right.minorticks_off()
    right.legend(frameon=False, fontsize="small")
    figure.savefig(arguments.to)


def on_whole_chips(folder: RunFolder, settings: Mapping[str, Sequence[str]]) -> Iterator[dict[str, object]]:
    """Inference and training on every chip with every synapse memory, each mapped anew; empty where it does not fit."""
    workload = folder.workload()
    for name in CHIPS:
        chip = read_chip(name, settings.get(name, ()))
        for memory in MEMORIES:
            options = chip.options.model_copy(update={"synapses": memory})
            own = chip.model_copy(update={"options": options})
            row: dict[str, object] = {"chip": name, "format": named(memory)}
            for rule in ("inference", workload.training.rule.name):
                part = "inference" if rule == "inference" else "training"
                activity = folder.activity(rule_named(rule).profile)
                costs = load_table(own.technology)
                try:
                    job = search_mapping(
                        workload.network, workload.precision, needs_of(workload, rule, activity), activity, own, costs,
                    ).job  # fmt: skip
                except DoesNotFitError:
                    row |= {f"{part}_j": "", f"{part}_s": "", f"{part}_kib": ""}
                    continue
                found = evaluate(job, activity, costs)
                assert found.energy_j is not None
                kib = sum(use.words_used * use.word_bits for use in found.memory) / BITS_PER_KIB
                row |= {
                    f"{part}_j": found.energy_j.mean,
                    f"{part}_s": found.latency_s.mean,
                    f"{part}_kib": kib,
                }
            yield row


def named(memory: SynapseMemory) -> str:
    """A format in a table."""
    return memory.text + (", indexed back" if memory.transposed == "index" else "")


def read(path: Path) -> list[dict[str, object]]:
    """A table that is there already."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """A table of rows with the same keys."""
    if not rows:
        return
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """One of the four steps."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=("train", "tables", "markdown", "plot"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", default=["mnist-dense", "lenet5"], choices=NETWORKS)
    parser.add_argument("--rules", nargs="+", default=["stop-wtl"], choices=RULES)
    parser.add_argument("--methods", nargs="+", default=list(METHODS)[:3], choices=METHODS)
    parser.add_argument("--sparsities", nargs="*", type=float, default=list(SPARSITIES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--samples", type=int, help="training samples; all of the workload's if absent")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--to", type=Path, default=Path("structure.svg"), help="picture")
    parser.add_argument("--data", help="folder of CIFAR-10")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    {"train": train_all, "tables": write_tables, "markdown": markdown, "plot": plot}[arguments.step](
        arguments
    )


if __name__ == "__main__":
    main()
