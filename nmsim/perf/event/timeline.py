"""The record of a run: which core, memory, link, DRAM channel or barrier worked when."""

from numba.extending import register_jitable

from nmsim.perf.event.tables import NONE, IntArray, Table

LIMIT = 100_000
"""Bars kept: about 10 MB of trace. What comes later is counted, not kept."""


@register_jitable
def note(clock: Table, bars: Table, last: IntArray, key: int, start: float, end: float, busy: float) -> None:
    """Record a bar of which `busy` cycles are work, if it has a length; those of one key that touch become one."""
    if end <= start:
        return
    kept = last[key]
    if kept != NONE:
        bar = bars[kept]
        if start <= bar.end and end >= bar.start:
            bar.start, bar.end, bar.busy = min(bar.start, start), max(bar.end, end), bar.busy + busy
            return
    now = clock[0]
    if now.bars >= len(bars):
        now.left_out += 1
        return
    last[key] = now.bars
    new = bars[now.bars]
    new.key, new.start, new.end, new.busy = key, start, end, busy
    now.bars += 1
