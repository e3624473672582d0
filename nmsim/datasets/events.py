"""Event recordings: the events of a camera, in time order, held in memory or read from their files."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.file import first_bad
from nmsim.errors import DataError

IntArray = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Sensor:
    """Pixels of an event camera; every pixel has two polarities, 0 OFF and 1 ON."""

    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Events:
    """One recording: columns `x`, rows `y` (0 is the top), polarities `p` (1 ON), times `t_us`; each (E,).

    Times are microseconds from the start of the recording and do not fall.
    """

    x: IntArray
    y: IntArray
    p: IntArray
    t_us: IntArray

    def __len__(self) -> int:
        return len(self.t_us)


def checked(
    events: Events, sensor: Sensor, place: str, where: Callable[[int], str], sort_window_us: int = 0
) -> Events:
    """The events, if they lie on the sensor, in time order.

    Args:
        events: one recording.
        sensor: the camera.
        place: the file.
        where: names the place of an event in the file, e.g. `byte 1230`.
        sort_window_us: events that come late by at most this are sorted in.

    Raises:
        DataError: no events, an event off the sensor, a polarity other than 0 and 1, or times that fall further.
    """
    if len(events) == 0:
        raise DataError(f"{place}: the recording holds no events; remove it or fetch it again")
    bad = first_bad(
        (events.x < 0) | (events.x >= sensor.width) | (events.y < 0) | (events.y >= sensor.height)
    )
    if bad is not None:
        raise DataError(
            f"{place}: {where(bad)}: event at x = {events.x[bad]}, y = {events.y[bad]} lies off the"
            f" {sensor.width} x {sensor.height} sensor; the file is corrupt or from another camera"
        )
    bad = first_bad((events.p != 0) & (events.p != 1))
    if bad is not None:
        raise DataError(
            f"{place}: {where(bad)}: polarity {events.p[bad]} is neither 0 (OFF) nor 1 (ON); mend the file"
        )
    t_us = events.t_us.astype(np.int64)
    late_us = np.maximum.accumulate(t_us) - t_us
    bad = first_bad(late_us > sort_window_us)
    if bad is not None:
        allowed = (
            f"more than the sort window of {sort_window_us} us"
            if sort_window_us
            else "but times must not fall"
        )
        raise DataError(
            f"{place}: {where(bad)}: time {t_us[bad]} us follows {t_us[bad] + late_us[bad]} us, {allowed}; sort the"
            " recording by time or fetch it again"
        )
    if late_us.any():
        order = np.argsort(t_us, kind="stable")
        shift = min(0, int(t_us[order[0]]))
        events = Events(events.x[order], events.y[order], events.p[order], t_us[order] - shift)
    return from_start(events, place, where)


def from_start(events: Events, place: str, where: Callable[[int], str]) -> Events:
    """The events with times from the start of the recording.

    Times of a clock that did not start with the recording, such as Unix times, would put every event into the last time
    step: where the first event comes later than the recording is long, all times count from it instead.

    Raises:
        DataError: a time is negative.
    """
    if len(events) and events.t_us[0] < 0:
        raise DataError(
            f"{place}: {where(0)}: time {events.t_us[0]} us is negative; times count from the start of the recording:"
            " subtract the first one from all"
        )
    if len(events) and int(events.t_us[0]) > int(events.t_us[-1]) - int(events.t_us[0]):
        return replace(events, t_us=events.t_us - events.t_us[0])
    return events


class Recordings(ABC):
    """A sequence of event recordings from one sensor."""

    sensor: Sensor

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def events(self, index: int) -> Events:
        """Recording `index`; `DataError` if its file is broken."""

    @abstractmethod
    def first(self, count: int) -> "Recordings":
        """The first `count` recordings."""

    @abstractmethod
    def take(self, indices: IntArray) -> "Recordings":
        """The recordings of these numbers, in this order."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) with the polarities as channels."""
        return 2, self.sensor.height, self.sensor.width


@dataclass(frozen=True)
class PackedRecordings(Recordings):
    """Recordings in memory, concatenated: recording `i` is `offsets[i]:offsets[i + 1]` of each (E,)."""

    sensor: Sensor
    offsets: IntArray
    x: IntArray
    y: IntArray
    p: IntArray
    t_us: IntArray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def events(self, index: int) -> Events:
        """Recording `index`, as views."""
        part = slice(int(self.offsets[index]), int(self.offsets[index + 1]))
        return Events(self.x[part], self.y[part], self.p[part], self.t_us[part])

    def first(self, count: int) -> Self:
        """The first `count` recordings; the columns are shared."""
        return replace(self, offsets=self.offsets[: count + 1])

    def take(self, indices: IntArray) -> Self:
        """The recordings of these numbers, in this order, copied."""
        spans = [np.arange(self.offsets[index], self.offsets[index + 1]) for index in indices.tolist()]
        events = np.concatenate(spans) if spans else np.zeros(0, np.int64)
        offsets = np.cumsum([0, *(len(span) for span in spans)], dtype=np.int64)
        return replace(
            self,
            offsets=offsets,
            x=self.x[events],
            y=self.y[events],
            p=self.p[events],
            t_us=self.t_us[events],
        )


@dataclass(frozen=True)
class FileRecordings(Recordings):
    """Recordings that are read, and checked, when they are asked for: for sets larger than memory."""

    sensor: Sensor
    sources: tuple[Callable[[], Events], ...]

    def __len__(self) -> int:
        return len(self.sources)

    def events(self, index: int) -> Events:
        """Recording `index`, read from its file."""
        return self.sources[index]()

    def first(self, count: int) -> Self:
        """The first `count` recordings."""
        return replace(self, sources=self.sources[:count])

    def take(self, indices: IntArray) -> Self:
        """The recordings of these numbers, in this order."""
        return replace(self, sources=tuple(self.sources[index] for index in indices.tolist()))

    def packed(self) -> PackedRecordings:
        """The same recordings in memory, all read and checked now."""
        parts = [source() for source in self.sources]
        offsets = np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)

        def column(name: str, dtype: type[np.integer]) -> IntArray:
            arrays = [getattr(part, name).astype(dtype) for part in parts]
            return np.concatenate(arrays) if arrays else np.zeros(0, dtype)

        return PackedRecordings(
            self.sensor,
            offsets,
            column("x", np.uint16),
            column("y", np.uint16),
            column("p", np.uint8),
            column("t_us", np.int64),
        )
