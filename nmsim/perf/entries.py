"""Entries: what the rows of a stage do, written down one by one and added up in compiled passes at the end."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import OPTIONS
from nmsim.perf.machine import Lane
from nmsim.perf.rows_by_core import RowsByCore
from nmsim.perf.uses import MAX_LANES, Uses

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
NONE = -1


class Entries:
    """Amounts of work of n rows: whole numbers `(n, S, T)`, with one entry on an axis along which all are the same.

    Rows may be followed by others, such as the ends of packets, which have a core each and one amount. Arrays are held
    until they are added up, and must not change before.
    """

    def __init__(self, rows: int, shape: tuple[int, int]) -> None:
        self.rows, self.shape = rows, shape
        self._arrays = list[IntArray]()
        self._number = dict[int, int]()
        self._layout = list[tuple[int, int, int, int]]()
        self._size = 0
        self._entries = list[tuple[int, int, int, int, int, int, int]]()
        self._scales, self._scaled = list[FloatArray](), 0
        self._places = list[IntArray]()
        self._used = set[int]()
        self._counted = dict[tuple[int, int], int]()

    def lane(
        self,
        lane: Lane,
        values: IntArray,
        scale: FloatArray | None = None,
        *,
        first: int = 0,
        rows: int | None = None,
    ) -> None:
        """Operations of a lane, each of `scale (rows,)`, of so many rows from the first on."""
        rows = self.rows if rows is None else rows
        at = NONE
        if scale is not None:
            at, self._scaled = self._scaled, self._scaled + len(scale)
            self._scales.append(scale)
        self._entries.append((self._array(values), int(lane), NONE, 0, at, first, first + rows))
        self._used.add(int(lane))

    def words(self, values: IntArray, place: int | IntArray, run: IntArray, *, apart: bool) -> None:
        """Words in bursts of `run` neighbours (0: all in one) of the memory at a place, one for all rows or `(n,)`.

        `apart`: by the ports for writes, where reads and writes have ports of their own.
        """
        if isinstance(place, int):
            at = place
            self._used.add(place)
        else:
            at = -1 - len(self._places)
            self._places.append(place)
            self._used.update(place.tolist())
        self._entries.append((self._array(values), at, self._array(run), int(apart), NONE, 0, self.rows))

    def count(self, values: IntArray, rows: int | None = None) -> int:
        """Have values added up over time steps and over samples; the number that `totals` has them under."""
        asked = self._array(values), self.rows if rows is None else rows
        return self._counted.setdefault(asked, len(self._counted))

    def totals(self) -> list[tuple[IntArray, IntArray]]:
        """Of all that were to be counted: sums over time steps `(n, S)`, over samples `(n, T)` or, all alike, `(n, 1)`."""
        samples, steps = self.shape
        rows = np.cumsum([0, *(rows for _, rows in self._counted)])
        over_steps, over_samples = (
            np.empty((rows[-1], samples), np.int64),
            np.empty((rows[-1], steps), np.int64),
        )
        which = np.array([number for number, _ in self._counted], np.int64)
        _count(which, rows, self._table, self._flat, over_steps, over_samples)
        ends = rows.tolist()
        return [
            (over_steps[start:stop], over_samples[start:stop, : steps if self._layout[number][3] else 1])
            for (number, _), start, stop in zip(self._counted, ends, ends[1:], strict=False)
        ]

    def uses(self, rows: RowsByCore, memories: int, splits_ports: BoolArray) -> Uses:
        """What they come to by core; `splits_ports (D, M)`: where reads and writes have ports of their own, or `(0, M)`."""
        resources, cells = MAX_LANES + memories, self.shape[0] * self.shape[1]
        most = len(rows.cores) * len(self._used)
        number, amount, bursts = (
            np.empty(most, np.int64),
            np.empty((most, *self.shape)),
            np.empty((most, *self.shape)),
        )
        scratch = np.empty((2, 3, resources, cells))
        used = 0
        if self._entries:
            used = _add_up(
                np.array(self._entries, np.int64), self._table, self._flat, _joined(self._scales, np.float64),
                np.array(self._places, np.int64).reshape(-1, self.rows), rows.order, rows.first, splits_ports,
                scratch, np.empty((2, resources), np.int64),
                number, amount.reshape(most, cells), bursts.reshape(most, cells), self.shape[1],
            )  # fmt: skip
        return Uses(len(rows.cores), memories, *(_first(array, used) for array in (number, amount, bursts)))

    @cached_property
    def _flat(self) -> IntArray:
        """All arrays one after the other."""
        return _joined([array.reshape(-1) for array in self._arrays], np.int64)

    @cached_property
    def _table(self) -> IntArray:
        """Where each array begins there, and the steps from row to row, sample to sample and time step to time step."""
        return np.array(self._layout, np.int64).reshape(-1, 4)

    def _array(self, values: IntArray) -> int:
        """Number of an array."""
        number = self._number.get(id(values))
        if number is None:
            number = self._number[id(values)] = len(self._arrays)
            self._arrays.append(values)
            rows, samples, steps = values.shape
            strides = samples * steps if rows > 1 else 0, steps if samples > 1 else 0, int(steps > 1)
            self._layout.append((self._size, *strides))
            self._size += values.size
        return number


def _joined(parts: Sequence[NDArray[Any]], kind: type) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _first(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """The first rows of an array, without the memory of the others."""
    array.resize((rows, *array.shape[1:]), refcheck=False)
    return array


@numba.njit(cache=True, **OPTIONS)
def _count(
    which: IntArray,
    first: IntArray,
    layout: IntArray,
    flat: IntArray,
    over_steps: IntArray,
    over_samples: IntArray,
) -> None:
    """Arrays `which` added up: the rows of the m-th begin at `first[m]`."""
    samples, steps = over_steps.shape[1], over_samples.shape[1]
    for m in range(len(which)):
        offset, per_row, per_sample, per_step = layout[which[m]]
        for row in range(first[m], first[m + 1]):
            base = offset + (row - first[m]) * per_row
            over_samples[row] = 0
            for sample in range(samples):
                at = base + sample * per_sample
                if per_step == 0:
                    over_steps[row, sample] = flat[at] * steps
                    over_samples[row, 0] += flat[at]
                    continue
                total = 0
                for step in range(steps):
                    total += flat[at + step]
                    over_samples[row, step] += flat[at + step]
                over_steps[row, sample] = total


@numba.njit(cache=True, **OPTIONS)
def _add(
    target: FloatArray, flat: IntArray, at: int, per_sample: int, per_step: int, scale: float, steps: int
) -> None:
    """Values that begin `at` a place added to all cells."""
    cells = len(target)
    if per_sample == 0 and per_step == 0:
        value = flat[at] * scale
        for cell in range(cells):
            target[cell] += value
    elif per_sample == steps and (per_step == 1 or steps == 1):
        for cell in range(cells):
            target[cell] += flat[at + cell] * scale
    else:
        for sample in range(cells // steps):
            for step in range(steps):
                target[sample * steps + step] += flat[at + sample * per_sample + step * per_step] * scale


@numba.njit(cache=True, **OPTIONS)
def _add_bursts(
    target: FloatArray,
    flat: IntArray,
    at: int,
    per_sample: int,
    per_step: int,
    run: IntArray,
    row: int,
    steps: int,
) -> None:
    """The bursts of values added to all cells; `run` is the layout of the lengths of a burst."""
    cells = len(target)
    first = run[0] + row * run[1]
    if run[2] == 0 and run[3] == 0 and flat[first] > 0 and per_sample == steps and per_step == 1:
        length = flat[first]
        for cell in range(cells):
            target[cell] += flat[at + cell] / length
        return
    for sample in range(cells // steps):
        for step in range(steps):
            value, length = (
                flat[at + sample * per_sample + step * per_step],
                flat[first + sample * run[2] + step * run[3]],
            )
            if length > 0:
                target[sample * steps + step] += value / length
            elif value > 0:
                target[sample * steps + step] += 1.0


@numba.njit(cache=True, **OPTIONS)
def _add_up(  # noqa: C901, PLR0912 - core by core: its rows, then its lanes and memories
    entries: IntArray, layout: IntArray, flat: IntArray, scales: FloatArray, places: IntArray, order: IntArray,
    first: IntArray, splits_ports: BoolArray, scratch: FloatArray, seen: IntArray, number: IntArray, amount: FloatArray,
    bursts: FloatArray, steps: int,
) -> int:  # fmt: skip
    """All entries in their order, then the rows of a core in theirs; how many lanes and memories have anything to do.

    `scratch (2, 3, places, cells)` of a row, then of a core: words (of reads, where they have ports of their own), writes,
    bursts; `seen (2, places)` says of which row and core they are.
    """
    lanes, resources, cells = MAX_LANES, scratch.shape[2], scratch.shape[3]
    seen[:] = -1
    used = 0
    for core in range(len(first) - 1):
        several = first[core + 1] - first[core] > 1
        for turn in range(first[core], first[core + 1]):
            row = order[turn]
            for e in range(len(entries)):
                if not entries[e, 5] <= row < entries[e, 6]:
                    continue
                own, array, place = row - entries[e, 5], entries[e, 0], entries[e, 1]
                if place < 0:
                    place = places[-1 - place, row]
                if seen[0, place] != turn:
                    seen[0, place] = turn
                    scratch[0, :, place] = 0.0
                scale = 1.0 if entries[e, 4] < 0 else scales[entries[e, 4] + own]
                at, per_sample, per_step = (
                    layout[array, 0] + own * layout[array, 1],
                    layout[array, 2],
                    layout[array, 3],
                )
                _add(scratch[0, entries[e, 3], place], flat, at, per_sample, per_step, scale, steps)
                if entries[e, 2] >= 0:
                    _add_bursts(
                        scratch[0, 2, place],
                        flat,
                        at,
                        per_sample,
                        per_step,
                        layout[entries[e, 2]],
                        own,
                        steps,
                    )
            for place in range(resources if several else 0):
                if seen[0, place] != turn:
                    continue
                fresh = seen[1, place] != core
                seen[1, place] = core
                for part in range(3):
                    for cell in range(cells):
                        before = 0.0 if fresh else scratch[1, part, place, cell]
                        scratch[1, part, place, cell] = before + scratch[0, part, place, cell]
        level, stamp = (1, core) if several else (0, first[core])
        for place in range(resources if first[core + 1] > first[core] else 0):
            if seen[level, place] != stamp:
                continue
            splits = place >= lanes and len(splits_ports) > 0 and splits_ports[core, place - lanes]
            busy = False
            for cell in range(cells):
                some, others = scratch[level, 0, place, cell], scratch[level, 1, place, cell]
                runs = scratch[level, 2, place, cell]
                every = some + others
                if splits and every > 0:
                    runs = runs * max(some, others) / max(every, 1.0)
                    every = max(some, others)
                busy |= every != 0.0
                amount[used, cell], bursts[used, cell] = every, runs
            if busy:
                number[used] = core * resources + place
                used += 1
    return used
