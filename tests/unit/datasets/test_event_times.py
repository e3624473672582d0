"""Times of recordings count from their start, or are refused."""

import numpy as np
import pytest

from nmsim.datasets.event_encoding import event_steps
from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.spec import EventTimeEncoding
from nmsim.errors import DataError

SENSOR = Sensor(4, 4)
ENCODING = EventTimeEncoding(kind="event_time_bins")


def recording(*times: int) -> Events:
    zeros = np.zeros(len(times), np.int64)
    return Events(zeros, zeros, zeros, np.array(times, np.int64))


def read(*times: int) -> Events:
    return checked(recording(*times), SENSOR, "recording.npz", lambda event: f"event {event}")


def test_unix_times_fill_the_time_steps_as_times_from_the_start_do():
    times = [0, 100, 200, 300, 399]
    unix = [1_764_171_234_000_000 + time for time in times]
    steps = event_steps(read(*unix), ENCODING, 4).tolist()
    assert steps == event_steps(read(*times), ENCODING, 4).tolist() == [0, 1, 2, 3, 3]


def test_a_late_first_event_of_a_long_recording_stays_where_it_is():
    assert read(50, 300, 399).t_us.tolist() == [50, 300, 399]


def test_negative_times_are_refused():
    with pytest.raises(DataError) as caught:
        read(-5, 3)
    assert str(caught.value) == (
        "recording.npz: event 0: time -5 us is negative; times count from the start of the recording: subtract the first"
        " one from all"
    )
