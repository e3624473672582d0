"""Own arrays as a data set: images that were never a file."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmsim.datasets.dataset import Dataset, Images, Labels, Provenance
from nmsim.errors import DataError

OWN = "own"
"""Name of the data set in a workload."""
AXES = {2: "(N, F)", 3: "(N, H, W)", 4: "(N, C, H, W)"}


def from_arrays(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    class_names: Sequence[str] = (),
) -> Dataset:
    """A data set of own images, for workloads whose data set is `own`.

    Images are uint8, (N, H, W), (N, C, H, W), or vectors (N, F); labels whole numbers (N,) from 0. Without a test part no
    accuracy is measured.

    >>> data = from_arrays(np.zeros((4, 8, 8), np.uint8), [0, 1, 0, 1])
    >>> data.input_shape, data.classes, len(data.train), len(data.test)
    ((1, 8, 8), 2, 4, 0)

    Raises:
        DataError: an array has another type or shape, or counts and labels do not fit together.
    """
    images, labels = _images("x_train", x_train), _labels("y_train", y_train)
    held_out = images[:0] if x_test is None else _images("x_test", x_test)
    held_out_labels = labels[:0] if y_test is None else _labels("y_test", y_test)
    if held_out.shape[1:] != images.shape[1:]:
        raise DataError(
            f"x_test: samples have shape {list(held_out.shape[1:])}, those of x_train {list(images.shape[1:])};"
            " make them equal"
        )
    for name, x, y in (("train", images, labels), ("test", held_out, held_out_labels)):
        if len(x) != len(y):
            raise DataError(
                f"y_{name}: {len(y)} labels for {len(x)} samples of x_{name}; give one label per sample"
            )
    classes = len(class_names) or 1 + int(max(labels.max(initial=0), held_out_labels.max(initial=0)))
    largest = int(max(labels.max(initial=0), held_out_labels.max(initial=0)))
    if largest >= classes:
        raise DataError(
            f"class_names: {classes} names, but a label is {largest}; name every class, counted from 0"
        )
    digest = hashlib.sha256()
    for array in (images, labels, held_out, held_out_labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    size_bytes = images.nbytes + held_out.nbytes
    origin = Provenance(
        "arrays given in Python", "arrays", 0, size_bytes, digest.hexdigest(), "contents", "as given"
    )
    names = tuple(class_names) or tuple(map(str, range(classes)))
    shape = (int(images.shape[1]), int(images.shape[2]), int(images.shape[3]))
    return Dataset(OWN, "image", images, labels, held_out, held_out_labels, names, shape, origin)


def _images(name: str, given: ArrayLike) -> Images:
    array: NDArray[np.uint8] = np.asarray(given)
    if array.dtype != np.uint8:
        raise DataError(
            f"{name}: holds {array.dtype}, but samples are uint8 from 0 to 255; scale and convert it first"
        )
    if array.ndim not in AXES:
        raise DataError(
            f"{name}: shape {list(array.shape)} is none of {', '.join(AXES.values())}; reshape it"
        )
    if array.ndim == 2:
        return array[:, None, None, :]
    return array[:, None] if array.ndim == 3 else array


def _labels(name: str, given: ArrayLike) -> Labels:
    array = np.asarray(given)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise DataError(
            f"{name}: {array.dtype} of shape {list(array.shape)}, but labels are whole numbers (N,)"
        )
    if array.size and array.min() < 0:
        raise DataError(f"{name}: label {array.min()} is negative; count classes from 0")
    return array.astype(np.int64)
