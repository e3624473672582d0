"""What the network on chip does: bursts of packets on trees of links, with queues that fill and hold others up.

A link is a time from which it is free again; a burst is a train of flits that crosses the links of its tree one
after the other, its head as soon as each link is free. Where the head waits, the train keeps what it occupies behind
it, except for the flits that the queues on the way can take.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from event_twin.calendar import Calendar
from event_twin.timeline import Timeline
from nmsim.hardware.routing import DIRECTIONS, Tree
from nmsim.perf.machine import Machine
from nmsim.perf.traffic import Traffic
from nmsim.perf.traffic_load import entry_cycles

TURN_PACKETS = 4
"""Packets after which a long burst lets another one have a link: a burst is many packets, and links serve each in turn."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the packets of one flow travel: from a tile, over a tree, to the tiles of its remote targets.

    `steps` are links with the position of the one before (-1: the source's tile), `ends` the remote targets with their
    tile and the position of the last link. `occupancy` is how long a flit takes each link, by link number.
    """

    source: int
    tile: int
    tree: Tree
    steps: tuple[tuple[int, int], ...]
    ends: tuple[tuple[int, int, int], ...]
    to_itself: bool
    occupancy: Sequence[float]
    packet_flits: int
    turn_flits: int
    """Flits after which a long burst lets another one have a link."""
    name: str


def ways(traffic: Traffic, name: str) -> tuple[Way, ...]:
    """The way of every flow."""
    occupancy: list[float] = traffic.occupancy_cycles.tolist()
    tile_of = traffic.machine.tile.tolist()
    rows = zip(
        traffic.source.tolist(),
        traffic.source_tile.tolist(),
        traffic.trees,
        traffic.remote,
        traffic.targets,
        strict=True,
    )
    return tuple(
        Way(
            source, tile, tree, tuple(zip(tree.links, tree.parents, strict=True)),
            tuple((core, tile_of[core], leaf) for core, leaf in zip(remote, tree.leaves, strict=True)),
            len(remote) < len(targets), occupancy, traffic.flits, TURN_PACKETS * traffic.flits, name,
        )
        for source, tile, tree, remote, targets in rows
    )  # fmt: skip


@dataclass(slots=True)
class Arrival:
    """A burst at one of its targets: when its head and its tail are there, and which way it came."""

    way: Way
    target: int
    leaf: int
    packets: int
    head: float
    tail: float


class Noc:
    """Links, injection and ejection ports of all tiles."""

    def __init__(self, machine: Machine, timeline: Timeline) -> None:
        links, noc = machine.links, machine.chip.noc
        self.latency: list[float] = links.latency_cycles.tolist()
        self.port_cycles = float(noc.link_cycles)
        self.entry = entry_cycles(machine)
        self.buffer = noc.buffer_flits
        self.links = [Calendar() for _ in range(links.grid.links)]
        self.ejections = [Calendar() for _ in range(links.grid.tiles)]
        self.inject_free = [0.0] * links.grid.tiles
        self.timeline = timeline
        self.link_stall_cycles = 0.0
        self.queue_stall_cycles = 0.0

    def send(self, now: float, way: Way, packets: int) -> list[Arrival]:
        """Send a burst that has the injection port of its tile; where and when it arrives."""
        flits, occupancy = packets * way.packet_flits, way.occupancy
        port_taken = flits * self.port_cycles
        # the first entry is the router of the source's own tile, which parent or leaf -1 stands for
        heads, tails = [now + self.entry], [now + port_taken + self.entry]
        self.inject_free[way.tile] = now + port_taken
        for link, parent in way.steps:
            head, tail = heads[parent + 1], tails[parent + 1]
            pace, latency = occupancy[link], self.latency[link]
            begin, end = self.links[link].book(now, head, flits * pace)
            if begin > head:
                self._wait(way, parent, head, begin, flits, pace)
            if self.timeline.on:
                track = f"link {link // 4} {DIRECTIONS[link % 4]}"
                self.timeline.add(track, way.name, begin, end, flits * pace)
            heads.append(begin + latency)
            tails.append(max(tail, end) + latency)
        arrivals = []
        for target, to, leaf in way.ends:
            head, tail = heads[leaf + 1], tails[leaf + 1]
            begin, end = self.ejections[to].book(now, head, port_taken)
            if begin > head:
                self._wait(way, leaf, head, begin, flits, self.port_cycles)
            arrivals.append(Arrival(way, target, leaf, packets, begin, max(tail, end)))
        return arrivals

    def _wait(self, way: Way, position: int, head: float, begin: float, flits: int, pace: float) -> None:
        """A head waits for a link, at most for the turn of another burst before its first packets move."""
        self.link_stall_cycles += begin - head
        self._hold(way, position, head + min(begin - head, way.turn_flits * pace), flits, pace)

    def block(self, arrival: Arrival, until: float) -> None:
        """A full queue at the target takes the last flits of a burst only at a later time."""
        flits = arrival.packets * arrival.way.packet_flits
        self.queue_stall_cycles += max(until - arrival.tail, 0.0)
        self._hold(arrival.way, arrival.leaf, until - flits * self.port_cycles, flits, self.port_cycles)

    def _hold(self, way: Way, position: int, begin: float, flits: int, pace: float) -> None:
        """Keep the links behind a waiting head taken: all but the flits that fit the queues drain once it moves."""
        waiting = flits - self.buffer
        while waiting > 0:
            until = begin + waiting * pace
            if position < 0:
                self.inject_free[way.tile] = max(self.inject_free[way.tile], until)
                return
            link = way.tree.links[position]
            self.links[link].hold(until)
            position = way.tree.parents[position]
            waiting -= self.buffer
