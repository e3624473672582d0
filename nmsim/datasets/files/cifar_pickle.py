"""CIFAR-10 and CIFAR-100 python archives, read without letting a pickle run anything.

A pickle may name any importable object and call it. These files name three: `_reconstruct`, `ndarray` and
`dtype` of numpy. They are replaced here by inert records, so not even numpy's own unpickling code runs;
every other name is refused. Layout of the dictionaries: https://www.cs.toronto.edu/~kriz/cifar.html ("python
version").
"""

import io
import pickle
import pickletools
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.dataset import Images, Labels
from nmsim.datasets.file import check_labels, read_bytes
from nmsim.datasets.files.cifar_binary import SHAPE
from nmsim.errors import DataError

_PIXELS = SHAPE[0] * SHAPE[1] * SHAPE[2]
_FINE_LABELS: dict[int, bytes] = {10: b"labels", 100: b"fine_labels"}
_NAMES: dict[int, bytes] = {10: b"label_names", 100: b"fine_label_names"}


class _State:
    """What a pickled array or type becomes: its state, as plain data."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _encode(text: Any, encoding: Any) -> bytes:
    """Bytes as Python 3 writes them in protocol 2: text in latin1."""
    if not isinstance(text, str | bytes) or encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("bytes in another encoding than latin1")
    return text.encode("latin1") if isinstance(text, str) else text.decode("utf-8").encode("latin1")


_ADMITTED: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    ("numpy.core.multiarray", "_reconstruct"): _State,
    ("numpy._core.multiarray", "_reconstruct"): _State,
    ("numpy", "ndarray"): _State,
    ("numpy", "dtype"): _State,
}


class _ForbiddenNameError(Exception):
    """A pickle asks for an object outside the admitted ones."""


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return _ADMITTED[module_name, global_name]
        except KeyError:
            raise _ForbiddenNameError(f"{module_name}.{global_name}") from None

    def persistent_load(self, pid: Any) -> NoReturn:
        raise _ForbiddenNameError(f"persistent object {pid!r}")


def read_pickle(path: Path) -> dict[bytes, Any]:
    """The dictionary of a CIFAR python file; arrays are still inert.

    Raises:
        DataError: the pickle is truncated or corrupt, names a forbidden object, or is no dictionary.
    """
    stream = io.BytesIO(read_bytes(path))
    try:
        _check_memo(stream)
        content = _RestrictedUnpickler(stream, encoding="bytes").load()
    except _ForbiddenNameError as error:
        raise DataError(
            f"{path}: byte {stream.tell()}: the pickle asks for {error}, which no CIFAR file needs and which"
            " could run code; do not open it elsewhere, and give the binary archive instead"
        ) from error
    except Exception as error:
        raise DataError(
            f"{path}: byte {stream.tell()}: the pickle is truncated or corrupt ({type(error).__name__});"
            " fetch the file again, or give the binary archive"
        ) from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: the pickle holds no dictionary; give an original CIFAR python file")
    return content


def _check_memo(stream: io.BytesIO) -> None:
    """`UnpicklingError` if a number of the memo is above the count of operations, for the memo is as long as that number."""
    highest, count = 0, 0
    with suppress(ValueError):  # where it is damaged, the reader says so
        for operation, argument, _ in pickletools.genops(stream):
            count += 1
            if operation.name in {"PUT", "BINPUT", "LONG_BINPUT"} and isinstance(argument, int):
                highest = max(highest, argument)
    if highest > count:
        raise pickle.UnpicklingError(f"memo {highest} of {count} operations")
    stream.seek(0)


def read_cifar_pickle(paths: Sequence[Path], classes: Literal[10, 100]) -> tuple[Images, Labels]:
    """Images (N, 3, 32, 32) and labels (N,) of one or more files, in order; `DataError` as `read_pickle`."""
    parts = [_read(path, classes) for path in paths]
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def read_pickled_names(path: Path, classes: Literal[10, 100]) -> tuple[str, ...]:
    """Class names of a meta file; `DataError` if there are not as many as classes."""
    names = read_pickle(path).get(_NAMES[classes])
    if (
        not isinstance(names, list)
        or len(names) != classes
        or not all(isinstance(name, bytes) for name in names)
    ):
        raise DataError(
            f"{path}: key {_NAMES[classes].decode()} is no list of {classes} names; give the original file"
        )
    return tuple(name.decode("utf-8", "replace") for name in names)


def _read(path: Path, classes: Literal[10, 100]) -> tuple[Images, Labels]:
    content, key = read_pickle(path), _FINE_LABELS[classes]
    for needed in (b"data", key):
        if needed not in content:
            raise DataError(
                f"{path}: key {needed.decode()} is missing; give an original file of CIFAR-{classes}, python"
                " version"
            )
    x = _array(path, content[b"data"])
    labels = content[key]
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise DataError(f"{path}: key {key.decode()} is no list of integers; give an original file")
    if len(labels) != len(x):
        raise DataError(f"{path}: {len(labels)} labels for {len(x)} images; fetch the file again")
    y = np.array(labels, dtype=np.int64)
    check_labels(path, y, classes, lambda index: f"row {index}")
    return x.reshape(-1, *SHAPE), y


def _array(path: Path, pickled: Any) -> NDArray[np.uint8]:
    """Pixels (N, 3072) of an inert array: numpy's state is (version, shape, type, Fortran order, bytes)."""
    state = pickled.state if isinstance(pickled, _State) else None
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], _State):
        raise DataError(f"{path}: key data is no numpy array; give an original file")
    _, shape, dtype, fortran, data = state
    if (
        not dtype.arguments
        or dtype.arguments[0] not in (b"u1", "u1")
        or fortran
        or not isinstance(data, bytes)
    ):
        raise DataError(f"{path}: key data is no array of unsigned bytes in C order; give an original file")
    is_matrix = isinstance(shape, tuple) and len(shape) == 2 and all(type(side) is int for side in shape)
    if not is_matrix or shape[1] != _PIXELS or shape[0] < 1:
        raise DataError(
            f"{path}: key data has the shape {shape} instead of (images, {_PIXELS}); give an original file"
        )
    if len(data) != shape[0] * _PIXELS:
        raise DataError(
            f"{path}: key data holds {len(data)} bytes instead of the {shape[0] * _PIXELS} of its shape;"
            " fetch the file again"
        )
    return np.frombuffer(data, np.uint8).reshape(shape)
