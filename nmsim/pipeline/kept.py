"""Trained runs that travel: workload, seed, history, start and parameters of a run in one file, and back to a run folder.

A kept run is what a reader of a published figure needs: in a minute the accuracy is measured again from the parameters,
and the header says which workload, seed and command made them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim import config
from nmsim.config import Document
from nmsim.config.shipped import shipped_folder
from nmsim.datasets.dataset import Dataset
from nmsim.errors import ConfigError, RunError
from nmsim.exchange.array_file import as_arrays, from_arrays
from nmsim.fixedpoint.version import KEY, NUMERICS, check_numerics
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.profile import profile_activities
from nmsim.pipeline.start import fingerprint, read_start, write_start
from nmsim.pipeline.train import build_engine, provenance_of
from nmsim.stop.history import TrainingHistory
from nmsim.stop.protocol import Parameters
from nmsim.stop.train import accuracy
from nmsim.storage import DAMAGED, read_arrays, write_arrays
from nmsim.workload import WorkloadSpec, prepare

SCHEMA = "nmsim/kept-1"
START = "start."
"""In front of the names of the arrays that training started from."""
KIND = "workloads/trained"
"""Folder of the kept runs that come with nmsim."""


@dataclass(frozen=True)
class KeptRun:
    """A run without its folder; `how` is the command, or the commands, that made it."""

    workload: WorkloadSpec
    seed: int
    how: str
    history: TrainingHistory
    data_sha256: str
    state: dict[str, NDArray[Any]]
    """State of the engine, raw integers where the arithmetic is fixed."""
    start: Parameters | None = None
    """Real parameters that training started from, where they are not random."""


@dataclass(frozen=True)
class Restored:
    """A kept run that is a folder again: `accuracy` is what this machine measured, on `samples` held-out samples."""

    kept: KeptRun
    accuracy: float
    samples: int
    same_data: bool
    """Whether the data set is, byte for byte, the one that it was trained on."""

    @property
    def agrees(self) -> bool:
        """Whether the accuracy is the one that was kept; on other data, or on other samples, nothing can be said."""
        then = self.kept.history
        return not self.same_data or self.samples != then.test_samples or self.accuracy == then.test_accuracy


def keep_run(folder: RunFolder, file: Path, how: str) -> KeptRun:
    """Write a finished run as one file.

    Raises:
        RunError: there is no run in the folder, or its training has not finished.
    """
    provenance, workload = folder.provenance(), folder.workload()
    found = KeptRun(
        workload.with_data(None),
        int(provenance["seed"]),
        how,
        folder.history(),
        str(provenance["dataset"]["sha256"]),
        folder.parameters(),
        None if workload.start is None else read_start(folder, workload),
    )
    write_kept(file, found, provenance["versions"])
    return found


def write_kept(file: Path, kept: KeptRun, versions: Mapping[str, str]) -> None:
    """Write a kept run; `versions` are those of the packages that made it."""
    header = {
        KEY: NUMERICS,
        "workload": kept.workload.model_dump(mode="json"),
        "seed": kept.seed,
        "how": kept.how,
        "history": kept.history.as_dict(),
        "data_sha256": kept.data_sha256,
        "versions": dict(versions),
    }
    arrays = {name: _narrow(array) for name, array in kept.state.items()}
    for name, array in () if kept.start is None else as_arrays(kept.start).items():
        single = array.astype(np.float32)
        arrays[START + name] = (
            single if array.dtype == np.float64 and np.array_equal(single, array) else array
        )
    write_arrays(file, SCHEMA, header, arrays)


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    """The same integers in the narrowest type that holds them all: the file is read back into the engine's own."""
    if array.dtype.kind != "i" or array.size == 0:
        return array
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= array.min() and array.max() <= np.iinfo(kind).max:
            return array.astype(kind)
    return array


def find_kept(name: str) -> Path:
    """A file by its path, or a kept run that comes with nmsim by its name.

    Raises:
        ConfigError: there is neither.
    """
    if "/" in name or name.endswith(".npz"):
        if not Path(name).is_file():
            raise ConfigError(f"{name}: no such file; give a file that `nmsim keep` wrote, or a shipped name")
        return Path(name)
    shipped = {path.stem: path for path in sorted(shipped_folder(KIND).glob("*.npz"))}
    if name not in shipped:
        raise ConfigError(
            f"{name}: no kept run of that name comes with nmsim; known are {', '.join(shipped) or 'none'}"
        )
    return shipped[name]


