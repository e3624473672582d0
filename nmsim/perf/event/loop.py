"""The loop over what happens: slots, their chains, turns of stages, and everything inside a stage."""

from numba.extending import register_jitable

from nmsim.fixedpoint.compiled import kernel
from nmsim.perf.event import kinds
from nmsim.perf.event.queue import GOES_ON, STARTS, ask, take_next
from nmsim.perf.event.stage import (
    arrive,
    end_row,
    finish_row,
    go_on_sending,
    send,
    start_row,
    start_stage,
    transfer,
)
from nmsim.perf.event.tables import Tables
from nmsim.perf.event.timeline import note


def run(on: Tables, nodes: int, bursts: int, events: int) -> bool:
    """Simulate until nothing happens any more (true), or until tables lack the room that one event may take (false).

    Call it again with larger tables then. `nodes`, `bursts` and `events` are that room.
    """
    clock = on.clock[0]
    if clock.asked == 0:
        _start_slot(on)
    while clock.waiting:
        if (
            clock.spare_nodes < nodes
            or clock.spare_bursts < bursts
            or len(on.events) - clock.waiting < events
        ):
            return False
        kind, item = take_next(on.clock, on.events)
        if kind <= kinds.TRANSFER_STARTS:
            _start(on, kind, item)
        elif kind <= kinds.TRANSFERRED:
            _go_on(on, kind, item)
        elif kind <= kinds.CHAINS_ENDED:
            _end(on, kind, item)
        else:
            _pass(on, kind, item)
    return True


@register_jitable
def _start(on: Tables, kind: int, item: int) -> None:
    if kind == kinds.CHAIN_STARTS:
        _start_turn(on, item)
    elif kind == kinds.STAGE_STARTS:
        start_stage(on, item)
    elif kind == kinds.ROW_STARTS:
        start_row(on, item)
    elif kind == kinds.PORT_STARTS:
        if send(on, item):
            ask(on.clock, on.events, on.clock[0].now, GOES_ON, kinds.PART_ENDED, on.senders[item].stage)
    else:
        transfer(on, item)


@register_jitable
def _go_on(on: Tables, kind: int, item: int) -> None:
    if kind == kinds.ARRIVES:
        arrive(on, item)
    elif kind == kinds.INJECTS:
        go_on_sending(on, item)
    elif kind == kinds.ROW_DONE:
        end_row(on, item)
    elif kind == kinds.TRANSFERRED:
        ask(on.clock, on.events, on.clock[0].now, GOES_ON, kinds.PART_ENDED, item)
    elif on.rows[item].waits:
        finish_row(on, item)


@register_jitable
def _end(on: Tables, kind: int, item: int) -> None:
    """A process has ended, or all that something waited for have."""
    clock = on.clock[0]
    if kind == kinds.PART_ENDED:
        on.stages[item].left -= 1
        if on.stages[item].left == 0:
            ask(on.clock, on.events, clock.now, GOES_ON, kinds.PARTS_ENDED, item)
    elif kind == kinds.PARTS_ENDED:
        stage = on.stages[item]
        on.stage_cycles[item, stage.step] += stage.took
        ask(on.clock, on.events, clock.now, GOES_ON, kinds.STAGE_ENDED, stage.chain)
    elif kind == kinds.STAGE_ENDED:
        on.chains[item].left -= 1
        if on.chains[item].left == 0:
            ask(on.clock, on.events, clock.now, GOES_ON, kinds.STAGES_ENDED, item)
    elif kind == kinds.CHAIN_ENDED:
        on.slots[clock.slot].left -= 1
        if on.slots[clock.slot].left == 0:
            ask(on.clock, on.events, clock.now, GOES_ON, kinds.CHAINS_ENDED, item)
    elif kind == kinds.STAGES_ENDED:
        _end_turn(on, item)
    else:
        _end_chains(on)


@register_jitable
def _pass(on: Tables, kind: int, item: int) -> None:
    """A barrier or the tick has passed."""
    if kind == kinds.TURN_PASSED:
        _start_turn(on, item)
    elif kind == kinds.SLOT_PASSED:
        _end_slot(on)
    else:
        on.clock[0].slot += 1
        _start_slot(on)


@register_jitable
def _start_slot(on: Tables) -> None:
    clock = on.clock[0]
    if clock.slot == len(on.slots):
        return
    slot = on.slots[clock.slot]
    clock.slot_start, slot.left = clock.now, slot.past - slot.first
    for number in range(slot.first, slot.past):
        on.chains[number].at = on.chains[number].turn
        ask(on.clock, on.events, clock.now, STARTS, kinds.CHAIN_STARTS, number)


@register_jitable
def _start_turn(on: Tables, number: int) -> None:
    """Start the stages of a chain's turn together, or end the chain."""
    chain, clock = on.chains[number], on.clock[0]
    if chain.at == chain.past:
        ask(on.clock, on.events, clock.now, GOES_ON, kinds.CHAIN_ENDED, number)
        return
    turn = on.turns[chain.at]
    group = on.groups[turn.group]
    chain.start, chain.left = clock.now, group.past - group.first
    for place in range(group.first, group.past):
        stage = on.stages[on.members[place]]
        stage.chain, stage.step = number, turn.step
        ask(on.clock, on.events, clock.now, STARTS, kinds.STAGE_STARTS, on.members[place])


@register_jitable
def _end_turn(on: Tables, number: int) -> None:
    chain = on.chains[number]
    turn = on.turns[chain.at]
    on.group_cycles[turn.group, turn.step] += on.clock[0].now - chain.start
    chain.at += 1
    if _barrier_per_turn(on):
        _wait_at_barrier(on, kinds.TURN_PASSED, number)
    else:
        _start_turn(on, number)


@register_jitable
def _end_chains(on: Tables) -> None:
    if _barrier_per_turn(on):
        _end_slot(on)
    else:
        _wait_at_barrier(on, kinds.SLOT_PASSED, 0)


@register_jitable
def _barrier_per_turn(on: Tables) -> bool:
    """Whether a barrier ends every turn of this slot: only where it has one chain."""
    slot = on.slots[on.clock[0].slot]
    return bool(on.clock[0].phase_barriers) and slot.past - slot.first == 1


@register_jitable
def _wait_at_barrier(on: Tables, kind: int, item: int) -> None:
    clock = on.clock[0]
    now, cycles = clock.now, clock.barrier_cycles
    if clock.timeline:
        note(on.clock, on.bars, on.last_bar, clock.barrier_name, now, now + cycles, now + cycles - now)
    ask(on.clock, on.events, now + cycles, GOES_ON, kind, item)


@register_jitable
def _end_slot(on: Tables) -> None:
    clock = on.clock[0]
    took = clock.now - clock.slot_start
    on.slot_cycles[clock.slot] = took
    if took < clock.tick_cycles:
        ask(on.clock, on.events, clock.now + (clock.tick_cycles - took), GOES_ON, kinds.TICK_PASSED, 0)
    else:
        clock.slot += 1
        _start_slot(on)


RUN = kernel(run, slow="the event-driven model (10 to 30 s)")
