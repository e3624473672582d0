"""The queue of what happens next, in order of time, and of being asked for where times are equal."""

from numba.extending import register_jitable

from nmsim.perf.event.tables import Table

STARTS = 0
"""Order of a process that starts: at one time it comes before whatever goes on."""
GOES_ON = 1 << 60


@register_jitable
def ask(clock: Table, events: Table, time: float, order: int, kind: int, item: int) -> None:
    """Have something happen at a time; `order` is STARTS or GOES_ON."""
    now = clock[0]
    order += now.asked
    now.asked += 1
    at = now.waiting
    now.waiting += 1
    while at > 0:
        parent = (at - 1) // 2
        above = events[parent]
        if above.time < time or (above.time == time and above.order < order):
            break
        events[at].time, events[at].order = above.time, above.order
        events[at].kind, events[at].item = above.kind, above.item
        at = parent
    events[at].time, events[at].order = time, order
    events[at].kind, events[at].item = kind, item


@register_jitable
def take_next(clock: Table, events: Table) -> tuple[int, int]:
    """What happens next, its kind and item; the clock goes to its time."""
    first, now = events[0], clock[0]
    found = first.kind, first.item
    now.now = first.time
    now.waiting -= 1
    size = now.waiting
    last = events[size]
    time, order, kind, item = last.time, last.order, last.kind, last.item
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size:
            left, right = events[child], events[child + 1]
            if right.time < left.time or (right.time == left.time and right.order < left.order):
                child += 1
        below = events[child]
        if time < below.time or (time == below.time and order < below.order):
            break
        events[at].time, events[at].order = below.time, below.order
        events[at].kind, events[at].item = below.kind, below.item
        at = child
    events[at].time, events[at].order = time, order
    events[at].kind, events[at].item = kind, item
    return found
