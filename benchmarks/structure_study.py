"""Accuracy over sparsity: pruning, growth, and both at a constant budget, bit-accurate.

    python benchmarks/structure_study.py --out /tmp/structure-study
    python benchmarks/structure_study.py --out /tmp/structure-study --seeds 1 --samples 1000 --epochs 3

Every training is a run folder under `--out`, resumed where it was interrupted and left alone where it has finished; the
order is seed by seed, so that an interrupted study has all methods. `results.csv` holds a line for every training that has
finished, `synapses.csv` what those of the first seed are worth in every storage format on two chips.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulate import read_chip
from nmsim.pipeline.synapses import synapse_costs
from nmsim.pipeline.train import read_workload, train
from nmsim.workload import WorkloadSpec

SPARSITIES = (0.9, 0.8, 0.95, 0.5)
CHIPS = ("edge-28nm", "mesh-16nm")
METHODS = ("prune", "grow", "prune_and_grow", "random_grow", "global_prune")
NETWORKS = {
    "mnist-dense": ("mnist-dense", ()),
    "lenet5": ("mnist-lenet5-small", ("structure.dense_layers=[0]",)),
    "cifar10-vgg6": ("cifar10-vgg6", ("structure.dense_layers=[0]",)),
}
"""Network of the study: shipped workload, and settings; the first convolution of 150 or 864 weights stays dense."""


@dataclass(frozen=True)
class Case:
    """One training."""

    network: str
    method: str
    sparsity: float
    seed: int

    @property
    def folder(self) -> str:
        """Name of its run folder."""
        return f"{self.network}-{self.method}-{round(100 * self.sparsity)}-seed{self.seed}"

    def workload(self, samples: int | None, epochs: int, data: str | None) -> WorkloadSpec:
        """The shipped workload with the structure section of the case; steps end after three quarters of the training."""
        name, extra = NETWORKS[self.network]
        settings = [f"training.epochs={epochs}", "profile.samples=16"]
        if samples is not None:
            settings.append(f"dataset.train_samples={samples}")
        if data is not None and self.network.startswith("cifar"):
            settings.append(f"dataset.path={data}")
        if self.sparsity == 0:
            return read_workload(name, *settings)
        batch = read_workload(name).training.batch_size
        per_epoch = (samples or 4000) // batch
        method = {"random_grow": "prune_and_grow", "global_prune": "prune"}.get(self.method, self.method)
        settings += [
            f"structure.method={method}",
            f"structure.sparsity={self.sparsity}",
            f"structure.begin_epoch={0.25 * epochs if method == 'prune' else 0.0}",
            f"structure.end_epoch={0.75 * epochs}",
            f"structure.every_updates={max(per_epoch // 4, 1)}",
            *extra,
        ]
        if method == "grow":
            settings.append(f"structure.initial_sparsity={1 - (1 - self.sparsity) / 2}")
        if self.method == "random_grow":
            settings.append("structure.grow_by=random")
        if self.method == "global_prune":
            settings.append("structure.scope=global")
        return read_workload(name, *settings)


def cases(networks: list[str], seeds: list[int], methods: list[str]) -> Iterator[Case]:
    """All trainings, dense ones first, seed by seed."""
    for seed in seeds:
        for network in networks:
            yield Case(network, "dense", 0.0, seed)
            for sparsity in SPARSITIES:
                for method in methods:
                    yield Case(network, method, sparsity, seed)


def density_of(folder: RunFolder) -> float:
    """Synapses that are there after the training, as a fraction."""
    return float(np.mean(folder.parameters()["synapses"] != 0))


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """A table of rows with the same keys."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", default=["mnist-dense", "lenet5"], choices=NETWORKS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS[:3]), choices=METHODS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--samples", type=int, help="training samples; all of the workload's if absent")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--data", help="folder of CIFAR-10")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    costs: list[dict[str, object]] = []
    for case in cases(arguments.networks, arguments.seeds, arguments.methods):
        workload = case.workload(arguments.samples, arguments.epochs, arguments.data)
        folder = arguments.out / case.folder
        history = train(workload, folder, seed=case.seed, resume=True)
        row = history.rows[-1]
        rows.append(
            {
                "network": case.network, "method": case.method, "sparsity": case.sparsity, "seed": case.seed,
                "density": density_of(RunFolder(folder)), "test_accuracy": row.test_accuracy,
                "test_samples": row.test_samples, "train_samples": row.train_samples, "epochs": len(history.rows),
                "train_accuracy": row.train_accuracy,
            }
        )  # fmt: skip
        write(arguments.out / "results.csv", rows)
        for chip in CHIPS if case.seed == arguments.seeds[0] else ():
            costs += [
                {"run": case.folder, **asdict(cost)}
                for cost in synapse_costs(RunFolder(folder), read_chip(chip))
            ]
            write(arguments.out / "synapses.csv", costs)
        print(case.folder, f"{row.test_accuracy:.3f}", f"density {rows[-1]['density']:.3f}", flush=True)


if __name__ == "__main__":
    main()
