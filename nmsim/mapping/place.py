"""Move pieces between equal cores so that bits times hops become few (docs/machine.md)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import BoundedCache
from nmsim.hardware.chip import ChipConfig, PlacedCore
from nmsim.mapping.expected_traffic import as_seen_by_traffic, traffic_matrix
from nmsim.mapping.mapping import Slice, Slices
from nmsim.mapping.outline import floor_plan
from nmsim.mapping.room import LayerPlan
from nmsim.network.spec import NetworkSpec

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
CHIP_BORDER_HOPS = 16
"""What crossing to the next chip counts as, in hops; assumed: TrueNorth pays for it the energy of 360 hops."""
MAX_IMPROVED_CORES = 256
"""In a larger corner of the mesh the snake order stays: the time of an exchange grows with the cube."""
_EXACT_BITS = 50
KEPT_BYTES = 32 * 2**20
"""Of pieces in their places that are kept: chips that hold a network otherwise often cut it alike."""


@dataclass(frozen=True)
class Group:
    """The pieces that the partition gave to one core: they move together, to a core of the same type."""

    core: int
    layer: int
    type: str


def place(
    network: NetworkSpec, plans: Sequence[LayerPlan], pieces: Slices, chip: ChipConfig, *, trains: bool
) -> Slices:
    """The same pieces, each core's share of them moved to where it costs least; kept for whoever asks the same.

    Start: cores in order of their first layer along a snake through the smallest corner of the mesh that holds them.
    Then two cores, or a core and an idle one, change places, always the pair that gains most, until none gains.
    (A quadratic assignment; scipy's FAQ gets 2 to 5 % below, but breaks ties by rounding errors. Costs here are
    integers, so that every machine finds the same places.)
    """
    seen = tuple(as_seen_by_traffic(plan) for plan in plans)
    return _placed((network, seen, pieces, floor_plan(chip), trains))


def _place(asked: tuple[NetworkSpec, tuple[LayerPlan, ...], Slices, ChipConfig, bool]) -> Slices:
    network, plans, pieces, chip, trains = asked
    groups = _groups(pieces, chip.cores())
    row_of = {group.core: row for row, group in enumerate(groups)}
    inside = _corner(groups, chip)
    seats = _snake(groups, inside)
    if 1 < len(inside) <= MAX_IMPROVED_CORES:
        places = [row_of[piece.core] for piece in pieces]
        flow = np.zeros((len(inside), len(inside)), np.int64)
        flow[: len(groups), : len(groups)] = traffic_matrix(network, plans, pieces, places, trains=trains)
        hops = hop_matrix(chip, inside)
        types = np.array([core.type.name for core in inside])
        seats = exchanged(_exact(flow, int(hops.max())), hops.astype(np.float64), types, seats)
    core_of = {group.core: inside[seat].index for group, seat in zip(groups, seats.tolist(), strict=False)}
    return Slices(piece.on(core_of[piece.core]) for piece in pieces)


_placed = BoundedCache(_place, lambda _, found: found.nbytes, KEPT_BYTES)


def hop_matrix(chip: ChipConfig, cores: Sequence[PlacedCore]) -> IntArray:
    """Hops between every two of some cores, `(cores, cores)`, chip borders weighted; 0 within a tile."""
    total = np.zeros((len(cores), len(cores)), np.int64)
    axes = (
        ([core.column for core in cores], chip.columns, chip.mesh.columns),
        ([core.row for core in cores], chip.rows, chip.mesh.rows),
    )
    for places, extent, per_chip in axes:
        place_of = np.array(places, np.int64)
        apart = np.abs(place_of[:, None] - place_of)
        total += np.minimum(apart, extent - apart) if chip.noc.topology == "torus" else apart
        total += CHIP_BORDER_HOPS * np.abs(place_of[:, None] // per_chip - place_of // per_chip)
    return total


def _groups(pieces: Sequence[Slice], cores: Sequence[PlacedCore]) -> list[Group]:
    """In order of first layer, then of first channel and row, so that neighbours in the network sit together."""
    first: dict[int, Slice] = {}
    for piece in sorted(pieces, key=lambda p: (p.layer, p.row_start, p.channel_start, p.input_start)):
        first.setdefault(piece.core, piece)
    return [Group(core, piece.layer, cores[core].type.name) for core, piece in first.items()]


def _corner(groups: Sequence[Group], chip: ChipConfig) -> list[PlacedCore]:
    """Cores of the smallest corner of the mesh, the squarest of equals, that has enough of every type, in snake order."""
    types = [group.type for group in groups]
    counts = {kind: np.zeros((chip.rows, chip.columns), np.int64) for kind in types}
    for core in chip.cores():
        if core.type.name in counts:
            counts[core.type.name][core.row, core.column] += 1
    enough = np.all(
        [count.cumsum(0).cumsum(1) >= types.count(kind) for kind, count in counts.items()], axis=0
    )
    heights, widths = np.nonzero(enough)
    best = np.lexsort((widths, np.abs(widths - heights), widths + heights))[0]
    inside = [core for core in chip.cores() if core.column <= widths[best] and core.row <= heights[best]]
    return sorted(inside, key=lambda c: (c.row, c.column if c.row % 2 == 0 else -c.column, c.index))


def _snake(groups: Sequence[Group], inside: Sequence[PlacedCore]) -> IntArray:
    """A seat (index into `inside`) for every group in order, then, as if for idle groups, the seats left over."""
    free: dict[str, list[int]] = {}
    for seat, core in enumerate(inside):
        free.setdefault(core.type.name, []).append(seat)
    taken = [free[group.type].pop(0) for group in groups]
    return np.array(taken + [seat for seats in free.values() for seat in seats], np.int64)


def _exact(flow: IntArray, most_hops: int) -> FloatArray:
    """Traffic as floats, scaled down until every sum of bits times hops is exact."""
    excess = (int(flow.sum()) * max(most_hops, 1)).bit_length() - _EXACT_BITS
    return (flow >> max(excess, 0)).astype(np.float64)


def exchanged(flow: FloatArray, hops: FloatArray, types: NDArray[np.str_], seats: IntArray) -> IntArray:
    """Seats `(n,)` of n groups after exchanges in pairs, best first, until none lowers the sum of flow times hops.

    `flow (n, n)` and `hops (n, n)` are symmetric, the diagonal of `hops` is zero, and that of `flow` should be: what a group
    sends to itself makes its exchanges look dearer than they are (docs/machine.md). `types (n,)` of seats must not be mixed.
    With `D = hops[seats][:, seats]` and `G = flow @ D`, exchanging r and s changes half the sum by
    `G[r,s] + G[s,r] - G[r,r] - G[s,s] + 2 flow[r,s] D[r,s]` (Burkard and Rendl, EJOR 17, 1984). `G` follows an exchange by
    a product of two vectors.
    """
    seats = seats.copy()
    kinds = types[seats]
    mixed = kinds[:, None] != kinds
    apart = hops[np.ix_(seats, seats)]
    joint = flow @ apart
    while True:
        own = np.diag(joint)
        change = joint + joint.T - own[:, None] - own + 2 * flow * apart
        change[mixed] = 0
        first, second = divmod(int(change.argmin()), len(seats))
        if change[first, second] >= 0:
            return seats
        pair, swapped = [first, second], [second, first]
        joint += np.outer(flow[:, second] - flow[:, first], apart[first] - apart[second])
        joint[:, pair] = joint[:, swapped]
        apart[pair] = apart[swapped]
        apart[:, pair] = apart[:, swapped]
        seats[pair] = seats[swapped]
