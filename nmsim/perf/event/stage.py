"""One stage at one time step: rows (its cores) that send, receive and work, ports that send, and transfers."""

from numba.extending import register_jitable

from nmsim.perf.event.core import SERVICE, admit, enqueue, hand_out, serve, waited_cycles, whole_cycles
from nmsim.perf.event.kinds import (
    INJECTS,
    PART_ENDED,
    PARTS_ENDED,
    PORT_STARTS,
    RECEIVED,
    ROW_DONE,
    ROW_STARTS,
    TRANSFER_STARTS,
    TRANSFERRED,
)
from nmsim.perf.event.noc import block, transmit
from nmsim.perf.event.queue import GOES_ON, STARTS, ask
from nmsim.perf.event.tables import NONE, Table, Tables
from nmsim.perf.event.timeline import note


@register_jitable
def start_stage(on: Tables, number: int) -> None:
    """Look at what is to be done at its time step, and start everything."""
    stage, now = on.stages[number], on.clock[0].now
    stage.start, stage.took, stage.left = now, 0.0, 0
    for place in range(stage.row, stage.past):
        row = on.rows[place]
        row.served, row.waits, row.expected, row.end = 0, 0, 0, now
        row.service = on.lane_work[row.lanes + SERVICE * stage.steps + stage.step]
    for place in range(stage.sender, stage.senders_past):
        _expect(on, stage, on.senders[place])
    for place in range(stage.row, stage.past):
        row = on.rows[place]
        row.missing = row.expected
        stage.left += 1
        ask(on.clock, on.events, now, STARTS, ROW_STARTS, place)
    span = on.stage_ports[number]
    for place in range(span.first, span.past):
        flow = on.flows[on.ports[place]]
        sender = on.senders[flow.sender]
        if not sender.started and on.packets[flow.packets + stage.step]:
            sender.started = 1
            stage.left += 1
            ask(on.clock, on.events, now, STARTS, PORT_STARTS, flow.sender)
    if on.dram_bits[stage.dram + stage.step] > 0.0:
        stage.left += 1
        ask(on.clock, on.events, now, STARTS, TRANSFER_STARTS, number)
    if stage.left == 0:
        ask(on.clock, on.events, now, GOES_ON, PARTS_ENDED, number)


@register_jitable
def _expect(on: Tables, stage: Table, sender: Table) -> None:
    """What a sender has to send at this step, and what its targets expect."""
    sender.turn, sender.at, sender.turns, sender.waits, sender.started = 0, sender.flow - 1, 0, 0, 0
    sent = 0
    for number in range(sender.flow, sender.past):
        flow = on.flows[number]
        packets = on.packets[flow.packets + stage.step]
        if packets == 0:
            continue
        sent += packets
        sender.turns = max(sender.turns, _bursts(on, packets))
        if flow.to_itself:
            on.rows[sender.row].expected += packets
        for place in range(flow.end, flow.ends_past):
            on.rows[on.ends[place].row].expected += packets
    if sender.core != NONE and on.cores[sender.core].timed:
        # the time to send packets is taken when they are sent
        on.rows[sender.row].service -= sent * on.cores[sender.core].axon_out


