"""The record of a run: which core, memory, link, DRAM channel or barrier worked when."""

from nmsim.perf.model import TimelineEvent

LIMIT = 100_000
"""Bars kept: about 10 MB of trace. What comes later is counted, not kept."""


class Timeline:
    """Collects bars if `on`: those of one track and name that touch become one."""

    def __init__(self, *, on: bool, limit: int = LIMIT) -> None:
        self.on = on
        self.left_out = 0
        """Bars that came after the limit."""
        self._limit = limit
        self._bars: list[list[float]] = []
        self._names: list[tuple[str, str]] = []
        self._last: dict[tuple[str, str], int] = {}

    def add(self, track: str, name: str, start: float, end: float, busy_cycles: float | None = None) -> None:
        """One bar; bars without length are left out. `busy_cycles`: how much of it is work; all, if absent."""
        if not self.on or end <= start:
            return
        busy = end - start if busy_cycles is None else busy_cycles
        key = (track, name)
        bar = self._bars[self._last[key]] if key in self._last else None
        if bar is not None and start <= bar[1] and end >= bar[0]:
            bar[0], bar[1], bar[2] = min(bar[0], start), max(bar[1], end), bar[2] + busy
        elif len(self._bars) >= self._limit:
            self.left_out += 1
        else:
            self._last[key] = len(self._bars)
            self._bars.append([start, end, busy])
            self._names.append(key)

    def events(self, shift_cycles: float = 0.0) -> tuple[TimelineEvent, ...]:
        """The bars in order of their beginning being known, moved to a later time."""
        return tuple(
            TimelineEvent(track, name, start + shift_cycles, end - start, busy)
            for (track, name), (start, end, busy) in zip(self._names, self._bars, strict=True)
        )
