"""The network on chip and the links between chips."""

from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, model_validator

from nmsim.config import Record, within

HopTime = Annotated[float, Field(ge=0, le=1e6)]
"""Nanoseconds of a head flit over one hop."""


class Noc(Record):
    """Wormhole-switched mesh or torus with dimension-ordered routing (X, then Y).

    A packet is a header and an address or value, in flits. Its head takes `router_cycles + link_cycles` per hop, the other
    flits follow one per `link_cycles`; what is in the way waits in queues of `buffer_flits`. Chips that publish the time of
    a hop in nanoseconds give `hop_east_west_ns` and `hop_north_south_ns` instead.

    >>> Noc(topology="torus", flit_bits=64).casting
    'multicast'
    """

    topology: Literal["mesh", "torus"] = "mesh"
    """A torus has links from the last column and row back to the first."""
    flit_bits: int = Field(default=32, ge=1, le=4096)
    """Bits a link moves per flit; one flit per `link_cycles`."""
    header_bits: int = Field(default=8, ge=0, le=4096)
    """Routing header per packet, besides the neuron address."""
    router_cycles: int = Field(default=1, ge=1, le=10_000)
    """Cycles of the head flit in a router."""
    link_cycles: int = Field(default=1, ge=1, le=10_000)
    """Cycles of a flit on a link, during which the link is taken."""
    buffer_flits: int = Field(default=4, ge=1, le=1_000_000)
    """Input queue of a router port."""
    casting: Literal["unicast", "multicast"] = "multicast"
    """One packet per destination core, or one packet on a tree of links."""
    ingress: tuple[tuple[NonNegativeInt, NonNegativeInt], ...] = Field(default=((0, 0),), min_length=1)
    """Tiles `[column, row]` of all chips together at which samples enter. Packets to one core take the nearest;
    multicast ones are dealt out evenly."""
    hop_east_west_ns: HopTime | tuple[HopTime, HopTime] | None = None
    """Published hop latency of an asynchronous mesh, or `[eastward, westward]`; with the next, replaces router and link
    cycles."""
    hop_north_south_ns: HopTime | tuple[HopTime, HopTime] | None = None
    """The same along columns, or `[northward, southward]`."""


class ChipLink(Record):
    """Link between neighbouring chips: every hop from the mesh of one to that of the next takes it."""

    bits_per_cycle: float = Field(gt=0, le=1e6)
    """Bandwidth in each direction, in cycles of the chip's clock."""
    latency_cycles: int = Field(ge=0, le=1_000_000_000)
    """Time of flight, serialisation included."""


class Dram(Record):
    """Memory off chip: what does not fit the cores lives here, or what an option sends here.

    All cores share its bandwidth. Time is latency and whole bursts, energy is bursts, rows that are opened, and standby;
    the price table has a row for every `kind`.
    """

    kind: str
    """Row of the DRAM price table, e.g. `LPDDR4`."""
    bandwidth_bits_per_s: Annotated[
        float, *within(1e6, 1e15, "it is in bits per second: for 25.6 GB/s write 2.048e11")
    ]
    """Peak bandwidth, reads and writes together."""
    latency_ns: float = Field(ge=0, le=1e6)
    """From request to first data."""
    row_bits: int = Field(default=16384, ge=8, le=2**30)
    """Bits of a row (2 KB); data that is moved in one piece opens as many rows as it fills, and one at least."""
    burst_bits: int = Field(default=512, ge=8, le=2**30)
    """Smallest transfer; what is asked for is rounded up to it."""


class Barrier(Record):
    """Synchronisation at the end of a time step: `base_cycles + per_tile_cycles * tiles`, or published points.

    >>> Barrier(base_cycles=10, per_tile_cycles=2).cycles(4)
    18.0
    >>> Barrier(points=((1, 100.0), (5, 300.0))).cycles(3)
    200.0
    """

    base_cycles: float = Field(default=0.0, ge=0, le=1e12)
    """Cycles of a barrier, whatever the number of tiles."""
    per_tile_cycles: float = Field(default=0.0, ge=0, le=1e9)
    """Cycles more per tile that takes part."""
    points: tuple[tuple[int, float], ...] = ()
    """Published `[tiles, cycles]`, rising in tiles; replaces the two above: linear between points, constant beyond."""
    per_phase: bool = False
    """Also between the phases inside a time step."""
    tick_s: float | None = Field(default=None, gt=0, le=1e3)
    """Shortest time of a time step, for chips that live by a tick: what ends sooner waits, barrier included."""

    @model_validator(mode="after")
    def _rising(self) -> "Barrier":
        tiles = [point[0] for point in self.points]
        if any(later <= earlier for earlier, later in pairwise(tiles)) or any(p[1] < 0 for p in self.points):
            raise ValueError(f"points name {tiles} tiles; list them rising, each with cycles of 0 or more")
        if self.points and (self.base_cycles or self.per_tile_cycles):
            raise ValueError(
                "points replace base_cycles and per_tile_cycles; keep one of the two descriptions"
            )
        return self

    def cycles(self, tiles: int) -> float:
        """Cycles of one barrier of so many tiles."""
        if not self.points:
            return self.base_cycles + self.per_tile_cycles * tiles
        places, cycles = zip(*self.points, strict=True)
        return float(np.interp(tiles, places, cycles))
