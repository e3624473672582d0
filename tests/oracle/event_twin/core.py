"""What a core does: serves bursts of packets, or a whole stage at once, with its lanes and memories."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from event_twin.chance import Chance
from event_twin.sram import Sram
from event_twin.timeline import Timeline
from nmsim.contents import Content
from nmsim.counts import Action
from nmsim.perf.machine import Lane, Machine

EPSILON = 1e-9
"""Cycles below which a remainder is rounding noise."""


def whole_cycles(cycles: float) -> int:
    """Cycles of a clock that a duration takes."""
    return ceil(cycles - EPSILON)


@dataclass(slots=True)
class Share:
    """Work of one core in one stage: operations by lane, words and bursts by memory, and the fill before the first."""

    operations: Sequence[tuple[int, float]]
    accesses: Sequence[tuple[int, float, float]]
    fill_cycles: float
    clocked: bool
    waits: list[float] = field(default_factory=list)
    """How long each lane and memory was still taken by other stages when this one first asked for it."""
    ends: list[float] = field(default_factory=list)
    """When each lane and memory has done what was asked of it so far."""

    @classmethod
    def of(
        cls,
        lanes: Sequence[float],
        words: Sequence[float],
        bursts: Sequence[float],
        fill_cycles: float,
        *,
        clocked: bool,
    ) -> "Share":
        """From numbers for every lane and memory, of which most are zero."""
        return cls(
            [(lane, count) for lane, count in enumerate(lanes) if count],
            [(memory, count, bursts[memory]) for memory, count in enumerate(words) if count],
            fill_cycles,
            clocked,
        )

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.operations or self.accesses)

    def whole(self, cycles: float) -> float:
        """A duration as this core can take it: whole cycles if it has a clock."""
        return whole_cycles(cycles) if self.clocked else cycles

    @property
    def waited_cycles(self) -> float:
        """How much later the work ends than it would if no other stage had taken its lanes and memories first."""
        if not self.ends:
            return 0.0
        return max(self.ends) - max(end - wait for end, wait in zip(self.ends, self.waits, strict=True))


class Core:
    """One core: lanes and memories are servers of their own, in order of arrival, shared by all its stages."""

    def __init__(self, machine: Machine, number: int, chance: Chance, timeline: Timeline) -> None:
        self.track = f"core {number}"
        self.cycles_per_operation: list[float] = (1.0 / machine.lane_rate[number]).tolist()
        self.lane_free = [0.0] * len(self.cycles_per_operation)
        banks, rates = machine.banks[number].tolist(), machine.memory_rate[number].tolist()
        kinds = machine.memory_kind[number].tolist()
        self.memories = [
            Sram(bank, rate / bank, chance, timeline, f"memory {number} {machine.memory_kinds[kind][0]}")
            for bank, rate, kind in zip(banks, rates, kinds, strict=True)
        ]
        self.axon_out_ns = float(machine.service[Action.AXON_OUT][number])
        self.queue_words, self.queue_word_bits = _queue(machine, number)
        self.queue_bounded = self.queue_words < float("inf")
        self._queue: deque[tuple[float, int]] = deque()
        self._queued = 0

    def serve(self, now: float, share: Share, part: float, name: str) -> float:
        """Do a part of a stage's work; when its last resource is done."""
        if not share.ends:
            free = [self.lane_free[lane] for lane, _ in share.operations]
            free += [min(self.memories[memory].free) for memory, _, _ in share.accesses]
            share.waits = [max(0.0, moment - now) for moment in free]
        share.ends = [self._take(now, lane, operations * part) for lane, operations in share.operations]
        share.ends += [
            self.memories[memory].serve(now, words * part, bursts * part, name)
            for memory, words, bursts in share.accesses
        ]
        return max(share.ends, default=now)

    def hand_out(self, now: float, packets: int) -> float:
        """Prepare packets for sending; no time on a clocked core, whose senders are part of the datapath."""
        return self._take(now, Lane.SERVICE, packets * self.axon_out_ns) if self.axon_out_ns else now

    def _take(self, now: float, lane: int, operations: float) -> float:
        free = max(now, self.lane_free[lane]) + operations * self.cycles_per_operation[lane]
        self.lane_free[lane] = free
        return free

    def admit(self, now: float, packets: int, packet_bits: int) -> float:
        """When a burst finds room in the queue: at once, or when enough of what waits has been served."""
        if not self.queue_bounded:
            return now
        words = -(-packet_bits // self.queue_word_bits)
        while self._queue and self._queue[0][0] <= now:
            self._queued -= self._queue.popleft()[1]
        until = now
        while self._queue and (self._queued + packets) * words > self.queue_words:
            until, served = self._queue.popleft()
            self._queued -= served
        return until

    def enqueue(self, done: float, packets: int) -> None:
        """A burst stays in the queue until it is served."""
        if self.queue_bounded:
            self._queue.append((done, packets))
            self._queued += packets


def _queue(machine: Machine, number: int) -> tuple[float, int]:
    """Words of the memory that takes incoming packets, and their width; no bound where none is described."""
    index = int(machine.memory_of[Content.INPUT][number])
    if index < 0 or machine.event_timed[number]:
        return float("inf"), 1
    memory = machine.chip.cores()[number].type.memories[index]
    return float(memory.words), memory.word_bits
