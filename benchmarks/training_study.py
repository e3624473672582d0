"""Accuracies of training rules and of weight formats, several seeds each: the tables of docs/results.md.

Run as `python benchmarks/training_study.py STUDY --data PATH --out FOLDER [--jobs 2] [--seeds 1 2 3] [--held-out N]
[--chips edge-28nm]`. Every training is a run folder of its own. What is finished is not repeated, so the command can be
stopped and given again. It ends with three tables:

- every setting with each seed's accuracy,
- every setting against the first of the same arithmetic, on the same test samples: the difference in accuracy, with
  Student's 95 % interval over samples (those that both answer alike cancel; it knows nothing of other seeds), and the
  difference of each seed,
- with `--chips`, the energy of a training sample of each run under its own rule, over that of the first setting, with the
  interval of paired samples.

With `--held-out N` the last N training samples are kept out of the training and take the place of the test samples:
that is how a setting is chosen without the test samples.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, log2
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.dataset import Dataset, Images
from nmsim.datasets.events import Recordings
from nmsim.datasets.load import load_described
from nmsim.datasets.split import stratified
from nmsim.network.precision import Precision
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.kept import find_kept, read_kept
from nmsim.pipeline.simulate import evaluate_rule, read_chip
from nmsim.pipeline.start import started_from
from nmsim.pipeline.train import build_engine, read_workload, train
from nmsim.report.ratio import energy_ratio
from nmsim.rules import STOP_WTL
from nmsim.statistics import mean_interval
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.protocol import Engine, Parameters
from nmsim.stop.train import EVALUATION_CHUNK, Samples
from nmsim.units import scaled
from nmsim.workload import Prepared, WorkloadSpec, prepare

Answers = NDArray[np.bool_]
"""Whether each test sample was classified, `(S,)`."""


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
    kept: str | None = None
    """Kept run whose float start every training starts from; random weights if absent."""


STOP_RULES = ("stop-w", "stop-wt", "stop-wl", "stop-wtl")


def by_rule() -> tuple[Setting, ...]:
    """Every STOP rule in fixed point and float32, and STBP in float32."""
    found = [
        Setting(f"{rule}, {arithmetic}", (f"training.rule={rule}", f"training.arithmetic={arithmetic}"))
        for rule, arithmetic in product(STOP_RULES, ("fixed", "float32"))
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


def at_rates(*rates: float) -> tuple[Setting, ...]:
    """Weights that learn at these rates."""
    return tuple(Setting(f"weights at {rate}", (f"training.learning_rates.weight={rate}",)) for rate in rates)


SHORT = (
    "dataset={name: mnist, train_samples: 10000, test_samples: 5000}",
    "training.epochs=4",
    "augmentation={shift_pixels: 1}",
    "training.loss=squared_error",
    "training.learning_rates={weight: 0.04, threshold: 0.003, leak: 0.001}",
    "precision.leak_trace=s16.8",
)
FEW_RULES = (
    *(Setting(f"{rule}, fixed", (f"training.rule={rule}",)) for rule in STOP_RULES),
    *(
        Setting(f"{rule}, float32", (f"training.rule={rule}", "training.arithmetic=float32"))
        for rule in ("stop-w", "stop-wtl", "stbp")
    ),
)
"""The same samples, rates and schedule for all."""
WTL_AND_STBP = (
    Setting("stop-wtl, fixed", ()),
    Setting("stop-wtl, float32", ("training.arithmetic=float32",)),
    Setting("stbp, float32", ("training.rule=stbp", "training.arithmetic=float32")),
)
SLOWER_STBP = Setting(
    "stbp, float32",  # its gradients are larger: layers fall silent at the rate of STOP
    (
        "training.rule=stbp",
        "training.arithmetic=float32",
        "training.learning_rates={weight: 0.03, threshold: 0.001, leak: 0.0003}",
    ),
)
STUDIES = {
    "mnist-dense-rules": Study("mnist-dense", (), by_rule()),
    "mnist-tuned-rules": Study(
        "mnist-lenet5-tuned",
        ("training.epochs=1", "dataset.train_samples=5000"),
        FEW_RULES,
        "mnist-lenet5-tuned",
    ),
    "cifar10-tuned-rules": Study(
        "cifar10-vgg6-tuned",
        ("training.epochs=1", "dataset.train_samples=1024", "dataset.test_samples=1000"),
        FEW_RULES,
        "cifar10-vgg6-tuned",
    ),
    "cifar10-wide-rate": Study(
        "cifar10-vgg6-wide-tuned",
        (),
        at_rates(0.0005, 0.0002, 0.0001),
        "cifar10-vgg6-wide-tuned",
    ),
    "cifar100-rate": Study(
        "cifar100-vgg6-tuned",
        (),
        at_rates(0.0005, 0.0002, 0.001),
        "cifar100-vgg6-tuned",
    ),
    "cifar100-tuned": Study(
        "cifar100-vgg6-tuned",
        (),
        WTL_AND_STBP,
        "cifar100-vgg6-tuned",
    ),
    "cifar10-tuned-rate": Study(
        "cifar10-vgg6-tuned",
        (),
        tuple(
            Setting(
                f"weights at {rate}, {samples:,} images",
                (
                    f"training.learning_rates.weight={rate}",
                    f"dataset.train_samples={samples}",
                    "training.epochs=1",
                ),
            )
            for rate, samples in ((0.0005, 2000), (0.001, 2000), (0.00025, 2000), (0.0005, 4000))
        ),
        "cifar10-vgg6-tuned",
    ),
    "nmnist-stbp": Study(
        "nmnist-small",
        ("dataset.test_samples=52",),
        WTL_AND_STBP,
    ),
    "mnist-rules": Study("mnist-lenet5", SHORT, by_rule()),
    "mnist-weights": Study("mnist-lenet5", SHORT, by_weight()),
    "gesture-windows": Study("dvs-gesture-windows", (), FEW_RULES),
    "cifar10-small-rules": Study("cifar10-small", (), (*FEW_RULES[:-1], SLOWER_STBP)),
    "cifar10-rules": Study(
        "cifar10-vgg6",
        (),
        (
            Setting("stop-wtl, fixed", ()),
            Setting("stop-wtl, float32", ("training.arithmetic=float32",)),
            SLOWER_STBP,
        ),
    ),
}


@dataclass(frozen=True)
class Job:
    """One training of a study: where it reads and writes, and which samples it is measured on."""

    study: Study
    setting: Setting
    seed: int
    data: Path | None
    folder: Path
    held_out: int

    @property
    def answers_file(self) -> Path:
        """Which test samples the run classifies."""
        return self.folder / "answers.npy"

    @property
    def quantized_file(self) -> Path:
        """The same for a float run's parameters on the fixed-point forward pass."""
        return self.folder / "answers-fixed.npy"

    def start(self) -> Parameters | None:
        """Real parameters to start from."""
        return None if self.study.kept is None else read_kept(find_kept(self.study.kept)).start

    def workload(self, start: Parameters | None) -> WorkloadSpec:
        """The study's workload with the setting's keys."""
        found = read_workload(self.study.workload, *self.study.common, *self.setting.sets)
        found = found.with_data(None if self.data is None else str(self.data))
        return found if start is None else started_from(found, start)

    def run(self) -> None:
        """Train unless the folder holds the finished run, and write which test samples it classifies."""
        if self.answers_file.exists():
            return
        start = self.start()
        workload = self.workload(start)
        data = samples_of(workload, self.held_out)
        untested = replace(data, x_test=taken(data.x_test, np.arange(0)), y_test=data.y_test[:0])
        train(workload, self.folder, seed=self.seed, resume=True, start=start, data=untested)
        prepared = prepare(workload, self.seed, data=data)
        engine = build_engine(prepared, self.seed, start=start)
        engine.restore(RunFolder(self.folder).parameters())
        if workload.training.rule.through_time:
            np.save(self.quantized_file, classified(on_fixed_point(engine, prepared), prepared.test))
        answers = classified(engine, prepared.test)
        np.save(self.answers_file, answers)
        print(f"{self.setting.name}, seed {self.seed}: {answers.mean():.2%}", flush=True)


