"""AEDAT 2.0, the format of CIFAR10-DVS: `#` lines, then pairs of big-endian 32-bit address and time.

Layout: https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-2.0.html. DVS128
addresses: bit 0 is 1 for OFF, bits 1-7 are 127 - column, bits 8-14 are 127 - row; bit 15 marks an event that
is no pixel.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.file import read_bytes
from nmsim.errors import DataError

SENSOR = Sensor(height=128, width=128)
MAGIC = b"#!AER-DAT2"
_SPECIAL = 1 << 15


def read_aedat2(path: Path, orientation: Literal["upright", "transposed"] = "upright") -> Events:
    """Pixel events of a DVS128 recording, times from its first event.

    Args:
        path: the file.
        orientation: `transposed` exchanges columns and rows: CIFAR10-DVS was recorded with the camera on its
        side.

    Raises:
        DataError: no AEDAT 2.0 header, a truncated event, an address that is no DVS128 pixel, falling times.
    """
    content = read_bytes(path)
    start = _header_end(path, content)
    if (len(content) - start) % 8:
        raise DataError(
            f"{path}: byte {len(content) - (len(content) - start) % 8}: the last 8-byte event is truncated;"
            " fetch the file again"
        )
    words = np.frombuffer(content, ">u4", offset=start).reshape(-1, 2).astype(np.int64)
    pixels = np.flatnonzero(words[:, 0] & _SPECIAL == 0)
    address, t_us = words[pixels, 0], words[pixels, 1]
    # the bits above 15 stay in the row, so that an address of another camera falls off the sensor
    column, row = 127 - (address >> 1 & 0x7F), 127 - (address >> 8)
    x, y = (column, row) if orientation == "upright" else (row, column)
    events = Events(x, y, 1 - (address & 1), t_us - t_us[:1].sum())
    return checked(events, SENSOR, str(path), lambda event: f"byte {start + 8 * int(pixels[event])}")


def _header_end(path: Path, content: bytes) -> int:
    if not content.startswith(MAGIC):
        raise DataError(
            f"{path}: byte 0: {content[:12]!r} is not the header {MAGIC.decode()} of AEDAT 2.0; give an"
            " original file"
        )
    position = 0
    while content[position : position + 1] == b"#":
        line_end = content.find(b"\n", position)
        if line_end < 0:
            raise DataError(f"{path}: byte {position}: the header line does not end; fetch the file again")
        position = line_end + 1
    return position
