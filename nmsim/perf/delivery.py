"""Deliveries: compiled passes over pairs of a flow and a target: links that flows cross, and flights."""

from functools import lru_cache
from math import prod

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import OPTIONS
from nmsim.hardware.routing import EAST, NORTH, SOUTH, WEST, Grid

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


MOST_TILES = 256
"""Tiles up to which the flights between all of them are kept."""
KEPT = 16
"""Networks whose flights are kept."""


def crossings(grid: Grid, source: IntArray, target: IntArray, flow: IntArray) -> tuple[IntArray, IntArray]:
    """Links that flows cross and the flow of each, flow by flow: a packet crosses a link once for all its targets.

    `source` and `target` are the tiles of deliveries of `flow`, all `(K,)`, those of a flow beside each other.
    """
    found = np.zeros((2, 0), np.int64)
    for _ in ("how many", "which"):
        seen = np.full(grid.links, -1, np.int64)
        size = _cross(grid.columns, grid.rows, int(grid.torus), source, target, flow, seen, found)
        found = np.empty((2, size), np.int64) if found.shape[1] < size else found
    return found[0], found[1]


def flights(
    grid: Grid, source: IntArray, target: IntArray, entry_cycles: float, latency_cycles: FloatArray
) -> FloatArray:
    """Flight of a head flit `(K,)` from tile to tile: its entry, and the latency of every link of its route in order."""
    if grid.tiles <= MOST_TILES:
        return _table(grid, entry_cycles, latency_cycles.tobytes())[source, target]
    found = np.full(len(source), entry_cycles)
    _fly(grid.columns, grid.rows, int(grid.torus), source, target, latency_cycles, found)
    return found


@lru_cache(maxsize=KEPT)
def _table(grid: Grid, entry_cycles: float, latency_cycles: bytes) -> FloatArray:
    """Flights between all tiles `(tiles, tiles)`: a stage has as many deliveries as there are pairs, and more."""
    source, target = np.divmod(np.arange(grid.tiles**2), grid.tiles)
    found = np.full(len(source), entry_cycles)
    _fly(
        grid.columns,
        grid.rows,
        int(grid.torus),
        source,
        target,
        np.frombuffer(bytearray(latency_cycles)),
        found,
    )
    return found.reshape(grid.tiles, grid.tiles)


def first_flights(
    row: IntArray, flight: FloatArray, sent: NDArray[np.bool_], rows: int, which: IntArray | None = None
) -> FloatArray:
    """Shortest flight `(rows, ...)` of the deliveries to each `row (K,)` that are `sent (K, ...)`; infinite without any.

    With `which (K,)` the numbers of `sent (F, ...)` are given that say so of each delivery.
    """
    cells = prod(sent.shape[1:])
    first = np.full((rows, cells), np.inf)
    which = np.arange(len(row)) if which is None else which
    _shorten(row, which, flight, np.ascontiguousarray(sent).reshape(len(sent), cells), first)
    return first.reshape(rows, *sent.shape[1:])


def last_out(
    packets: IntArray, source_tile: IntArray, deliveries: tuple[IntArray, IntArray, FloatArray],
    crossing: tuple[IntArray, IntArray], ports: FloatArray, links: FloatArray, link_packets: IntArray,
) -> FloatArray:  # fmt: skip
    """When the last packet leaves a network whose ports and links are never idle in turn `(S, T)`.

    `packets (F, S, T)` from `source_tile (F,)`; `deliveries` are flow, tile and flight of each pair of flow and target
    `(K,)`; `crossing` links and the flow that crosses each; `ports (2, tiles, S, T)`, `links (L, S, T)` cycles that they are
    taken, by `link_packets (L, S, T)`.
    """
    flat = prod(packets.shape[1:])
    flows, injection, ejection, taken, crossed = (
        np.require(array, requirements=["C", "W"]).reshape(-1, flat)
        for array in (packets, *ports, links, link_packets)
    )
    ends, longest = np.zeros(flat), np.zeros(len(flows))
    _leave(
        flows, source_tile, *deliveries, *crossing, injection, ejection, taken, crossed,
        longest, np.full(ejection.shape, np.inf), np.zeros(taken.shape), ends,
    )  # fmt: skip
    return ends.reshape(packets.shape[1:])


