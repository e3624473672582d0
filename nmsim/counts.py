"""Action counts: what the machine did, never what it costs; the contract from time to price."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nmsim.columns import Columns, distinct_numbers
from nmsim.sums import sum_rows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
T = TypeVar("T")
KEPT_KEYS = 16_384
"""Keys of rows whose texts are kept: those of the works of one network are a few hundred."""
KEPT_OF_BLOCKS = 8
"""Answers that blocks keep: price lists change from design to design, and come back while few other things change."""


class Phase(StrEnum):
    """Phases of a training step, in order; inference is the first two."""

    INTEGRATE = "integrate"
    NEURON = "neuron"
    ERROR = "error"
    GRADIENT = "gradient"
    UPDATE = "update"
    BARRIER = "barrier"
    TRANSFER = "transfer"
    """Loads and spills of whatever lives off chip."""


class Component(StrEnum):
    """Where an action happens."""

    ALU = "alu"
    REGISTERS = "registers"
    """Register files: the level of a core's memories that is built of flip-flops."""
    SRAM = "sram"
    NOC = "noc"
    CHIP_LINK = "chip_link"
    DRAM = "dram"
    SYNC = "sync"
    HOST = "host"
    """What feeds the chip; counts bits of samples that it sends."""
    EVENT = "event"
    """Whole events of chips whose energy is published per event; priced instead of the others, never besides."""


class Action(StrEnum):
    """The closed vocabulary of actions; `operand_bits` are given where a width decides the price.

    ALU, per operation: `sop` one synapse served for one spike (an addition; bits_a accumulator width), `mac`
    (bits_a x bits_b multiply, added into an accumulator of bits_c), `multiply` (bits_a x bits_b), `add` (bits_a),
    `compare` (bits_a), `lookup` (table word of bits_a), `random_draw` (bits_a), `shift` (bits_a).
    REGISTERS, SRAM and DRAM: `read`, `write`; the first two count words (of bits_a) of the memory named in `unit`,
    DRAM counts bits. DRAM besides: `activate`, rows opened.
    NOC: `flit_hop` links that flits (of bits_a) cross, each with a router before it; `wire_bit_um` bits times
    micrometres of link, all flits at their full width. CHIP_LINK, HOST: `bit`. SYNC: `barrier`, one per tile that takes
    part.
    EVENT: `synaptic_op`, `neuron_update_active`, `neuron_update_inactive`, `spike_out`, `synaptic_update`,
    `packet_local`, `hop_east_west`, `hop_north_south` (`unit`: the direction, `east` to `south`), `axon_in`, `axon_out`.
    """

    SOP = "sop"
    MAC = "mac"
    MULTIPLY = "multiply"
    ADD = "add"
    COMPARE = "compare"
    LOOKUP = "lookup"
    RANDOM_DRAW = "random_draw"
    SHIFT = "shift"
    READ = "read"
    WRITE = "write"
    ACTIVATE = "activate"
    FLIT_HOP = "flit_hop"
    WIRE_BIT_UM = "wire_bit_um"
    BIT = "bit"
    BARRIER = "barrier"
    SYNAPTIC_OP = "synaptic_op"
    NEURON_UPDATE_ACTIVE = "neuron_update_active"
    NEURON_UPDATE_INACTIVE = "neuron_update_inactive"
    SPIKE_OUT = "spike_out"
    SYNAPTIC_UPDATE = "synaptic_update"
    PACKET_LOCAL = "packet_local"
    HOP_EAST_WEST = "hop_east_west"
    HOP_NORTH_SOUTH = "hop_north_south"
    AXON_IN = "axon_in"
    AXON_OUT = "axon_out"


KEY_COLUMNS = ("component", "action", "unit", "bits_a", "bits_b", "bits_c", "phase", "layer", "core")


@dataclass(frozen=True)
class Block:
    """Rows of one table that share a key but for the core.

    `key` holds the values of `KEY_COLUMNS` without the last; `cores (n,)` numbers, -1 where shared; `counts (n, S)`.
    `of_steps (n, T)` are the counts of all samples by time step, with one entry where all of the `steps` are the same; None
    for what comes once per sample or batch.
    """

    key: tuple[Any, ...]
    cores: IntArray
    counts: IntArray
    per_batch: bool = False
    of_steps: IntArray | None = None
    steps: int = 1

    @property
    def nbytes(self) -> int:
        """Bytes of its counts."""
        return self.counts.nbytes + (0 if self.of_steps is None else self.of_steps.nbytes)

    @cached_property
    def by_core(self) -> dict[int, int]:
        """Counts of all samples by core."""
        found: dict[int, int] = {}
        for core, count in zip(self.cores.tolist(), self.counts.sum(axis=1).tolist(), strict=True):
            found[core] = found.get(core, 0) + count
        return found

    @cached_property
    def total(self) -> int:
        """Counts of all samples and cores."""
        return int(self.counts.sum())

    @property
    def by_step(self) -> IntArray | None:
        """Sums over samples by time step `(n, T)`; None for what comes once per sample or batch."""
        found = self.of_steps
        return None if found is None else np.broadcast_to(found, (len(found), self.steps))


