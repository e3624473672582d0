"""N-MNIST recordings: 40 bits an event: column byte, row byte, 1 bit polarity, 23 bits time, big-endian.

Layout: https://www.garrickorchard.com/datasets/n-mnist. Polarity 1 is ON, times are microseconds.
"""

from pathlib import Path

import numpy as np

from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.file import read_bytes
from nmsim.errors import DataError

SENSOR = Sensor(height=34, width=34)
EVENT_BYTES = 5


def check_size(path: Path) -> None:
    """Raise `DataError` if the file's size is none that whole events have; reads nothing."""
    size = path.stat().st_size
    if size == 0 or size % EVENT_BYTES:
        raise DataError(
            f"{path}: byte {size - size % EVENT_BYTES}: {size} bytes are no positive multiple of the"
            f" {EVENT_BYTES}-byte event, so the file is empty or truncated; fetch it again"
        )


def read_nmnist(path: Path) -> Events:
    """Events of one recording; `DataError` if it is truncated, off the 34 x 34 sensor or out of order."""
    content = read_bytes(path)
    check_size(path)
    columns = np.frombuffer(content, np.uint8).reshape(-1, EVENT_BYTES)
    low = columns[:, 2:].astype(np.int64)
    events = Events(
        x=columns[:, 0],
        y=columns[:, 1],
        p=columns[:, 2] >> 7,
        t_us=(low[:, 0] & 0x7F) << 16 | low[:, 1] << 8 | low[:, 2],
    )
    return checked(events, SENSOR, str(path), lambda event: f"byte {event * EVENT_BYTES}")
