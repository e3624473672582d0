"""AEDAT 3.1, the format of DVS128 Gesture: text header, then packets; a CSV beside it names the gestures.

Layout: https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-3.1.html. A packet is
a 28-byte little-endian header and `capacity` events; a polarity event is 4 bytes data (bit 0 valid, bit 1
polarity, bits 2-16 row, bits 17-31 column) and 4 bytes time in microseconds, to which the header adds
`overflow * 2**31`.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.file import read_bytes, read_head
from nmsim.errors import DataError

SENSOR = Sensor(height=128, width=128)
MAGIC = b"#!AER-DAT3"
_HEADER_END = b"#!END-HEADER"
_PACKET = np.dtype(
    [("type", "<i2"), ("source", "<i2"), ("event_bytes", "<i4"), ("time_offset", "<i4"),
     ("overflow", "<i4"), ("capacity", "<i4"), ("events", "<i4"), ("valid", "<i4")]
)  # fmt: skip
_POLARITY = 1
_EVENT_BYTES = 8


@dataclass(frozen=True)
class PacketIndex:
    """Where the polarity packets of a file are, (packets,) each, and which times they span."""

    start: NDArray[np.int64]
    """Byte of the first event."""
    events: NDArray[np.int64]
    overflow: NDArray[np.int64]
    first_us: NDArray[np.int64]
    last_us: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Gesture:
    """One line of a label file: class (from 1) and its half-open span of time."""

    label: int
    start_us: int
    stop_us: int


def index_packets(path: Path) -> PacketIndex:
    """Walk over the packet headers of a file, without reading the events between.

    Raises:
        DataError: no AEDAT 3.1 header, a packet that is cut off or contradicts itself, no polarity events.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    with _mapped(path) as content:
        position = _header_length(path, content)
        while position < len(content):
            header, body = _packet_header(path, content, position), position + _PACKET.itemsize
            if int(header["type"]) == _POLARITY and int(header["events"]) > 0:
                count, overflow = int(header["events"]), int(header["overflow"]) << 31
                first, last = (
                    int.from_bytes(content[at + 4 : at + 8], "little") + overflow
                    for at in (body, body + _EVENT_BYTES * (count - 1))
                )
                rows.append((body, count, overflow, first, last))
            position = body + int(header["capacity"]) * int(header["event_bytes"])
    if not rows:
        raise DataError(f"{path}: the file holds no polarity events; fetch it again")
    return PacketIndex(*np.array(rows, np.int64).T)


def read_whole(path: Path, sensor: Sensor, sort_window_us: int = 0) -> Events:
    """All valid polarity events of a recording, times from its first one.

    Raises:
        DataError: the file is broken (`index_packets`), events off the sensor, falling times.
    """
    index = index_packets(path)
    word, t_us, place = _polarity_events(path, index, np.arange(len(index.start)))
    events = Events(word >> 17, word >> 2 & 0x7FFF, word >> 1 & 1, t_us - t_us[:1].sum())
    return checked(events, sensor, str(path), lambda event: f"byte {place[event]}", sort_window_us)


def read_span(path: Path, index: PacketIndex, start_us: int, stop_us: int) -> Events:
    """Valid polarity events with `start_us <= time < stop_us`, times from `start_us`.

    Raises:
        DataError: no events in the span, events off the 128 x 128 sensor, falling times.
    """
    packets = np.flatnonzero((index.last_us >= start_us) & (index.first_us < stop_us))
    word, t_us, place = _polarity_events(path, index, packets)
    used = np.flatnonzero((t_us >= start_us) & (t_us < stop_us))
    if len(used) == 0:
        raise DataError(
            f"{path}: no valid events between {start_us} and {stop_us} us, where the labels name a gesture;"
            " give the label file that belongs to the recording"
        )
    word, t_us, place = word[used], t_us[used], place[used]
    events = Events(word >> 17, word >> 2 & 0x7FFF, word >> 1 & 1, t_us - start_us)
    return checked(events, SENSOR, str(path), lambda event: f"byte {place[event]}")