class Blocks(tuple[Block, ...]):  # noqa: SLOT001 - what is found lies in its dictionary
    """Blocks that belong together, such as those of a stage, with what was found of them."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    @cached_property
    def off_chip(self) -> bool:
        """Whether any of them counts what DRAM does."""
        return any(block.key[0] is Component.DRAM for block in self)

    @cached_property
    def nbytes(self) -> int:
        """Bytes of their counts."""
        return sum(block.nbytes for block in self)

    def keep(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` found of these blocks when it was first asked under this key, or anew if many others came since."""
        kept: dict[Hashable, T] = self._kept
        if key not in kept:
            if len(kept) >= KEPT_OF_BLOCKS:
                kept.pop(next(iter(kept)))
            kept[key] = find()
        return kept[key]

    @cached_property
    def _kept(self) -> dict[Hashable, Any]:
        return {}


@dataclass(frozen=True, eq=False)
class ActionCounts:
    """A long table: one row per distinct key, one integer count per sample.

    Columns (all of length K): `component`, `action`, `unit` (memory name or ""), `bits_a`, `bits_b`, `bits_c` (0
    where unused), `phase`, `layer` (-1 where no layer), `core` (-1 where shared, e.g. the NoC). `counts (K, S)`
    int64, where S is the number of profiled samples; work done once per batch appears with `per_batch=True` rows and
    its full count, to be divided by the batch size when a per-sample figure is wanted.
    """

    columns: Columns
    counts: IntArray
    per_batch: NDArray[np.bool_]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", Columns.of(self.columns))

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def nbytes(self) -> int:
        """Bytes of its counts and columns, estimated."""
        return self.counts.nbytes + self.columns.nbytes

    @lru_cache(maxsize=8)  # noqa: B019 - a few, and small against the stages that they were counted from
    def per_sample(self, batch_size: int) -> FloatArray:
        """Counts per sample `(K, S)`: what comes once per batch is shared by its samples."""
        return np.asarray(self.counts / np.where(self.per_batch, batch_size, 1)[:, None])

    @classmethod
    def from_blocks(cls, blocks: Iterable[Block], samples: int) -> "ActionCounts":
        """Join blocks in order of their keys; rows of equal key are added up, rows of zeros dropped."""
        given = list(blocks)
        keys = [(*block.key, block.per_batch) for block in given]
        ordered = sorted(dict.fromkeys(keys), key=_texts)
        rank = {key: index for index, key in enumerate(ordered)}
        of_row = np.repeat(
            np.array([rank[key] for key in keys], np.int64), [len(block.cores) for block in given]
        )
        core = np.concatenate([np.zeros(0, np.int64), *(block.cores for block in given)])
        table = np.concatenate([np.zeros((0, samples), np.int64), *(block.counts for block in given)])
        first, place = distinct_numbers([of_row, core + 1])
        total = sum_rows(place, table, len(first))
        busy = np.asarray(total.any(axis=1))
        rows = first[busy]
        per_batch = np.array([key[-1] for key in ordered], np.bool_)
        values: dict[str, NDArray[Any]] = {
            name: np.array([key[i] for key in ordered], kind)
            for i, (name, kind) in enumerate(zip(KEY_COLUMNS[:-1], _KINDS, strict=True))
        }
        columns = Columns.picked(values, of_row[rows], core=core[rows])
        return cls(columns, total[busy], per_batch[of_row[rows]])

    @classmethod
    def from_rows(
        cls, rows: Iterable[tuple[tuple[Any, ...], IntArray | int, bool]], samples: int
    ) -> "ActionCounts":
        """Build from `(key values in KEY_COLUMNS order, counts (S,), per_batch)`, otherwise as `from_blocks`."""
        return cls.from_blocks(
            (
                Block(
                    key[:-1],
                    np.array([key[-1]]),
                    np.broadcast_to(np.asarray(counts, np.int64), (1, samples)),
                    once,
                )
                for key, counts, once in rows
            ),
            samples,
        )

    def select(self, **equal: Any) -> "ActionCounts":
        """Rows whose key columns equal the given values."""
        keep = self.columns.where(**equal)
        return ActionCounts(self.columns.take(keep), self.counts[keep], self.per_batch[keep])

    def total(self, **equal: Any) -> int:
        """Sum over samples of the selected rows."""
        return int(self.select(**equal).counts.sum())


@lru_cache(maxsize=KEPT_KEYS)
def _texts(key: tuple[Any, ...]) -> tuple[str, ...]:
    """What keys are sorted by."""
    return tuple(map(str, key))


@dataclass(frozen=True, eq=False)
class CoreActivity:
    """What the cores of one stage did, for what their clocks cost; per sample, its share of an update included.

    `phase` and `layer` of the stage; `cores (n,)`; `busy_cycles (n, S)` in which a core works; `lane_operations (n, S)`
    started in all of its lanes; `word_bits (n, S)` bits of the words that its memories took and gave, register files left
    out.
    """

    phase: Phase
    layer: int
    cores: IntArray
    busy_cycles: FloatArray
    lane_operations: FloatArray
    word_bits: FloatArray

    @cached_property
    def kept(self) -> dict[Hashable, float]:
        """What was found of `lane_operations` and `word_bits`, for all activities that have the same."""
        return {}


_KINDS = (np.str_, np.str_, np.str_, np.int64, np.int64, np.int64, np.str_, np.int64)
