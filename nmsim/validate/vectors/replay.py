"""Replay of golden vectors: read the files back, run the engine from them, compare every word."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import RunError
from nmsim.fixedpoint.format import QFormat
from nmsim.stop.protocol import Batch, Parameters
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.vectors.hexfile import read_hex
from nmsim.validate.vectors.manifest import REMEDY, Manifest
from nmsim.validate.vectors.vector_files import all_vectors, raw_run

MISMATCHES_KEPT = 100


@dataclass(frozen=True)
class Mismatch:
    """A word, or a whole file, that is not what the engine computes."""

    path: str
    place: str
    expected: str
    found: str

    @property
    def sentence(self) -> str:
        """The mismatch in words."""
        return f"{self.path}, {self.place}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Replay:
    """Files and words that were compared, and where they differ (at most 100 are kept)."""

    files: int
    words: int
    mismatches: tuple[Mismatch, ...]


def read_vector(folder: Path, file: dict[str, Any]) -> NDArray[Any]:
    """One file of a manifest as raw integers in its shape.

    Raises:
        DataError: the file is missing or is no hex memory.
        RunError: it holds another number of words than the manifest says.
    """
    words = read_hex(folder / file["path"], QFormat.parse(file["format"]))
    if words.size != file["words"]:
        raise RunError(
            f"{folder / file['path']}: holds {words.size} words, the manifest says {file['words']}; {REMEDY}"
        )
    return words.reshape(file["shape"])


def replay(folder: Path, listen: Callable[[int, int], None] = lambda _, __: None) -> Replay:
    """Run the engine on the inputs and initial parameters of the files; compare all files with what it computes.

    Raises:
        RunError, DataError: the manifest or what a run starts from cannot be read.
    """
    manifest = Manifest.read(folder)
    files = {str(file["path"]): file for file in manifest.files}
    chip, batch = _start(folder, manifest)
    training = manifest.records()[2]
    run = raw_run(chip, training, batch)
    mismatches: list[Mismatch] = []
    words = done = 0
    for vector in all_vectors(chip, training, batch, run):
        file = files.pop(vector.path, None)
        if file is None:
            continue
        found = _compare(folder, file, vector.values, str(vector.format))
        mismatches += found[: MISMATCHES_KEPT - len(mismatches)]
        words, done = words + int(file["words"]), done + 1
        listen(done, len(manifest.files))
    mismatches += [Mismatch(path, "whole file", "no such tensor", "a file of the manifest") for path in files]
    return Replay(done, words, tuple(mismatches[:MISMATCHES_KEPT]))


def _compare(folder: Path, file: dict[str, Any], expected: NDArray[Any], fmt: str) -> list[Mismatch]:
    path = str(file["path"])
    if file["format"] != fmt or tuple(file["shape"]) != expected.shape:
        return [
            Mismatch(
                path,
                "format and shape",
                f"{fmt} {expected.shape}",
                f"{file['format']} {tuple(file['shape'])}",
            )
        ]
    found = read_vector(folder, file)
    differing = np.argwhere(found != expected)
    if len(differing):
        first = tuple(int(i) for i in differing[0])
        axes = ", ".join(f"{name} {index}" for name, index in zip(file["axes"], first, strict=True))
        place = f"address {int(np.ravel_multi_index(first, expected.shape)):x} ({axes}), first of {len(differing):,}"
        return [Mismatch(path, place, str(expected[first]), str(found[first]))]
    digest = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    if digest != file["sha256"]:
        return [Mismatch(path, "sha256, with equal words", str(file["sha256"]), digest)]
    return []


def _start(folder: Path, manifest: Manifest) -> tuple[FixedSide, Batch]:
    """The fixed-point side and the samples as the files hold them."""
    network, precision, training, input_format, seed = manifest.records()

    def named(tensor: str, layer: int | None = None) -> list[NDArray[Any]]:
        return [
            read_vector(folder, file)
            for file in manifest.files
            if file["tensor"] == tensor and file["layer"] == layer and file["update"] in {None, "initial"}
        ]

    layers = range(len(network.synaptic_layers))
    inputs = named("input")
    if len(inputs) != len(manifest.labels) or any(len(named("weight", layer)) != 1 for layer in layers):
        raise RunError(
            f"{folder}: the manifest lists no inputs or no initial weights to start from; {REMEDY}"
        )
    parameters = Parameters(
        [named("weight", layer)[0] for layer in layers],
        [named("threshold", layer)[0] for layer in layers],
        [int(named("leak_factor", layer)[0][0]) for layer in layers],
        [next(iter(named("velocity", layer)), None) for layer in layers],
        [mask[0].astype(bool) if (mask := named("mask", layer)) else None for layer in layers],
        [next(iter(named("bias", layer)), None) for layer in layers],
        [next(iter(named("bias_velocity", layer)), None) for layer in layers],
    )
    chip = FixedSide(network, precision, training, parameters, input_format, seed)
    return chip, Batch(np.stack(inputs), input_format, manifest.labels, 0)
