"""DVS128 Gesture as the tonic project publishes it: one `.npy` per gesture, rows of x, y, polarity, time.

Layout: tonic, `tonic/datasets/dvsgesture.py`; the file's name is the class, counted from 0. Times are whole
milliseconds there, where the original has microseconds.
"""

from pathlib import Path

import numpy as np

from nmsim.datasets.events import Events, checked
from nmsim.datasets.files.aedat31 import SENSOR
from nmsim.errors import DataError
from nmsim.storage import DAMAGED
from nmsim.units import US_PER_MS


def read_gesture_npy(path: Path) -> Events:
    """Events of one gesture, times from its first event.

    Raises:
        DataError: no npy file without pickles, another shape, events off the 128 x 128 sensor, falling times.
    """
    try:
        rows = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path") from error
    except DAMAGED as error:
        raise DataError(
            f"{path}: not a readable npy file without pickles ({error}); fetch it again"
        ) from error
    if rows.ndim != 2 or rows.shape[1] != 4 or not np.isfinite(rows).all():
        raise DataError(
            f"{path}: an array of shape {rows.shape} is no list of finite (x, y, p, t) rows; fetch it again"
        )
    x, y, p, t_ms = rows.astype(np.int64).T
    events = Events(x, y, p, (t_ms - t_ms[:1].sum()) * US_PER_MS)
    return checked(events, SENSOR, str(path), lambda event: f"row {event}")
