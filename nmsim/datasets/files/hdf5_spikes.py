"""Spike trains in HDF5, as the Heidelberg data sets (SHD, SSC) lay them out, read by the package `h5py`.

Layout: https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/. `spikes/times` and `spikes/units` hold one array of
variable length per recording, in seconds and channels; `labels` one number each. `extra/keys` names the classes, if it is
there.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.dataset import Labels
from nmsim.datasets.events import Events, Sensor, checked
from nmsim.datasets.files.event_columns import US_PER
from nmsim.errors import DataError


class Hdf5File:
    """The recordings of one file; `names` of its classes, empty if it says none."""

    def __init__(self, path: Path, sensor: Sensor, time_unit: str = "s", sort_window_us: int = 0) -> None:
        try:
            import h5py
        except ImportError as error:
            raise DataError(f"{path}: HDF5 is read by the package h5py; run `pip install h5py`") from error
        self.path, self.sensor = path, sensor
        self._us, self._window = US_PER[time_unit], sort_window_us
        try:
            with h5py.File(path, "r") as file:
                self.labels: Labels = np.asarray(file["labels"], np.int64).reshape(-1)
                self._times, self._units = list(file["spikes/times"][:]), list(file["spikes/units"][:])
                keys = file["extra/keys"][:] if "extra/keys" in file else []
        except KeyError as error:
            raise DataError(
                f"{path}: {str(error.args[0])[:200]}; the file must hold spikes/times, spikes/units and labels"
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise DataError(f"{path}: not a readable HDF5 file of spikes ({str(error)[:200]})") from error
        self.names = tuple(key.decode() if isinstance(key, bytes) else str(key) for key in keys)
        if not len(self.labels) == len(self._times) == len(self._units) or not len(self.labels):
            raise DataError(
                f"{path}: {len(self.labels)} labels, {len(self._times)} arrays of times and {len(self._units)} of units;"
                " they must be equally many, and at least one"
            )

    def events(self, index: int) -> Events:
        """Recording `index`; `DataError` if it is broken."""
        times, units = (np.asarray(part[index]).reshape(-1) for part in (self._times, self._units))
        place = f"{self.path}: recording {index}"
        if len(times) != len(units) or not np.isfinite(times).all():
            raise DataError(
                f"{place}: {len(times)} times for {len(units)} units, or a time that is not finite"
            )
        t_us = np.floor(times.astype(np.float64) * self._us + 0.5).astype(np.int64)
        unit = units.astype(np.int64)
        x, y = unit % self.sensor.width, unit // self.sensor.width
        ones: NDArray[Any] = np.ones(len(unit), np.int64)
        return checked(
            Events(x, y, ones, t_us), self.sensor, place, lambda event: f"spike {event}", self._window
        )

    @property
    def sources(self) -> list[Any]:
        """How to read each recording."""
        return [partial(self.events, index) for index in range(len(self.labels))]