def samples_of(workload: WorkloadSpec, held_out: int) -> Dataset:
    """The workload's samples; with `held_out`, that many of the last training samples in the place of the test samples."""
    spec = workload.dataset
    if not held_out:
        return load_described(spec)
    whole = load_described(spec.model_copy(update={"train_samples": None, "test_samples": None}))
    learn, test = np.split(np.arange(len(whole.y_train)), [-held_out])
    if spec.train_samples is not None:
        learn = stratified(whole.y_train[learn], spec.train_samples)
    x, y = whole.x_train, whole.y_train
    return replace(whole, x_train=taken(x, learn), y_train=y[learn], x_test=taken(x, test), y_test=y[test])


def taken(x: Images | Recordings, numbers: NDArray[np.int64]) -> Images | Recordings:
    """The samples of these numbers."""
    return x.take(numbers) if isinstance(x, Recordings) else x[numbers]


def classified(engine: Engine, samples: Samples) -> Answers:
    """Which samples the engine classifies."""
    found = []
    for start in range(0, len(samples), EVALUATION_CHUNK):
        batch = samples.batch(np.arange(start, min(start + EVALUATION_CHUNK, len(samples))), start)
        found.append(engine.infer(batch).argmax(axis=1) == batch.labels)
    return np.concatenate(found)


def with_room(precision: Precision, largest: float) -> Precision:
    """The same with 16-bit weights that have as many integer bits as the largest weight needs, at least two."""
    fraction_bits = 15 - max(2, ceil(log2(largest * (1 + 2.0**-15))))
    given = precision.model_dump(mode="json", exclude_unset=True)
    return Precision.model_validate(given | {"weight": f"s16.{fraction_bits}"})


