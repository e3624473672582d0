"""Whole files as bytes, plain or gzip, and their hashes; a broken file is one sentence."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmsim.capacity import available_bytes
from nmsim.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 64
"""Of an unpacked file, what its header may take."""
_CHUNK_BYTES = 1 << 16


def read_bytes(path: Path) -> bytes:
    """Content of a file.

    Raises:
        DataError: the file does not exist or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path") from error
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check the file and its permissions"
        ) from error


def read_unpacked(path: Path, claimed_bytes: Callable[[bytes], int | None] = lambda _: None) -> bytes:
    """Content of a file, decompressed if it starts with the gzip magic number.

    `claimed_bytes` tells from the first bytes how long the content says it is, None if it does not say. What is longer is
    not unpacked to its end, which may be far away: the content is then longer than claimed, and its reader refuses it.

    Raises:
        DataError: the file cannot be read, or its gzip stream is corrupt or ends early.
    """
    if read_head(path, 2) != GZIP_MAGIC:
        return read_bytes(path)
    content, limit = bytearray(), available_bytes() // 2
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read1(_CHUNK_BYTES):
                content += chunk
                claimed = claimed_bytes(bytes(content[:_HEAD_BYTES]))
                if claimed is not None and len(content) > claimed:
                    break
                if len(content) > limit:
                    raise DataError(
                        f"{path}: unpacks to more than {limit:,} bytes, half of the memory that is free; give the original"
                        " file"
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: gzip stream is corrupt or truncated after at least {len(content)} decompressed bytes"
            f" ({error}); fetch the file again"
        ) from error
    return bytes(content)


def read_head(path: Path, size: int) -> bytes:
    """First `size` bytes of a file, fewer if it is shorter; `DataError` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path") from error
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check the file and its permissions"
        ) from error


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_bad(wrong: NDArray[np.bool_]) -> int | None:
    """Index of the first true element of a flat array, `None` if there is none."""
    return int(wrong.argmax()) if wrong.any() else None


def check_labels(
    path: Path, labels: NDArray[np.integer], classes: int, where: Callable[[int], str], base: int = 0
) -> None:
    """Raise `DataError` at the first label outside `base .. base + classes - 1`; `where` names its place."""
    bad = first_bad((labels < base) | (labels >= base + classes))
    if bad is not None:
        raise DataError(
            f"{path}: {where(bad)}: label {labels[bad]} is outside {base}..{base + classes - 1};"
            " the file is corrupt or belongs to another data set"
        )


def files_sha256(paths: Sequence[Path], root: Path, *, contents: bool) -> str:
    """One hash of many files.

    SHA-256 over the lines `sha256␣␣name` that `sha256sum` prints, in the given order, or over `size␣␣name`
    lines if not `contents`; a single file is its own hash. Names are relative to `root`.
    """
    if contents and len(paths) == 1:
        return file_sha256(paths[0])
    total = hashlib.sha256()
    for path in paths:
        mark = file_sha256(path) if contents else str(path.stat().st_size)
        total.update(f"{mark}  {path.relative_to(root).as_posix()}\n".encode())
    return total.hexdigest()
