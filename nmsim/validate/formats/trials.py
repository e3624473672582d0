"""Training runs of a search, each done once: a journal keeps them, so that a search can stop and go on."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nmsim.errors import FormatError, RunError
from nmsim.network.precision import Precision
from nmsim.stop.engines import create_engine
from nmsim.stop.protocol import Engine
from nmsim.stop.train import Progress, train
from nmsim.validate.formats.calibrate import Ranges, calibrate
from nmsim.validate.numerics.float_side import ReferenceEngine
from nmsim.validate.numerics.three_passes import samples_together
from nmsim.workload import Prepared

SCHEMA = "nmsim/format-trials-1"
UNTRAINABLE = -1.0
"""Accuracy of formats that cannot hold the initial parameters: below any target."""


class Journal:
    """Finished training runs by run hash, one JSON line each, on the disk before the next run begins."""

    def __init__(self, path: Path, stream: TextIO, known: dict[str, dict[str, Any]]) -> None:
        self.path, self._stream, self.known = path, stream, known

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, resume: bool, overwrite: bool) -> Iterator["Journal"]:
        """An empty journal, or with `resume` what is there; a torn last line is dropped.

        Raises:
            RunError: there is one already and neither `resume` nor `overwrite` is set, or it is something else.
        """
        if path.exists() and not resume and not overwrite:
            raise RunError(
                f"{path}: an earlier search is here; go on with --resume, or replace it with --overwrite"
            )
        known = _read(path) if resume and path.exists() else {}
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as stream:
            journal = cls(path, stream, {})
            journal._line({"schema": SCHEMA})
            for run, found in known.items():
                journal.add(run, found)
            yield journal

    def add(self, run: str, found: dict[str, Any]) -> None:
        """Keep a finished run."""
        self.known[run] = found
        self._line({"run": run, **found})

    def _line(self, data: dict[str, Any]) -> None:
        self._stream.write(json.dumps(data) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())


def _read(path: Path) -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {}
    lines = path.read_text(encoding="utf-8").split("\n")
    try:
        header = json.loads(lines[0])
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("schema") != SCHEMA:
        raise RunError(f"{path}: not a journal of a search of formats; give another --out, or --overwrite")
    for line in lines[1:-1]:
        entry = json.loads(line)
        known[entry.pop("run")] = entry
    return known


class Trainer:
    """Trains candidates of one workload over several seeds; asked twice, it trains once."""

    def __init__(
        self,
        prepare: Callable[[int], Prepared],
        seeds: tuple[int, ...],
        journal: Journal,
        listen: Callable[[str, Progress], None] = lambda _, __: None,
    ) -> None:
        self.seeds, self.journal, self.listen = seeds, journal, listen
        self._prepare, self._prepared = prepare, dict[int, Prepared]()

    def prepared(self, seed: int) -> Prepared:
        """The workload with its data, as one seed encodes it."""
        if seed not in self._prepared:
            self._prepared[seed] = self._prepare(seed)
        return self._prepared[seed]

    def accuracy(self, precision: Precision, name: str) -> float:
        """Mean held-out accuracy over the seeds.

        Raises:
            FormatError: a format cannot hold the initial parameters.
        """
        return float(np.mean([self.fixed(seed, precision, name) for seed in self.seeds]))

    def fixed(self, seed: int, precision: Precision, name: str) -> float:
        """Held-out accuracy of one bit-accurate run."""
        prepared = self.prepared(seed)
        training = prepared.workload.training.model_copy(update={"arithmetic": "fixed"})
        workload = prepared.workload.model_copy(update={"precision": precision, "training": training})
        key = workload.run_hash(seed)
        if key not in self.journal.known:
            try:
                engine = create_engine(workload.network, precision, training, prepared.input_format, seed)
                found: dict[str, Any] = {"accuracy": self._train(engine, prepared, seed, name)}
            except FormatError as error:
                found = {"accuracy": UNTRAINABLE, "problem": str(error)}
            self.journal.add(key, found)
        found = self.journal.known[key]
        if "problem" in found:
            raise FormatError(found["problem"])
        return float(found["accuracy"])

    def _train(self, engine: Engine, prepared: Prepared, seed: int, name: str) -> float:
        history = train(
            engine,
            prepared.train,
            prepared.test,
            seed=seed,
            run_hash="",
            listen=lambda step: self.listen(name, step),
        )
        return history.test_accuracy or 0.0

    def real(self, seed: int) -> tuple[float, Ranges]:
        """Held-out accuracy of the float64 run from the unrounded start, and the ranges of its tensors."""
        prepared = self.prepared(seed)
        training = prepared.workload.training.model_copy(update={"arithmetic": "float64"})
        key = "float64-" + prepared.workload.model_copy(update={"training": training}).run_hash(seed)
        if key not in self.journal.known:
            engine = ReferenceEngine(prepared.workload.network, training, seed)
            together = samples_together(prepared.workload.network)
            accuracy, ranges = calibrate(
                engine, prepared.train, prepared.test, seed, together,
                lambda step: self.listen(f"float64, seed {seed}", step),
            )  # fmt: skip
            self.journal.add(key, {"accuracy": accuracy, "ranges": ranges.data()})
        found = self.journal.known[key]
        return float(found["accuracy"]), Ranges.from_data(found["ranges"])