def on_fixed_point(trained: Engine, prepared: Prepared) -> Engine:
    """A float run's parameters, quantized, on the bit-accurate engine, for its forward pass."""
    workload, own = prepared.workload, trained.parameters
    training = workload.training.model_copy(update={"rule": STOP_WTL, "arithmetic": "fixed"})
    parameters = Parameters(own.weights, own.thresholds, own.leak, [None] * len(own.weights), bias=own.bias)
    precision = with_room(workload.precision, max(float(np.abs(weights).max()) for weights in own.weights))
    return FixedEngine(workload.network, precision, training, prepared.input_format, 1, parameters)


def arithmetic(name: str) -> str:
    """That of a setting, as its name says; fixed if it says nothing."""
    return "float32" if name.endswith("float32") else "fixed"


def accuracy_line(name: str, answers: Sequence[Answers]) -> str:
    """One line: a setting, its mean over seeds, and every seed's accuracy, as Markdown."""
    each = [float(one.mean()) for one in answers]
    spread = f" +- {stdev(each):.2%}" if len(each) > 1 else ""
    seeds = ", ".join(f"{value:.2%}" for value in each)
    return f"| {name} | {mean(each):.2%}{spread} | {seeds} | {len(answers[0]):,} |"


def difference_line(name: str, answers: Sequence[Answers], base: Sequence[Answers]) -> str:
    """One line: the difference from another setting's accuracies in points, with its interval over the same samples."""
    seeds = [own.astype(float) - other for own, other in zip(answers, base, strict=True)]
    found = mean_interval(100 * np.mean(seeds, axis=0))
    each = ", ".join(f"{100 * one.mean():+.2f}" for one in seeds)
    return f"| {name} | {found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f}) | {each} |"


def energy_line(jobs: Sequence[Job], base: Sequence[Job], chip_name: str) -> str:
    """One line: energy of a training sample under the run's own rule, and over another setting's, seed by seed."""
    chip, found = read_chip(chip_name), []
    for own, other in zip(jobs, base, strict=True):
        pair = [
            evaluate_rule(workload, RunFolder(job.folder), chip, workload.training.rule.name, "analytic")
            for job in (own, other)
            for workload in (RunFolder(job.folder).workload(),)
        ]
        found.append((pair[0].energy_j, energy_ratio(pair[0], pair[1])))
    mean_j = mean(energy.mean for energy, _ in found if energy is not None)
    ratios = [ratio for _, ratio in found if ratio is not None]
    each = ", ".join(f"{ratio.mean:.3f} ({ratio.ci_low:.3f} to {ratio.ci_high:.3f})" for ratio in ratios)
    return f"| {jobs[0].setting.name} | {chip_name} | {scaled(mean_j, 'J')} | {each} |"


def print_tables(
    study: Study, jobs: dict[tuple[str, int], Job], seeds: Sequence[int], chips: Sequence[str]
) -> None:
    """What was found, from the files of finished runs."""
    answers: dict[str, list[Answers]] = {}
    for setting in study.settings:
        own = [jobs[setting.name, seed] for seed in seeds]
        answers[setting.name] = [np.load(job.answers_file) for job in own]
        if own[0].quantized_file.exists():
            answers[f"{setting.name}, then fixed-point forward"] = [
                np.load(job.quantized_file) for job in own
            ]
    print("| setting | mean | by seed | test samples |\n|---|---|---|---|")
    for name, own_answers in answers.items():
        print(accuracy_line(name, own_answers))
    first: dict[str, str] = {}
    for name in answers:
        first.setdefault(arithmetic(name), name)
    print(
        "\n| setting | points over the first of its arithmetic (95 % interval over samples) | by seed |\n|---|---|---|"
    )
    for name, own_answers in answers.items():
        base = first[arithmetic(name)]
        if name != base:
            print(difference_line(f"{name}, over {base}", own_answers, answers[base]))
    for chip in chips:
        print(
            "\n| setting | chip | energy per training sample | over the first setting's, by seed |\n|---|---|---|---|"
        )
        for setting in study.settings:
            lines = [[jobs[name, seed] for seed in seeds] for name in (setting.name, study.settings[0].name)]
            print(energy_line(lines[0], lines[1], chip))


def main() -> None:
    """Run what is missing of a study, then print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--data", type=Path, help="path of the data set; downloaded, or embedded, if absent")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", default="", help="settings whose names hold this text, such as fixed")
    parser.add_argument(
        "--held-out", type=int, default=0, help="measure on the last so many training samples instead"
    )
    parser.add_argument("--chips", nargs="*", default=[], help="chips to price every run on")
    options = parser.parse_args()
    whole = STUDIES[options.study]
    study = replace(whole, settings=tuple(one for one in whole.settings if options.only in one.name))
    os.environ |= {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    jobs = {}
    for seed, setting in product(options.seeds, study.settings):
        folder = options.out / f"{setting.name.replace(', ', '-').replace(' ', '-')}-{seed}"
        jobs[setting.name, seed] = Job(study, setting, seed, options.data, folder, options.held_out)
    options.out.mkdir(parents=True, exist_ok=True)
    # New processes read the number of threads before their kernels load.
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        list(pool.map(Job.run, jobs.values()))
    print_tables(study, jobs, options.seeds, options.chips)


if __name__ == "__main__":
    main()
