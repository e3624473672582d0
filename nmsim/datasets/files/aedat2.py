"""AEDAT 2.0, the format of CIFAR10-DVS: `#` lines, then pairs of big-endian 32-bit address and time.

Layout: https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-2.0.html. DVS128
addresses: bit 0 is 1 for OFF, bits 1-7 are 127 - column, bits 8-14 are 127 - row; bit 15 marks an event that
is no pixel. DAVIS addresses, of every other sensor: bit 31 marks a sample of a frame, bit 10 an event that is no pixel,
bit 11 is 1 for ON, bits 12-21 are the column, bits 22-30 the row from below. The clock counts microseconds in 32 bits and
wraps.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.event_clock import unwrapped
from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.file import read_bytes
from nmsim.errors import DataError

SENSOR = Sensor(height=128, width=128)
MAGIC = b"#!AER-DAT2"
CLOCK_BITS = 32
_DVS128_NO_PIXEL = 1 << 15
_DAVIS_NO_PIXEL = 1 << 31 | 1 << 10


def read_aedat2(
    path: Path,
    orientation: Literal["upright", "transposed"] = "upright",
    sensor: Sensor = SENSOR,
    sort_window_us: int = 0,
) -> Events:
    """Pixel events of a recording, times from its first event.

    Args:
        path: the file.
        orientation: `transposed` exchanges columns and rows: CIFAR10-DVS was recorded with the camera on its
        side.
        sensor: a DVS128, or a DAVIS of another size.
        sort_window_us: events that come late by at most this are sorted in.

    Raises:
        DataError: no AEDAT 2.0 header, a truncated event, an address that is no pixel of the sensor, falling times.
    """
    content = read_bytes(path)
    start = _header_end(path, content)
    if (len(content) - start) % 8:
        raise DataError(
            f"{path}: byte {len(content) - (len(content) - start) % 8}: the last 8-byte event is truncated;"
            " fetch the file again"
        )
    words = np.frombuffer(content, ">u4", offset=start).reshape(-1, 2).astype(np.int64)
    decoded = _dvs128 if sensor == SENSOR else _davis
    pixels, column, row, polarity = decoded(words[:, 0], sensor)
    t_us = unwrapped(words[pixels, 1], CLOCK_BITS, sort_window_us)
    x, y = (column, row) if orientation == "upright" else (row, column)
    events = Events(x, y, polarity, t_us - t_us[:1].sum())
    return checked(
        events, sensor, str(path), lambda event: f"byte {start + 8 * int(pixels[event])}", sort_window_us
    )


_Decoded = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _dvs128(address: NDArray[np.int64], sensor: Sensor) -> _Decoded:
    """Numbers of the pixel events, their columns, rows and polarities."""
    pixels = np.flatnonzero(address & _DVS128_NO_PIXEL == 0)
    word = address[pixels]
    # the bits above 15 stay in the row, so that an address of another camera falls off the sensor
    return pixels, sensor.width - 1 - (word >> 1 & 0x7F), sensor.height - 1 - (word >> 8), 1 - (word & 1)


def _davis(address: NDArray[np.int64], sensor: Sensor) -> _Decoded:
    pixels = np.flatnonzero(address & _DAVIS_NO_PIXEL == 0)
    word = address[pixels]
    return pixels, word >> 12 & 0x3FF, sensor.height - 1 - (word >> 22 & 0x1FF), word >> 11 & 1


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
