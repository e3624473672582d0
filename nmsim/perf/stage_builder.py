"""Stage builder: how the phases write down what a stage does, access by access and operation by operation."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import Itself
from nmsim.contents import Content
from nmsim.counts import Action, Block, Blocks, Component, Phase
from nmsim.perf.machine import Lane, Machine
from nmsim.perf.stage import Cadence, Stage, StageKind, counted_block
from nmsim.perf.traffic import Traffic
from nmsim.perf.uses import MAX_LANES, Uses
from nmsim.sums import sum_rows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
KEPT = 1024
"""Memories of some cores that are kept: every stage of a layer asks for the same."""


@dataclass(frozen=True)
class Packing:
    """How values lie in words of a memory, by core: whole values per word `(n,)`, or words per value."""

    per_word: IntArray
    per_value: IntArray

    def words(self, values: IntArray) -> IntArray:
        """Words of a run of `values (n,)` neighbouring values."""
        return np.where(self.per_value > 1, values * self.per_value, -(-values // self.per_word))


@dataclass(frozen=True)
class EntryPacking:
    """How entries of a width by core lie in words of a memory: whole entries per word `(n,)`, or words per entry."""

    per_word: IntArray
    per_entry: IntArray

    def words_of(self, entries: IntArray) -> IntArray:
        """Words of `entries (n, S, T)`."""
        per_word, per_entry = self.per_word[:, None, None], self.per_entry[:, None, None]
        return np.where(per_entry > 1, entries * per_entry, -(-entries // per_word))


class StageBuilder:
    """Adds up the work and the counts of one stage; a row is a slice, rows of one core are joined at the end."""

    def __init__(
        self, machine: Machine, phase: Phase, layer: int, part: StageKind, cores: IntArray,
        shape: tuple[int, int], cadence: Cadence = "step",
    ) -> None:  # fmt: skip
        self.machine, self.phase, self.layer, self.part = machine, phase, layer, part
        self.cores, self.cadence = cores, cadence
        self.shape = (1 if cadence == "batch" else shape[0], shape[1] if cadence == "step" else 1)
        n, memories = len(cores), machine.memory_rate.shape[1]
        self.lanes = np.zeros((n, MAX_LANES, *self.shape))
        self.reads = np.zeros((n, memories, *self.shape))
        self.writes = np.zeros((n, memories, *self.shape))
        self.bursts = np.zeros((n, memories, *self.shape))
        self.waits = np.zeros((n, *self.shape))
        self.dram_bits = np.zeros(self.shape)
        self.samples = shape[0]
        self.blocks: list[Block] = []
        self.by_events = bool(machine.event_timed[cores].all())

    def spread(self, values: IntArray | int) -> IntArray:
        """Counts `(n,)`, `(n, S, T)` or one number, with three axes; S and T stay 1 where all are the same."""
        array = np.asarray(values, np.int64)
        if array.ndim == 1:
            return array[:, None, None]
        n = len(self.cores)
        if array.ndim == 0:
            return np.full((n, 1, 1), array)
        return array if len(array) == n else np.broadcast_to(array, (n, *array.shape[1:]))

    def at_cores(self, cores: IntArray, values: IntArray) -> IntArray:
        """Counts by core `(n', S, T)` as counts by row `(n, S, T)`, each at the first row of its core."""
        order = np.argsort(self.cores, kind="stable")
        rows = np.zeros((len(self.cores), *self.shape), np.int64)
        rows[order[np.searchsorted(self.cores[order], cores)]] = values
        return rows

    def compute(
        self,
        action: Action,
        operations: IntArray | int,
        lane: Lane | None,
        *bits: int,
        lane_share: float = 1.0,
    ) -> None:
        """ALU operations of one width on a lane; `lane=None`: part of an operation that took the lane already."""
        values = self.spread(operations)
        if lane is not None:
            self.lanes[:, lane] += values * lane_share
        self._count(Component.ALU, action, "", bits, values)

    def occupy(self, lane: Lane, operations: IntArray) -> None:
        """Take a lane for as long as some operations do, which are counted apart or could have been started."""
        self.lanes[:, lane] += self.spread(operations)

    def event(self, action: Action, happened: IntArray | int, kind: str = "") -> None:
        """Whole events, for chips priced and timed that way; `kind` of connection where it makes a difference."""
        values = self.spread(happened)
        self.lanes[:, Lane.SERVICE] += (
            values * self.machine.service_ns(self.cores, action, kind)[:, None, None]
        )
        self._count(Component.EVENT, action, kind, (), values)

    def packing(self, content: Content, bits: int, *, at: IntArray | None = None) -> Packing:
        """How values of a width lie in the memory that holds a content, or in the memories `at (n,)`."""
        if self.by_events:
            return Packing(np.ones_like(self.cores), np.ones_like(self.cores))
        memory = self.machine.memory_index(self.cores, content) if at is None else at
        word = self.machine.word_bits[self.cores, memory]
        return Packing(np.maximum(1, word // bits), np.maximum(1, -(-bits // word)))

    def packing_of(self, content: Content, bits: IntArray) -> EntryPacking:
        """How entries of widths `(n,)` lie in the memory that holds a content."""
        word = self.machine.word_bits[self.cores, self.machine.memory_index(self.cores, content)]
        return EntryPacking(np.maximum(1, word // bits), np.maximum(1, -(-bits // word)))

    def access(
        self,
        content: Content,
        reads: IntArray | int = 0,
        writes: IntArray | int = 0,
        *,
        run: IntArray | int = 0,
        at: IntArray | None = None,
        takes_ports: bool = True,
    ) -> None:
        """Words read and written; they come in bursts of `run` neighbouring words (0: all of them in one sweep).

        They go to the content's home, or to the memories `at (n,)`. Words that take no ports are counted, and cost no time.

        Cores described by whole events have no memories to count.
        """
        if self.by_events:
            return
        held = _held(self.machine, Itself(self.cores), content if at is None else Itself(at))
        place, lengths = held.place, self.spread(run)
        for action, words, moved in ((Action.READ, reads, self.reads), (Action.WRITE, writes, self.writes)):
            if isinstance(words, int) and words == 0:
                continue
            values = self.spread(words)
            if takes_ports:
                moved[place] += values
                if not (action is Action.WRITE and writes is reads):
                    bursts = np.where(lengths > 0, values / np.maximum(lengths, 1), values > 0)
                self.bursts[place] += bursts
            for level, name, word_bits, rows in held.kinds:
                if rows is None:
                    self._count(level, action, name, (word_bits,), values)
                else:
                    self._count(level, action, name, (word_bits,), values[rows], self.cores[rows])

    def sweep(
        self, content: Content, values: IntArray, bits: int, *, read: bool = True, write: bool = True,
        at: IntArray | None = None,
    ) -> None:  # fmt: skip
        """Read and/or write a run of `values (n,)` neighbouring values once."""
        words = self.packing(content, bits, at=at).words(values)
        self.access(content, reads=words if read else 0, writes=words if write else 0, at=at)

    def wait(self, cycles: FloatArray | IntArray) -> None:
        """The datapath runs empty for some cycles `(n, S, T)`; no time on cores timed by whole events."""
        if not self.by_events:
            self.waits += cycles

    def dram(self, read_bits: IntArray | int = 0, write_bits: IntArray | int = 0) -> None:
        """Bits over the DRAM channel on behalf of each row; whole bursts are moved."""
        dram = self.machine.chip.dram
        assert dram is not None
        for action, bits in ((Action.READ, read_bits), (Action.WRITE, write_bits)):
            moved = -(-self.spread(bits) // dram.burst_bits) * dram.burst_bits
            self.dram_bits += moved.sum(axis=0)
            self._count(Component.DRAM, action, "", (), moved)
            self._count(Component.DRAM, Action.ACTIVATE, "", (), -(-moved // dram.row_bits))

    def build(self, traffic: Traffic | None = None) -> Stage:
        """The stage; what its traffic does is added to what its cores do, and senders join its cores."""
        cores, lanes = self.cores, self.lanes
        if traffic is not None:
            for action, (ends, packets) in (
                (Action.AXON_OUT, traffic.sent),
                (Action.AXON_IN, traffic.received),
            ):
                on_chip = ends >= 0
                handled = self._handle(action, ends[on_chip], packets[on_chip])
                cores, lanes = np.concatenate([cores, ends[on_chip]]), np.concatenate([lanes, handled])
        reads, writes, bursts, waits = self.reads, self.writes, self.bursts, self.waits
        distinct, inverse = np.unique(cores, return_inverse=True)
        if len(distinct) < len(cores) or (distinct != cores).any():
            lanes, reads, writes, bursts, waits = (
                sum_rows(inverse[: len(array)], array, len(distinct))
                for array in (lanes, reads, writes, bursts, waits)
            )
        words = reads + writes
        split = self.machine.splits_ports[distinct][:, :, None, None]
        if split.any():
            bursts = np.where(
                split & (words > 0), bursts * np.maximum(reads, writes) / np.maximum(words, 1), bursts
            )
            words = np.where(split, np.maximum(reads, writes), words)
        return Stage(
            self.phase, self.layer, self.part, self.cadence, distinct, Uses.of(lanes, words, bursts), waits, traffic,
            self.dram_bits, Blocks(self.blocks), self.samples, self.machine.array_bits[distinct],
        )  # fmt: skip

    def _handle(self, action: Action, cores: IntArray, packets: IntArray) -> FloatArray:
        """Events of packets at cores that need not be rows: their counts, and their share of the lanes."""
        self._count(Component.EVENT, action, "", (), packets, cores)
        lanes = np.zeros((len(cores), MAX_LANES, *self.shape))
        lanes[:, Lane.SERVICE] = packets * self.machine.service_ns(cores, action)[:, None, None]
        return lanes

    def _count(
        self, component: Component, action: Action, unit: str, bits: tuple[int, ...], values: IntArray,
        cores: IntArray | None = None,
    ) -> None:  # fmt: skip
        key = (component, action, unit, *bits, *(0,) * (3 - len(bits)), self.phase, self.layer)
        where = self.cores if cores is None else cores
        self.blocks.append(counted_block(key, where, values, self.shape, self.samples, self.cadence))


@dataclass(frozen=True)
class _Held:
    """Memories of some cores that words of a content go to: their place in arrays `(n, M, ...)`, and what they are.

    `kinds` are level, name, width of a word and rows `(n,)`, None where all rows are of one kind.
    """

    place: tuple[Any, Any]
    kinds: tuple[tuple[Component, str, int, NDArray[np.bool_] | None], ...]


@lru_cache(maxsize=KEPT)
def _held(machine: Machine, cores: Itself[IntArray], where: Content | Itself[IntArray]) -> _Held:
    memory = where.it if isinstance(where, Itself) else machine.memory_index(cores.it, where)
    one = int(memory[0])
    alike = bool((memory == one).all())
    kinds = machine.memory_kind[cores.it, memory]
    found = []
    for kind in sorted(set(kinds.tolist())):
        name, word_bits = machine.memory_kinds[kind]
        level = Component.REGISTERS if (name, word_bits) in machine.registers else Component.SRAM
        rows = kinds == kind
        found.append((level, name, word_bits, None if rows.all() else rows))
    return _Held((slice(None), one) if alike else (np.arange(len(memory)), memory), tuple(found))
