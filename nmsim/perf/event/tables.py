"""The tables that a simulation works on: what a chip is made of, what it has to do, and where it stands."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Table = Any
"""A structured array, or one of its rows, whose fields are attributes where code is compiled."""
NONE = -1
"""No entry, where an entry of a table is named by its number."""


def _kind(numbers: str, times: str = "") -> np.dtype[Any]:
    """Rows of whole numbers and of cycles, by their names."""
    return np.dtype([(name, "i8") for name in numbers.split()] + [(name, "f8") for name in times.split()])


CLOCK = np.dtype(
    [
        *_kind(
            "asked waiting free_node spare_nodes free_burst spare_bursts slot packets bars left_out"
        ).descr,
        *_kind("slots timeline phase_barriers barrier_name dram_name least_burst bursts_per_flow").descr,
        *_kind("", "now slot_start link_stall queue_stall injection_stall dram_free dram_waiting").descr,
        *_kind(
            "", "port_cycles entry_cycles buffer_flits barrier_cycles tick_cycles dram_rate dram_latency"
        ).descr,
        ("luck", "u8"),
    ]
)
"""Where the simulation stands, and what there is one of."""
EVENT = _kind("order kind item", "time")
"""What happens next, a binary heap."""
NODE = _kind("next", "a b")
"""An entry of a list: of the idle times of a link (from a to b), or of the queue of a core (until a, b packets)."""
BURST = _kind("flow end packets next", "tail")
"""A burst on its way to one of its targets."""
LINK = _kind("first last track", "free latency")
"""A link or ejection port: when it is free, its idle times before (a list), and how long a head needs to pass it."""
CORE = _kind("timed queue_bits first last queued memories track", "axon_out queue_words")
"""A core and the queue of what came in; `timed` by whole events."""
LANE = _kind("", "cycles free")
MEMORY = _kind("banks bank track", "ports conflict")
"""`bank` is its first one in `Tables.bank_free`."""
ROW = _kind("core stage sender lanes words cell served waits expected missing", "service end finish")
"""A core in a stage: where its work is, and how far it has come; `waits` for what it has not received."""
USE = _kind("", "wait end")
"""A lane or memory in a row: how long it was taken by others at first, and when it has done what was asked so far."""
SENDER = _kind("core row stage flow past turn turns at packets waits started", "ready")
"""Who sends: a core of a stage, or a port. Its flows, the burst it is at, and whether it waits for the injection port."""
FLOW = _kind("stage tile to_itself step steps_past end ends_past packets sender")
STEP = _kind("link parent")
"""A link of a flow's tree, and the position of the one before (-1: the source's tile)."""
END = _kind("core row tile leaf")
"""A remote target of a flow, and the position of the last link to it."""
STAGE = _kind(
    "steps row past sender senders_past pace flits turn_flits packet_bits name dram left step chain",
    "start took",
)
"""A stage: its work, and the turn that it takes; `left` processes of it that have not ended."""
CHAIN = _kind("turn past at left", "start")
TURN = _kind("group step")
SLOT = _kind("first past left")
SPAN = _kind("first past")
"""Neighbouring entries of another table."""
BAR = _kind("key", "start end busy")
"""A bar of the timeline; `key` is its track and name."""


class Tables(NamedTuple):
    """All of them; the cycles of stages, groups and slots are results.

    `ports` are the flows from ports, in the order of the traffic. Scratch are `heads` and `tails`, of a burst at every link
    of its way, and `bank_load`.
    """

    clock: Table
    events: Table
    nodes: Table
    bursts: Table
    links: Table
    inject_free: FloatArray
    cores: Table
    lanes: Table
    memories: Table
    bank_free: FloatArray
    bank_load: FloatArray
    rows: Table
    uses: Table
    senders: Table
    flows: Table
    ports: IntArray
    stage_ports: Table
    steps: Table
    ends: Table
    heads: FloatArray
    tails: FloatArray
    paces: FloatArray
    stages: Table
    slots: Table
    chains: Table
    turns: Table
    groups: Table
    members: IntArray
    lane_work: FloatArray
    words: FloatArray
    word_bursts: FloatArray
    fill: FloatArray
    busy: FloatArray
    dram_bits: FloatArray
    packets: IntArray
    stage_cycles: FloatArray
    group_cycles: FloatArray
    slot_cycles: FloatArray
    bars: Table
    last_bar: IntArray
