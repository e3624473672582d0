"""Traffic load: how long links and ports are taken by the packets of a stage, and how long packets fly."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.perf.delivery import first_flights, flights, last_out
from nmsim.perf.machine import Machine
from nmsim.perf.traffic import Traffic
from nmsim.sums import sum_last

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrafficLoad:
    """Cycles that the network on chip is taken; (S, T) as in the traffic, L links, K pairs of flow and remote target."""

    traffic: Traffic

    @property
    def machine(self) -> Machine:
        """The machine."""
        return self.traffic.machine

    @cached_property
    def links(self) -> FloatArray:
        """`(L, S, T)`."""
        return np.asarray(self.traffic.link_flits * self.traffic.occupancy_cycles[:, None, None])

    @cached_property
    def ports(self) -> FloatArray:
        """Injection, then ejection of every tile `(2, tiles, S, T)`: one flit per link cycle each way."""
        traffic = self.traffic
        cycles = traffic.port_packets * float(traffic.flits) * self.machine.chip.noc.link_cycles
        return np.asarray(cycles, np.float64)

    @cached_property
    def links_of_sample(self) -> FloatArray:
        """Of all time steps `(L, S)`."""
        return sum_last(self.links)

    @cached_property
    def rows(self) -> tuple[IntArray, FloatArray]:
        """Numbers of the links, then of the ports that are taken `(K,)`, and how long `(K, S, T)`."""
        every = np.concatenate([self.links, *self.ports])
        some = np.flatnonzero(every.any(axis=(1, 2)))
        return some, every[some]

    @cached_property
    def fullest(self) -> dict[str, FloatArray]:
        """Most loaded link, injection port and ejection port `(S, T)`, by name."""
        injection, ejection = self.ports
        return {
            "links": self.links.max(axis=0), "injection": injection.max(axis=0), "ejection": ejection.max(axis=0),
        }  # fmt: skip

    @cached_property
    def _deliveries(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Flow, target core and flight of a head flit, `(K,)` each."""
        traffic, links = self.traffic, self.machine.links
        flows, targets = traffic.away
        tiles = traffic.source_tile[flows], self.machine.tile[targets]
        return flows, targets, flights(links.grid, *tiles, entry_cycles(self.machine), links.latency_cycles)

    def first_arrivals(self, cores: IntArray) -> FloatArray:
        """Flight of the first packet to each of some cores, 0 where all are its own `(n, S, T)`."""
        flows, targets, flight = self._deliveries
        first = first_flights(targets, flight, self.traffic.packets > 0, len(self.machine.tile), flows)
        return np.where(np.isfinite(first), first, 0.0)[cores]

    @cached_property
    def cycles(self) -> FloatArray:
        """Until the last packet has left the network `(S, T)`, if each port or link in turn is never idle.

        An injection port is taken from the start, its last packet then flies; an ejection port is taken from the first
        arrival on; a link is taken in the middle of the mean flight of the packets that cross it.
        """
        flows, targets, flight = self._deliveries
        packets = self.traffic.packets
        if not len(flows):
            return np.zeros(packets.shape[1:])
        return last_out(
            packets, self.traffic.source_tile, (flows, self.machine.tile[targets], flight), self.traffic.crossing,
            self.ports, self.links, self.traffic.link_packets,
        )  # fmt: skip


def entry_cycles(machine: Machine) -> float:
    """Cycles of a head flit in the router of its own tile; part of the hop where hop latencies are published."""
    return 0.0 if machine.chip.noc.hop_east_west_ns is not None else float(machine.chip.noc.router_cycles)
