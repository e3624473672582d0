"""Own arrays as a data set: samples that were never a file."""

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nmsim.datasets.dataset import Dataset, Provenance
from nmsim.datasets.own.array_values import labels_of, samples_of
from nmsim.datasets.split import held_out
from nmsim.errors import DataError

OWN = "own"
"""Name of the data set in a workload."""


def from_arrays(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    class_names: Sequence[str] = (),
    *,
    kind: Literal["image", "frames"] = "image",
    value_range: tuple[float, float] | None = None,
    axes: str | None = None,
    test_share: float = 0.0,
    split_seed: int = 1,
) -> Dataset:
    """A data set of own samples, for workloads whose data set is `own`.

    Args:
        x_train: images (N, H, W), (N, C, H, W) or vectors (N, F), or frames (N, T, ...), one per time step.
            Pixels are uint8, or have a `value_range`.
        y_train: whole numbers (N,) from 0.
        x_test: the held-out samples; without them, a share can be drawn.
        y_test: their labels.
        class_names: one per class; numbers if left out.
        kind: `image`, or `frames` for samples that are sequences.
        value_range: darkest and brightest value.
        axes: `NHWC` or `NTHWC` where channels come last and that is not plain from the shape.
        test_share: share of every class that is held out, if there is no `x_test`. Without either no accuracy is measured.
        split_seed: seed of that draw.

    >>> data = from_arrays(np.zeros((4, 8, 8), np.uint8), [0, 1, 0, 1])
    >>> data.input_shape, data.classes, len(data.train), len(data.test)
    ((1, 8, 8), 2, 4, 0)
    >>> data = from_arrays(np.zeros((10, 20, 20)), np.arange(10) % 2, value_range=(0, 1), test_share=0.2)
    >>> len(data.train), len(data.test), data.train.x.dtype
    (8, 2, dtype('uint8'))

    Raises:
        DataError: an array has another type or shape, or counts and labels do not fit together.
    """
    how = {"frames": kind == "frames", "value_range": value_range, "axes": axes}
    x, y = samples_of("x_train", x_train, **how), labels_of("y_train", y_train)  # type: ignore[arg-type]
    if (x_test is None) != (y_test is None):
        raise DataError("x_test and y_test belong together; give both or neither")
    split = "as given"
    if x_test is None or y_test is None:
        _same_length("train", len(x), len(y))
        chosen = held_out(y, test_share, split_seed)
        x, y, held, held_labels = x[~chosen], y[~chosen], x[chosen], y[chosen]
        split = f"drawn: {test_share:g} of every class held out, seed {split_seed}" if test_share else split
    else:
        held, held_labels = samples_of("x_test", x_test, **how), labels_of("y_test", y_test)  # type: ignore[arg-type]
    _same_length("train", len(x), len(y))
    _same_length("test", len(held), len(held_labels))
    if held.shape[1:] != x.shape[1:]:
        raise DataError(
            f"x_test: samples have shape {list(held.shape[1:])}, those of x_train {list(x.shape[1:])};"
            " make them equal"
        )
    largest = int(max(y.max(initial=0), held_labels.max(initial=0)))
    names = tuple(class_names) or tuple(map(str, range(largest + 1)))
    if largest >= len(names):
        raise DataError(
            f"class_names: {len(names)} names, but a label is {largest}; name every class, counted from 0"
        )
    digest = hashlib.sha256()
    for array in (x, y, held, held_labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    origin = Provenance(
        "arrays given in Python", "arrays", 0, x.nbytes + held.nbytes, digest.hexdigest(), "contents", split
    )
    channels, height, width = x.shape[-3:]
    return Dataset(OWN, kind, x, y, held, held_labels, names, (channels, height, width), origin)


def _same_length(part: str, samples: int, labels: int) -> None:
    if samples != labels:
        raise DataError(
            f"y_{part}: {labels} labels for {samples} samples of x_{part}; give one label per sample"
        )
