"""What this machine can hold, and what a file claims to hold: asked before anything of that size is built."""

import os
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

MEMORY_FILE = Path("/proc/meminfo")
BYTES_PER_GB = 1e9


def available_bytes() -> int:
    """Memory that can be used without swapping; 16 GB where the system does not tell."""
    try:
        lines = MEMORY_FILE.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, OSError, ValueError):
            return 16 * 1024**3


def shortage(need_bytes: float) -> str:
    """`needs 9.2 GB of memory, and 3.1 GB are free`, or nothing if it fits."""
    have = available_bytes()
    if need_bytes <= have:
        return ""
    return f"needs {need_bytes / BYTES_PER_GB:,.1f} GB of memory, and {have / BYTES_PER_GB:,.1f} GB are free"


def check_npz_claims(file: BinaryIO) -> None:
    """`ValueError` if an array of an `.npz` file claims more than its member holds, or all more than memory does.

    The file is left at its beginning. What is no zip file is left to its reader.
    """
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as members:
                _check_members(members)
    finally:
        file.seek(0)


def _check_members(members: zipfile.ZipFile) -> None:
    infos = members.infolist()
    lack = shortage(sum(info.file_size for info in infos))
    if lack:
        raise ValueError(f"unpacked it {lack}")
    for info in infos:
        if not info.filename.endswith(".npy"):
            continue
        try:
            with members.open(info) as stream:
                first = np.lib.format.read_magic(stream) == (1, 0)
                read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(stream)
        except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
            continue  # damaged, or no array: its reader says so
        if prod(shape) * dtype.itemsize > info.file_size:
            claim = prod(shape) * dtype.itemsize
            raise ValueError(
                f"array {info.filename[:-4]} claims {claim:,} bytes but holds {info.file_size:,}"
            )
