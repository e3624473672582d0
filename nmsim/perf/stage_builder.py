"""Stage builder: how the phases write down what a stage does, access by access and operation by operation."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import Itself
from nmsim.contents import Content
from nmsim.counts import Action, Block, Blocks, Component, Phase
from nmsim.perf.entries import Entries
from nmsim.perf.machine import Lane, Machine
from nmsim.perf.rows_by_core import RowsByCore
from nmsim.perf.stage import Cadence, Stage, StageKind, stage_block
from nmsim.perf.traffic import Traffic
from nmsim.perf.uses import MAX_LANES
from nmsim.sums import sum_rows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
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
    """Writes down the work and the counts of one stage; a row is a slice, rows of one core are joined at the end."""

    def __init__(
        self, machine: Machine, phase: Phase, layer: int, part: StageKind, cores: IntArray,
        shape: tuple[int, int], cadence: Cadence = "step",
    ) -> None:  # fmt: skip
        self.machine, self.phase, self.layer, self.part = machine, phase, layer, part
        self.cores, self.cadence = cores, cadence
        self.shape = (1 if cadence == "batch" else shape[0], shape[1] if cadence == "step" else 1)
        self.entries = Entries(len(cores), self.shape)
        self.waits: FloatArray | None = None
        self.dram_bits = np.zeros(self.shape)
        self.samples = shape[0]
        self.by_events = bool(machine.event_timed[cores].all())
        self._counts = list[_Count]()

    def spread(self, values: IntArray | int) -> IntArray:
        """Counts `(n,)`, `(n, S, T)` or one number, with three axes, each as long as it has to be or 1."""
        array = np.asarray(values, np.int64)
        return array if array.ndim == 3 else array.reshape(-1, 1, 1)

    def at_cores(self, cores: IntArray, values: IntArray) -> IntArray:
        """Counts by core `(n', S, T)` as counts by row `(n, S, T)`, each at the first row of its core."""
        own = RowsByCore.of(self.cores)
        rows = np.zeros((len(self.cores), *self.shape), np.int64)
        rows[own.order[own.first[np.searchsorted(own.cores, cores)]]] = values
        return rows

    def compute(self, action: Action, operations: IntArray | int, lane: Lane | None, *bits: int) -> None:
        """ALU operations of one width on a lane; `lane=None`: part of an operation that took the lane already."""
        values = self.spread(operations)
        if lane is not None:
            self.entries.lane(lane, values)
        self._count(Component.ALU, action, "", bits, values)

    def occupy(self, lane: Lane, operations: IntArray) -> None:
        """Take a lane for as long as some operations do, which are counted apart or could have been started."""
        self.entries.lane(lane, self.spread(operations))

    def event(self, action: Action, happened: IntArray | int, kind: str = "") -> None:
        """Whole events, for chips priced and timed that way; `kind` of connection where it makes a difference."""
        values = self.spread(happened)
        service_ns = self.machine.service_ns(self.cores, action, kind)
        if service_ns.any():
            self.entries.lane(Lane.SERVICE, values, service_ns)
        self._count(Component.EVENT, action, kind, (), values)

    def packing(self, content: Content, bits: int, *, at: IntArray | None = None) -> Packing:
        """How values of a width lie in the memory that holds a content, or in the memories `at (n,)`."""
        if self.by_events:
            return Packing(np.ones_like(self.cores), np.ones_like(self.cores))
        return _packing(self.machine, Itself(self.cores), content if at is None else Itself(at), bits)

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
        lengths, apart = self.spread(run), self.machine.has_split_ports
        read = self.spread(reads)
        for action, words in (
            (Action.READ, read),
            (Action.WRITE, read if writes is reads else self.spread(writes)),
        ):
            if words.size == 1 and words[0, 0, 0] == 0:
                continue
            if takes_ports:
                self.entries.words(words, held.place, lengths, apart=apart and action is Action.WRITE)
            for level, name, word_bits, rows in held.kinds:
                self._count(level, action, name, (word_bits,), words, rows=rows)

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
            self.waits = np.zeros((len(self.cores), *self.shape)) if self.waits is None else self.waits
            self.waits += cycles

    def dram(self, read_bits: IntArray | int = 0, write_bits: IntArray | int = 0) -> None:
        """Bits over the DRAM channel on behalf of each row; whole bursts are moved."""
        dram = self.machine.chip.dram
        assert dram is not None
        for action, bits in ((Action.READ, read_bits), (Action.WRITE, write_bits)):
            moved = -(-self.spread(bits) // dram.burst_bits) * dram.burst_bits
            self.dram_bits += np.broadcast_to(moved, (len(self.cores), *moved.shape[1:])).sum(axis=0)
            self._count(Component.DRAM, action, "", (), moved)
            self._count(Component.DRAM, Action.ACTIVATE, "", (), -(-moved // dram.row_bits))

    def build(self, traffic: Traffic | None = None) -> Stage:
        """The stage; what its traffic does is added to what its cores do, and senders join its cores."""
        rows = RowsByCore.of(self.cores)
        if traffic is not None:
            rows = RowsByCore.found(np.concatenate([self.cores, *self._handle(traffic)]))
        waits = self.waits
        if waits is None:
            waits = np.zeros((len(rows.cores), *self.shape))
        elif rows.joined:
            waits = sum_rows(np.searchsorted(rows.cores, self.cores), waits, len(rows.cores))
        splits = self.machine.splits_ports[rows.cores if self.machine.has_split_ports else slice(0)]
        uses = self.entries.uses(rows, self.machine.memory_rate.shape[1], splits)
        return Stage(
            self.phase, self.layer, self.part, self.cadence, rows.cores, uses, waits, traffic,
            self.dram_bits, Blocks(self._blocks()), self.samples, self.machine.array_bits[rows.cores],
        )  # fmt: skip

    def _handle(self, traffic: Traffic) -> Iterator[IntArray]:
        """Events of packets at cores that need not be rows: their counts, and their share of the lanes; gives the cores."""
        before = len(self.cores)
        for action, (ends, packets) in ((Action.AXON_OUT, traffic.sent), (Action.AXON_IN, traffic.received)):
            on_chip = ends >= 0
            cores, handled = (ends, packets) if on_chip.all() else (ends[on_chip], packets[on_chip])
            service_ns = self.machine.service_ns(cores, action)
            if service_ns.any():
                self.entries.lane(Lane.SERVICE, handled, service_ns, first=before, rows=len(cores))
            self._count(Component.EVENT, action, "", (), handled, cores)
            before += len(cores)
            yield cores

    def _count(
        self, component: Component, action: Action, unit: str, bits: tuple[int, ...], values: IntArray,
        cores: IntArray | None = None, rows: BoolArray | None = None,
    ) -> None:  # fmt: skip
        """Have values of all rows counted, or of those on other `cores`, or of some `rows (n,)` only."""
        key = (component, action, unit, *bits, *(0,) * (3 - len(bits)), self.phase, self.layer)
        where = self.cores if cores is None else cores
        self._counts.append((key, where, self.entries.count(values, len(where)), rows))

    def _blocks(self) -> Iterator[Block]:
        totals = self.entries.totals()
        for key, where, number, rows in self._counts:
            cores, found = where, totals[number]
            if rows is not None:
                cores, found = where[rows], (found[0][rows], found[1][rows])
            yield stage_block(key, cores, found, self.cadence, self.samples, self.shape[1])


_Count = tuple[tuple[object, ...], IntArray, int, BoolArray | None]
"""Key, cores, number in `Entries.totals`, and which of the rows, all if None."""


@lru_cache(maxsize=KEPT)
def _packing(
    machine: Machine, cores: Itself[IntArray], where: Content | Itself[IntArray], bits: int
) -> Packing:
    memory = where.it if isinstance(where, Itself) else machine.memory_index(cores.it, where)
    word = machine.word_bits[cores.it, memory]
    return Packing(np.maximum(1, word // bits), np.maximum(1, -(-bits // word)))


@dataclass(frozen=True)
class _Held:
    """Memories of some cores that words of a content go to: their place behind the lanes, and what they are.

    The place is one for all cores, or one each `(n,)`. `kinds` are level, name, width of a word and rows `(n,)`, None where
    all rows are of one kind.
    """

    place: int | IntArray
    kinds: tuple[tuple[Component, str, int, BoolArray | None], ...]


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
    return _Held(MAX_LANES + one if alike else MAX_LANES + memory, tuple(found))
