"""Calendars: when a link or port is taken, and the idle time between bookings.

A burst is many packets, so it takes idle time as it finds it: first what lies between earlier bookings, then what comes
after `free`, from which nothing is booked.
"""

from numba.extending import register_jitable

from nmsim.perf.event.tables import NONE, Table


@register_jitable
def book(
    clock: Table, nodes: Table, links: Table, number: int, head: float, cycles: float
) -> tuple[float, float]:
    """Reserve `cycles` of a link from `head` onward; the start of the first and the end of the last."""
    link, begin = links[number], -1.0
    if link.first != NONE:
        latest, now = nodes[link.last].b, clock[0].now
        if latest <= now:
            while link.first != NONE:
                drop_first(clock, nodes, link)
        elif head < latest:
            begin, cycles, end = _fill(clock, nodes, link, head, cycles)
            if begin >= 0.0 and cycles <= 0.0:
                return begin, end
    start = max(link.free, head)
    if start > link.free:
        idle = new_node(clock, nodes, link.free, start)
        if link.first == NONE:
            link.first = idle
        else:
            nodes[link.last].next = idle
        link.last = idle
    link.free = start + cycles
    return (start if begin < 0.0 else begin), link.free


@register_jitable
def hold(links: Table, number: int, until: float) -> None:
    """Keep a link taken until some time."""
    links[number].free = max(links[number].free, until)


@register_jitable
def _fill(clock: Table, nodes: Table, link: Table, head: float, cycles: float) -> tuple[float, float, float]:
    """Use idle times that have not passed; first cycle used (-1: none), cycles still to book, end of the last cycle used."""
    now = clock[0].now
    while nodes[link.first].b <= now:
        drop_first(clock, nodes, link)
    before, idle = NONE, link.first
    while nodes[idle].b <= head:
        before, idle = idle, nodes[idle].next
    begin, end = -1.0, head
    while cycles > 0.0 and idle != NONE:
        after = nodes[idle].next
        start = max(nodes[idle].a, head)
        end = min(start + cycles, nodes[idle].b)
        cycles -= end - start
        if begin < 0.0:
            begin = start
        before = _use(clock, nodes, link, before, idle, start, end)
        idle = after
    return begin, cycles, end


@register_jitable
def _use(
    clock: Table, nodes: Table, link: Table, before: int, idle: int, start: float, end: float
) -> int:  # fmt: skip
    """Take a part out of an idle time; the last idle time before what comes after it."""
    after, last = nodes[idle].next, nodes[idle].b
    kept = before
    if start > nodes[idle].a:
        nodes[idle].b = start
        kept = idle
        if last > end:
            kept = new_node(clock, nodes, end, last)
            nodes[idle].next, nodes[kept].next = kept, after
    elif last > end:
        nodes[idle].a = end
        kept = idle
    else:
        _free(clock, nodes, idle)
        if before == NONE:
            link.first = after
        else:
            nodes[before].next = after
    if after == NONE:
        link.last = kept
    return kept


@register_jitable
def new_node(clock: Table, nodes: Table, a: float, b: float) -> int:
    """A list entry with nothing after it."""
    found: int = clock[0].free_node
    clock[0].free_node = nodes[found].next
    clock[0].spare_nodes -= 1
    nodes[found].a, nodes[found].b, nodes[found].next = a, b, NONE
    return found


@register_jitable
def _free(clock: Table, nodes: Table, number: int) -> None:
    nodes[number].next = clock[0].free_node
    clock[0].free_node = number
    clock[0].spare_nodes += 1


@register_jitable
def drop_first(clock: Table, nodes: Table, owner: Table) -> None:
    """Take the first entry off the list of a link or core."""
    first = owner.first
    owner.first = nodes[first].next
    if owner.first == NONE:
        owner.last = NONE
    _free(clock, nodes, first)