def _polarity_events(
    path: Path, index: PacketIndex, packets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Data word, time and byte of the valid events of some packets; the overflow of the packet's header is in the time."""
    words, times, places = [], [], []
    with _mapped(path) as content:
        for packet in packets:
            start, count = int(index.start[packet]), int(index.events[packet])
            columns = np.frombuffer(content, "<u4", 2 * count, start).reshape(-1, 2).astype(np.int64)
            words.append(columns[:, 0])
            times.append(columns[:, 1] + index.overflow[packet])
            places.append(start + _EVENT_BYTES * np.arange(count))
    word, t_us, place = (
        np.concatenate(parts) if parts else np.zeros(0, np.int64) for parts in (words, times, places)
    )
    valid = word & 1 == 1
    return word[valid], t_us[valid], place[valid]


def read_gestures(path: Path, index: PacketIndex, classes: int) -> list[Gesture]:
    """Lines `class,startTime_usec,endTime_usec` of the label file of an indexed recording, in their order.

    Raises:
        DataError: another head line, a line that is not three whole numbers, a class outside 1..classes, a
            span that does not rise or lies outside the recording, or no line at all.
    """
    lines = read_bytes(path).decode("utf-8", "replace").splitlines()
    if not lines or lines[0].replace(" ", "") != "class,startTime_usec,endTime_usec":
        raise DataError(
            f"{path}:1: the head line is not class,startTime_usec,endTime_usec; give an original label file"
        )
    gestures = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = line.split(",")
        if len(cells) != 3 or not all(cell.strip().isdecimal() for cell in cells):
            raise DataError(f"{path}:{number}: {line!r} is not three whole numbers; mend the line")
        label, start_us, stop_us = (int(cell) for cell in cells)
        if not 1 <= label <= classes:
            raise DataError(f"{path}:{number}: class {label} is outside 1..{classes}; mend the line")
        if stop_us <= start_us:
            raise DataError(
                f"{path}:{number}: the gesture ends at {stop_us} us, not after its start {start_us} us; mend"
                " the line"
            )
        if start_us > index.last_us[-1] or stop_us <= index.first_us[0]:
            raise DataError(
                f"{path}:{number}: the gesture from {start_us} to {stop_us} us lies outside its recording,"
                f" which runs from {index.first_us[0]} to {index.last_us[-1]} us; give the label file that"
                " belongs to it"
            )
        gestures.append(Gesture(label, start_us, stop_us))
    if not gestures:
        raise DataError(f"{path}: the file names no gesture; give an original label file")
    return gestures


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    if not read_head(path, 1):
        raise DataError(f"{path}: byte 0: the file is empty; fetch it again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def _header_length(path: Path, content: mmap.mmap) -> int:
    if content[: len(MAGIC)] != MAGIC:
        raise DataError(
            f"{path}: byte 0: {content[:12]!r} is not the header {MAGIC.decode()} of AEDAT 3.1; give an"
            " original file"
        )
    mark = content.find(_HEADER_END)
    line_end = content.find(b"\n", mark) if mark >= 0 else -1
    if line_end < 0:
        raise DataError(
            f"{path}: byte {len(content)}: no line {_HEADER_END.decode()} in the file; fetch it again"
        )
    return line_end + 1


def _packet_header(path: Path, content: mmap.mmap, position: int) -> np.void:
    rest = len(content) - position - _PACKET.itemsize
    if rest < 0:
        raise DataError(
            f"{path}: byte {position}: the 28-byte packet header is truncated; fetch the file again"
        )
    header: np.void = np.frombuffer(content[position : position + _PACKET.itemsize], _PACKET)[0]
    capacity, events, event_bytes = int(header["capacity"]), int(header["events"]), int(header["event_bytes"])
    is_polarity = int(header["type"]) == _POLARITY
    if not 0 <= events <= capacity or event_bytes < 1 or (is_polarity and event_bytes != _EVENT_BYTES):
        raise DataError(
            f"{path}: byte {position}: packet header states {events} events of {event_bytes} bytes in a"
            f" capacity of {capacity}, which contradicts AEDAT 3.1; the file is corrupt, fetch it again"
        )
    if capacity * event_bytes > rest:
        raise DataError(
            f"{path}: byte {position}: packet of {capacity * event_bytes} bytes is truncated to {rest}; fetch"
            " the file again"
        )
    return header
