"""Traffic: the packets of one stage, flow by flow, and the links they take."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nmsim.hardware.routing import Tree
from nmsim.perf.machine import Machine
from nmsim.perf.projection import INPUT

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Flow = tuple[int, tuple[int, ...], IntArray]
"""Source core (or `INPUT`), target cores, packets `(S, T)`."""


@dataclass(frozen=True, eq=False)
class Traffic:
    """F flows of packets of equal size.

    `source (F,)` core, or a port through which samples enter: `INPUT` the first, `INPUT - 1` the second, ...; `targets`
    cores of each flow; `packets (F, S, T)`.
    With unicast a packet is sent once per target, so every flow has one target; with multicast once for all of them.
    A target that is the source core itself is served inside the core and takes no link.
    """

    machine: Machine
    source: IntArray
    targets: tuple[tuple[int, ...], ...]
    packets: IntArray
    packet_bits: int

    @classmethod
    def of(cls, machine: Machine, flows: Iterable[Flow], packet_bits: int) -> "Traffic | None":
        """Join flows; None if no packet is ever sent. `packet_bits` excludes the header."""
        kept = [flow for flow in flows if flow[1] and flow[2].any()]
        if machine.chip.noc.casting == "unicast":
            kept = [(source, (target,), packets) for source, targets, packets in kept for target in targets]
        if len(machine.ingress) > 1:
            kept = [part for flow in kept for part in _through_ports(machine, flow)]
        if not kept:
            return None
        return cls(
            machine, np.array([flow[0] for flow in kept]), tuple(flow[1] for flow in kept),
            np.stack([flow[2] for flow in kept]), packet_bits + machine.chip.noc.header_bits,
        )  # fmt: skip

    def on(self, machine: Machine) -> "Traffic":
        """The same packets on a machine whose network is as wide, long and fast as it is, and otherwise the same."""
        placed = replace(self, machine=machine)
        vars(placed).update({name: getattr(self, name) for name in _WHEREVER})
        return placed

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
    def trees(self) -> tuple[Tree, ...]:
        """Multicast tree of each flow over its remote targets."""
        tile, grid = self.machine.tile.tolist(), self.machine.links.grid
        return tuple(
            grid.tree(source, (tile[target] for target in targets))
            for source, targets in zip(self.source_tile.tolist(), self.remote, strict=True)
        )

    @cached_property
    def crossing(self) -> csr_array:
        """`(links, F)`: 1 where a flow crosses a link."""
        lengths = [len(tree.links) for tree in self.trees]
        links = np.fromiter((link for tree in self.trees for link in tree.links), np.int64, sum(lengths))
        flows = np.repeat(np.arange(len(lengths)), lengths)
        shape = (self.machine.links.grid.links, len(lengths))
        return csr_array((np.ones(len(links), np.int64), (links, flows)), shape=shape)

    @cached_property
    def link_packets(self) -> IntArray:
        """Packets over every link `(L, S, T)`."""
        return self._over(self.crossing)

    @property
    def link_flits(self) -> IntArray:
        """Flits over every link `(L, S, T)`."""
        return self.link_packets * self.flits

    @cached_property
    def within_tile(self) -> IntArray:
        """Deliveries that stay on the source's tile `(S, T)`, those inside a core included."""
        tile = self.machine.tile.tolist()
        local = [
            sum(tile[target] == source for target in targets)
            for source, targets in zip(self.source_tile.tolist(), self.targets, strict=True)
        ]
        return np.tensordot(np.array(local, np.int64), self.packets, axes=1)

    @cached_property
    def received(self) -> tuple[IntArray, IntArray]:
        """Cores that receive, ascending `(n,)`, and packets delivered to each `(n, S, T)`, own ones included."""
        return self._by_core(self.targets)

    @cached_property
    def ejected(self) -> tuple[IntArray, IntArray]:
        """As `received`, without packets that stay inside a core."""
        return self._by_core(self.remote)

    @cached_property
    def sent(self) -> tuple[IntArray, IntArray]:
        """Sources, ascending `(n,)` (`INPUT` first), and packets each sends `(n, S, T)`, own ones included."""
        return self._by_core(tuple((source,) for source in self.source.tolist()))

    @cached_property
    def injected(self) -> tuple[IntArray, IntArray]:
        """As `sent`, without packets that stay inside a core."""
        return self._by_core(
            tuple(
                (source,) if remote else ()
                for source, remote in zip(self.source.tolist(), self.remote, strict=True)
            )
        )

    def _by_core(self, members: tuple[tuple[int, ...], ...]) -> tuple[IntArray, IntArray]:
        lengths = [len(cores) for cores in members]
        flat = np.fromiter((core for cores in members for core in cores), np.int64, sum(lengths))
        cores, rows = np.unique(flat, return_inverse=True)
        flows = np.repeat(np.arange(len(lengths)), lengths)
        packets = np.zeros((len(cores), *self.packets.shape[1:]), np.int64)
        np.add.at(packets, rows, self.packets[flows])
        return cores, packets

    def _over(self, incidence: csr_array) -> IntArray:
        flat = incidence @ self.packets.reshape(len(self.packets), -1)
        return np.asarray(flat, np.int64).reshape(incidence.shape[0], *self.packets.shape[1:])


_WHEREVER = (
    "source_tile", "remote", "trees", "crossing", "link_packets", "within_tile", "received", "ejected", "sent", "injected",
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
