"""The run folder: one run, which file holds what, and the hash by which every file says that it belongs to it."""

import json
import platform
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from nmsim import __version__, config
from nmsim.activity import Activity
from nmsim.config import Record
from nmsim.errors import RunError
from nmsim.fixedpoint.version import KEY, NUMERICS, check_numerics
from nmsim.rules import FORWARD_PROFILE
from nmsim.stop.history import TrainingHistory
from nmsim.storage import DAMAGED, read_arrays, sweep, typed, write_arrays, write_text
from nmsim.workload import WorkloadSpec

RUN_SCHEMA = "nmsim/run-1"
TRAINING_SCHEMA = "nmsim/training-1"
PARAMETERS_SCHEMA = "nmsim/parameters-1"
LOCK = ".lock"
EARLIER = "earlier"
"""Folder in a run folder: what a new run there has taken the place of."""
PACKAGES = ("numpy", "scipy", "numba", "pydantic", "matplotlib")


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide results."""
    found = {"python": platform.python_version(), "nmsim": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def yaml_text(record: Record) -> str:
    """A record as YAML, every default filled in."""
    return config.to_yaml(record.model_dump(mode="json"))


Count = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class _Data:
    """What a run file says of its samples; what imported spikes lack is absent."""

    name: str = ""
    source: str = ""
    split: str = ""
    sha256: str = ""
    train_samples: Count = 0
    test_samples: Count = 0
    train_per_class: tuple[Count, ...] = ()
    test_per_class: tuple[Count, ...] = ()


@dataclass(frozen=True)
class _EncodingHeader:
    """What a run file says of its encoded samples."""

    kind: str = ""
    format: str = ""
    static: bool = False
    events: Count = 0
    lost_events: Count = 0


@dataclass(frozen=True)
class _RunFile:
    """Types of the values of `run.json` that are read again."""

    run_hash: str
    seed: Count
    versions: dict[str, str] = field(default_factory=dict)
    dataset: _Data = field(default_factory=_Data)
    encoding: _EncodingHeader = field(default_factory=_EncodingHeader)


@dataclass(frozen=True)
class RunFolder:
    """One run in files. Every file carries the run's hash, and whoever reads one checks it."""

    path: Path

    @property
    def run_file(self) -> Path:
        """Provenance: versions, seed, hashes, data set."""
        return self.path / "run.json"

    @property
    def workload_file(self) -> Path:
        """The workload with every default filled in."""
        return self.path / "workload.yaml"

    @property
    def checkpoint(self) -> Path:
        """Last checkpoint of the training."""
        return self.path / "checkpoint.npz"

    @property
    def training_file(self) -> Path:
        """Training history."""
        return self.path / "training.json"

    @property
    def parameters_file(self) -> Path:
        """Trained parameters."""
        return self.path / "parameters.npz"

    @property
    def start(self) -> Path:
        """Real parameters that training started from, where they are not random; `workload.start` is their SHA-256."""
        return self.path / "start.npz"

    def activity_file(self, profile: str) -> Path:
        """Activity recorded under STOP (`stop`) or under STBP (`stbp`)."""
        return self.path / ("activity.npz" if profile == FORWARD_PROFILE else f"activity-{profile}.npz")

    @property
    def milestones(self) -> Path:
        """Folder of the activities recorded while the network learned."""
        return self.path / "milestones"

    def milestone_file(self, updates: int, profile: str) -> Path:
        """Activity recorded after so many updates under STOP (`stop`) or STBP (`stbp`)."""
        return self.milestones / f"{updates:09d}-{profile}.npz"

    @property
    def simulations(self) -> Path:
        """Folder of evaluations."""
        return self.path / "simulations"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from writing here meanwhile; may be entered again by who holds it.

        Raises:
            RunError: another command is at work in the folder.
        """
        lock = FileLock(self.path / LOCK, timeout=0, is_singleton=True)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError(
                f"{self.path}: another nmsim command is writing this run; wait until it has ended, or give another --out"
            ) from error
        try:
            sweep(self.path)
            yield
        finally:
            lock.release()

    @contextmanager
    def claim(
        self,
        workload: WorkloadSpec,
        seed: int,
        provenance: dict[str, Any],
        *,
        overwrite: bool = False,
        resume: bool = False,
    ) -> Iterator[Path | None]:
        """Make the folder this run's and keep it locked; where the files of an earlier run went, if there were any.

        What was there is moved to `earlier/HASH`, so that no file of one run stands next to another's. `resume` keeps it
        if it is of the same run on the same data.

        Raises:
            RunError: it belongs to another run and `overwrite` is false, or another command is at work in it.
        """
        if (self.path / "results.sqlite").exists():
            raise RunError(f"{self.path}: holds a study of designs; give another --out")
        self.path.mkdir(parents=True, exist_ok=True)
        with self.locked():
            same = self._same(workload.run_hash(seed), provenance, overwrite=overwrite)
            earlier = None if resume and same else self._move_away()
            write_text(self.workload_file, yaml_text(workload))
            content = {
                "schema": RUN_SCHEMA, KEY: NUMERICS, "run_hash": workload.run_hash(seed), "seed": seed, **provenance,
            }  # fmt: skip
            if not (resume and same):
                write_text(self.run_file, json.dumps(content, indent=2, sort_keys=True) + "\n")
            yield earlier

    def _same(self, run_hash: str, provenance: dict[str, Any], *, overwrite: bool) -> bool:
        """Whether the run that the folder holds is this one; `RunError` if it is another and may not be replaced."""
        if not self.run_file.exists():
            return False
        try:
            held = self.provenance()
        except RunError:
            if overwrite:
                return False
            raise
        data, own_data = (content.get("dataset", {}).get("sha256") for content in (held, provenance))
        if held["run_hash"] == run_hash and data == own_data:
            return True
        if overwrite:
            return False
        remedy = "give another --out, or --overwrite"
        if held["run_hash"] == run_hash:
            raise RunError(
                f"{self.path}: holds this run on other data (SHA-256 {str(data)[:16]}, now {str(own_data)[:16]}); {remedy}"
            )
        raise RunError(
            f"{self.path}: holds run {held['run_hash']}, this configuration is {run_hash}; {remedy}"
        )

    def _move_away(self) -> Path | None:
        """Move everything here but other runs to `earlier/HASH`, run.json last: a killed move is finished by the next."""
        kept = {LOCK, EARLIER}
        there = [
            path
            for path in sorted(self.path.iterdir())
            if path.name not in kept and not (path / "run.json").exists()
        ]
        if not self.run_file.exists():
            return None
        try:
            owner = str(self.provenance()["run_hash"])
        except RunError:
            owner = "unknown"
        target, number = self.path / EARLIER / owner, 1
        while target.exists():
            number += 1
            target = self.path / EARLIER / f"{owner}-{number}"
        target.mkdir(parents=True)
        for path in sorted(there, key=lambda path: path == self.run_file):
            path.rename(target / path.name)
        return target

    def provenance(self) -> dict[str, Any]:
        """Content of the run file; `RunError` if there is none."""
        content = self._json(
            self.run_file,
            RUN_SCHEMA,
            f"{self.path}: no run here (run.json is missing); make one with `nmsim train --out {self.path}`",
        )
        try:
            typed(_RunFile, content)
        except DAMAGED as error:
            raise RunError(f"{self.run_file}: {error}; make the run again") from error
        check_numerics(content, self.run_file, "run again, with --overwrite or another --out")
        return content

    @property
    def run_hash(self) -> str:
        """The hash of the run that the folder holds."""
        return str(self.provenance()["run_hash"])

    def workload(self) -> WorkloadSpec:
        """The workload of the run; `RunError` if its file was edited or is another run's."""
        provenance = self.provenance()
        found = config.read(WorkloadSpec, self.workload_file)
        self.belongs(self.workload_file, found.run_hash(provenance["seed"]), "it was edited or copied here")
        return found

    def history(self) -> TrainingHistory:
        """The training history; `RunError` if training has not finished, or the file is another run's."""
        content = self._json(
            self.training_file,
            TRAINING_SCHEMA,
            f"{self.path}: training has not finished; go on with `{self._resuming()}`",
        )
        self.belongs(self.training_file, content.get("run_hash"))
        try:
            return TrainingHistory.from_dict(content)
        except DAMAGED as error:
            raise RunError(
                f"{self.training_file}: not a training history ({error}); make the run again"
            ) from error

    def _resuming(self) -> str:
        """The command that goes on with this training, whatever it was started with."""
        seed = self.provenance()["seed"]
        return shlex.join(
            [
                "nmsim",
                "train",
                str(self.workload_file),
                "--seed",
                str(seed),
                "--out",
                str(self.path),
                "--resume",
            ]
        )

    def save_history(self, history: TrainingHistory) -> None:
        """Write the training history: the last file of a training, which says that it has finished."""
        content = {"schema": TRAINING_SCHEMA, "run_hash": self.run_hash, **history.as_dict()}
        write_text(self.training_file, json.dumps(content, indent=2) + "\n")

    def parameters(self) -> dict[str, NDArray[Any]]:
        """The state of the engine after training; `RunError` if it is missing or another run's."""
        header, state = read_arrays(self.parameters_file, PARAMETERS_SCHEMA, "make the run again")
        self.belongs(self.parameters_file, header.get("run_hash"))
        return state

    def save_parameters(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Write the state of the engine."""
        header = {"run_hash": self.run_hash, KEY: NUMERICS}
        write_arrays(self.parameters_file, PARAMETERS_SCHEMA, header, state, compress=False)

    def activity(self, profile: str) -> Activity:
        """The activity recorded under STOP (`stop`) or STBP (`stbp`); `RunError` if it is missing or another run's."""
        file = self.activity_file(profile)
        return Activity.load(file, self.run_hash)

    def save_activity(self, profile: str, activity: Activity) -> None:
        """Write the activity recorded under STOP (`stop`) or STBP (`stbp`)."""
        activity.save(self.activity_file(profile), self.run_hash)

    def _json(self, file: Path, schema: str, missing: str) -> dict[str, Any]:
        try:
            content: Any = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(missing) from error
        except DAMAGED as error:
            raise RunError(f"{file}: not readable ({error}); make the run again") from error
        found = content.get("schema") if isinstance(content, dict) else None
        if found != schema:
            raise RunError(f"{file}: schema {found!r} is not {schema}; make the run again")
        return dict(content)

    def belongs(self, file: Path, run_hash: object, how: str = "it was copied here") -> None:
        """Refuse a file that is not of the folder's run.

        Raises:
            RunError: its hash is not that of the folder's run.
        """
        if run_hash != self.run_hash:
            raise RunError(
                f"{file}: belongs to run {run_hash}, the folder holds {self.run_hash}: {how}; put the right file back,"
                " or run again with --overwrite or another --out"
            )
