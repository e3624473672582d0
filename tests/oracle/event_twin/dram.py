"""What the memory off chip does: one channel that serves transfers in the order in which they come."""

from event_twin.timeline import Timeline


class DramChannel:
    """A channel with bandwidth and latency; `free` is when it can start the next transfer."""

    def __init__(self, bits_per_cycle: float, latency_cycles: float, timeline: Timeline) -> None:
        self.bits_per_cycle, self.latency_cycles = bits_per_cycle, latency_cycles
        self.timeline = timeline
        self.free = 0.0
        self.waiting_cycles = 0.0

    def wait_cycles(self, now: float) -> float:
        """How long a transfer that asks now waits for those before it."""
        return max(0.0, self.free - now)

    def serve(self, now: float, bits: float, name: str) -> float:
        """Move some bits; when the last has arrived. The latency of a transfer hides behind the one before it."""
        taken = bits / self.bits_per_cycle
        start = now + self.wait_cycles(now)
        self.waiting_cycles += start - now
        self.free = start + taken
        self.timeline.add("dram", name, start, self.free)
        return self.free + self.latency_cycles
