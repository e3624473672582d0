"""Rasters as lists of spikes: one `.csv` with a line per spike, or a folder with one file per layer."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor, isfinite, prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import ConfigError, DataError
from nmsim.network.spec import NetworkSpec
from nmsim.rasters.raster import INPUT, Rasters, shapes_of

COLUMNS = ("sample", "time_step", "layer", "neuron", "count")
OPTIONAL = ("sample", "layer", "count")
MAX_SAMPLES = 1_000_000
"""Samples are numbered from 0: a larger number is a mistake, and would ask for a raster of that size."""
Spike = tuple[int, int, int]


@dataclass(frozen=True)
class SpikeList:
    """How a tool writes its list.

    `names`: its names of columns by ours (`COLUMNS`), where they differ. `first_step`: number of its first time step.
    `dt_s`: its times are seconds, and a step lasts so long; a time belongs to the step that it rounds to. `spike_bits`: a
    neuron may spike up to `2**spike_bits - 1` times in a step, in repeated lines or with a column `count`.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    first_step: int = 0
    dt_s: float | None = None
    spike_bits: int = 1
    layers: Mapping[str, str] = field(default_factory=dict)
    """Its names of layers (in a folder, of their files) by ours (`input`, `layer0`, ...), where they differ; empty for one
    that is not in the list because it was silent, such as the input of a network that biases drive."""

    def __post_init__(self) -> None:
        if self.dt_s is not None and not (isfinite(self.dt_s) and self.dt_s > 0):
            raise ConfigError(f"dt {self.dt_s:g}: a time step lasts more than 0 seconds; give its duration")
        theirs = [name for name in self.layers.values() if name]
        twice = [name for name in theirs if theirs.count(name) > 1]
        if twice:
            raise ConfigError(f"layers: '{twice[0]}' is named for two layers; name each of them once")


def read_csv(path: Path, network: NetworkSpec, how: SpikeList | None = None) -> Rasters:
    """Columns `time_step, layer, neuron`, and `sample` if there is more than one; everything counts from 0.

    Without a column `layer`, a neuron is written `layer0.17`, or `path` is a folder of `input.csv`, `layer0.csv` and so on;
    other files in it are left alone.
    A layer without spikes is named by a line whose `time_step` and `neuron` are empty, or by a file of a head line alone.

    Raises:
        DataError: a column is missing or unknown, a line is malformed, an index is out of range, a spike is listed more
            often than `spike_bits` allows, or a layer is never named.
    """
    how = how or SpikeList()
    sizes = {name: prod(shape) for name, shape in shapes_of(network).items()}
    reader = _Reader(how, sizes, network.time_steps)
    if path.is_dir():
        for name in sizes:
            file = path / f"{how.layers.get(name, name)}.csv"
            if file.is_file():
                reader.read(file, name)
    else:
        reader.read(path)
    for name in sizes:
        if name not in reader.found:
            there = f"file '{how.layers.get(name, name)}.csv'" if path.is_dir() else "line"
            raise DataError(
                f"{path}: '{name}' has no {there}, of {', '.join(sizes)}; list its spikes, name the file's layer with"
                f" --layers {name}=THEIRS, or say that it was silent with --layers {name}="
            )
    samples = 1 + max((spike[0] for spikes in reader.found.values() for spike in spikes), default=0)
    rasters = {
        name: _raster(reader.found[name], (samples, network.time_steps, size), how)
        for name, size in sizes.items()
    }
    layers = tuple(raster for name, raster in rasters.items() if name != INPUT)
    return Rasters(rasters[INPUT], 1, layers, (None,) * len(layers), np.full(samples, -1, np.int64))


def _raster(spikes: Counter[Spike], shape: tuple[int, int, int], how: SpikeList) -> NDArray[np.uint16]:
    raster = np.zeros(shape, np.uint16)
    if spikes:
        places = np.array(list(spikes), np.int64)
        raster[places[:, 0], places[:, 1], places[:, 2]] = list(spikes.values())
    return raster if how.spike_bits > 1 else raster.astype(np.bool_)


