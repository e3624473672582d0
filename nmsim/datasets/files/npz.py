"""One `.npz` file per data set: numpy arrays under fixed names, never pickles (the names: docs/datasets.md).

Images: `x_train`, `y_train`, `x_test`, `y_test`, uint8 (N, H, W) or (N, H, W, C). Events: `ev_x`, `ev_y`,
`ev_p`, `ev_t` (microseconds), `offsets` and `label`, each with `_train` and `_test` or, without a split,
bare.
"""

import zipfile
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from nmsim.capacity import check_npz_claims
from nmsim.datasets.catalog import Entry
from nmsim.datasets.dataset import Images, Labels
from nmsim.datasets.events import PackedRecordings, Sensor, checked
from nmsim.datasets.file import check_labels, first_bad, read_head
from nmsim.datasets.parts import Parts
from nmsim.errors import DataError
from nmsim.storage import DAMAGED

_SPLIT = "as in the file"


def is_npz(path: Path) -> bool:
    """Whether a file is a zip archive of arrays at its top level, or claims to be one by its name."""
    if path.suffix == ".npz":
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as members:
        return all(name.endswith(".npy") and "/" not in name for name in members.namelist())


def read_npz(path: Path, entry: Entry) -> Parts:
    """Both parts of a data set.

    Raises:
        DataError: not an npz file, a corrupt member, a missing key, pickled objects, numbers that are no
            pixels, counts that differ, labels out of range, events off the sensor or out of order.
    """
    read_head(path, 1)
    with path.open("rb") as file, _opened(path, file) as arrays:
        names = _class_names(path, arrays, entry)
        if entry.kind == "image":
            train, test = (_images(path, arrays, part, entry) for part in ("_train", "_test"))
            return Parts(*train, *test, names, "npz", _SPLIT, (path,))
        if "ev_x_train" in arrays or "ev_x" not in arrays:
            recordings, labels = _recordings(path, arrays, "_train", entry)
            return Parts(
                recordings, labels, *_recordings(path, arrays, "_test", entry), names, "npz", _SPLIT, (path,)
            )
        recordings, labels = _recordings(path, arrays, "", entry)
        split = f"the file has no split: all {len(labels)} recordings are the training part"
        return Parts(recordings, labels, recordings.first(0), labels[:0], names, "npz", split, (path,))


def _opened(path: Path, file: BinaryIO) -> NpzFile:
    try:
        check_npz_claims(file)
        arrays = np.load(file, allow_pickle=False)
    except DAMAGED as error:
        raise DataError(
            f"{path}: not a readable npz file without pickles ({error}); fetch the file again"
        ) from error
    if not isinstance(arrays, NpzFile):
        raise DataError(f"{path}: a single array, not an npz file of several; give the npz file")
    return arrays


def _member(path: Path, arrays: NpzFile, key: str) -> NDArray[Any]:
    if key not in arrays:
        raise DataError(f"{path}: array {key} is missing; the keys are listed in docs/datasets.md")
    try:
        array: NDArray[Any] = arrays[key]
    except ValueError as error:
        raise DataError(f"{path}: array {key} is no plain array ({error}); save it as numbers") from error
    except DAMAGED as error:
        raise DataError(f"{path}: array {key} is corrupt ({error}); fetch the file again") from error
    return array


def _array(path: Path, arrays: NpzFile, key: str) -> NDArray[Any]:
    """An array of whole numbers; floats are taken if they are finite and whole."""
    array = _member(path, arrays, key)
    if array.dtype.kind == "f":
        _require(path, key, array, np.isfinite(array), "is not finite; mend the file")
        _require(
            path, key, array, array == np.rint(array), "is not whole; store the original integers, unscaled"
        )
        return array.astype(np.int64)
    if array.dtype.kind not in "iub":
        raise DataError(f"{path}: array {key} holds {array.dtype} instead of whole numbers; mend the file")
    return array


