"""The machine as arrays over its cores: what each starts per cycle, where its data lies, which tile it is on."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import STORED, SUMS, Content
from nmsim.counts import Action
from nmsim.errors import ConfigError, NotModelledError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core, StageDepths
from nmsim.hardware.routing import Links
from nmsim.hardware.sram import Sram
from nmsim.units import NS_PER_S

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class Lane(IntEnum):
    """Datapaths of a core; `SERVICE` is the single server of chips described by service times of whole events."""

    ACCUMULATE = 0
    MAC = 1
    NEURON = 2
    UPDATE = 3
    SERVICE = 4


SERVICE_TIMES: dict[str, str] = {
    Action.SYNAPTIC_OP: "synaptic_op_ns",
    f"{Action.SYNAPTIC_OP}/conv": "synaptic_op_conv_ns",
    Action.NEURON_UPDATE_ACTIVE: "neuron_update_active_ns",
    Action.NEURON_UPDATE_INACTIVE: "neuron_update_inactive_ns",
    Action.SPIKE_OUT: "spike_out_ns",
    Action.AXON_IN: "axon_in_ns",
    Action.AXON_OUT: "axon_out_ns",
    Action.SYNAPTIC_UPDATE: "synaptic_update_ns",
}


@dataclass(frozen=True, eq=False)
class Machine:
    """All C cores of a chip, with up to M memories each.

    `lane_rate (C, 5)` operations per cycle of each lane (SERVICE: nanoseconds of service per cycle; infinite for the
    lanes a core does not have); `memory_rate (C, M)` words per cycle over ports and banks, of the busier ports where
    `splits_ports (C, M)`: reads and writes have ports of their own; `banks (C, M)`; `words (C, M)`; `word_bits (C, M)`;
    `fill_cycles (C, M)` added pipeline fill where a memory is slower than one cycle; `depth_cycles (C,)` fill of the
    datapath by kind of stage; `row_cycles (C,)` lost at each row of deltas, or of weights, likewise;
    `update_by_words (C,)` whether a word of weights that is not full takes the lanes as long as one that is; `tile (C,)`;
    `event_timed (C,)`;
    `memory_kind (C, M)` index into `memory_kinds`, the distinct names and word widths, of which `registers` are register
    files; `memory_of` the memory `(C,)` in which a content is at home, `near_of` the smaller one in which sums are added
    up, -1 if none; `service` nanoseconds `(C,)` of a whole event, by action or `action/kind`, NaN if not published.
    """

    chip: ChipConfig
    links: Links
    lane_rate: FloatArray
    memory_rate: FloatArray
    banks: IntArray
    fill_cycles: FloatArray
    depth_cycles: Mapping[str, FloatArray]
    row_cycles: Mapping[str, FloatArray]
    update_by_words: NDArray[np.bool_]
    words: IntArray
    tile: IntArray
    event_timed: NDArray[np.bool_]
    word_bits: IntArray
    memory_kind: IntArray
    memory_kinds: tuple[tuple[str, int], ...]
    registers: frozenset[tuple[str, int]]
    splits_ports: NDArray[np.bool_]
    memory_of: Mapping[Content, IntArray]
    near_of: Mapping[Content, IntArray]
    service: Mapping[str, FloatArray]

    @classmethod
    def of(cls, chip: ChipConfig) -> "Machine":
        """The machine of a chip."""
        return _machine(chip)

    @cached_property
    def log_banks(self) -> FloatArray:
        """`2 ln(B)` of the banks of each memory `(C, M)`."""
        return np.asarray(2 * np.log(self.banks.astype(np.float64)))

    @cached_property
    def array_bits(self) -> IntArray:
        """Bits of a word of each memory `(C, M)`, 0 of register files."""
        arrays = np.array([kind not in self.registers for kind in self.memory_kinds])
        return np.asarray(self.word_bits * arrays[self.memory_kind])

    @cached_property
    def has_split_ports(self) -> bool:
        """Whether any memory's reads and writes have ports of their own."""
        return bool(self.splits_ports.any())

    @property
    def ingress(self) -> tuple[int, ...]:
        """Tiles at which samples enter."""
        return tuple(row * self.chip.columns + column for column, row in self.chip.noc.ingress)

    def tile_of(self, ends: IntArray) -> IntArray:
        """Tile of each end of a flow `(F,)`: a core, or a port (-1 the first, -2 the second, ...)."""
        ports = np.array(self.ingress)[np.clip(-1 - ends, 0, len(self.ingress) - 1)]
        return np.where(ends < 0, ports, self.tile[np.maximum(ends, 0)])

    def memory_index(self, cores: IntArray, content: Content) -> IntArray:
        """Which of its memories holds a kind of data, for each core.

        Raises:
            ConfigError: a core has no memory for it, on chip or as the buffer of what lives in DRAM.
        """
        index = self.memory_of[content][cores]
        if (index < 0).any():
            core = self.chip.cores()[cores[int(np.argmin(index))]]
            raise ConfigError(
                f"chip '{self.chip.name}', core type '{core.type.name}': no memory holds '{content}', which this run"
                " needs; add it to the 'holds' of a memory"
            )
        return index

    def service_ns(self, cores: IntArray, action: Action, kind: str = "") -> FloatArray:
        """Service time of an event on each core, nanoseconds; 0 on cores timed by lanes and memories.

        `kind` is the kind of connection; a time of its own is used where one is published.

        Raises:
            ConfigError: a chip described by its events publishes none for learning.
        """
        time_ns = self.service[action][cores]
        own = self.service.get(f"{action}/{kind}")
        if own is not None:
            time_ns = np.where(np.isnan(own[cores]), time_ns, own[cores])
        if np.isnan(time_ns).any():
            raise NotModelledError(
                f"chip '{self.chip.name}': its event_timing has no 'synaptic_update_ns', the time of a learning event,"
                " so training on it is not modelled; choose the rule 'inference', or give the key (and the event's"
                f" energy in price table '{self.chip.technology}')"
            )
        return time_ns


