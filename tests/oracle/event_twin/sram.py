"""What a memory does: banks that serve bursts of words, each bank taken until it is free again."""

from event_twin.chance import Chance
from event_twin.timeline import Timeline


class Sram:
    """A memory of interleaved banks; `free[b]` is when bank b can take the next word."""

    def __init__(self, banks: int, ports: float, chance: Chance, timeline: Timeline, track: str) -> None:
        self.banks, self.ports, self.chance = banks, ports, chance
        self.timeline, self.track = timeline, track
        self.free = [0.0] * banks
        self.conflict_cycles = 0.0

    def serve(self, now: float, words: float, bursts: float, name: str) -> float:
        """Take the banks for some bursts of neighbouring words; when the last word is done.

        Whole turns over the banks load them evenly; what is left of each burst starts at a bank drawn at random.
        """
        start = max(now, min(self.free))
        end = self._serve(now, words, bursts)
        self.timeline.add(self.track, name, start, end, words / (self.ports * self.banks))
        return end

    def _serve(self, now: float, words: float, bursts: float) -> float:
        if self.banks == 1:
            self.free[0] = max(now, self.free[0]) + words / self.ports
            return self.free[0]
        run = words / bursts if bursts > 1 else words
        left = run % self.banks
        even = bursts * (run - left) / self.banks if bursts > 1 else (words - left) / self.banks
        loads = self._spread(max(round(bursts), 1), left)
        end = now
        fullest = 0.0
        for bank, extra in enumerate(loads):
            load = (even + extra) / self.ports
            fullest = max(fullest, load)
            self.free[bank] = max(now, self.free[bank]) + load
            end = max(end, self.free[bank])
        self.conflict_cycles += fullest - words / (self.ports * self.banks)
        return end

    def _spread(self, bursts: int, left: float) -> list[float]:
        """Words per bank when each of so many bursts leaves `left` words at neighbouring banks."""
        loads = [0.0] * self.banks
        if left == 0:
            return loads
        whole, part = int(left), left - int(left)
        for start, times in self.chance.starts(bursts, self.banks):
            for offset in range(whole):
                loads[(start + offset) % self.banks] += times
            loads[(start + whole) % self.banks] += part * times
        return loads
