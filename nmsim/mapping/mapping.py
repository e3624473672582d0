"""The mapping: slices of layers on cores, and what each memory holds."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import HashedTuple
from nmsim.contents import Content
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.flow import LayerFlow
from nmsim.network.spec import SynapticLayer
from nmsim.shown import Shown

_SLICE_BYTES = 200
_RESIDENCY_BYTES = 150


@dataclass(frozen=True, slots=True)
class Slice:
    """A box of neurons of one synaptic layer on one core.

    Neurons are `channels` x `positions`: for convolution, output channels `[channel_start, channel_stop)`
    and rows `[row_start, row_stop)` of the map (all columns); for dense, neurons are channels and there is
    one row. `input_start..input_stop` is the range of input channels (dense: inputs) it sums: the whole
    fan-in unless the fan-in is split, in which case the slice with `owner=True` adds up the partial sums of
    the others (those with the same channels and rows) and holds the neurons' state.
    """

    layer: int
    core: int
    channel_start: int
    channel_stop: int
    row_start: int
    row_stop: int
    input_start: int
    input_stop: int
    owner: bool = True

    def on(self, core: int) -> "Slice":
        """The same box on another core."""
        return Slice(
            self.layer, core, self.channel_start, self.channel_stop, self.row_start, self.row_stop,
            self.input_start, self.input_stop, self.owner,
        )  # fmt: skip

    @property
    def shape(self) -> tuple[int, ...]:
        """What decides its needs: equal for slices of equal size (and row position, because of padding)."""
        channels, inputs = self.channel_stop - self.channel_start, self.input_stop - self.input_start
        return self.layer, channels, self.row_start, self.row_stop, inputs, self.owner

    @property
    def channels(self) -> int:
        """Output channels (dense: neurons)."""
        return self.channel_stop - self.channel_start

    @property
    def rows(self) -> int:
        """Rows of the output map (dense: 1)."""
        return self.row_stop - self.row_start

    def neurons(self, layer: SynapticLayer) -> int:
        """Neurons it computes, owned or as partial sums."""
        return self.channels * self.rows * (layer.out_shape[2] if layer.kind == "conv" else 1)

    def weights(self, layer: SynapticLayer) -> int:
        """Weights it holds; slices of the same channels but other rows hold the same ones."""
        return self.channels * (self.input_stop - self.input_start) * prod(layer.weight_shape[2:])

    def thresholds(self, layer: SynapticLayer) -> int:
        """Thresholds it holds: shared ones are copied to every core that uses them."""
        if not self.owner:
            return 0
        if layer.threshold_count == 1:
            return 1
        return self.channels if layer.threshold_count == layer.out_shape[0] else self.neurons(layer)

    def biases(self, layer: SynapticLayer) -> int:
        """Biases it holds: those of its channels, where it adds them to the sums of its own neurons."""
        return self.channels if layer.bias and self.owner else 0

    def input_rows(self, layer: SynapticLayer) -> tuple[int, int]:
        """Rows `[start, stop)` of the input map under its kernels, padding left out (dense: `(0, 1)`).

        Both are equal where all that a slice sees is padding.
        """
        if layer.kind == "dense":
            return 0, 1
        height, kernel = layer.in_shape[1], layer.weight_shape[2]
        start = self.row_start * layer.stride - layer.padding
        stop = (self.row_stop - 1) * layer.stride - layer.padding + kernel
        first = min(max(start, 0), height)
        return first, max(min(stop, height), first)

    def inputs(self, layer: SynapticLayer) -> int:
        """Inputs it needs, hence weight traces it keeps: slices that share inputs keep copies."""
        start, stop = self.input_rows(layer)
        width = layer.in_shape[2] if layer.kind == "conv" else 1
        return (self.input_stop - self.input_start) * (stop - start) * width


@dataclass(frozen=True, slots=True)
class Residency:
    """What one core keeps of one kind of data for one layer.

    `bits` is the data, `words` the words of the memory it takes, packing included (0 off chip). Layer -1 is
    a buffer that the core's layers use in turn: queues, accumulators and deltas of the layer in work, and,
    where data lives off chip but is worked on from a memory, the largest piece that is loaded at a time.
    """

    core: int
    layer: int
    content: Content
    bits: int
    memory: str | None
    """Name of the core's memory; None where it lives off chip (DRAM)."""
    words: int = 0


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """How full one memory of one core is.

    `words_by_content` splits `words_used`. `data_bits` of the words are data; the rest is what whole words leave empty,
    and lists of what is not zero.
    """

    core: int
    memory: str
    words_used: int
    words: int
    word_bits: int
    words_by_content: dict[str, int]
    data_bits: int

    @property
    def utilization(self) -> float:
        """Share of its words in use."""
        return self.words_used / self.words

    @property
    def used_bits(self) -> int:
        """Bits of the words in use."""
        return self.words_used * self.word_bits

    @property
    def capacity_bits(self) -> int:
        """Bits of all its words."""
        return self.words * self.word_bits

    @property
    def by_content_bits(self) -> dict[str, int]:
        """`used_bits` by kind of data."""
        return {content: words * self.word_bits for content, words in self.words_by_content.items()}


class Slices(HashedTuple[Slice]):
    """The slices of a mapping, which mappings on many chips have in common: what follows from them is found once."""

    @property
    def nbytes(self) -> int:
        """Memory that they take."""
        return _SLICE_BYTES * len(self)

    @cached_property
    def by_layer(self) -> dict[int, HashedTuple[Slice]]:
        """Those of every layer in order of core."""
        layers: dict[int, list[Slice]] = defaultdict(list)
        for piece in sorted(self, key=lambda p: (p.core, p.channel_start, p.row_start, p.input_start)):
            layers[piece.layer].append(piece)
        return {layer: HashedTuple(pieces) for layer, pieces in layers.items()}

    @cached_property
    def cores(self) -> tuple[int, ...]:
        """Indices of the cores that hold one."""
        return tuple(sorted({piece.core for piece in self}))

    @cached_property
    def text(self) -> str:
        """Written out."""
        return repr(self)


