"""Traffic load: how long links and ports are taken by the packets of a stage, and how long packets fly."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.perf.machine import Machine
from nmsim.perf.traffic import Traffic

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
        taken = np.zeros((2, self.machine.links.grid.tiles, *traffic.packets.shape[1:]))
        for port, (cores, packets) in zip(taken, (traffic.injected, traffic.ejected), strict=True):
            np.add.at(port, self.machine.tile_of(cores), packets)
        return taken * traffic.flits * self.machine.chip.noc.link_cycles

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
        traffic, latency = self.traffic, self.machine.links.latency_cycles.tolist()
        entry = entry_cycles(self.machine)
        flights: list[float] = []
        for tree in traffic.trees:
            reached: list[float] = []
            for link, parent in zip(tree.links, tree.parents, strict=True):
                reached.append((reached[parent] if parent >= 0 else entry) + latency[link])
            flights += [reached[leaf] if leaf >= 0 else entry for leaf in tree.leaves]
        flows = np.repeat(np.arange(len(traffic.remote)), [len(cores) for cores in traffic.remote])
        targets = np.array([core for cores in traffic.remote for core in cores], np.int64)
        return flows, targets, np.array(flights)

    def first_arrivals(self, cores: IntArray) -> FloatArray:
        """Flight of the first packet to each of some cores, 0 where all are its own `(n, S, T)`."""
        flows, targets, flights = self._deliveries
        sent = self.traffic.packets > 0
        first = np.full((len(self.machine.tile), *sent.shape[1:]), np.inf)
        np.minimum.at(first, targets, np.where(sent[flows], flights[:, None, None], np.inf))
        return np.where(np.isfinite(first), first, 0.0)[cores]

    @cached_property
    def cycles(self) -> FloatArray:
        """Until the last packet has left the network `(S, T)`, if each port or link in turn is never idle.

        An injection port is taken from the start, its last packet then flies; an ejection port is taken from the first
        arrival on; a link is taken in the middle of the mean flight of the packets that cross it.
        """
        flows, targets, flights = self._deliveries
        sent = self.traffic.packets > 0
        if not len(flows):
            return np.zeros(sent.shape[1:])
        injection, ejection = self.ports
        longest = np.zeros(len(sent))
        np.maximum.at(longest, flows, flights)
        injected = sent * (injection[self.traffic.source_tile] + longest[:, None, None])
        first = np.full(ejection.shape, np.inf)
        np.minimum.at(
            first, self.machine.tile_of(targets), np.where(sent[flows], flights[:, None, None], np.inf)
        )
        ejected = np.where(ejection > 0, ejection + np.where(np.isfinite(first), first, 0.0), 0.0)
        crossing, packets = self.traffic.crossing, self.traffic.packets.reshape(len(sent), -1)
        weighted = np.asarray(crossing @ (packets * longest[:, None]))
        mean = np.divide(weighted, crossing @ packets, out=np.zeros_like(weighted), where=weighted > 0)
        linked = np.where(self.links > 0, self.links + mean.reshape(self.links.shape), 0.0)
        ends: FloatArray = np.max([injected.max(axis=0), ejected.max(axis=0), linked.max(axis=0)], axis=0)
        return ends


def entry_cycles(machine: Machine) -> float:
    """Cycles of a head flit in the router of its own tile; part of the hop where hop latencies are published."""
    return 0.0 if machine.chip.noc.hop_east_west_ns is not None else float(machine.chip.noc.router_cycles)
