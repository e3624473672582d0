"""IDX, the format of MNIST and Fashion-MNIST: big-endian header, then unsigned bytes; plain or gzip.

Layout: http://yann.lecun.com/exdb/mnist/ ("file formats"): two zero bytes, type 0x08, number of dimensions,
then each dimension as a 32-bit big-endian integer.
"""

from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.dataset import Images, Labels
from nmsim.datasets.file import check_labels, read_unpacked
from nmsim.errors import DataError

_UNSIGNED_BYTE = 0x08


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Array of an IDX file of unsigned bytes with the given number of dimensions.

    Raises:
        DataError: corrupt gzip, wrong magic number, no elements, or another size than the header states.
    """
    header = 4 + 4 * dimensions

    def claimed_bytes(head: bytes) -> int | None:
        if len(head) < header:
            return None
        return header + prod(int(side) for side in np.frombuffer(head, ">u4", dimensions, 4))

    content = read_unpacked(path, claimed_bytes)
    if len(content) < header:
        raise DataError(
            f"{path}: byte {len(content)}: the file ends within its {header}-byte IDX header; fetch it again"
        )
    magic, expected = int.from_bytes(content[:4], "big"), _UNSIGNED_BYTE << 8 | dimensions
    if magic != expected:
        raise DataError(
            f"{path}: byte 0: magic number 0x{magic:08x} is not 0x{expected:08x} (IDX of unsigned bytes in"
            f" {dimensions} dimensions); give the original file"
        )
    shape = tuple(int(side) for side in np.frombuffer(content, ">u4", dimensions, 4))
    if 0 in shape:
        raise DataError(
            f"{path}: byte 4: the header states the shape {shape}, which is empty; fetch the file again"
        )
    if len(content) != header + prod(shape):
        fault = "truncated" if len(content) < header + prod(shape) else "too long"
        raise DataError(
            f"{path}: byte {len(content)}: the file is {fault}: its shape {shape} needs"
            f" {header + prod(shape)} bytes; fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_images(images: Path, labels: Path, classes: int) -> tuple[Images, Labels]:
    """Images (N, 1, H, W) and labels (N,) of two IDX files.

    Raises:
        DataError: as `read_idx`; a label out of range; not one label per image.
    """
    x, y = read_idx(images, 3), read_idx(labels, 1)
    if len(x) != len(y):
        raise DataError(
            f"{labels}: byte 4: {len(y)} labels for the {len(x)} images of {images.name}; give two files that"
            " belong together"
        )
    check_labels(labels, y, classes, lambda index: f"byte {8 + index}")
    return x[:, None], y.astype(np.int64)
