"""Arrays in files: one `.npz`, or a folder of `.npy` files; named `x_train`, `y_train`, `x_test`, `y_test`, or `x`, `y`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.capacity import check_npz_claims
from nmsim.errors import DataError
from nmsim.storage import DAMAGED

USUAL = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("x", "y"),
    ("images", "labels"),
    ("data", "labels"),
    ("data", "target"),
    ("frames", "labels"),
)
"""Names that are looked for, in this order; the first whose training arrays are there are taken."""

Arrays = dict[str, NDArray[Any]]


def read_array_files(path: Path) -> tuple[Arrays, tuple[str, ...], list[Path]]:
    """Arrays by name, the usual names among them (two, or four with a test part), and the files read.

    Raises:
        DataError: no file of arrays, a broken one, or none of the usual names.
    """
    if path.is_dir():
        files = sorted(path.glob("*.npy"))
        held = {file.stem: read_npy(file) for file in files}
    else:
        files, held = [path], read_npz_arrays(path)
    for names in USUAL:
        if all(name in held for name in names[:2]):
            used = names if all(name in held for name in names) else names[:2]
            return held, used, [file for file in files if file.stem in used] or files
    raise DataError(
        f"{path}: holds {', '.join(held) or 'no arrays'}; name the samples x_train and the labels y_train, with x_test and"
        " y_test if there is a test part"
    )


def class_names_of(arrays: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """Names of the classes, if an array `class_names` of text is there."""
    names = arrays.get("class_names")
    return tuple(map(str, names)) if names is not None and names.dtype.kind == "U" else ()


def read_npz_arrays(path: Path) -> Arrays:
    """Every array of an `.npz`; `DataError` if it is broken or holds pickled objects."""
    try:
        with path.open("rb") as stream:
            check_npz_claims(stream)
            with np.load(stream, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path") from error
    except DAMAGED as error:
        raise DataError(
            f"{path}: not a readable npz file without pickles ({str(error)[:200]}); save the arrays again"
        ) from error


def read_npy(path: Path) -> NDArray[Any]:
    """The array of an `.npy`; `DataError` if it is broken or holds pickled objects."""
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path") from error
    except DAMAGED as error:
        raise DataError(
            f"{path}: not a readable npy file without pickles ({str(error)[:200]}); save the array again"
        ) from error
    return array
