"""What a part of a layer takes from a core's memories and neuron slots, and what room is left."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from nmsim.contents import STORED, Content
from nmsim.hardware.core import Core
from nmsim.hardware.skip import Skip
from nmsim.hardware.sram import Sram
from nmsim.mapping.mapping import Slice
from nmsim.mapping.stored_weights import StoredWeights
from nmsim.network.memory_terms import INPUTS, WEIGHTS, Sizes, Term
from nmsim.network.spec import SynapticLayer

NOWHERE = -1
"""The core of a piece that has none yet."""


@dataclass(frozen=True)
class LayerPlan:
    """A layer to be cut: its shapes, what it keeps in memory, and its share of the work (dense operations).

    `terms` say how many values of which width a piece keeps, given its `sizes`: a piece is then tried on a core without
    knowing anything of rules or formats.
    """

    layer: SynapticLayer
    terms: tuple[Term, ...]
    stored: StoredWeights | None = None
    """Its synapses, where the chip stores those that are there alone."""

    def alike(self, piece: Slice) -> tuple[int, ...]:
        """Equal for pieces of equal needs: of equal shape, and in the same place where not all synapses are there."""
        if self.stored is None:
            return piece.shape
        return (*piece.shape, piece.channel_start, piece.input_start)

    def keeps_synapses(self, term: Term) -> bool:
        """Whether a term has a value for every synapse that is there, not for every weight."""
        return self.stored is not None and term.per == WEIGHTS

    @property
    def rows(self) -> int:
        """Rows of the layer's map; 1 for dense."""
        return self.layer.out_shape[1] if self.layer.kind == "conv" else 1

    @property
    def work(self) -> int:
        """Operations of a dense forward step; error and gradient take as many each."""
        return self.layer.dense_macs + self.layer.neurons

    @property
    def whole(self) -> Slice:
        """The layer in one piece, on no core yet."""
        channels, units = self.layer.weight_shape[:2]
        return Slice(self.layer.index, NOWHERE, 0, channels, 0, self.rows, 0, units)

    def sizes(self, piece: Slice) -> Sizes:
        """Sizes of a piece of the layer."""
        neurons = piece.neurons(self.layer)
        return Sizes(
            neurons if piece.owner else 0,
            neurons,
            piece.inputs(self.layer),
            piece.weights(self.layer),
            piece.thresholds(self.layer),
            piece.biases(self.layer),
        )


Bound = Literal["max_fan_in", "neuron_slots"] | int
"""What limits a core: a key of its description, or the index of a memory."""


class Amount(NamedTuple):
    """How much of a memory some data takes."""

    words: int
    bits: int

    def plus(self, other: "Amount") -> "Amount":
        """Both together."""
        return Amount(self.words + other.words, self.bits + other.bits)

    def times(self, count: int) -> "Amount":
        """As much for each of some equal pieces."""
        return Amount(count * self.words, count * self.bits)


NOTHING = Amount(0, 0)


class Demand(NamedTuple):
    """What a piece of a layer asks of a core.

    `kept` stays in its memory, `buffers` are shared with other layers (and hold what is loaded from DRAM), `off_chip`
    bits live in DRAM. Equal pieces ask for the same: whoever asks for many of them keeps the answer.
    """

    layer: int
    slots: int
    fan_in: int
    """Synapses per neuron of the piece."""
    kept: dict[Content, Amount]
    buffers: dict[Content, Amount]
    off_chip: dict[Content, int]