@numba.njit(cache=True, **OPTIONS)
def _steps(start: int, stop: int, extent: int, wraps: int) -> int:
    """Steps from one place to another along an axis, negative backwards; which way round, as in `Grid.route`."""
    ahead = stop - start
    if wraps:
        ahead %= extent
        if ahead > extent - ahead:
            ahead -= extent
    return ahead


@numba.njit(cache=True, **OPTIONS)
def _onward(columns: int, rows: int, tile: int, across: int, along: int) -> tuple[int, int, int, int]:
    """The link out of a tile with so many steps left across and along, the tile behind it, and the steps left there."""
    column, row = tile % columns, tile // columns
    if across != 0:
        way = 1 if across > 0 else -1
        link = 4 * tile + (EAST if way > 0 else WEST)
        return link, row * columns + (column + way) % columns, across - way, along
    way = 1 if along > 0 else -1
    link = 4 * tile + (SOUTH if way > 0 else NORTH)
    return link, (row + way) % rows * columns + column, across, along - way


@numba.njit(cache=True, **OPTIONS)
def _cross(
    columns: int, rows: int, wraps: int, source: IntArray, target: IntArray, flow: IntArray,
    seen: IntArray, found: IntArray,
) -> int:  # fmt: skip
    size = 0
    for k in range(len(flow)):
        tile, to = source[k], target[k]
        across = _steps(tile % columns, to % columns, columns, wraps)
        along = _steps(tile // columns, to // columns, rows, wraps)
        while across != 0 or along != 0:
            link, tile, across, along = _onward(columns, rows, tile, across, along)
            if seen[link] != flow[k]:
                seen[link] = flow[k]
                if size < found.shape[1]:
                    found[0, size], found[1, size] = link, flow[k]
                size += 1
    return size


@numba.njit(cache=True, **OPTIONS)
def _fly(
    columns: int, rows: int, wraps: int, source: IntArray, target: IntArray, latency_cycles: FloatArray, found: FloatArray
) -> None:  # fmt: skip
    for k in range(len(source)):
        tile, to = source[k], target[k]
        across = _steps(tile % columns, to % columns, columns, wraps)
        along = _steps(tile // columns, to // columns, rows, wraps)
        while across != 0 or along != 0:
            link, tile, across, along = _onward(columns, rows, tile, across, along)
            found[k] += latency_cycles[link]


@numba.njit(cache=True, **OPTIONS)
def _shorten(
    row: IntArray, which: IntArray, flight: FloatArray, sent: NDArray[np.bool_], first: FloatArray
) -> None:
    for k in range(len(row)):
        to, number, own = row[k], which[k], flight[k]
        for cell in range(sent.shape[1]):  # without a branch, so that eight cells are taken at once
            here = own if sent[number, cell] else np.inf
            first[to, cell] = min(first[to, cell], here)


@numba.njit(cache=True, **OPTIONS)
def _leave(  # noqa: C901, PLR0912 - three passes: injection ports, ejection ports, links
    packets: IntArray, source_tile: IntArray, flow: IntArray, tile: IntArray, flight: FloatArray, link: IntArray,
    crosses: IntArray, injection: FloatArray, ejection: FloatArray, links: FloatArray, link_packets: IntArray,
    longest: FloatArray, first: FloatArray, weighted: FloatArray, ends: FloatArray,
) -> None:  # fmt: skip
    flows, cells = packets.shape
    for k in range(len(flow)):
        number, to, own = flow[k], tile[k], flight[k]
        longest[number] = max(longest[number], own)
        for cell in range(cells):
            here = own if packets[number, cell] > 0 else np.inf
            first[to, cell] = min(first[to, cell], here)
    for number in range(flows):
        start, flies = source_tile[number], longest[number]
        for cell in range(cells):
            if packets[number, cell] > 0:
                ends[cell] = max(ends[cell], injection[start, cell] + flies)
    for place in range(len(ejection)):
        for cell in range(cells):
            if ejection[place, cell] > 0:
                arrival = first[place, cell] if np.isfinite(first[place, cell]) else 0.0
                ends[cell] = max(ends[cell], ejection[place, cell] + arrival)
    for k in range(len(link)):
        place, number = link[k], crosses[k]
        flies = longest[number]
        for cell in range(cells):
            weighted[place, cell] += packets[number, cell] * flies
    for place in range(len(links)):
        for cell in range(cells):
            if links[place, cell] > 0:
                mean = weighted[place, cell] / link_packets[place, cell] if weighted[place, cell] > 0 else 0.0
                ends[cell] = max(ends[cell], links[place, cell] + mean)
