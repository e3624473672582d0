"""Recordings as plain columns: `.npz` of SpikingJelly (`events_np`), structured `.npy` of tonic, and CSV.

Four columns of equal length: time, column, row, polarity. Their names are found among those that are usual, or stated. A
recording without polarities has ON events only; one without rows is one row high.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.capacity import check_npz_claims
from nmsim.datasets.event_clock import unwrapped
from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.file import first_bad, read_bytes
from nmsim.errors import DataError
from nmsim.storage import DAMAGED

USUAL = {
    "t": ("t", "ts", "time", "timestamp", "timestamps", "t_us", "time_us"),
    "x": ("x", "col", "column", "unit", "units", "i"),
    "y": ("y", "row"),
    "p": ("p", "pol", "polarity", "on"),
}
US_PER = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}


def read_event_columns(
    path: Path,
    sensor: Sensor,
    *,
    sort_window_us: int = 0,
    clock_bits: int | None = None,
    time_unit: str = "us",
    columns: Mapping[Any, str] | None = None,
) -> Events:
    """Events of one recording, times from its first event.

    Args:
        path: an `.npz`, `.npy`, `.csv` or `.txt` file.
        sensor: the camera.
        sort_window_us: events that come late by at most this are sorted in.
        clock_bits: width of a clock that wraps, in ticks of the unit; None for one that does not.
        time_unit: s, ms, us or ns.
        columns: names of `t`, `x`, `y`, `p`, where they are not usual ones.

    Raises:
        DataError: the file is broken, a column is missing or holds no whole numbers, events off the sensor, falling times.
    """
    read = {".npz": _npz_columns, ".npy": _npy_columns}.get(path.suffix, _csv_columns)
    held = read(path)
    t = _column(path, held, "t", columns)
    assert t is not None
    count = len(t)
    x = _whole(path, "x", _column(path, held, "x", columns), count)
    row = _column(path, held, "y", columns, needed=sensor.height > 1)
    y = np.zeros(count, np.int64) if row is None else _whole(path, "y", row, count)
    sign = _column(path, held, "p", columns, needed=False)
    p = np.ones(count, np.int64) if sign is None else _polarity(_whole(path, "p", sign, count))
    t_us = _microseconds(path, t, US_PER[time_unit], clock_bits, sort_window_us)
    events = Events(x, y, p, t_us - t_us[:1].sum())
    return checked(events, sensor, str(path), lambda event: f"event {event}", sort_window_us)


def _npz_columns(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as stream:
            check_npz_claims(stream)
            with np.load(stream, allow_pickle=False) as file:
                return {name: np.asarray(file[name]).reshape(-1) for name in file.files}
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path") from error
    except DAMAGED as error:
        raise DataError(
            f"{path}: not a readable npz file without pickles ({error}); fetch it again"
        ) from error


def _npy_columns(path: Path) -> dict[str, NDArray[Any]]:
    try:
        held = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path") from error
    except DAMAGED as error:
        raise DataError(
            f"{path}: not a readable npy file without pickles ({error}); fetch it again"
        ) from error
    if held.dtype.names is None:
        raise DataError(
            f"{path}: an array of shape {list(held.shape)} without names of columns; save a structured array with fields"
            " t, x, y, p, or a CSV file with a head line"
        )
    return {name: held[name].reshape(-1) for name in held.dtype.names}


def _csv_columns(path: Path) -> dict[str, NDArray[Any]]:
    lines = read_bytes(path).decode("utf-8", "replace").splitlines()
    rows = [
        (number, row) for number, row in enumerate(csv.reader(lines), start=1) if any(map(str.strip, row))
    ]
    if not rows:
        raise DataError(f"{path}:1: the file is empty; give one with a head line such as t,x,y,p")
    names = [name.strip() for name in rows[0][1]]
    body = rows[1:]
    bad = next((number for number, row in body if len(row) != len(names)), None)
    if bad is not None:
        raise DataError(f"{path}:{bad}: not {len(names)} cells, as the head line has; mend the line")
    found: dict[str, NDArray[Any]] = {}
    for at, name in enumerate(names):
        try:
            found[name] = np.array([float(row[at]) for _, row in body], np.float64)
        except ValueError:
            found[name] = np.array([row[at].strip() for _, row in body])
    return found


def _column(
    path: Path,
    held: dict[str, NDArray[Any]],
    role: str,
    columns: Mapping[Any, str] | None,
    *,
    needed: bool = True,
) -> NDArray[Any] | None:
    stated = (columns or {}).get(role)
    names = (stated,) if stated else USUAL[role]
    by_name = {name.lower(): array for name, array in held.items()}
    found = next((by_name[name.lower()] for name in names if name.lower() in by_name), None)
    if found is None and (needed or stated):
        raise DataError(
            f"{path}: no column '{names[0]}' among {', '.join(held)}; state its name as dataset.columns: {{{role}: NAME}}"
        )
    return found


def _whole(path: Path, role: str, array: NDArray[Any] | None, count: int) -> NDArray[np.int64]:
    assert array is not None
    if len(array) != count:
        raise DataError(f"{path}: column '{role}' has {len(array)} entries, the times {count}; mend the file")
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"{path}: column '{role}' holds {array.dtype} instead of whole numbers; mend the file"
        )
    bad = first_bad(~(np.isfinite(array) & (array == np.rint(array)))) if array.dtype.kind == "f" else None
    if bad is not None:
        raise DataError(
            f"{path}: event {bad}: {role} = {array[bad]} is no whole number; state pixels, not lengths"
        )
    return array.astype(np.int64)


def _polarity(p: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 and 1; some tools write -1 for OFF."""
    return np.where(p == -1, 0, p) if np.isin(p, (-1, 1)).all() else p


def _microseconds(
    path: Path, t: NDArray[Any], us_per_tick: float, clock_bits: int | None, late_us: int
) -> NDArray[np.int64]:
    if t.dtype.kind not in "fiu" or not np.isfinite(t).all():
        raise DataError(f"{path}: column 't' holds no finite numbers; mend the file")
    ticks = unwrapped(t, clock_bits, int(late_us / us_per_tick)) if clock_bits is not None else t
    if us_per_tick == 1.0:
        return np.floor(ticks).astype(np.int64)
    return np.floor(ticks.astype(np.float64) * us_per_tick + 0.5).astype(np.int64)