@register_jitable
def _burst_size(on: Tables, packets: int) -> int:
    clock = on.clock[0]
    return max(int(clock.least_burst), -(-packets // int(clock.bursts_per_flow)))


@register_jitable
def _bursts(on: Tables, packets: int) -> int:
    return -(-packets // _burst_size(on, packets))


@register_jitable
def start_row(on: Tables, number: int) -> None:
    """A core sends what there is to send; if nothing arrives, it serves everything at once."""
    row = on.rows[number]
    if row.expected == 0:
        row.end = serve(on, number, on.clock[0].now, 1.0)
    if row.sender == NONE or send(on, row.sender):
        receive(on, number)


@register_jitable
def receive(on: Tables, number: int) -> None:
    """A core that has sent everything waits for what is missing."""
    row = on.rows[number]
    if row.missing:
        row.waits = 1
    else:
        finish_row(on, number)


@register_jitable
def finish_row(on: Tables, number: int) -> None:
    """A core that has received everything works to the end and fills its pipeline."""
    row = on.rows[number]
    stage, now = on.stages[row.stage], on.clock[0].now
    worked = row.end - stage.start
    whole, alone = worked, worked - waited_cycles(on, number)
    if not on.cores[row.core].timed:
        whole, alone = whole_cycles(whole), whole_cycles(alone)
    fill = on.fill[row.cell + stage.step]
    row.finish = stage.start + whole + fill
    stage.took = max(stage.took, alone + fill, now - stage.start)
    if row.finish > now:
        ask(on.clock, on.events, now + (row.finish - now), GOES_ON, ROW_DONE, number)
    else:
        end_row(on, number)


@register_jitable
def end_row(on: Tables, number: int) -> None:
    """A core has done its part of the stage."""
    row = on.rows[number]
    stage = on.stages[row.stage]
    if on.clock[0].timeline:
        key = on.cores[row.core].track + stage.name
        note(on.clock, on.bars, on.last_bar, key, stage.start, row.finish, on.busy[row.cell + stage.step])
    ask(on.clock, on.events, on.clock[0].now, GOES_ON, PART_ENDED, row.stage)


@register_jitable
def send(on: Tables, number: int) -> bool:
    """Inject bursts, flow by flow in turn, whenever the tile's port is free; whether all are sent."""
    sender, clock = on.senders[number], on.clock[0]
    now = clock.now
    while True:
        if not sender.waits:
            if not _next_burst(on, sender):
                return True
            sender.ready = now if sender.core == NONE else hand_out(on, sender.core, now, sender.packets)
            if on.flows[sender.at].to_itself:
                deliver(on, sender.row, sender.packets, sender.ready, sender.ready)
            if on.flows[sender.at].end == on.flows[sender.at].ends_past:
                continue
        start = max(sender.ready, on.inject_free[on.flows[sender.at].tile])
        sender.waits = int(start > now)
        if sender.waits:
            ask(on.clock, on.events, now + (start - now), GOES_ON, INJECTS, number)
            return False
        clock.injection_stall += now - sender.ready
        transmit(on, sender.at, sender.packets)


@register_jitable
def _next_burst(on: Tables, sender: Table) -> bool:
    """Go to the next burst of a sender, the next flow's in turn; whether there is one."""
    step = on.stages[sender.stage].step
    while sender.turn < sender.turns:
        sender.at += 1
        if sender.at == sender.past:
            sender.at, sender.turn = sender.flow - 1, sender.turn + 1
            continue
        packets = on.packets[on.flows[sender.at].packets + step]
        if packets and sender.turn < _bursts(on, packets):
            size = _burst_size(on, packets)
            sender.packets = min(size, packets - sender.turn * size)
            return True
    return False


@register_jitable
def go_on_sending(on: Tables, number: int) -> None:
    """The injection port of a sender may be free."""
    sender = on.senders[number]
    if not send(on, number):
        return
    if sender.core == NONE:
        ask(on.clock, on.events, on.clock[0].now, GOES_ON, PART_ENDED, sender.stage)
    else:
        receive(on, sender.row)


@register_jitable
def arrive(on: Tables, number: int) -> None:
    """Have a burst served when its head arrives; a full queue keeps its way taken until there is room."""
    burst, clock = on.bursts[number], on.clock[0]
    stage, target = on.stages[on.flows[burst.flow].stage], on.ends[burst.end]
    room = admit(on.clock, on.nodes, on.cores[target.core], burst.packets, stage.packet_bits)
    if room > clock.now:
        block(on, burst, room)
    deliver(on, target.row, burst.packets, clock.now, max(burst.tail, room))
    burst.next = clock.free_burst
    clock.free_burst = number
    clock.spare_bursts += 1


@register_jitable
def deliver(on: Tables, number: int, packets: int, head: float, tail: float) -> None:
    """Packets are at a core, which serves them from the time of their head on."""
    row, clock = on.rows[number], on.clock[0]
    end = max(serve(on, number, head, packets / row.expected), tail)
    enqueue(on.clock, on.nodes, on.cores[row.core], end, packets)
    row.end = max(row.end, end)
    row.missing -= packets
    clock.packets += packets
    if row.missing == 0:
        ask(on.clock, on.events, clock.now, GOES_ON, RECEIVED, number)


@register_jitable
def transfer(on: Tables, number: int) -> None:
    """Move the bits of a stage over the DRAM channel; a transfer's latency hides behind the one before it."""
    stage, clock = on.stages[number], on.clock[0]
    now, bits = clock.now, on.dram_bits[stage.dram + stage.step]
    waited = max(0.0, clock.dram_free - now)
    start = now + waited
    clock.dram_waiting += start - now
    clock.dram_free = start + bits / clock.dram_rate
    if clock.timeline:
        key, end = clock.dram_name + stage.name, clock.dram_free
        note(on.clock, on.bars, on.last_bar, key, start, end, end - start)
    end = clock.dram_free + clock.dram_latency
    stage.took = max(stage.took, whole_cycles(end - stage.start - waited))
    ask(on.clock, on.events, now + whole_cycles(end - stage.start), GOES_ON, TRANSFERRED, number)
