"""CIFAR-10 and CIFAR-100 binary archives: records of labels and 3,072 pixel bytes (red, green, blue plane).

Layout: https://www.cs.toronto.edu/~kriz/cifar.html ("binary version"). CIFAR-10 has one label byte a record,
CIFAR-100 a coarse and a fine one; the fine one is used.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from nmsim.datasets.dataset import Images, Labels
from nmsim.datasets.file import check_labels, read_bytes
from nmsim.errors import DataError

SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32


def read_cifar_binary(paths: Sequence[Path], classes: Literal[10, 100]) -> tuple[Images, Labels]:
    """Images (N, 3, 32, 32) and labels (N,) of one or more files, in their order.

    Raises:
        DataError: an empty file, a size that is no multiple of the record, a label out of range.
    """
    parts = [_read(path, classes) for path in paths]
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def _read(path: Path, classes: Literal[10, 100]) -> tuple[Images, Labels]:
    content = read_bytes(path)
    label_bytes = 2 if classes == 100 else 1
    record = label_bytes + _PIXELS
    if not content:
        raise DataError(f"{path}: byte 0: the file is empty; fetch it again")
    if len(content) % record:
        raise DataError(
            f"{path}: byte {len(content) - len(content) % record}: {len(content)} bytes are no multiple of"
            f" the {record}-byte record of CIFAR-{classes}, so the last record is truncated or the file is of"
            " another kind; fetch it again"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, record)
    labels = records[:, label_bytes - 1]
    check_labels(path, labels, classes, lambda index: f"byte {index * record + label_bytes - 1}")
    return records[:, label_bytes:].reshape(-1, *SHAPE), labels.astype(np.int64)


def read_label_names(path: Path, classes: int) -> tuple[str, ...]:
    """Class names, one a line; `DataError` if there are not as many as classes."""
    names = tuple(read_bytes(path).decode("utf-8", "replace").split())
    if len(names) != classes:
        raise DataError(f"{path}: {len(names)} class names instead of {classes}; give the original file")
    return names
