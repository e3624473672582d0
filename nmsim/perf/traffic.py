"""Traffic: the packets of one stage, flow by flow, and the links they take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.hardware.routing import Tree
from nmsim.perf.delivery import crossings
from nmsim.perf.machine import Machine
from nmsim.perf.projection import INPUT
from nmsim.sums import sum_last, sum_rows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Flow = tuple[int, tuple[int, ...], IntArray]
"""Source core (or `INPUT`), target cores, packets `(S, T)`."""


@dataclass(frozen=True, eq=False)
class Flows:
    """F flows of packets: `source (F,)` cores or ports, `packets (F, S, T)`, and for each flow where it goes.

    `groups` are sets of target cores, ascending; `group (F,)` says which of them a flow goes to. Deep networks on large
    meshes have thousands of flows a stage, so that all of them are one array.
    """

    source: IntArray
    group: IntArray
    groups: tuple[tuple[int, ...], ...]
    packets: IntArray

    @classmethod
    def of(cls, flows: Iterable[Flow]) -> "Flows":
        """Flows that were found one by one; their packets `(S, T)` have either axis as long as the longest, or 1.

        Example:
            >>> two = Flows.of([(0, (1, 2), np.full((1, 1), 5)), (1, (2,), np.full((1, 1), 3))])
            >>> two.targets, two.packets[:, 0, 0].tolist()
            (((1, 2), (2,)), [5, 3])
        """
        rows = list(flows)
        groups: dict[tuple[int, ...], int] = {}
        group = [groups.setdefault(targets, len(groups)) for _, targets, _ in rows]
        packets = np.broadcast_arrays(*(packets for _, _, packets in rows))
        stacked = np.stack(packets) if rows else np.zeros((0, 1, 1), np.int64)
        source = np.array([source for source, _, _ in rows], np.int64)
        return cls(source, np.array(group, np.int64), tuple(groups), stacked)

    @classmethod
    def between(cls, source: IntArray, target: IntArray, packets: IntArray) -> "Flows":
        """Flows to one core each: `source (F,)`, `target (F,)`, `packets (F, S, T)`.

        Example:
            >>> Flows.between(np.array([0, 1]), np.array([2, 2]), np.ones((2, 1, 1), np.int64)).groups
            ((2,),)
        """
        cores, first, inverse = np.unique(target, return_index=True, return_inverse=True)
        order = np.argsort(first)  # groups in the order in which they first come, as in `of`
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return cls(source, place[inverse], tuple((core,) for core in cores[order].tolist()), packets)

    @classmethod
    def joined(cls, parts: Sequence["Flows"]) -> "Flows":
        """Flows of several parts that have the same groups, one part after the other."""
        source, group, packets = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("source", "group", "packets")
        )
        return cls(source, group, parts[0].groups, packets)

    def __len__(self) -> int:
        return len(self.source)

    @property
    def targets(self) -> tuple[tuple[int, ...], ...]:
        """Target cores of each flow."""
        return tuple(self.groups[index] for index in self.group.tolist())

    def merged(self) -> "Flows":
        """Flows of the same source and group added up, in the order in which they first come."""
        key = self.source * len(self.groups) + self.group
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        if len(first) == len(key):
            return self
        place = np.empty(len(first), np.int64)
        place[np.argsort(first)] = np.arange(len(first))
        kept = np.sort(first)
        packets = sum_rows(place[inverse.reshape(-1)], self.packets, len(first))
        return Flows(self.source[kept], self.group[kept], self.groups, packets)

    def sent(self) -> "Flows":
        """Those that go anywhere and have packets at any time."""
        somewhere = np.array([bool(cores) for cores in self.groups], np.bool_)
        kept = np.flatnonzero(somewhere[self.group] & self.packets.any(axis=(1, 2)))
        return self if len(kept) == len(self) else self._take(kept)

    def apart(self) -> "Flows":
        """One flow for each target."""
        cores = tuple(sorted({core for cores in self.groups for core in cores}))
        flow, target = self.deliveries
        rows = self._take(flow)
        return Flows(
            rows.source, np.searchsorted(cores, target), tuple((core,) for core in cores), rows.packets
        )

    def through_ports(self, machine: Machine) -> "Flows":
        """Flows of samples by the ports through which a machine takes them."""
        rows = zip(self.source.tolist(), self.targets, self.packets, strict=True)
        return Flows.of(part for flow in rows for part in _through_ports(machine, flow))

    @cached_property
    def deliveries(self) -> tuple[IntArray, IntArray]:
        """Flow and target core of every delivery, flow by flow, targets in their order `(D,)` each."""
        lengths = np.array([len(cores) for cores in self.groups], np.int64)
        flat = np.fromiter((core for cores in self.groups for core in cores), np.int64, int(lengths.sum()))
        many = lengths[self.group]
        before = np.cumsum(lengths) - lengths
        within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        return np.repeat(np.arange(len(self)), many), flat[np.repeat(before[self.group], many) + within]

    def _take(self, rows: IntArray) -> "Flows":
        return Flows(self.source[rows], self.group[rows], self.groups, self.packets[rows])


@dataclass(frozen=True, eq=False)
class Traffic:
    """F flows of packets of equal size.

    `source (F,)` core, or a port through which samples enter: `INPUT` the first, `INPUT - 1` the second, ...; `targets`
    cores of each flow; `packets (F, S, T)`.
    With unicast a packet is sent once per target, so every flow has one target; with multicast once for all of them.
    A target that is the source core itself is served inside the core and takes no link.
    """

    machine: Machine
    flows: Flows
    packet_bits: int

    @classmethod
    def of(cls, machine: Machine, flows: Flows, packet_bits: int) -> "Traffic | None":
        """The packets of some flows; None if no packet is ever sent. `packet_bits` excludes the header."""
        kept = flows.sent()
        if machine.chip.noc.casting == "unicast" and len(kept):
            kept = kept.apart()
        if len(machine.ingress) > 1 and len(kept):
            kept = kept.through_ports(machine)
        return cls(machine, kept, packet_bits + machine.chip.noc.header_bits) if len(kept) else None

    def on(self, machine: Machine) -> "Traffic":
        """The same packets on a machine whose network is as wide, long and fast as it is, and otherwise the same."""
        placed = replace(self, machine=machine)
        vars(placed).update({name: getattr(self, name) for name in _WHEREVER})
        return placed

    @property
    def source(self) -> IntArray:
        """Source of each flow `(F,)`."""
        return self.flows.source

    @cached_property
    def targets(self) -> tuple[tuple[int, ...], ...]:
        """Target cores of each flow."""
        return self.flows.targets

    @property
    def packets(self) -> IntArray:
        """`(F, S, T)`."""
        return self.flows.packets

    @property
    def flits(self) -> int:
        """Flits of a packet, header included."""
        return -(-self.packet_bits // self.machine.chip.noc.flit_bits)

    @cached_property
    def occupancy_cycles(self) -> FloatArray:
        """How long one of its flits takes each link `(L,)`."""
        return self.machine.links.occupancy_cycles(self.packet_bits / self.flits)

    @cached_property
    def source_tile(self) -> IntArray:
        """Tile of each flow's source `(F,)`."""
        return self.machine.tile_of(self.source)

    @cached_property
    def remote(self) -> tuple[tuple[int, ...], ...]:
        """Targets of each flow without the source core itself."""
        return tuple(
            tuple(target for target in targets if target != source)
            for source, targets in zip(self.source.tolist(), self.targets, strict=True)
        )

    @cached_property
    def away(self) -> tuple[IntArray, IntArray]:
        """Flow and target core of every delivery that leaves its core, flow by flow `(K,)` each."""
        flow, target = self.flows.deliveries
        leaves = target != self.source[flow]
        return flow[leaves], target[leaves]

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """Multicast tree of each flow over its remote targets."""
        tile, grid = self.machine.tile.tolist(), self.machine.links.grid
        return tuple(
            grid.tree(source, (tile[target] for target in targets))
            for source, targets in zip(self.source_tile.tolist(), self.remote, strict=True)
        )

    @cached_property
    def crossing(self) -> tuple[IntArray, IntArray]:
        """Links that flows cross, and which flow crosses each: those of its multicast tree, the union of its routes."""
        flow, target = self.away
        return crossings(self.machine.links.grid, self.source_tile[flow], self.machine.tile[target], flow)

    @cached_property
    def link_packets(self) -> IntArray:
        """Packets over every link `(L, S, T)`."""
        links, flows = self.crossing
        return sum_rows(links, self.packets, self.machine.links.grid.links, flows)

    @cached_property
    def link_packets_of_sample(self) -> IntArray:
        """Packets of all time steps over every link `(L, S)`."""
        return sum_last(self.link_packets)

    @cached_property
    def port_packets(self) -> IntArray:
        """Packets that enter the network at every tile, then those that leave it there `(2, tiles, S, T)`."""
        machine = self.machine
        return np.stack(
            [
                sum_rows(machine.tile_of(cores), packets, machine.links.grid.tiles)
                for cores, packets in (self.injected, self.ejected)
            ]
        )

    @property
    def nbytes(self) -> int:
        """Bytes of its packets, by flow, link and port, estimated before they are found."""
        ends = len(self.flows) + self.machine.links.grid.links + 4 * self.machine.links.grid.tiles
        return self.packets.nbytes // max(len(self.flows), 1) * ends

    @property
    def link_flits(self) -> IntArray:
        """Flits over every link `(L, S, T)`."""
        return self.link_packets * self.flits

    @cached_property
    def within_tile(self) -> IntArray:
        """Deliveries that stay on the source's tile `(S, T)`, those inside a core included."""
        flow, target = self.flows.deliveries
        stays = self.machine.tile[target] == self.source_tile[flow]
        local = np.bincount(flow[stays], minlength=len(self.flows))
        return np.tensordot(local.astype(np.int64), self.packets, axes=1)

    @cached_property
    def received(self) -> tuple[IntArray, IntArray]:
        """Cores that receive, ascending `(n,)`, and packets delivered to each `(n, S, T)`, own ones included."""
        return self._by_core(*self.flows.deliveries)

    @cached_property
    def received_of_sample(self) -> IntArray:
        """Packets delivered in all time steps `(S,)`."""
        return np.asarray(self.received[1].sum(axis=(0, 2)))

    @cached_property
    def ejected(self) -> tuple[IntArray, IntArray]:
        """As `received`, without packets that stay inside a core."""
        return self._by_core(*self.away)

    @cached_property
    def sent(self) -> tuple[IntArray, IntArray]:
        """Sources, ascending `(n,)` (`INPUT` first), and packets each sends `(n, S, T)`, own ones included."""
        return self._by_core(np.arange(len(self.flows)), self.source)

    @cached_property
    def injected(self) -> tuple[IntArray, IntArray]:
        """As `sent`, without packets that stay inside a core."""
        flow = np.unique(self.away[0])
        return self._by_core(flow, self.source[flow])

    def _by_core(self, flow: IntArray, core: IntArray) -> tuple[IntArray, IntArray]:
        """Packets of some flows by the core that each is counted at."""
        cores, rows = np.unique(core, return_inverse=True)
        return cores, sum_rows(rows.reshape(-1), self.packets, len(cores), flow)


_WHEREVER = (
    "source_tile", "away", "crossing", "link_packets", "link_packets_of_sample", "port_packets", "within_tile", "received",
    "received_of_sample", "ejected", "sent", "injected",
)  # fmt: skip
"""What is found once for all machines that `Traffic.on` may name."""


def _through_ports(machine: Machine, flow: Flow) -> list[Flow]:
    """A flow of samples by the ports it takes: to one core the nearest, to several a share of the packets each."""
    source, targets, packets = flow
    if source != INPUT:
        return [flow]
    grid = machine.links.grid
    if len(targets) == 1:
        target = int(machine.tile[targets[0]])
        hops = [grid.hops(tile, target) for tile in machine.ingress]
        return [(INPUT - hops.index(min(hops)), targets, packets)]
    ports = len(machine.ingress)
    shares = [(INPUT - port, targets, (packets + ports - 1 - port) // ports) for port in range(ports)]
    return [share for share in shares if share[2].any()]
