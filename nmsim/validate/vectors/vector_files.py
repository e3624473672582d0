"""Run chosen samples and write every tensor as a hex memory file."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmsim.errors import ConfigError, RunError
from nmsim.stop.protocol import Batch
from nmsim.stop.raw import RawRun, run_raw
from nmsim.stop.spec import TrainingSpec
from nmsim.storage import atomic_write, write_text
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.vectors.header import HEADER, header_text
from nmsim.validate.vectors.hexfile import hex_text
from nmsim.validate.vectors.manifest import MANIFEST, Manifest, entry, learning, manifest_text
from nmsim.validate.vectors.random_draws import step_draws, update_draws
from nmsim.validate.vectors.vector import Vector, tensor_vectors

NEEDED = ("input", "weight", "threshold", "leak_factor", "velocity", "mask", "bias", "bias_velocity")
"""Tensors that are always written: what a replay starts from."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: Path
    files: int
    words: int
    size_bytes: int
    run: RawRun


def training_of(chip: FixedSide, samples: int, batch_size: int) -> TrainingSpec:
    """The training section of an exported run.

    Raises:
        ConfigError: the batch size does not divide the samples, or does not go with the section.
    """
    if batch_size < 1 or samples % batch_size:
        raise ConfigError(
            f"--batch-size {batch_size}: {samples} samples are no whole number of batches; use a divisor"
        )
    training = chip.training
    if training.batch_division == "shift" and batch_size & (batch_size - 1):
        raise ConfigError(
            f"--batch-size {batch_size}: the mean over a batch is a shift here, so the size must be a power of two; use one,"
            " or --set training.batch_division=folded"
        )
    if training.update != "accumulate" and batch_size != 1:
        raise ConfigError(f"--batch-size {batch_size}: update '{training.update}' needs batch size 1; use 1")
    return training.model_copy(update={"batch_size": batch_size})


def raw_run(chip: FixedSide, training: TrainingSpec, batch: Batch) -> RawRun:
    """Train on the samples of a batch in order, from sample 0 and update 0 on."""
    return run_raw(
        chip.network,
        chip.precision,
        training,
        chip.parameters,
        batch.inputs,
        chip.input_format,
        batch.labels,
        chip.seed,
    )


def all_vectors(chip: FixedSide, training: TrainingSpec, batch: Batch, run: RawRun) -> Iterator[Vector]:
    """Every file of a run, in a fixed order."""
    yield from tensor_vectors(chip, batch.inputs, run)
    yield from step_draws(chip, training, len(batch.labels))
    yield from update_draws(chip, training, len(run.updates))


def export_vectors(
    chip: FixedSide,
    batch: Batch,
    batch_size: int,
    folder: Path,
    about: dict[str, Any],
    *,
    tensors: Collection[str] = (),
    overwrite: bool = False,
) -> Exported:
    """Run the samples of `batch` and write their vectors; the manifest comes last.

    Args:
        chip: network, formats, raw initial parameters, seed.
        batch: raw inputs and labels; the run counts them from sample 0.
        batch_size: samples per update.
        folder: where to write; new or empty, or with `overwrite` an earlier export.
        about: provenance for the manifest.
        tensors: names of tensors to write, all if empty; inputs and initial parameters always are.
        overwrite: replace an earlier export.

    Raises:
        ConfigError: the batch size is wrong, or a tensor is unknown.
        RunError: an earlier export is in the folder.
    """
    training = training_of(chip, len(batch.labels), batch_size)
    run = raw_run(chip, training, batch)
    names = {vector.tensor for vector in all_vectors(chip, training, batch, run)}
    unknown = sorted(set(tensors) - names)
    if unknown:
        raise ConfigError(
            f"--tensors {unknown[0]}: this run has no such tensor; known are {', '.join(sorted(names))}"
        )
    _clear(folder, overwrite=overwrite)
    files, size_bytes = [], 0
    for vector in all_vectors(chip, training, batch, run):
        if (
            tensors
            and vector.tensor not in tensors
            and not (vector.tensor in NEEDED and vector.update in {None, "initial"})
        ):
            continue
        content = hex_text(vector.values, vector.format, vector.title)
        with atomic_write(folder / vector.path) as stream:
            stream.write(content)
        files.append(entry(vector, hashlib.sha256(content).hexdigest()))
        size_bytes += len(content)
    write_text(folder / HEADER, header_text(chip, training, len(batch.labels), learning(chip, training)))
    write_text(folder / MANIFEST, manifest_text(chip, training, run, batch.labels, about, files))
    return Exported(folder, len(files), sum(file["words"] for file in files), size_bytes, run)


def _clear(folder: Path, *, overwrite: bool) -> None:
    """Remove an earlier export; nothing that is not listed in its manifest."""
    if not (folder / MANIFEST).exists():
        return
    if not overwrite:
        raise RunError(f"{folder}: earlier vectors are here; give another --out, or --overwrite")
    earlier = Manifest.read(folder)
    (folder / MANIFEST).unlink()
    (folder / HEADER).unlink(missing_ok=True)
    root = folder.resolve()
    for file in earlier.files:
        path = (folder / str(file["path"])).resolve()
        if path.is_relative_to(root):
            path.unlink(missing_ok=True)
