"""Fixed point against float64, for a workload or a run: measure, then write records, tables and a page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmsim.pipeline.folder import package_versions
from nmsim.pipeline.subject import Subject
from nmsim.report.numerics.write import write_numerics
from nmsim.report.words import how_many, layer_names
from nmsim.stop.protocol import Batch
from nmsim.stop.train import Progress
from nmsim.storage import write_text
from nmsim.validate.formats.widths import PRECISION_FILE, precision_text
from nmsim.validate.numerics.accuracy import accuracy_by_seed, compare_inference
from nmsim.validate.numerics.advice import advise
from nmsim.validate.numerics.advised import advised_precision
from nmsim.validate.numerics.convergence import converge
from nmsim.validate.numerics.measured import AccuracyGap, ConvergencePoint, NumericsResult
from nmsim.validate.numerics.three_passes import compare, samples_together
from nmsim.workload import Prepared, WorkloadSpec, prepare

MOST_SAMPLES = 32
"""Samples that are compared by default, if a batch is not smaller."""
CONVERGENCE_BITS = tuple(range(8, 41, 4))


@dataclass(frozen=True)
class ShortTraining:
    """Training runs that are compared: seeds from the subject's on; None keeps what the workload says."""

    seeds: int
    epochs: int | None = None
    train_samples: int | None = None
    test_samples: int | None = None

    def workload(self, base: WorkloadSpec) -> WorkloadSpec:
        """The workload of these runs."""
        data = {
            key: value
            for key in ("train_samples", "test_samples")
            if (value := getattr(self, key)) is not None
        }
        epochs = self.epochs or base.training.epochs
        return base.model_copy(
            update={
                "training": base.training.model_copy(update={"epochs": epochs}),
                "dataset": base.dataset.model_copy(update=data),
            }
        )


@dataclass(frozen=True)
class NumericsPlan:
    """What is compared: `samples` of a split (0: a batch, at most 32), accuracy on `test_samples`, and what else."""

    samples: int = 0
    split: str = "train"
    guard_bits: int = 1
    test_samples: int = 500
    training: ShortTraining | None = None
    convergence: bool = False


@dataclass(frozen=True)
class NumericsListener:
    """Whom to tell: samples done of all, points of convergence done of all, and how far a training run is."""

    samples: Callable[[int, int], None] = lambda _, __: None
    convergence: Callable[[int, int], None] = lambda _, __: None
    training: Callable[[str, Progress], None] = lambda _, __: None


def validate_numerics(
    subject: Subject, out: Path, plan: NumericsPlan | None = None, listener: NumericsListener | None = None
) -> tuple[NumericsResult, list[Path]]:
    """Compare and write the files of a comparison into `out`; the result and the paths.

    `precision.yaml` there is the subject's precision section after all findings.
    """
    result = measure_numerics(subject, plan or NumericsPlan(), listener or NumericsListener())
    advised = advised_precision(subject.workload.precision, result.findings)
    note = (
        f"All {len(result.findings)} findings of nmsim validate for {result.workload} ({result.workload_hash}), with"
        f" {result.source},\non {result.samples} {result.split} samples. Other samples may need more range."
    )
    write_text(out / PRECISION_FILE, precision_text(advised, subject.workload.name, note))
    return result, [*write_numerics(result, out, package_versions()), out / PRECISION_FILE]


def measure_numerics(subject: Subject, plan: NumericsPlan, listener: NumericsListener) -> NumericsResult:
    """Compare without writing anything.

    Raises:
        ConfigError: the split does not exist or is empty.
    """
    chip, workload = subject.chip, subject.workload
    split = subject.split(plan.split)
    count = min(plan.samples or min(chip.training.batch_size, MOST_SAMPLES), len(split))
    batches = _batches(subject, plan.split, count, samples_together(chip.network))
    found = compare(chip, batches, lambda done: listener.samples(done, count))
    start = None
    if subject.start is not None:
        start = compare(subject.start, _batches(subject, plan.split, count, samples_together(chip.network)))
    findings = advise(found, plan.guard_bits, initial=not subject.trained, elsewhere=start)
    test = subject.prepared.test
    inference = compare_inference(chip, test, plan.test_samples) if len(test) and plan.test_samples else None
    gap = (
        _gap(subject, plan.training, listener) if plan.training is not None and plan.training.seeds else None
    )
    points: list[ConvergencePoint] = []
    if plan.convergence:
        real = chip.real or chip.stored_parameters
        for point in converge(chip, real, split.batch(np.arange(1), 0), CONVERGENCE_BITS):
            points.append(point)
            listener.convergence(len(points), len(CONVERGENCE_BITS))
    return NumericsResult(
        workload.name, workload.content_hash(), str(chip.training.rule), subject.seed, subject.source, plan.split, count,
        chip.network.time_steps, plan.guard_bits, layer_names(chip.network), found.tensors, found.spikes, found.gradients,
        found.tables, inference, found.overflow_counts, findings,
        gap, tuple(points), not subject.trained,
    )  # fmt: skip


def _batches(subject: Subject, split: str, count: int, together: int) -> Iterator[Batch]:
    """The first samples of a split in parts that end where a training batch does."""
    samples, size, start = subject.split(split), subject.chip.training.batch_size, 0
    while start < count:
        stop = min(start + together, (start // size + 1) * size, count)
        yield samples.batch(np.arange(start, stop), start)
        start = stop


def _gap(subject: Subject, training: ShortTraining, listener: NumericsListener) -> AccuracyGap:
    """Both engines trained from scratch, from the same quantized start."""
    base = subject.workload.model_copy(update={"training": subject.chip.training})
    workload = training.workload(base)
    sizes: list[Prepared] = []

    def make(seed: int) -> Prepared:
        sizes.append(prepare(workload, seed))
        return sizes[-1]

    seeds = range(subject.seed, subject.seed + training.seeds)
    found = accuracy_by_seed(make, seeds, listener.training)
    own = workload.training.epochs
    epochs = how_many(own, "epoch")
    return AccuracyGap(f"{training.seeds} seeds, {epochs} of {len(sizes[0].train):,} samples", found)