@dataclass(frozen=True)
class Storage:
    """Where a type of core keeps each kind of data.

    `streamed` kinds live in DRAM and are worked on, one piece at a time, from the memory that holds them. A kind that
    is in no memory, or is `direct`, passes to and from DRAM without a buffer.
    """

    core: Core
    streamed: frozenset[Content] = frozenset()
    direct: frozenset[Content] = frozenset()
    skip: Skip = field(default_factory=Skip)
    homes: dict[Content, int] = field(init=False, compare=False)
    """Index of the memory in which a kind is kept or worked on."""

    def __post_init__(self) -> None:
        homes = {content: self.core.home(content) for content in STORED if content not in self.direct}
        object.__setattr__(self, "homes", {kind: home for kind, home in homes.items() if home >= 0})

    def off_chip(self, kind: Content) -> bool:
        """Whether the data's home is DRAM."""
        return kind in self.streamed or kind not in self.homes

    def least_words(self, plan: LayerPlan) -> list[int]:
        """Words of every memory that a layer keeps at least, into whatever pieces it is cut.

        Pieces share no words, and what several of them need has a copy in each. Left out, because smaller pieces may
        need less of it: lists of what is not zero, and inputs between the rows that kernels see.
        """
        layer, words = plan.layer, [0] * len(self.core.memories)
        sizes = plan.sizes(plan.whole)
        leaps = layer.kind == "conv" and layer.stride > layer.weight_shape[2]
        for term in plan.terms:
            if term.buffer or self.off_chip(term.kind) or (leaps and term.per == INPUTS):
                continue
            home, values = self.homes[term.kind], term.values(sizes)
            if plan.stored is not None and plan.keeps_synapses(term):
                values = term.times * plan.stored.synapses
            words[home] += self.core.memories[home].words_for(values, term.value_bits)
        return words

    def demand(self, plan: LayerPlan, piece: Slice) -> Demand:
        """What a piece asks of a core of this type."""
        sizes = plan.sizes(piece)
        fan_in = sizes.weights // piece.channels
        demand = Demand(plan.layer.index, sizes.neurons, fan_in, {}, {}, {})
        for term in plan.terms:
            amount = self._amount(plan, term, piece, sizes)
            if amount.bits == 0:
                continue
            buffered = demand.buffers.get(term.kind, NOTHING)
            if term.buffer and term.kind in self.homes:
                kind = self._shared(term.kind)
                demand.buffers[kind] = max(demand.buffers.get(kind, NOTHING), amount)
            elif self.off_chip(term.kind):
                demand.off_chip[term.kind] = demand.off_chip.get(term.kind, 0) + amount.bits
                if term.kind in self.homes:  # all of the piece is loaded for its turn
                    demand.buffers[term.kind] = buffered.plus(amount)
            else:
                demand.kept[term.kind] = demand.kept.get(term.kind, NOTHING).plus(amount)
        return demand

    def _shared(self, kind: Content) -> Content:
        """Whose buffer it is: input and error sums share one where they live in the same memory."""
        together = kind is Content.ERROR_SUM and self.homes.get(Content.INPUT_SUM) == self.homes[kind]
        return Content.INPUT_SUM if together else kind

    def _amount(self, plan: LayerPlan, term: Term, piece: Slice, sizes: Sizes) -> Amount:
        values = term.values(sizes)
        home = self.homes.get(term.kind)
        if home is None:
            return Amount(0, values * term.value_bits)
        memory = self.core.memories[home]
        if plan.stored is not None and plan.keeps_synapses(term) and not self.off_chip(term.kind):
            words, bits = plan.stored.words_and_bits(term, piece, memory)
            return Amount(words + self._list_words(term, bits // term.value_bits, words, memory), bits)
        words = memory.words_for(values, term.value_bits)
        return Amount(words + self._list_words(term, values, words, memory), values * term.value_bits)

    def _list_words(self, term: Term, values: int, words: int, memory: Sram) -> int:
        """Words of the list of what is not zero, as long as it can get; an event queue is such a list itself."""
        kinds = {
            Content.DELTA: self.skip.deltas,
            Content.WEIGHT_TRACE: self.skip.traces,
            Content.WEIGHT_GRADIENT: self.skip.gradients,
        }
        if term.kind is Content.HISTORY and term.per == INPUTS:
            kinds[Content.HISTORY] = self.skip.traces
        match kinds.get(term.kind, "none"):
            case "word_list":
                return memory.words_for(words, max(1, (words - 1).bit_length()))
            case "value_list":
                return memory.words_for(values, term.value_bits + max(1, (values - 1).bit_length()))
        return 0


@dataclass(frozen=True, eq=False, slots=True)
class Room:
    """What is left of a core with pieces in it. It never changes: a further piece makes another one.

    Buffers of different layers are used in turn, so the largest counts, kind by kind. Pieces of one layer work side by
    side, and their buffers add up, unless data is streamed: then every piece has its turn, and with it all of what its
    memories do not keep, so that the largest layer counts, memory by memory.
    """

    storage: Storage
    share: float = 1.0
    """Of what the core has."""
    slots: int = 0
    kept: tuple[int, ...] = ()
    """Words of every memory; none in an empty room."""
    layers: Mapping[int, Mapping[Content, int]] = field(default_factory=dict)
    """Words of buffers by layer and kind."""
    largest: Mapping[tuple[int, Content | None], int] = field(default_factory=dict)
    """Words of the largest layer by memory and kind of buffer, or by memory alone where data is streamed."""
    bounds: tuple[int, ...] = ()
    """Neuron slots, and words of every memory, that there are; filled in."""

    def __post_init__(self) -> None:
        """Bounds of an empty room, from which the others have them."""
        if not self.bounds:
            core, share = self.storage.core, self.share
            words = (int(memory.words * share) for memory in core.memories)
            object.__setattr__(self, "bounds", (max(1, int(core.neuron_slots * share)), *words))

    @property
    def words(self) -> list[int]:
        """Words in use of every memory."""
        used = list(self.kept or (0,) * len(self.storage.core.memories))
        for (memory, _), words in self.largest.items():
            used[memory] += words
        return used

    def with_piece(self, demand: Demand) -> "Room":
        """The same with a further piece, whether it fits or not."""
        storage, homes, streamed = self.storage, self.storage.homes, bool(self.storage.streamed)
        in_turn = Content.MEMBRANE in storage.streamed
        slots = max(self.slots, demand.slots) if in_turn else self.slots + demand.slots
        kept = list(self.kept or (0,) * len(storage.core.memories))
        for kind, amount in demand.kept.items():
            kept[homes[kind]] += amount.words
        before = self.layers.get(demand.layer, {})
        own = dict(before)
        for kind, amount in demand.buffers.items():
            there = own.get(kind, 0)
            own[kind] = max(there, amount.words) if streamed else there + amount.words
        if own == before:
            return Room(storage, self.share, slots, tuple(kept), self.layers, self.largest, self.bounds)
        turn: dict[tuple[int, Content | None], int] = {}
        for kind, words in own.items():
            place = homes[kind], None if streamed else kind
            turn[place] = turn.get(place, 0) + words
        largest = {place: max(self.largest.get(place, 0), words) for place, words in turn.items()}
        layers = {**self.layers, demand.layer: own}
        largest = {**self.largest, **largest}
        return Room(storage, self.share, slots, tuple(kept), layers, largest, self.bounds)

    def with_one_that_fits(self, demand: Demand) -> "Room | None":
        """The same with a further piece; None if it does not fit."""
        after = self.with_piece(demand)
        return None if any(True for _ in after.broken(demand.fan_in)) else after

    def fits(self, demand: Demand) -> bool:
        """Whether a piece fits into the space that is left."""
        return self.with_one_that_fits(demand) is not None

    def shortfalls(self, demand: Demand) -> Iterator[tuple[Bound, int]]:
        """Every bound that a further piece would break, and what all pieces together would need."""
        return self.with_piece(demand).broken(demand.fan_in)

    def broken(self, fan_in: int) -> Iterator[tuple[Bound, int]]:
        """Every bound that is broken, and what is needed; `fan_in` is the largest of a neuron here."""
        most, (slots, *bounds) = self.storage.core.max_fan_in, self.bounds
        if most is not None and fan_in > most:
            yield "max_fan_in", fan_in
        if self.slots > slots:
            yield "neuron_slots", self.slots
        for index, (words, bound) in enumerate(zip(self.words, bounds, strict=True)):
            if words > bound:
                yield index, words
