"""Rasters in a `.csv` file: one line per spike."""

import csv
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import DataError
from nmsim.network.spec import NetworkSpec
from nmsim.rasters.raster import INPUT, Rasters, shapes_of

COLUMNS = ("sample", "time_step", "layer", "neuron")
MAX_SAMPLES = 1_000_000
"""Samples are numbered from 0: a larger number is a mistake, and would ask for a raster of that size."""
Spike = tuple[int, int, int]


def read_csv(path: Path, network: NetworkSpec) -> Rasters:
    """Columns `time_step, layer, neuron`, and `sample` if there is more than one; everything counts from 0.

    A layer without spikes is named by a line whose `time_step` and `neuron` are empty.

    Raises:
        DataError: a column is missing or unknown, a line is malformed, an index is out of range, a spike is listed
            twice, or a layer is never named.
    """
    shapes = shapes_of(network)
    sizes = {name: prod(shape) for name, shape in shapes.items()}
    spikes = _spikes(path, sizes, network.time_steps)
    for name in sizes:
        if name not in spikes:
            raise DataError(
                f"{path}: '{name}' has no line, of {', '.join(sizes)}; list its spikes, or name it in a line with empty"
                " time_step and neuron if it was silent"
            )
    samples = 1 + max((spike[0] for found in spikes.values() for spike in found), default=0)
    rasters = {}
    for name, size in sizes.items():
        raster = np.zeros((samples, network.time_steps, size), np.bool_)
        places: NDArray[np.int64] = np.array(sorted(spikes[name]), np.int64).reshape(-1, 3)
        raster[places[:, 0], places[:, 1], places[:, 2]] = True
        rasters[name] = raster
    layers = tuple(raster for name, raster in rasters.items() if name != INPUT)
    return Rasters(rasters[INPUT], 1, layers, (None,) * len(layers), np.full(samples, -1, np.int64))


def _spikes(path: Path, sizes: dict[str, int], steps: int) -> dict[str, set[Spike]]:
    found: dict[str, set[Spike]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = csv.reader(stream)
            columns = _columns(path, next(lines, []))
            for fields in lines:
                if fields:
                    _add(f"{path}:{lines.line_num}", fields, columns, found, sizes, steps)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not readable as CSV ({error}); write it as UTF-8 text") from error
    return found


def _columns(path: Path, header: list[str]) -> dict[str, int]:
    names = [name.strip() for name in header]
    if sorted(names) not in (sorted(COLUMNS), sorted(COLUMNS[1:])):
        raise DataError(
            f"{path}:1: the columns are '{','.join(names)}', but must be '{','.join(COLUMNS)}' ('sample' may be left"
            " out); write them as the first line"
        )
    return {name: place for place, name in enumerate(names)}


def _add(
    place: str, fields: list[str], columns: dict[str, int], found: dict[str, set[Spike]], sizes: dict[str, int], steps: int
) -> None:  # fmt: skip
    if len(fields) != len(columns):
        raise DataError(
            f"{place}: {len(fields)} values for {len(columns)} columns; write one value per column"
        )
    line = {name: fields[index].strip() for name, index in columns.items()}
    layer = line["layer"]
    if layer not in sizes:
        raise DataError(f"{place}: layer '{layer}' is unknown for this network; use {', '.join(sizes)}")
    spikes = found.setdefault(layer, set())
    if not line["time_step"] and not line["neuron"]:
        return
    spike = (
        _number(place, "sample", line.get("sample", "0"), MAX_SAMPLES),
        _number(place, "time_step", line["time_step"], steps),
        _number(place, "neuron", line["neuron"], sizes[layer]),
    )
    if spike in spikes:
        raise DataError(
            f"{place}: the spike of {layer}, neuron {spike[2]}, at time step {spike[1]} is listed twice, but a raster is"
            " binary; list it once"
        )
    spikes.add(spike)


def _number(place: str, name: str, text: str, bound: int) -> int:
    try:
        value = int(text)
    except ValueError as error:
        raise DataError(f"{place}: {name} '{text}' is not a whole number; count from 0") from error
    if not 0 <= value < bound:
        raise DataError(
            f"{place}: {name} {value} is out of range 0..{bound - 1}; count from 0, within the network"
        )
    return value
