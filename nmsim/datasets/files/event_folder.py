"""Folders of original event files: N-MNIST, DVS128 Gesture (AEDAT 3.1, or tonic's npy), CIFAR10-DVS (AEDAT 2, 4)."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from nmsim.datasets.catalog import Entry
from nmsim.datasets.dataset import Labels
from nmsim.datasets.events import Events, FileRecordings, Sensor
from nmsim.datasets.files import aedat2, aedat4, aedat31, nmnist_bin
from nmsim.datasets.files.gesture_npy import read_gesture_npy
from nmsim.datasets.parts import Parts
from nmsim.errors import DataError

Labelled = tuple[int, Callable[[], Events]]
"""Label from 0, and how to read the recording."""

_TRAIN_USERS = 23
"""Users 1-23 of DVS128 Gesture train, 24-29 test (its README and trials_to_train.txt)."""
_CIFAR10_DVS_TRAIN_SHARE = (9, 10)
"""CIFAR10-DVS has no official split; nine tenths of each class by file number is the usual one."""


def read_event_folder(root: Path, entry: Entry) -> Parts:
    """Both parts of an event data set from the folder of its original files.

    Structure (headers, sizes, label files) is checked now; the events of a file when they are read.

    Raises:
        DataError: the files are not there, or are broken.
    """
    readers = {"nmnist": _read_nmnist, "dvs_gesture": _read_gesture, "cifar10_dvs": _read_cifar10_dvs}
    return readers[entry.layout](root, entry)


def _parts(
    entry: Entry,
    sensor: Sensor,
    train: Sequence[Labelled],
    test: Sequence[Labelled],
    about: tuple[str, str, list[Path]],
) -> Parts:
    file_format, split, files = about

    def columns(labelled: Sequence[Labelled]) -> tuple[FileRecordings, Labels]:
        labels = np.array([label for label, _ in labelled], np.int64)
        return FileRecordings(sensor, tuple(source for _, source in labelled)), labels

    return Parts(*columns(train), *columns(test), entry.class_names, file_format, split, tuple(files))


def _read_nmnist(root: Path, entry: Entry) -> Parts:
    """`Train/<digit>/<number>.bin` and `Test/...`, in the order of the numbers, which is MNIST's."""
    found: dict[str, list[tuple[int, Path]]] = {"Train": [], "Test": []}
    for path in root.glob("**/[0-9]/[!.]*.bin"):
        part = path.parents[1].name.capitalize()
        if part in found and path.stem.isdecimal():
            nmnist_bin.check_size(path)
            found[part].append((int(path.stem), path))
    if not found["Train"]:
        raise DataError(
            f"{root}: no files Train/<digit>/<number>.bin are here; give the folder that holds Train and Test"
            " of N-MNIST"
        )
    train, test = (
        [(int(path.parent.name), partial(nmnist_bin.read_nmnist, path)) for _, path in sorted(found[part])]
        for part in ("Train", "Test")
    )
    files = [path for part in ("Train", "Test") for _, path in sorted(found[part])]
    split = "official folders" if test else "the folder has no Test: every recording is in the training part"
    return _parts(entry, nmnist_bin.SENSOR, train, test, ("N-MNIST 40-bit events", split, files))


