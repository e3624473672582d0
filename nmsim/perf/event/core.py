"""What a core does: serves bursts of packets, or a whole stage at once, with its lanes and memories.

Lanes and memories are servers of their own, in order of arrival, shared by all stages of a core.
"""

import numpy as np
from numba.extending import register_jitable

from nmsim.perf.event.calendar import drop_first, new_node
from nmsim.perf.event.sram import access, soonest
from nmsim.perf.event.tables import NONE, Table, Tables
from nmsim.perf.event.timeline import note
from nmsim.perf.machine import Lane

EPSILON = 1e-9
"""Cycles below which a remainder is rounding noise."""
LANES = len(Lane)
SERVICE = int(Lane.SERVICE)


@register_jitable
def whole_cycles(cycles: float) -> float:
    """Cycles of a clock that a duration takes."""
    return float(np.ceil(cycles - EPSILON))


@register_jitable
def serve(on: Tables, number: int, now: float, part: float) -> float:
    """Do a part of the work of a row; when its last lane or memory is done."""
    row, memories = on.rows[number], on.uses.shape[1] - LANES
    stage, done, first = on.stages[row.stage], now, row.served == 0
    for lane in range(LANES):
        work = row.service if lane == SERVICE else on.lane_work[row.lanes + lane * stage.steps + stage.step]
        if work != 0.0:
            use, server = on.uses[number, lane], on.lanes[row.core, lane]
            if first:
                use.wait = max(0.0, server.free - now)
            use.end = take(server, now, work * part)
            done, row.served = max(done, use.end), 1
    for memory in range(memories):
        at = row.words + memory * stage.steps + stage.step
        if on.words[at] != 0.0:
            use, server = on.uses[number, LANES + memory], on.memories[row.core, memory]
            free = soonest(server, on.bank_free)
            if first:
                use.wait = max(0.0, free - now)
            words, bursts = on.words[at] * part, on.word_bursts[at] * part
            use.end = access(on.clock, server, on.bank_free, on.bank_load, now, words, bursts)
            done, row.served = max(done, use.end), 1
            if on.clock[0].timeline:
                busy = words / (server.ports * server.banks)
                note(on.clock, on.bars, on.last_bar, server.track + stage.name, max(now, free), use.end, busy)
    return done


@register_jitable
def waited_cycles(on: Tables, number: int) -> float:
    """How much later the work of a row ends than it would if no other stage had taken its lanes and memories first."""
    row = on.rows[number]
    if row.served == 0:
        return 0.0
    last, alone, stage = -np.inf, -np.inf, on.stages[row.stage]
    for place in range(on.uses.shape[1]):
        if place == SERVICE:
            work = row.service
        elif place < LANES:
            work = on.lane_work[row.lanes + place * stage.steps + stage.step]
        else:
            work = on.words[row.words + (place - LANES) * stage.steps + stage.step]
        if work != 0.0:
            use = on.uses[number, place]
            last, alone = max(last, use.end), max(alone, use.end - use.wait)
    return float(last - alone)


@register_jitable
def take(server: Table, now: float, operations: float) -> float:
    """Have a lane do some operations; when they are done."""
    server.free = max(now, server.free) + operations * server.cycles
    return float(server.free)


@register_jitable
def hand_out(on: Tables, core: int, now: float, packets: int) -> float:
    """Prepare packets for sending; no time on a clocked core, whose senders are part of the datapath."""
    each = on.cores[core].axon_out
    return take(on.lanes[core, SERVICE], now, packets * each) if each != 0.0 else now


@register_jitable
def admit(clock: Table, nodes: Table, core: Table, packets: int, packet_bits: int) -> float:
    """When a burst finds room in the queue: at once, or when enough of what waits has been served."""
    now: float = clock[0].now
    if core.queue_words == np.inf:
        return now
    words = -(-packet_bits // core.queue_bits)
    while core.first != NONE and nodes[core.first].a <= now:
        core.queued -= int(nodes[core.first].b)
        drop_first(clock, nodes, core)
    until: float = now
    while core.first != NONE and (core.queued + packets) * words > core.queue_words:
        until = nodes[core.first].a
        core.queued -= int(nodes[core.first].b)
        drop_first(clock, nodes, core)
    return until


@register_jitable
def enqueue(clock: Table, nodes: Table, core: Table, done: float, packets: int) -> None:
    """A burst stays in the queue until it is served."""
    if core.queue_words == np.inf:
        return
    new = new_node(clock, nodes, done, float(packets))
    if core.first == NONE:
        core.first = new
    else:
        nodes[core.last].next = new
    core.last = new
    core.queued += packets