def _require(path: Path, key: str, array: NDArray[Any], good: NDArray[np.bool_], fault: str) -> None:
    bad = first_bad(~good.reshape(-1))
    if bad is not None:
        place = ", ".join(str(axis) for axis in np.unravel_index(bad, array.shape))
        raise DataError(f"{path}: array {key}: value {array.reshape(-1)[bad]} at [{place}] {fault}")


def _labels(path: Path, arrays: NpzFile, key: str, entry: Entry) -> Labels:
    labels = _array(path, arrays, key).reshape(-1)
    check_labels(path, labels, entry.classes, lambda index: f"array {key}, row {index}", entry.label_base)
    return labels.astype(np.int64) - entry.label_base


def _images(path: Path, arrays: NpzFile, part: str, entry: Entry) -> tuple[Images, Labels]:
    key = f"x{part}"
    x, y = _array(path, arrays, key), _labels(path, arrays, f"y{part}", entry)
    channels, height, width = entry.shape
    expected = (height, width) if channels == 1 else (height, width, channels)
    if x.shape[1:] != expected:
        raise DataError(
            f"{path}: array {key}: images of shape {x.shape[1:]} instead of the {expected} of {entry.name};"
            " give that data set, or another name"
        )
    if len(x) == 0:
        raise DataError(f"{path}: array {key} holds no images; give a file with at least one")
    if len(x) != len(y):
        raise DataError(f"{path}: {len(x)} images in {key} but {len(y)} labels in y{part}; mend the file")
    if x.dtype != np.uint8:
        _require(path, key, x, (x >= 0) & (x <= 255), "is outside 0..255; store the original pixels")
    x = x.astype(np.uint8, copy=False)
    return (x[:, None] if channels == 1 else np.ascontiguousarray(x.transpose(0, 3, 1, 2))), y


def _recordings(path: Path, arrays: NpzFile, part: str, entry: Entry) -> tuple[PackedRecordings, Labels]:
    x, y, p, t_us = (_array(path, arrays, f"ev_{column}{part}") for column in "xypt")
    offsets = _array(path, arrays, f"offsets{part}").astype(np.int64)
    labels = _labels(path, arrays, f"label{part}", entry)
    lengths = {len(column) for column in (x, y, p, t_us)}
    if (
        len(lengths) > 1
        or len(offsets) < 1
        or offsets[0] != 0
        or offsets[-1] != len(x)
        or (np.diff(offsets) < 0).any()
    ):
        raise DataError(
            f"{path}: array offsets{part} must rise from 0 to the {len(x)} events of ev_x{part}, and the four"
            " ev_ arrays must be equally long; mend the file"
        )
    if len(offsets) != len(labels) + 1:
        raise DataError(
            f"{path}: {len(offsets) - 1} recordings but {len(labels)} in label{part}; mend the file"
        )
    if len(labels) == 0 and part != "_test":
        raise DataError(f"{path}: array label{part} is empty: no recordings; give a file with at least one")
    _, height, width = entry.shape
    sensor = Sensor(height, width)
    recordings = PackedRecordings(sensor, offsets, x, y, p, t_us.astype(np.int64))
    for index in range(len(recordings)):
        held = recordings.events(index)
        held.t_us[:] = checked(held, sensor, str(path), partial(_event_place, part, index)).t_us
    return recordings, labels


def _event_place(part: str, recording: int, event: int) -> str:
    return f"array ev_t{part}, recording {recording}, event {event}"


def _class_names(path: Path, arrays: NpzFile, entry: Entry) -> tuple[str, ...]:
    if "class_names" not in arrays:
        return entry.class_names
    names = _member(path, arrays, "class_names")
    if names.dtype.kind != "U" or len(names) != entry.classes:
        raise DataError(
            f"{path}: array class_names has {len(names)} entries instead of the {entry.classes} names of"
            f" {entry.name}; give that data set, or another name"
        )
    return tuple(str(name) for name in names)