class Residencies(HashedTuple[Residency]):
    """What all cores of a mapping keep."""

    @property
    def nbytes(self) -> int:
        """Memory that they take."""
        return _RESIDENCY_BYTES * len(self)

    @cached_property
    def by_memory(self) -> dict[tuple[int, str], tuple[dict[str, int], int]]:
        """Words by kind of data, and bits of data, of every memory (core, name) on the chip."""
        words: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        bits: dict[tuple[int, str], int] = defaultdict(int)
        for row in self:
            if row.memory is not None:
                words[row.core, row.memory][str(row.content)] += row.words
                bits[row.core, row.memory] += row.bits
        return {place: (dict(held), bits[place]) for place, held in words.items()}

    @cached_property
    def off_chip(self) -> dict[int, dict[tuple[int, Content], int]]:
        """Bits that live in DRAM by layer, then core and kind of data."""
        bits: dict[int, dict[tuple[int, Content], int]] = defaultdict(dict)
        for row in self:
            if row.memory is None:
                bits[row.layer][row.core, row.content] = row.bits
        return dict(bits)

    @cached_property
    def text(self) -> str:
        """Written out."""
        return repr(self)


@dataclass(frozen=True, repr=False)
class Mapping(Shown):
    """A network on a chip: which core works on which part of which layer, and which memory holds which of its data.

    `nmsim.deploy` makes one, by itself or as a file says (docs/machine.md). `slices` are boxes of neurons on cores,
    `residency` says where every kind of data of every layer lives. `network_hash` and `chip_hash` tell whose it is.
    `time_multiplexed`: the slices of a layer on one core are worked on in turn; what is off chip is loaded at
    the start of a slice's turn and, if it changed, written back at its end.
    """

    network_hash: str
    chip_hash: str
    rule: str
    slices: Slices
    residency: Residencies
    time_multiplexed: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)
    chosen: str = ""
    """What a search chose and what it beat, in one sentence."""
    flows: tuple[LayerFlow, ...] = ()
    """How each layer runs; none: as the chip prescribes."""

    def __post_init__(self) -> None:
        """Slices and residency keep their hash, and what follows from them, from mapping to mapping."""
        for name, kind in (("slices", Slices), ("residency", Residencies)):
            if not isinstance(getattr(self, name), kind):
                object.__setattr__(self, name, kind(getattr(self, name)))

    def __hash__(self) -> int:
        """Of where everything is."""
        return hash((self.slices, self.residency, self.rule, self.flows, self.chip_hash))

    def content_hash(self) -> str:
        """First 16 hex digits of the SHA-256 of where everything is and how it runs."""
        held = (
            *(repr(text) for text in (self.network_hash, self.chip_hash, self.rule)),
            self.slices.text,
            self.residency.text,
            repr(self.flows),
        )
        return hashlib.sha256(f"({', '.join(held)})".encode()).hexdigest()[:16]

    @property
    def cores_used(self) -> tuple[int, ...]:
        """Indices of the cores that hold a slice."""
        return self.slices.cores

    def slices_of(self, layer: int) -> tuple[Slice, ...]:
        """Slices of a layer in order of core."""
        return self.slices.by_layer.get(layer, ())

    def neuron_core(self, layer: int, out_shape: tuple[int, ...]) -> NDArray[np.int32]:
        """Core that owns each neuron of a layer, shape `out_shape`."""
        core = np.full(out_shape, -1, np.int32)
        for piece in self.slices_of(layer):
            if piece.owner and len(out_shape) == 1:
                core[piece.channel_start : piece.channel_stop] = piece.core
            elif piece.owner:
                core[piece.channel_start : piece.channel_stop, piece.row_start : piece.row_stop] = piece.core
        return core

    def flow(self, layer: int, chip: ChipConfig) -> LayerFlow:
        """How a layer runs."""
        return self.flows[layer] if self.flows else LayerFlow.of(chip.options.dataflow)

    def off_chip_bits(self, content: Content | None = None) -> int:
        """Bits that live in DRAM, of one kind or of all."""
        rows = (r for r in self.residency if r.memory is None and content in {None, r.content})
        return sum(row.bits for row in rows)

    def words_filled(self, chip: ChipConfig) -> dict[str, float]:
        """By name of memory: bits of data over bits of the words they take, over all cores in use."""
        words = {
            (core.index, memory.name): memory.word_bits
            for core in chip.cores()
            for memory in core.type.memories
        }
        data: dict[str, int] = defaultdict(int)
        taken: dict[str, int] = defaultdict(int)
        for row in self.residency:
            if row.memory is not None:
                data[row.memory] += row.bits
                taken[row.memory] += row.words * words[row.core, row.memory]
        return {name: data[name] / taken[name] for name in data if taken[name]}

    def memory_use(self, chip: ChipConfig) -> tuple[MemoryUse, ...]:
        """Every memory of every core in use, in order of core, with what it holds."""
        held, cores = self.residency.by_memory, chip.cores()
        nothing: tuple[dict[str, int], int] = ({}, 0)
        return tuple(
            MemoryUse(
                core, memory.name, sum(words.values()), memory.words, memory.word_bits, dict(words), data_bits
            )
            for core in self.cores_used
            for memory in cores[core].type.memories
            for words, data_bits in [held.get((core, memory.name), nothing)]
        )
