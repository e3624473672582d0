"""`read_own`: samples of the user's own, in the form in which their files hold them, as a data set."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nmsim.datasets.arrays import OWN
from nmsim.datasets.catalog import Entry
from nmsim.datasets.dataset import Images, Labels
from nmsim.datasets.events import FileRecordings, Recordings
from nmsim.datasets.files.hdf5_spikes import Hdf5File
from nmsim.datasets.files.npz import read_npz
from nmsim.datasets.own import array_files, pictures, recordings
from nmsim.datasets.own.array_values import labels_of, samples_of
from nmsim.datasets.own.folders import ClassFolders, natural, read_class_folders
from nmsim.datasets.own.recordings import camera_of
from nmsim.datasets.parts import Parts
from nmsim.datasets.spec import OwnDataset
from nmsim.datasets.split import held_out
from nmsim.errors import DataError

HDF5 = (".h5", ".hdf5", ".hdf")
MOST_CLASSES = 1_000_000

Samples = Images | Recordings


@dataclass(frozen=True)
class OwnParts:
    """What a source holds: parts as read, and the sentences of recordings that were left out."""

    parts: Parts
    skipped: tuple[str, ...] = ()


@dataclass
class _Source:
    """One part or two of a source, before a split is drawn."""

    file_format: str
    files: list[Path]
    class_names: tuple[str, ...]
    x: Samples
    y: Labels
    test: tuple[Samples, Labels] | None = None
    skipped: list[str] = field(default_factory=list)


def read_own(spec: OwnDataset) -> OwnParts:
    """Both parts of a data set of the user's own.

    Raises:
        DataError: the files are not there or broken, or contradict the description.
    """
    if spec.path is None or spec.kind is None:
        raise DataError(
            "data set 'own' has no path: give dataset.path and dataset.kind, or samples in Python,"
            " nmsim.train(workload, data=(x, y))"
        )
    root = Path(spec.path).expanduser()
    if not root.exists():
        raise DataError(f"{root}: no such file or folder; check dataset.path")
    source = {"image": _images, "frames": _frames, "events": _events}[spec.kind](root, spec)
    names = _class_names(root, source, spec)
    split = "as in the source"
    x, y = source.x, source.y
    if source.test is None:
        chosen = held_out(y, spec.test_share, spec.split_seed)
        x, y, held = _taken(x, ~chosen), y[~chosen], (_taken(x, chosen), y[chosen])
        split = f"drawn: {spec.test_share:g} of every class held out, seed {spec.split_seed}"
    else:
        held = source.test
    parts = Parts(x, y, *held, names, source.file_format, split, tuple(source.files))
    return OwnParts(parts, tuple(source.skipped))


def shape_of(x: Samples) -> tuple[int, int, int]:
    """(C, H, W) of samples."""
    channels, height, width = x.shape if isinstance(x, Recordings) else x.shape[-3:]
    return channels, height, width


def _images(root: Path, spec: OwnDataset) -> _Source:
    if root.is_file() or any(root.glob("*.npy")):
        return _from_arrays(root, spec)
    found = read_class_folders(root, pictures.SUFFIXES, spec.classes)
    files = found.train + (found.test or [])
    x = pictures.read_pictures([path for path, _ in files], spec.resize, spec.colour)
    return _folder_source("pictures", found, x)


def _frames(root: Path, spec: OwnDataset) -> _Source:
    if root.is_file() or any(root.glob("*.npy")):
        return _from_arrays(root, spec)
    found = read_class_folders(_inner(root, "frames_number_*", "duration_*"), (".npz", ".npy"), spec.classes)
    files = found.train + (found.test or [])
    stacks: list[Images] = []
    for path, _ in files:
        held = array_files.read_npy(path) if path.suffix == ".npy" else _only_frames(path)
        stack = samples_of(str(path), held[None], frames=True, value_range=spec.value_range, axes=spec.axes)[
            0
        ]
        if stacks and stack.shape != stacks[0].shape:
            raise DataError(
                f"{path}: frames of shape {list(stack.shape)}, but {files[0][0]} has {list(stacks[0].shape)}; make all"
                " equal, also in their number of frames"
            )
        stacks.append(stack)
    return _folder_source("frames (npz)", found, np.stack(stacks))


def _only_frames(path: Path) -> Any:
    arrays = array_files.read_npz_arrays(path)
    if "frames" not in arrays:
        raise DataError(f"{path}: no array 'frames' among {', '.join(arrays) or 'none'}; name it so")
    return arrays["frames"]


def _folder_source(file_format: str, found: ClassFolders, x: Images) -> _Source:
    count = len(found.train)
    files = found.train + (found.test or [])
    y = np.array([label for _, label in files], np.int64)
    test = None if found.test is None else (x[count:], y[count:])
    return _Source(file_format, [path for path, _ in files], found.class_names, x[:count], y[:count], test)


def _from_arrays(root: Path, spec: OwnDataset) -> _Source:
    arrays, names, files = array_files.read_array_files(root)
    how: dict[str, Any] = {
        "frames": spec.kind == "frames", "value_range": spec.value_range, "axes": spec.axes
    }  # fmt: skip
    read = []
    for x_name, y_name in (names[:2], names[2:])[: len(names) // 2]:
        x = samples_of(f"{root}: array {x_name}", arrays[x_name], **how)
        y = labels_of(f"{root}: array {y_name}", arrays[y_name])
        if len(x) != len(y):
            raise DataError(
                f"{root}: {len(x)} samples in {x_name} but {len(y)} labels in {y_name}; mend the file"
            )
        read.append((x, y))
    if len(read) == 2 and read[0][0].shape[1:] != read[1][0].shape[1:]:
        raise DataError(
            f"{root}: samples of {names[2]} have shape {list(read[1][0].shape[1:])}, those of {names[0]}"
            f" {list(read[0][0].shape[1:])}; make them equal"
        )
    test = read[1] if len(read) == 2 else None
    return _Source(
        "npz" if root.is_file() else "npy", files, array_files.class_names_of(arrays), *read[0], test
    )


def _events(root: Path, spec: OwnDataset) -> _Source:
    if root.suffix.lower() in HDF5 or (root.is_dir() and _hdf5_files(root)):
        return _from_hdf5(root, spec)
    if root.is_file():
        return _from_packed(root, spec)
    found = read_class_folders(_inner(root, "events_np"), recordings.SUFFIXES, spec.classes)
    skipped: list[str] = []
    train, labels = recordings.without_bad(recordings.recordings_of(found.train, spec), spec, skipped)
    test = None
    if found.test is not None:
        held, held_labels = recordings.without_bad(recordings.recordings_of(found.test, spec), spec, skipped)
        test = (held, np.array(held_labels, np.int64))
    files = [path for path, _ in found.train + (found.test or [])]
    forms = ", ".join(sorted({path.suffix.lower() for path in files}))
    y = np.array(labels, np.int64)
    return _Source(f"recordings ({forms})", files, found.class_names, train, y, test, skipped)


def _from_hdf5(root: Path, spec: OwnDataset) -> _Source:
    files = [root] if root.is_file() else _hdf5_files(root)
    if len(files) > 1:
        held = [path for path in files if "test" in path.stem.lower()]
        if len(files) != 2 or len(held) != 1:
            raise DataError(
                f"{root}: {len(files)} HDF5 files, and no two of them are ...train.h5 and ...test.h5; give one file, or a"
                " folder of these two"
            )
        files = sorted(files, key=lambda path: path in held)
    skipped: list[str] = []
    read: list[tuple[FileRecordings, Labels]] = []
    names: tuple[str, ...] = ()
    for path in files:
        file = Hdf5File(path, camera_of(spec), spec.time_unit or "s", spec.sort_window_us)
        names = names or file.names
        labelled = list(zip(file.sources, file.labels.tolist(), strict=True))
        x, labels = recordings.without_bad(labelled, spec, skipped)
        read.append((x, labels_of(f"{path}: labels", np.array(labels, np.int64))))
    test = read[1] if len(read) == 2 else None
    return _Source("HDF5", files, names, *read[0], test, skipped)


def _from_packed(path: Path, spec: OwnDataset) -> _Source:
    """An `.npz` of all recordings, with the keys of docs/datasets.md."""
    sensor = camera_of(spec)
    any_class = Entry(
        OWN, "event", "nmnist", (2, sensor.height, sensor.width), ("",) * (spec.classes or MOST_CLASSES)
    )
    parts = read_npz(path, any_class)
    test = None if len(parts.y_test) == 0 else (parts.x_test, parts.y_test)
    return _Source("npz", [path], (), parts.x_train, parts.y_train, test)


def _hdf5_files(root: Path) -> list[Path]:
    return sorted(
        (path for path in root.iterdir() if path.suffix.lower() in HDF5), key=lambda path: natural(path.name)
    )


def _inner(root: Path, *patterns: str) -> Path:
    """The one folder that a tool keeps its files in below the root, or the root."""
    found = [folder for pattern in patterns for folder in sorted(root.glob(pattern)) if folder.is_dir()]
    if len(found) > 1:
        raise DataError(
            f"{root}: {found[0].name} and {found[1].name} are both there; give one of them as dataset.path"
        )
    return found[0] if found else root


def _class_names(root: Path, source: _Source, spec: OwnDataset) -> tuple[str, ...]:
    held = source.y if source.test is None else np.concatenate([source.y, source.test[1]])
    if len(source.y) == 0:
        raise DataError(
            f"{root}: no readable sample is left; the first of {len(source.skipped)} faults: {source.skipped[0]}"
        )
    largest = int(held.max())
    count = spec.classes or len(source.class_names) or largest + 1
    if largest >= count:
        raise DataError(
            f"{root}: a label is {largest}, but there are {count} classes; count them from 0, or raise dataset.classes"
        )
    if source.class_names and len(source.class_names) != count:
        raise DataError(f"{root}: {len(source.class_names)} class names for {count} classes; make them equal")
    return source.class_names or tuple(map(str, range(count)))


def _taken(x: Samples, chosen: Any) -> Samples:
    return x.take(np.flatnonzero(chosen)) if isinstance(x, Recordings) else x[chosen]
