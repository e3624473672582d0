"""Event recordings to raw integers: T time steps of equal duration or of equally many events."""

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.events import Events, Recordings, Sensor
from nmsim.datasets.spec import EventEncoding, EventTimeEncoding


def event_steps(events: Events, encoding: EventEncoding, time_steps: int) -> NDArray[np.int64]:
    """Time step of each event (E,), `time_steps` or more for events after the encoding's duration."""
    if isinstance(encoding, EventTimeEncoding):
        t_us = events.t_us.astype(np.int64)
        duration_us = encoding.duration_us or int(t_us[-1]) + 1
        return t_us * time_steps // duration_us
    return np.arange(len(events)) * time_steps // len(events)


def lost_events(
    recordings: Recordings, indices: NDArray[np.int64], encoding: EventEncoding, time_steps: int
) -> tuple[int, int]:
    """Events of some recordings, and how many of them come after the encoding's last time step."""
    events = lost = 0
    for index in indices.tolist():
        steps = event_steps(recordings.events(index), encoding, time_steps)
        events, lost = events + len(steps), lost + int((steps >= time_steps).sum())
    return events, lost


def event_frames(
    events: Events, sensor: Sensor, encoding: EventEncoding, time_steps: int
) -> tuple[NDArray[np.int32], int]:
    """Frames (T, C, H, W) of one recording, and how many counts saturated.

    C is 2 (OFF, ON), or 1 for merged polarities.
    """
    channels = 1 if encoding.polarities == "merged" else 2
    shape = (time_steps, channels, sensor.height, sensor.width)
    step = event_steps(events, encoding, time_steps)
    cell = step * channels
    if channels == 2:
        cell += events.p
    cell = (cell * sensor.height + events.y) * sensor.width + events.x
    counts = np.bincount(cell[step < time_steps], minlength=int(np.prod(shape))).reshape(shape)
    if encoding.value == "binary":
        return (counts > 0).astype(np.int32), 0
    limit = (1 << encoding.count_bits) - 1
    return np.minimum(counts, limit).astype(np.int32), int((counts > limit).sum())
