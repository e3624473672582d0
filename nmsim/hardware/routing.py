"""Where packets travel: links of the joint mesh, XY routes, multicast trees, chip borders."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim.hardware.chip import ChipConfig
from nmsim.units import S_PER_NS

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
EAST, WEST, SOUTH, NORTH = range(4)
DIRECTIONS = ("east", "west", "south", "north")
UM_PER_MM = 1000


@dataclass(frozen=True)
class Grid:
    """Tiles of the joint mesh (all chips), numbered row by row; row 0 is the northern edge.

    A tile has one outgoing link in each direction: link number = 4 * tile + direction. `torus` adds the links from
    the last column or row back to the first.
    """

    columns: int
    rows: int
    torus: bool = False

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return self.columns * self.rows

    @property
    def links(self) -> int:
        """Number of link numbers; those of a mesh that would leave its edge are never used."""
        return 4 * self.tiles

    def route(self, source: int, target: int) -> tuple[int, ...]:
        """Links of the XY route between two tiles, in order: along the row first, then along the column.

        On a torus each direction takes the shorter way round, east and south when both are equal.
        """
        column, row = source % self.columns, source // self.columns
        path = []
        for direction in self._steps(column, target % self.columns, self.columns, (EAST, WEST)):
            path.append(4 * (row * self.columns + column) + direction)
            column = (column + (1 if direction == EAST else -1)) % self.columns
        for direction in self._steps(row, target // self.columns, self.rows, (SOUTH, NORTH)):
            path.append(4 * (row * self.columns + column) + direction)
            row = (row + (1 if direction == SOUTH else -1)) % self.rows
        return tuple(path)

    def hops(self, source: int, target: int) -> int:
        """Links of the route between two tiles."""
        across = abs(target % self.columns - source % self.columns)
        along = abs(target // self.columns - source // self.columns)
        if self.torus:
            across, along = min(across, self.columns - across), min(along, self.rows - along)
        return across + along

    def _steps(self, start: int, stop: int, extent: int, names: tuple[int, int]) -> list[int]:
        ahead = stop - start
        if self.torus:
            ahead %= extent
            ahead = ahead if ahead <= extent - ahead else ahead - extent
        return [names[0] if ahead > 0 else names[1]] * abs(ahead)

    def tree(self, source: int, targets: Iterable[int]) -> "Tree":
        """The multicast tree: the union of the XY routes from one tile to several."""
        return _tree(self, source, tuple(targets))


@dataclass(frozen=True)
class Tree:
    """A multicast tree: a packet crosses each of its `links` once, whatever the number of targets.

    `parents` is the position in `links` of the link before, -1 at the source; a parent comes before its children.
    `leaves` is, for each target in the order given, the position of the last link of its route, -1 if the target is
    the source's own tile.
    """

    links: tuple[int, ...]
    parents: tuple[int, ...]
    leaves: tuple[int, ...]


@lru_cache(maxsize=65536)
def _tree(grid: Grid, source: int, targets: tuple[int, ...]) -> Tree:
    position: dict[int, int] = {}
    parents: list[int] = []
    leaves = []
    for target in targets:
        before = -1
        for link in grid.route(source, target):
            if link not in position:
                position[link] = len(position)
                parents.append(before)
            before = position[link]
        leaves.append(before)
    return Tree(tuple(position), tuple(parents), tuple(leaves))


@dataclass(frozen=True)
class Links:
    """Properties of every link of a machine, arrays of length `grid.links`.

    `flit_cycles` is how long one flit takes the link, `bits_per_cycle` the bandwidth of links between chips (infinite
    on chip), `latency_cycles` how long a head flit needs through the router and over the link, `length_um` its wire,
    `axis` 0 for east-west and 1 for north-south, `chip_border` whether it leaves a chip.
    """

    grid: Grid
    flit_cycles: FloatArray
    bits_per_cycle: FloatArray
    latency_cycles: FloatArray
    length_um: IntArray
    axis: IntArray
    chip_border: NDArray[np.bool_]

    @classmethod
    def of(cls, chip: ChipConfig) -> "Links":
        """Links of a chip, or of an array of chips joined into one mesh."""
        return _links(chip)

    def occupancy_cycles(self, bits_per_flit: float) -> FloatArray:
        """How long a flit takes each link `(L,)`; a link between chips moves only the bits a packet has."""
        return np.maximum(self.flit_cycles, bits_per_flit / self.bits_per_cycle)


@lru_cache(maxsize=64)
def _links(chip: ChipConfig) -> Links:
    grid = Grid(chip.columns, chip.rows, chip.noc.topology == "torus")
    tile, direction = np.divmod(np.arange(grid.links), 4)
    column, row = tile % grid.columns, tile // grid.columns
    axis = direction // 2
    width, height = chip.mesh.columns, chip.mesh.rows
    edges = ((column + 1) % width == 0, column % width == 0, (row + 1) % height == 0, row % height == 0)
    several = (chip.chips.columns > 1, chip.chips.rows > 1)
    border = np.select([direction == d for d in range(4)], edges, default=False) & np.array(several)[axis]
    lengths = np.rint(np.array([chip.mesh.tile_width_mm, chip.mesh.tile_height_mm]) * UM_PER_MM)
    flit_cycles = np.full(grid.links, float(chip.noc.link_cycles))
    bandwidth = np.full(grid.links, np.inf)
    latency = np.array([_hop_cycles(chip, name) for name in DIRECTIONS])[direction]
    if chip.chips.link is not None:
        bandwidth[border] = chip.chips.link.bits_per_cycle
        latency = latency + border * chip.chips.link.latency_cycles
    return Links(grid, flit_cycles, bandwidth, latency, lengths[axis].astype(np.int64), axis, border)


def _hop_cycles(chip: ChipConfig, direction: str) -> float:
    """Cycles of a head flit per hop: the published latency of an asynchronous mesh, or router and link."""
    noc, first = chip.noc, direction in {"east", "north"}
    published = noc.hop_east_west_ns if direction in {"east", "west"} else noc.hop_north_south_ns
    if published is None:
        return float(noc.router_cycles + noc.link_cycles)
    one_way = published[0 if first else 1] if isinstance(published, tuple) else published
    return one_way * S_PER_NS * chip.clock_hz
