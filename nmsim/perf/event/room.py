"""Room: how many entries of lists, bursts and events one event may add, and tables that have grown to hold them."""

from typing import NamedTuple

import numpy as np

from nmsim.perf.event.layout import Layout
from nmsim.perf.event.tables import BURST, EVENT, NODE, NONE, IntArray, Table, Tables


class Room(NamedTuple):
    """Entries of `Tables.nodes`, `bursts` and `events` that one event may add."""

    nodes: int
    bursts: int
    events: int

    @classmethod
    def of(
        cls, layout: Layout, most_packets: IntArray, least_burst: int, per_flow: int, chains: int
    ) -> "Room":
        """The most, for flows of so many packets `(F,)`: one event may send all that a sender has."""
        flows = layout.flows
        size = np.maximum(least_burst, -(-most_packets // per_flow))
        bursts = -(-most_packets // size)
        ends, steps = flows["ends_past"] - flows["end"], flows["steps_past"] - flows["step"]
        sent = np.bincount(flows["sender"], bursts * ends, len(layout.senders)).max(initial=0)
        links = np.bincount(flows["sender"], bursts * (ends + steps), len(layout.senders)).max(initial=0)
        own = np.bincount(flows["sender"], bursts * flows["to_itself"], len(layout.senders)).max(initial=0)
        processes = len(layout.rows) + len(layout.senders) + len(layout.stages) + chains
        return cls(int(2 * links + own) + 1, int(sent), int(sent) + processes + 1)


def free(table: Table) -> Table:
    """A table of list entries, each with the next one."""
    table["next"] = np.arange(1, len(table) + 1)
    table["next"][-1:] = NONE
    return table


def grown(tables: Tables, room: Room) -> Tables:
    """The same with room for one event more, and as much again as there was."""
    clock = tables.clock[0]
    larger = {}
    for name, kind, spare, first, needed in (
        ("nodes", NODE, "spare_nodes", "free_node", room.nodes),
        ("bursts", BURST, "spare_bursts", "free_burst", room.bursts),
    ):
        old: Table = getattr(tables, name)
        if clock[spare] < needed:
            new = free(np.zeros(2 * len(old) + needed, kind))
            new[: len(old)] = old
            new["next"][-1] = clock[first]
            clock[first] = len(old)
            clock[spare] += len(new) - len(old)
            larger[name] = new
    old = tables.events
    if len(old) - clock["waiting"] < room.events:
        larger["events"] = np.zeros(2 * len(old) + room.events, EVENT)
        larger["events"][: len(old)] = old
    return tables._replace(**larger)
