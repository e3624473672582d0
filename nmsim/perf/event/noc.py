"""The network on chip: bursts over links, with arbitration and back-pressure.

A link's calendar says from when it is free; a burst is a train of flits that crosses the links of its tree one
after the other, its head as soon as each link is free. Where the head waits, the train keeps what it occupies behind
it, except for the flits that the queues on the way can take.
"""

from numba.extending import register_jitable

from nmsim.perf.event.calendar import book, hold
from nmsim.perf.event.kinds import ARRIVES
from nmsim.perf.event.queue import GOES_ON, ask
from nmsim.perf.event.tables import Table, Tables
from nmsim.perf.event.timeline import note


@register_jitable
def transmit(on: Tables, number: int, packets: int) -> None:
    """Send a burst of a flow that has the injection port of its tile, and have it arrive at every target."""
    clock, flow = on.clock[0], on.flows[number]
    stage, now = on.stages[flow.stage], clock.now
    flits = packets * stage.flits
    port_taken = flits * clock.port_cycles
    # the first entry is the router of the source's own tile, which parent or leaf -1 stands for
    on.heads[0], on.tails[0] = now + clock.entry_cycles, now + port_taken + clock.entry_cycles
    on.inject_free[flow.tile] = now + port_taken
    for place in range(flow.steps_past - flow.step):
        step = on.steps[flow.step + place]
        head, tail = on.heads[step.parent + 1], on.tails[step.parent + 1]
        pace, link = on.paces[stage.pace, step.link], on.links[step.link]
        begin, end = book(on.clock, on.nodes, on.links, step.link, head, flits * pace)
        if begin > head:
            _wait(on, flow, stage, step.parent, head, begin, flits, pace)
        if clock.timeline:
            note(on.clock, on.bars, on.last_bar, link.track + stage.name, begin, end, flits * pace)
        on.heads[place + 1], on.tails[place + 1] = begin + link.latency, max(tail, end) + link.latency
    for place in range(flow.end, flow.ends_past):
        target = on.ends[place]
        head, tail = on.heads[target.leaf + 1], on.tails[target.leaf + 1]
        begin, end = book(on.clock, on.nodes, on.links, target.tile, head, port_taken)
        if begin > head:
            _wait(on, flow, stage, target.leaf, head, begin, flits, clock.port_cycles)
        number_of_burst = clock.free_burst
        burst = on.bursts[number_of_burst]
        clock.free_burst = burst.next
        clock.spare_bursts -= 1
        burst.flow, burst.end, burst.packets, burst.tail = number, place, packets, max(tail, end)
        ask(on.clock, on.events, now + (begin - now), GOES_ON, ARRIVES, number_of_burst)


@register_jitable
def _wait(
    on: Tables, flow: Table, stage: Table, position: int, head: float, begin: float, flits: int, pace: float
) -> None:  # fmt: skip
    """A head waits for a link, at most for the turn of another burst before its first packets move."""
    on.clock[0].link_stall += begin - head
    _keep(on, flow, position, head + min(begin - head, stage.turn_flits * pace), flits, pace)


@register_jitable
def block(on: Tables, burst: Table, until: float) -> None:
    """A full queue at the target takes the last flits of a burst only at a later time."""
    clock, flow = on.clock[0], on.flows[burst.flow]
    flits = burst.packets * on.stages[flow.stage].flits
    clock.queue_stall += max(until - burst.tail, 0.0)
    begin = until - flits * clock.port_cycles
    _keep(on, flow, on.ends[burst.end].leaf, begin, flits, clock.port_cycles)


@register_jitable
def _keep(on: Tables, flow: Table, position: int, begin: float, flits: int, pace: float) -> None:
    """Keep the links behind a waiting head taken: all but the flits that fit the queues drain once it moves."""
    waiting = flits - on.clock[0].buffer_flits
    while waiting > 0.0:
        until = begin + waiting * pace
        if position < 0:
            on.inject_free[flow.tile] = max(on.inject_free[flow.tile], until)
            return
        step = on.steps[flow.step + position]
        hold(on.links, step.link, until)
        position = step.parent
        waiting -= on.clock[0].buffer_flits