def read_kept(file: Path) -> KeptRun:
    """A kept run from its file.

    Raises:
        RunError: the file is missing, damaged, of another schema or of another version of the arithmetic.
    """
    header, state = read_arrays(file, SCHEMA, "give a file that `nmsim keep` wrote")
    check_numerics(header, file, "keep the run again")
    try:
        workload = config.build(WorkloadSpec, Document(header["workload"], str(file)))
        return KeptRun(
            workload, int(header["seed"]), str(header["how"]), TrainingHistory.from_dict(header["history"]),
            str(header["data_sha256"]), {name: _wide(state[name]) for name in state if not name.startswith(START)},
            None if workload.start is None else _start(state, workload, file),
        )  # fmt: skip
    except DAMAGED as error:
        raise RunError(f"{file}: not a kept run ({error}); give a file that `nmsim keep` wrote") from error


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.int64) if array.dtype.kind == "i" else array


def _start(arrays: Mapping[str, NDArray[Any]], workload: WorkloadSpec, file: Path) -> Parameters:
    """What the training started from; `RunError` if it is not what the workload names."""
    own = {
        name.removeprefix(START): array.astype(np.float64)
        for name, array in arrays.items()
        if name.startswith(START)
    }
    start = from_arrays(own, workload.network, str(file)).parameters
    if fingerprint(start) != workload.start:
        raise RunError(
            f"{file}: not the parameters that the workload starts from ({str(workload.start)[:12]}); keep the run again"
        )
    return start


def restore_run(
    kept: KeptRun,
    out: Path,
    *,
    path: str | None = None,
    profile_samples: int | None = None,
    overwrite: bool = False,
    data: Dataset | None = None,
) -> Restored:
    """Make a kept run a run folder: parameters, history, and the activity of its profile; measure its accuracy.

    Args:
        kept: what to restore.
        out: the run folder.
        path: where the samples of its data set are, as in a workload; downloaded if absent and not embedded.
        profile_samples: record so many samples in the place of the profile's number.
        overwrite: replace another run in `out`.
        data: takes the place of the workload's data set.

    Raises:
        DataError: the data set cannot be read.
        RunError: the folder holds another run.
    """
    workload = _replayed_workload(kept, path, profile_samples)
    prepared = prepare(workload, kept.seed, data=data)
    folder, provenance = RunFolder(out), provenance_of(prepared)
    engine = build_engine(prepared, kept.seed, start=kept.start)
    engine.restore(kept.state)
    about = {"kept": {"how": kept.how, "run_hash": kept.workload.run_hash(kept.seed)}}
    with folder.claim(workload, kept.seed, {**provenance, **about}, overwrite=overwrite):
        if kept.start is not None:
            write_start(folder.start, kept.start)
        folder.save_parameters(engine.state())
        measured, samples = accuracy(engine, prepared.test)
        for name, activity in profile_activities(engine, prepared).items():
            folder.save_activity(name, activity)
        folder.save_history(_measured(kept.history, measured, samples))
    same = provenance["dataset"]["sha256"] == kept.data_sha256
    return Restored(kept, measured, samples, same)


def is_restored(
    kept: KeptRun, out: Path, *, path: str | None = None, profile_samples: int | None = None
) -> bool:
    """Whether `restore_run` made `out` of the same kept run with the same arguments, and came to its end."""
    folder = RunFolder(out)
    if not folder.training_file.exists():
        return False
    about = folder.provenance().get("kept", {})
    same = folder.workload() == _replayed_workload(kept, path, profile_samples)
    return same and about.get("run_hash") == kept.workload.run_hash(kept.seed)


def _replayed_workload(kept: KeptRun, path: str | None, profile_samples: int | None) -> WorkloadSpec:
    workload = kept.workload.with_data(path)
    if profile_samples is None:
        return workload
    profile = workload.profile.model_copy(update={"samples": profile_samples})
    return workload.model_copy(update={"profile": profile})


def _measured(history: TrainingHistory, measured: float, samples: int) -> TrainingHistory:
    """The history with the accuracy of its last row as this machine measured it."""
    last = replace(history.rows[-1], test_accuracy=measured, test_samples=samples)
    return replace(history, rows=(*history.rows[:-1], last))
