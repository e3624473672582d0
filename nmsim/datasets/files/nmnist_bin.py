"""N-MNIST recordings: 40 bits an event: column byte, row byte, 1 bit polarity, 23 bits time, big-endian.

Layout: https://www.garrickorchard.com/datasets/n-mnist. Polarity 1 is ON, times are microseconds; the clock wraps.
"""

from pathlib import Path

import numpy as np

from nmsim.datasets.event_clock import unwrapped
from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.file import read_bytes
from nmsim.errors import DataError

SENSOR = Sensor(height=34, width=34)
EVENT_BYTES = 5
CLOCK_BITS = 23
_OVERFLOW_ROW, _OVERFLOW_US = 240, 1 << 13
"""The marks of the ATIS camera, as tonic and event-Python take them."""


def check_size(path: Path) -> None:
    """Raise `DataError` if the file's size is none that whole events have; reads nothing."""
    size = path.stat().st_size
    if size == 0 or size % EVENT_BYTES:
        raise DataError(
            f"{path}: byte {size - size % EVENT_BYTES}: {size} bytes are no positive multiple of the"
            f" {EVENT_BYTES}-byte event, so the file is empty or truncated; fetch it again"
        )


def read_nmnist(path: Path, sensor: Sensor = SENSOR, sort_window_us: int = 0) -> Events:
    """Events of one recording; marks of an overflow (row 240) add 8,192 us to what follows and are left out.

    Raises:
        DataError: it is truncated, off the sensor or out of order.
    """
    content = read_bytes(path)
    check_size(path)
    columns = np.frombuffer(content, np.uint8).reshape(-1, EVENT_BYTES)
    low = columns[:, 2:].astype(np.int64)
    t_us = (low[:, 0] & 0x7F) << 16 | low[:, 1] << 8 | low[:, 2]
    kept = np.arange(len(columns))
    if sensor.height <= _OVERFLOW_ROW:
        marks = columns[:, 1] == _OVERFLOW_ROW
        t_us = t_us + _OVERFLOW_US * np.cumsum(marks)
        kept = np.flatnonzero(~marks)
    events = Events(
        x=columns[kept, 0],
        y=columns[kept, 1],
        p=columns[kept, 2] >> 7,
        t_us=unwrapped(t_us[kept], CLOCK_BITS, sort_window_us),
    )
    return checked(
        events, sensor, str(path), lambda event: f"byte {int(kept[event]) * EVENT_BYTES}", sort_window_us
    )
