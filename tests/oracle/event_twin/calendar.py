"""A calendar: when a link or port is taken, and the idle time between bookings."""


class Calendar:
    """Bookings of one link, made in any order of time.

    A burst is many packets, so it takes idle time as it finds it: first what lies between earlier bookings, then what
    comes after `free`, from which nothing is booked.
    """

    __slots__ = ("free", "gaps")

    def __init__(self) -> None:
        self.free = 0.0
        self.gaps: list[tuple[float, float]] = []

    def book(self, now: float, head: float, cycles: float) -> tuple[float, float]:
        """Reserve `cycles` from `head` onward; return the start of the first and the end of the last."""
        begin = None
        if self.gaps:
            latest = self.gaps[-1][1]
            if latest <= now:
                self.gaps.clear()
            elif head < latest:
                begin, cycles, end = self._fill(now, head, cycles)
                if begin is not None and cycles <= 0:
                    return begin, end
        start = max(self.free, head)
        if start > self.free:
            self.gaps.append((self.free, start))
        self.free = start + cycles
        return (start if begin is None else begin), self.free

    def _fill(self, now: float, head: float, cycles: float) -> tuple[float | None, float, float]:
        """Use gaps that have not passed; first cycle used, cycles still to book, end of the last cycle used."""
        gaps = self.gaps
        passed = 0
        while gaps[passed][1] <= now:
            passed += 1
        del gaps[:passed]
        begin, end = None, head
        usable = 0
        while gaps[usable][1] <= head:
            usable += 1
        used, left = usable, []
        while cycles > 0 and used < len(gaps):
            first, last = gaps[used]
            start = max(first, head)
            end = min(start + cycles, last)
            cycles -= end - start
            begin = start if begin is None else begin
            if start > first:
                left.append((first, start))
            if last > end:
                left.append((end, last))
            used += 1
        gaps[usable:used] = left
        return begin, cycles, end

    def hold(self, until: float) -> None:
        """Keep it taken until some time."""
        self.free = max(self.free, until)