class _Reader:
    """The spikes of one or more files, by layer."""

    def __init__(self, how: SpikeList, sizes: dict[str, int], steps: int) -> None:
        self.how, self.sizes, self.steps = how, sizes, steps
        self.ours = {theirs: name for name, theirs in how.layers.items() if theirs}
        unknown = [name for name in how.layers if name not in sizes]
        if unknown:
            raise DataError(f"layers: this network has no '{unknown[0]}'; name one of {', '.join(sizes)}")
        self.found: dict[str, Counter[Spike]] = {
            name: Counter() for name, theirs in how.layers.items() if not theirs
        }

    def read(self, path: Path, layer: str | None = None) -> None:
        """Add the spikes of a file, all of one layer if it is given."""
        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:  # tables of Windows begin with a mark
                lines = csv.reader(stream)
                columns = self._columns(path, next(lines, []))
                if layer is not None:
                    self.found.setdefault(layer, Counter())
                for fields in lines:
                    if fields:
                        self._add(f"{path}:{lines.line_num}", fields, columns, layer)
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: not readable as CSV ({error}); write it as UTF-8 text") from error

    def _columns(self, path: Path, header: list[str]) -> dict[str, int]:
        """Place of each of our columns; others in the file are left alone where names are stated."""
        names = [name.strip() for name in header]
        wanted = {name: self.how.names.get(name, name) for name in COLUMNS}
        places = {name: names.index(given) for name, given in wanted.items() if given in names}
        given = f"{path}:1: the columns are '{','.join(names)}'"
        unstated = [f"'{theirs}' for {name}" for name, theirs in self.how.names.items() if name not in places]
        if unstated:
            raise DataError(f"{given}, and --columns names {unstated[0]}; name a column that is there")
        missing = [name for name in COLUMNS if name not in places and name not in OPTIONAL]
        unknown = [name for name in names if name not in wanted.values()] if not self.how.names else []
        if missing or unknown:
            remedy = (
                f"state yours with --columns {missing[0]}=THEIRS"
                if missing
                else "leave the others out or state yours with --columns"
            )
            raise DataError(
                f"{given}, but must be '{','.join(COLUMNS[:4])}' ('sample' may be left out); write them as the first line,"
                f" or {remedy}"
            )
        return places

    def _add(self, place: str, fields: list[str], columns: dict[str, int], layer: str | None) -> None:
        if len(fields) <= max(columns.values()):
            raise DataError(
                f"{place}: {len(fields)} values for {len(columns)} columns; write one value per column"
            )
        line = {name: fields[index].strip() for name, index in columns.items()}
        if layer is None and "layer" not in line:
            line["layer"], dot, line["neuron"] = line["neuron"].rpartition(".")
            if not dot and line["neuron"]:
                raise DataError(
                    f"{place}: neuron '{line['neuron']}' says no layer; write it as layer0.{line['neuron']}, or name the"
                    " column of layers with --columns layer=THEIRS"
                )
        name = layer or self.ours.get(line["layer"], line["layer"])
        if name not in self.sizes:
            raise DataError(
                f"{place}: layer '{name}' is unknown for this network; use {', '.join(self.sizes)}, or name yours with"
                f" --layers layer0={name}"
            )
        spikes = self.found.setdefault(name, Counter())
        if not line["time_step"] and not line["neuron"]:
            return
        spike = (
            _number(place, "sample", line.get("sample", "0"), MAX_SAMPLES),
            self._step(place, line["time_step"]),
            _number(place, "neuron", line["neuron"], self.sizes[name]),
        )
        most = (1 << self.how.spike_bits) - 1
        spikes[spike] += _number(place, "count", line.get("count", "1"), most + 1)
        if spikes[spike] > most:
            shorter = "" if self.how.dt_s is None else ", or a shorter --dt"
            more = (
                f"a raster is binary; list it once, or give --spike-bits{shorter}"
                if most == 1
                else f"{self.how.spike_bits} bits hold {most}; give a larger --spike-bits{shorter}"
            )
            times = "twice" if spikes[spike] == 2 else f"{spikes[spike]} times"
            raise DataError(
                f"{place}: the spike of {name}, neuron {spike[2]}, at time step {spike[1]} is listed {times}, but {more}"
            )

    def _step(self, place: str, text: str) -> int:
        first, last = self.how.first_step, self.steps + self.how.first_step - 1
        if self.how.dt_s is not None:
            return self._step_of_time(place, text, self.how.dt_s, first, last) - first
        if _is_fraction(text):
            raise DataError(
                f"{place}: time_step '{text}' is not a whole number; if it is a time, give the duration of a step with --dt"
            )
        if text == str(last + 1):
            raise DataError(
                f"{place}: time_step {text} is one above {first}..{last}; if the list counts from {first + 1}, give"
                f" --first-step {first + 1}, otherwise set network.time_steps to those of the recording"
            )
        return _number(place, "time_step", text, self.steps, first)

    @staticmethod
    def _step_of_time(place: str, text: str, dt_s: float, first: int, last: int) -> int:
        try:
            step = floor(float(text) / dt_s + 0.5)
        except (ValueError, OverflowError) as error:
            raise DataError(f"{place}: time '{text}' is no number of seconds; write it as one") from error
        if not first <= step <= last:
            raise DataError(
                f"{place}: time {text} is step {step} of --dt {dt_s:g}, out of range {first}..{last}; give the duration of a"
                " step in the unit of the times, or set network.time_steps to those of the recording"
            )
        return step


def _is_fraction(text: str) -> bool:
    try:
        return not text.isdecimal() and isfinite(float(text)) and float(text) >= 0
    except ValueError:
        return False


def _number(place: str, name: str, text: str, bound: int, first: int = 0) -> int:
    """A whole number counted from `first`, as one counted from 0."""
    try:
        value = int(text)
    except ValueError as error:
        raise DataError(f"{place}: {name} '{text}' is not a whole number; count from {first}") from error
    if not first <= value < bound + first:
        raise DataError(
            f"{place}: {name} {value} is out of range {first}..{bound + first - 1}; count from {first}, within the network"
        )
    return value - first
