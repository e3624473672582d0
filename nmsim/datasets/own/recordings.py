"""A folder of recordings per class, each file in any of the formats that event cameras and their tools write."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from nmsim.datasets.events import Events, FileRecordings, Sensor
from nmsim.datasets.file import read_head
from nmsim.datasets.files import aedat2, aedat4, aedat31, nmnist_bin
from nmsim.datasets.files.event_columns import read_event_columns
from nmsim.datasets.spec import OwnDataset
from nmsim.errors import DataError

SUFFIXES = (".aedat4", ".aedat", ".bin", ".npz", ".npy", ".csv", ".txt")

Labelled = tuple[Callable[[], Events], int]
"""How to read a recording, and its class."""


def camera_of(spec: OwnDataset) -> Sensor:
    """The sensor that a data set states."""
    assert spec.sensor is not None
    width, height = spec.sensor
    return Sensor(height=height, width=width)


def read_recording(path: Path, spec: OwnDataset) -> Events:
    """One recording; its format follows from its name and, for AEDAT, by its first bytes.

    Raises:
        DataError: it is broken, from another camera, or of a format that is not known.
    """
    sensor, window = camera_of(spec), spec.sort_window_us
    suffix = path.suffix.lower()
    if suffix == ".aedat4":
        return aedat4.read_aedat4(path, sensor, sort_window_us=window)
    if suffix == ".bin":
        return nmnist_bin.read_nmnist(path, sensor, window)
    if suffix == ".aedat":
        head = read_head(path, len(aedat2.MAGIC))
        if head == aedat2.MAGIC:
            return aedat2.read_aedat2(path, sensor=sensor, sort_window_us=window)
        if head == aedat31.MAGIC:
            return aedat31.read_whole(path, sensor, window)
        if head == aedat4.MAGIC:
            return aedat4.read_aedat4(path, sensor, sort_window_us=window)
        raise DataError(f"{path}: byte 0: {head!r} is no header of AEDAT 2, 3 or 4; give an original file")
    return read_event_columns(
        path,
        sensor,
        sort_window_us=window,
        clock_bits=spec.clock_bits,
        time_unit=spec.time_unit or "us",
        columns=spec.columns,
    )


def recordings_of(files: Sequence[tuple[Path, int]], spec: OwnDataset) -> list[Labelled]:
    """How to read each of the files."""
    return [(partial(read_recording, path, spec), label) for path, label in files]


def without_bad(
    labelled: Sequence[Labelled], spec: OwnDataset, skipped: list[str]
) -> tuple[FileRecordings, list[int]]:
    """Recordings and labels; with `on_bad_recording: skip`, all are read once and the sentences of broken ones collected."""
    kept: list[Labelled] = []
    for source, label in labelled:
        if spec.on_bad_recording == "skip":
            try:
                source()
            except DataError as error:
                skipped.append(str(error))
                continue
        kept.append((source, label))
    return FileRecordings(camera_of(spec), tuple(source for source, _ in kept)), [label for _, label in kept]