@lru_cache(maxsize=64)
def _machine(chip: ChipConfig) -> Machine:
    cores = chip.cores()
    kinds = chip.core_types
    names = {core.name: i for i, core in enumerate(kinds)}
    kind = np.array([names[core.type.name] for core in cores])
    width = max(len(core.memories) for core in kinds)
    memory_kinds, memory_kind = _memory_kinds(kinds, width)
    columns = zip(*(_row(core, width, chip.clock_hz) for core in kinds), strict=True)
    stacked = [np.stack(column)[kind] for column in columns]
    return Machine(
        chip, Links.of(chip),
        lane_rate=stacked[0], memory_rate=stacked[1], banks=stacked[2], fill_cycles=stacked[3],
        depth_cycles={
            name: np.array([0 if core.event_timing else getattr(core.depths, name) for core in kinds], np.float64)[kind]
            for name in StageDepths.model_fields
        },
        row_cycles={
            name: np.array([getattr(core, f"{name}_row_cycles") for core in kinds], np.float64)[kind]
            for name in ("propagate", "gradient", "update")
        },
        update_by_words=np.array([core.update_by_words for core in kinds])[kind],
        words=stacked[4],
        tile=np.array([core.row * chip.columns + core.column for core in cores]),
        event_timed=np.array([core.type.event_timing is not None for core in cores]),
        word_bits=stacked[5],
        memory_kind=memory_kind[kind],
        memory_kinds=memory_kinds,
        registers=frozenset(
            (memory.name, memory.word_bits) for core in kinds for memory in core.memories if memory.kind == "registers"
        ),
        splits_ports=stacked[6].astype(np.bool_),
        memory_of={content: np.array([core.home(content) for core in kinds])[kind] for content in STORED},
        near_of={content: np.array([core.near(content) for core in kinds])[kind] for content in SUMS},
        service={
            event: np.array([_service_ns(core, event, chip.clock_hz) for core in kinds])[kind]
            for event in (*Action, *SERVICE_TIMES)
        },
    )  # fmt: skip


def _memory_kinds(kinds: tuple[Core, ...], width: int) -> tuple[tuple[tuple[str, int], ...], IntArray]:
    known: dict[tuple[str, int], int] = {}
    table = np.zeros((len(kinds), width), np.int64)
    for row, core in enumerate(kinds):
        for column, memory in enumerate(core.memories):
            table[row, column] = known.setdefault((memory.name, memory.word_bits), len(known))
    return tuple(known), table


def _service_ns(core: Core, event: str, clock_hz: float) -> float:
    """Published time of an event, brought to the chip's clock where it has one; NaN where it is not published."""
    field = SERVICE_TIMES.get(event)
    if core.event_timing is None or field is None:
        return 0.0
    timing = core.event_timing
    time_ns = getattr(timing, field)
    if time_ns is None:
        return float("nan")
    return float(time_ns) * (timing.at_clock_hz / clock_hz if timing.at_clock_hz is not None else 1.0)


def _access_cycles(memory: Sram) -> float:
    if memory.access_cycles == "auto":
        raise ConfigError(
            f"memory '{memory.name}': access_cycles 'auto' depends on clock and supply, which time alone does not know;"
            " take the chip from nmsim.cost.clocking.clocked(chip, costs), as nmsim.evaluate does"
        )
    return float(memory.access_cycles)


def _row(core: Core, width: int, clock_hz: float) -> tuple[NDArray[np.generic], ...]:
    pad = width - len(core.memories)
    # lanes find their own register file free: its banks do not conflict
    banks = [1 if memory.kind == "registers" else memory.banks for memory in core.memories] + [1] * pad
    splits = [memory.splits_ports for memory in core.memories] + [False] * pad
    rate = [
        float(memory.banks if memory.splits_ports else memory.accesses_per_cycle) for memory in core.memories
    ] + [np.inf] * pad
    slow = [_access_cycles(memory) - 1 for memory in core.memories] + [0.0] * pad
    bits = [memory.word_bits for memory in core.memories] + [1] * pad
    if core.event_timing is not None:
        lanes, rate, slow = [np.inf] * 4 + [NS_PER_S / clock_hz], [np.inf] * width, [0.0] * width
    else:
        lanes = [core.accumulate_lanes, core.mac_lanes, core.neuron_lanes, core.update_lanes, np.inf]
    return (
        np.array(lanes, np.float64), np.array(rate), np.array(banks), np.array(slow),
        np.array([memory.words for memory in core.memories] + [0] * pad), np.array(bits), np.array(splits),
    )  # fmt: skip
