"""Accuracies of training rules and of weight formats, several seeds each: the tables of docs/results.md.

Run as `python benchmarks/training_study.py STUDY --data PATH --out FOLDER [--jobs 2] [--seeds 1 2 3]`. Every training is an
ordinary `nmsim train` in a folder of its own; a run that is finished is not repeated, so the command can be stopped and
given again. It ends by printing the table, one line per setting, with every seed's accuracy.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from math import ceil, log2
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from nmsim.network.precision import Precision
from nmsim.pipeline.folder import RunFolder
from nmsim.rules import STOP_WTL
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.protocol import Parameters
from nmsim.stop.train import accuracy
from nmsim.workload import prepare


@dataclass(frozen=True)
class Setting:
    """A line of the table: a name and what it sets in the study's workload."""

    name: str
    sets: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """A workload, what all its trainings have in common, and the settings to compare."""

    workload: str
    common: tuple[str, ...]
    settings: tuple[Setting, ...]


def by_rule() -> tuple[Setting, ...]:
    """Every STOP rule in fixed point and float32, and STBP in float32."""
    found = [
        Setting(f"{rule}, {arithmetic}", (f"training.rule={rule}", f"training.arithmetic={arithmetic}"))
        for rule, arithmetic in product(("stop-w", "stop-wt", "stop-wl", "stop-wtl"), ("fixed", "float32"))
    ]
    return (
        *found,
        Setting("stbp, float32", ("training.rule=stbp", "training.arithmetic=float32")),
    )


def by_weight() -> tuple[Setting, ...]:
    """Weights of 16 and 8 bits, their updates to the nearest or stochastic, and 8 bits used of 16 stored."""
    near, random = "precision.update_rounding=nearest", "precision.update_rounding=stochastic"
    return (
        Setting("16 bits, stochastic", (random,)),
        Setting("16 bits, nearest", (near,)),
        Setting("8 bits, nearest", ("precision.weight=s8.5", near)),
        Setting("8 bits, stochastic", ("precision.weight=s8.5", random)),
        Setting("8 bits used of 16 stored, nearest", ("precision.weight_used=s8.5", near)),
        Setting("8 bits used of 16 stored, stochastic", ("precision.weight_used=s8.5", random)),
    )


SHORT = (
    "dataset={name: mnist, train_samples: 10000, test_samples: 5000}",
    "training.epochs=4",
    "augmentation={shift_pixels: 1}",
    "training.loss=squared_error",
    "training.learning_rates={weight: 0.04, threshold: 0.003, leak: 0.001}",
    "precision.leak_trace=s16.8",
)
STUDIES = {
    "mnist-rules": Study("mnist-lenet5", SHORT, by_rule()),
    "mnist-weights": Study("mnist-lenet5", SHORT, by_weight()),
    "cifar10-rules": Study(
        "cifar10-vgg6",
        (),
        (
            Setting("stop-wtl, fixed", ()),
            Setting("stop-wtl, float32", ("training.arithmetic=float32",)),
            Setting(
                "stbp, float32",  # its gradients are larger: at 0.055 it already falls silent
                (
                    "training.rule=stbp",
                    "training.arithmetic=float32",
                    "training.learning_rates={weight: 0.03, threshold: 0.001, leak: 0.0003}",
                ),
            ),
        ),
    ),
}


def train(study: Study, setting: Setting, seed: int, data: Path, folder: Path) -> None:
    """One training in a process of one thread, unless its folder holds a finished one."""
    if RunFolder(folder).parameters.exists():
        return
    command = [sys.executable, "-m", "nmsim.cli.main", "train", study.workload, "--data", str(data)]
    command += ["--seed", str(seed), "--out", str(folder), "--quiet"]
    if folder.exists():
        command.append("--resume")
    for assignment in (*study.common, *setting.sets):
        command += ["--set", assignment]
    one_thread = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=os.environ | one_thread)
    row = RunFolder(folder).history().rows[-1]
    print(f"{setting.name}, seed {seed}: {row.test_accuracy:.2%}", flush=True)


def with_room(precision: Precision, largest: float) -> Precision:
    """The same with 16-bit weights that have as many integer bits as the largest weight needs, at least two."""
    fraction_bits = 15 - max(2, ceil(log2(largest * (1 + 2.0**-15))))
    given = precision.model_dump(mode="json", exclude_unset=True)
    return Precision.model_validate(given | {"weight": f"s16.{fraction_bits}"})


def on_fixed_point(folder: Path) -> float:
    """Accuracy of a float run's parameters, quantized, on the bit-accurate engine's forward pass."""
    run = RunFolder(folder)
    provenance = run.provenance()
    prepared = prepare(run.workload(), int(provenance["seed"]))
    workload = prepared.workload
    trained = FloatEngine(workload.network, workload.training.model_copy(update={"rule": STOP_WTL}))
    with np.load(run.parameters) as state:
        trained.restore(dict(state))
    own = trained.parameters
    training = workload.training.model_copy(update={"rule": STOP_WTL, "arithmetic": "fixed"})
    parameters = Parameters(own.weights, own.thresholds, own.leak, [None] * len(own.weights))
    precision = with_room(workload.precision, max(float(np.abs(weights).max()) for weights in own.weights))
    engine = FixedEngine(workload.network, precision, training, prepared.input_format, 1, parameters)
    return accuracy(engine, prepared.test)[0]


def line(name: str, accuracies: Sequence[float], samples: int) -> str:
    """One line of the table, as Markdown."""
    spread = f" +- {stdev(accuracies):.2%}" if len(accuracies) > 1 else ""
    each = ", ".join(f"{value:.2%}" for value in accuracies)
    return f"| {name} | {mean(accuracies):.2%}{spread} | {each} | {samples:,} |"


def main() -> None:
    """Run what is missing of a study, then print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--data", type=Path, required=True, help="path of the data set")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    study = STUDIES[options.study]

    def folder(setting: Setting, seed: int) -> Path:
        place: Path = options.out / f"{setting.name.replace(', ', '-').replace(' ', '-')}-{seed}"
        return place

    cases = [(setting, seed) for seed in options.seeds for setting in study.settings]
    options.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda case: train(study, *case, options.data, folder(*case)), cases))
    print("| setting | mean | by seed | test samples |\n|---|---|---|---|")
    for setting in study.settings:
        rows = [RunFolder(folder(setting, seed)).history().rows[-1] for seed in options.seeds]
        print(line(setting.name, [row.test_accuracy or 0.0 for row in rows], rows[0].test_samples))
        if setting.name.startswith("stbp"):
            found = [on_fixed_point(folder(setting, seed)) for seed in options.seeds]
            print(line("stbp, float32, then fixed-point forward", found, rows[0].test_samples))


if __name__ == "__main__":
    main()
