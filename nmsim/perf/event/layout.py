"""The layout of a work: tables of its stages, flows and turns, the same for all its samples."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.perf.event.core import LANES
from nmsim.perf.event.tables import (
    CHAIN,
    END,
    FLOW,
    NONE,
    ROW,
    SENDER,
    SLOT,
    SPAN,
    STAGE,
    STEP,
    TURN,
    FloatArray,
    IntArray,
    Table,
)
from nmsim.perf.schedule import Schedule, Slot
from nmsim.perf.stage import Stage
from nmsim.perf.traffic import Traffic

TURN_PACKETS = 4
"""Packets after which a long burst lets another one have a link: a burst is many packets, and links serve each in turn."""


@dataclass(frozen=True)
class Layout:
    """Tables of stages and of what moves between their cores; see `nmsim.perf.event.tables`."""

    stages: Table
    rows: Table
    senders: Table
    flows: Table
    ports: IntArray
    stage_ports: Table
    steps: Table
    ends: Table
    paces: FloatArray
    orders: tuple[IntArray, ...]
    """Of every stage, which flow of its traffic each of its flows is."""
    names: tuple[str, ...]
    """Of stages, each once: recomputed stages bear the name of the first."""

    @classmethod
    def of(cls, stages: tuple[Stage, ...], tiles: int, links: int) -> "Layout":
        """Of the stages of a work on a machine of so many tiles and links."""
        names = tuple(dict.fromkeys(stage.name for stage in stages))
        table, rows = _stages(stages, names)
        parts = [_Flows.of(number, stage, table[number]["row"], links) for number, stage in enumerate(stages)]
        senders, flows, ports, stage_ports, steps, ends = _joined(parts, table, rows)
        assert not len(ends) or ends["tile"].max() < links + tiles
        paces, orders = _paces(stages, table, links), tuple(part.order for part in parts)
        return cls(table, rows, senders, flows, ports, stage_ports, steps, ends, paces, orders, names)


def turns_of(schedule: Schedule, slots: tuple[Slot, ...]) -> dict[str, Table]:
    """Tables of slots, their chains, turns and groups of stages, by the names of `Tables`."""
    chains = [chain for slot in slots for chain in slot.chains]
    return {
        "slots": spans((len(slot.chains) for slot in slots), SLOT),
        "chains": spans((len(chain) for chain in chains), CHAIN, "turn"),
        "turns": np.array([turn for chain in chains for turn in chain], TURN),
        "groups": spans((len(group) for group in schedule.groups), SPAN),
        "members": np.array([stage for group in schedule.groups for stage in group], np.int64),
    }


def spans(lengths: Iterable[int], kind: np.dtype[np.void], first: str = "first", past: str = "past") -> Table:
    """Rows of a kind, each with the span of entries that it owns in another table, one after the other."""
    many = np.fromiter(lengths, np.int64)
    found = np.zeros(len(many), kind)
    found[past] = np.cumsum(many)
    found[first] = found[past] - many
    return found


def _stages(stages: tuple[Stage, ...], names: tuple[str, ...]) -> tuple[Table, Table]:
    """Stages without their senders, and their rows without theirs."""
    table = spans((len(stage.cores) for stage in stages), STAGE, "row")
    table["steps"] = steps = [stage.waits.shape[-1] for stage in stages]
    table["name"] = [names.index(stage.name) for stage in stages]
    table["dram"] = np.cumsum(steps) - steps
    number = np.repeat(np.arange(len(stages)), [len(stage.cores) for stage in stages])
    rows = np.zeros(len(number), ROW)
    rows["core"] = np.concatenate([stage.cores for stage in stages])
    rows["stage"], rows["sender"] = number, NONE
    cells = table["steps"][number]
    rows["cell"] = np.cumsum(cells) - cells
    rows["lanes"] = rows["cell"] * LANES
    rows["words"] = rows["cell"] * stages[0].uses.memories
    return table, rows


def _paces(stages: tuple[Stage, ...], table: Table, links: int) -> FloatArray:
    """How long a flit takes each link, for every size of packets `(K, L)`."""
    known: dict[bytes, int] = {}
    paces: list[FloatArray] = []
    for number, stage in enumerate(stages):
        if stage.traffic is None:
            continue
        pace = stage.traffic.occupancy_cycles
        if known.setdefault(pace.tobytes(), len(known)) == len(paces):
            paces.append(pace)
        table[number]["pace"] = known[pace.tobytes()]
        table[number]["flits"] = stage.traffic.flits
        table[number]["turn_flits"] = TURN_PACKETS * stage.traffic.flits
        table[number]["packet_bits"] = stage.traffic.packet_bits
    return np.array(paces) if paces else np.zeros((1, links))


@dataclass(frozen=True)
class _Flows:
    """Flows of one stage, sender by sender: positions in other tables count from its own first entry."""

    flows: Table
    senders: Table
    ports: IntArray
    steps: Table
    ends: Table
    order: IntArray
    """Which flow of the traffic each is."""

    @classmethod
    def of(cls, number: int, stage: Stage, first_row: int, links: int) -> "_Flows":
        """Of a stage whose rows begin at `first_row`."""
        traffic = stage.traffic
        if traffic is None:
            none = np.zeros(0, np.int64)
            return cls(
                np.zeros(0, FLOW), np.zeros(0, SENDER), none, np.zeros(0, STEP), np.zeros(0, END), none
            )
        source, back, many = np.unique(traffic.source, return_inverse=True, return_counts=True)
        back = back.reshape(-1)
        order = np.argsort(back, kind="stable")
        senders = np.zeros(len(source), SENDER)
        senders["past"] = np.cumsum(many)
        senders["flow"] = senders["past"] - many
        row_of = {core: first_row + row for row, core in enumerate(stage.cores.tolist())}
        senders["core"] = np.maximum(source, NONE)
        senders["row"] = [row_of.get(core, NONE) for core in source.tolist()]
        senders["stage"] = number
        flows, steps, ends = _trees(traffic, order, row_of, links)
        flows["stage"], flows["sender"] = number, back[order]
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        ports = place[np.flatnonzero(traffic.source < 0)]
        return cls(flows, senders, ports, steps, ends, order)


def _trees(
    traffic: Traffic, order: IntArray, row_of: dict[int, int], links: int
) -> tuple[Table, Table, Table]:
    """Flows in some order with the links and ends of their trees."""
    numbers = order.tolist()
    trees = [traffic.trees[flow] for flow in numbers]
    remote = [traffic.remote[flow] for flow in numbers]
    flows = spans((len(tree.links) for tree in trees), FLOW, "step", "steps_past")
    flows["ends_past"] = np.cumsum([len(cores) for cores in remote])
    flows["end"] = flows["ends_past"] - [len(cores) for cores in remote]
    flows["to_itself"] = [len(traffic.targets[flow]) > len(traffic.remote[flow]) for flow in numbers]
    flows["tile"] = traffic.source_tile[order]
    steps = np.zeros(int(flows["steps_past"][-1]), STEP)
    steps["link"] = [link for tree in trees for link in tree.links]
    steps["parent"] = [parent for tree in trees for parent in tree.parents]
    ends = np.zeros(int(flows["ends_past"][-1]), END)
    ends["core"] = [core for cores in remote for core in cores]
    ends["row"] = [row_of[core] for core in ends["core"].tolist()]
    ends["tile"] = links + traffic.machine.tile[ends["core"]]
    ends["leaf"] = [leaf for tree in trees for leaf in tree.leaves]
    return flows, steps, ends


def _joined(
    parts: list[_Flows], stages: Table, rows: Table
) -> tuple[Table, Table, NDArray[np.int64], Table, Table, Table]:
    """Tables of all stages from those of each; senders are entered in `stages` and `rows`."""
    packets = 0
    flow = step = end = sender = 0
    for number, part in enumerate(parts):
        stages[number]["sender"], stages[number]["senders_past"] = sender, sender + len(part.senders)
        for name in ("past", "flow"):
            part.senders[name] += flow
        part.flows["sender"] += sender
        part.ports[:] += flow
        for name, shift in (("step", step), ("steps_past", step), ("end", end), ("ends_past", end)):
            part.flows[name] += shift
        steps = int(stages[number]["steps"])
        part.flows["packets"] = packets + np.arange(len(part.flows)) * steps
        own = part.senders["row"] != NONE
        rows["sender"][part.senders["row"][own]] = sender + np.flatnonzero(own)
        packets += len(part.flows) * steps
        flow, sender = flow + len(part.flows), sender + len(part.senders)
        step, end = step + len(part.steps), end + len(part.ends)
    stage_ports = spans((len(part.ports) for part in parts), SPAN)
    joined = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("senders", "flows", "ports", "steps", "ends")
    ]
    return joined[0], joined[1], joined[2], stage_ports, joined[3], joined[4]
