"""AEDAT 4, the format of today's iniVation cameras and of CIFAR10-DVS as tonic ships it, read by the package `aedat`.

Layout: https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-4.0.html. Packets of
FlatBuffers, plain or compressed (LZ4, Zstandard), with times of 64 bits in microseconds.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.file import read_head
from nmsim.errors import DataError

MAGIC = b"#!AER-DAT4"


def read_aedat4(
    path: Path,
    sensor: Sensor,
    orientation: Literal["upright", "transposed"] = "upright",
    sort_window_us: int = 0,
) -> Events:
    """Events of the first event stream of a recording, times from its first event.

    Raises:
        DataError: the package is missing, no AEDAT 4 header, a broken packet, no event stream, another camera, events off
            the sensor, falling times.
    """
    if not read_head(path, len(MAGIC)).startswith(MAGIC):
        raise DataError(f"{path}: byte 0: not the header {MAGIC.decode()} of AEDAT 4; give an original file")
    try:
        import aedat
    except ImportError as error:
        raise DataError(f"{path}: AEDAT 4 is read by the package aedat; run `pip install aedat`") from error
    try:
        decoder = aedat.Decoder(str(path))
        streams = decoder.id_to_stream()
        chosen = next((key for key, stream in streams.items() if stream["type"] == "events"), None)
        packets = [
            packet["events"] for packet in decoder if packet["stream_id"] == chosen and "events" in packet
        ]
    except Exception as error:  # the decoder raises many kinds
        raise DataError(f"{path}: a packet cannot be decoded ({error}); fetch the file again") from error
    if chosen is None:
        raise DataError(f"{path}: the recording has no stream of events; record events, not only frames")
    _same_camera(path, sensor, streams[chosen])
    t, x, y, p = (
        np.concatenate([packet[name] for packet in packets] or [np.zeros(0)]).astype(np.int64)
        for name in ("t", "x", "y", "on")
    )
    column, row = (x, y) if orientation == "upright" else (y, x)
    events = Events(column, row, p, t - t[:1].sum())
    return checked(events, sensor, str(path), lambda event: f"event {event}", sort_window_us)


def _same_camera(path: Path, sensor: Sensor, stream: dict[str, int]) -> None:
    if (stream["width"], stream["height"]) != (sensor.width, sensor.height):
        raise DataError(
            f"{path}: recorded by a camera of {stream['width']} x {stream['height']} pixels instead of"
            f" {sensor.width} x {sensor.height}; state that as the sensor"
        )