def _read_cifar10_dvs(root: Path, entry: Entry) -> Parts:
    """`<class>/*_<number>.aedat`, or `.aedat4` as tonic ships it; parts interleave the classes.

    The first nine tenths of each class train. Tonic's copies are taken as they are stored, upright.
    """
    is_tonic = next(root.glob(f"**/{entry.class_names[0]}/[!.]*.aedat4"), None) is not None
    suffix = ".aedat4" if is_tonic else ".aedat"
    by_class = [
        sorted(root.glob(f"**/{name}/[!.]*{suffix}"), key=lambda path: (_last_number(path), path.name))
        for name in entry.class_names
    ]
    missing = [name for name, paths in zip(entry.class_names, by_class, strict=True) if not paths]
    if missing:
        raise DataError(
            f"{root}: no files {missing[0]}/*{suffix} are here; give the folder that holds the ten class"
            " folders of CIFAR10-DVS"
        )
    part_files: tuple[list[tuple[int, int, Path]], list[tuple[int, int, Path]]] = ([], [])
    numerator, denominator = _CIFAR10_DVS_TRAIN_SHARE
    for label, paths in enumerate(by_class):
        for rank, path in enumerate(paths):
            part_files[rank * denominator >= len(paths) * numerator].append((rank, label, path))
    train, test = (
        [
            (
                label,
                partial(aedat4.read_aedat4, path, aedat2.SENSOR)
                if is_tonic
                else partial(aedat2.read_aedat2, path, "transposed"),
            )
            for _, label, path in sorted(files)
        ]
        for files in part_files
    )
    split = "no official split: the first nine tenths of each class, by file number, train"
    files = [path for files in part_files for _, _, path in sorted(files)]
    return _parts(entry, aedat2.SENSOR, train, test, ("AEDAT 4" if is_tonic else "AEDAT 2.0", split, files))


def _read_gesture(root: Path, entry: Entry) -> Parts:
    recordings = sorted(root.glob("**/[!.]*.aedat"))
    if not recordings:
        return _read_gesture_npy(root, entry)
    train_names, test_names = (_trials(root, name) for name in ("trials_to_train.txt", "trials_to_test.txt"))
    missing = sorted((train_names | test_names) - {path.name for path in recordings})
    if missing:
        raise DataError(
            f"{root}: {missing[0]} is in the lists of trials but not in the folder ({len(missing)} such"
            " files); extract the archive again"
        )
    parts: tuple[list[Labelled], list[Labelled]] = ([], [])
    files: list[Path] = []
    for path in recordings:
        if train_names or test_names:
            if path.name not in train_names | test_names:
                continue
            is_test = path.name in test_names
        else:
            is_test = _user(path.stem) > _TRAIN_USERS
        labels = path.with_name(f"{path.stem}_labels.csv")
        index = aedat31.index_packets(path)
        for gesture in aedat31.read_gestures(labels, index, entry.classes):
            source = partial(aedat31.read_span, path, index, gesture.start_us, gesture.stop_us)
            parts[is_test].append((gesture.label - 1, source))
        files += [path, labels]
    split = (
        "official lists of trials"
        if train_names or test_names
        else f"users 1-{_TRAIN_USERS} train, others test"
    )
    if not parts[1]:
        split = "the folder has no test trials: every recording is in the training part"
    return _parts(entry, aedat31.SENSOR, *parts, ("AEDAT 3.1", split, files))


def _read_gesture_npy(root: Path, entry: Entry) -> Parts:
    """Tonic's `ibmGestureTrain/<user>_<lighting>/<class>.npy` and `ibmGestureTest/...`."""
    parts: tuple[list[Labelled], list[Labelled]] = ([], [])
    files = [path for path in sorted(root.glob("**/*.npy")) if path.stem.isdecimal()]
    for path in files:
        if int(path.stem) >= entry.classes:
            raise DataError(
                f"{path}: class {path.stem} is outside 0..{entry.classes - 1}; give tonic's original files"
            )
        is_test = _user(path.parent.name) > _TRAIN_USERS
        parts[is_test].append((int(path.stem), partial(read_gesture_npy, path)))
    if not parts[0]:
        raise DataError(
            f"{root}: neither *.aedat nor tonic's <user>_<lighting>/<class>.npy of training users are here;"
            " give the folder of DVS128 Gesture"
        )
    return _parts(
        entry, aedat31.SENSOR, *parts, ("npy (tonic)", f"users 1-{_TRAIN_USERS} train, others test", files)
    )


def _trials(root: Path, name: str) -> set[str]:
    return {
        line.strip()
        for path in root.glob(f"**/{name}")
        for line in path.read_text("utf-8").splitlines()
        if line.strip()
    }


def _user(text: str) -> int:
    match = re.match(r"user(\d+)", text)
    return int(match[1]) if match else 0


def _last_number(path: Path) -> int:
    numbers = re.findall(r"\d+", path.stem)
    return int(numbers[-1]) if numbers else 0
