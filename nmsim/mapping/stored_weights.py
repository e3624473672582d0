"""Room of compressed weights: what the synapses of a piece that are there take from a memory, index included."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.hardware.sram import Sram
from nmsim.hardware.synapse_memory import SynapseMemory, SynapseStore
from nmsim.mapping.mapping import Slice
from nmsim.network.memory_terms import Term
from nmsim.network.spec import SynapticLayer


@dataclass(frozen=True)
class Present:
    """Which synapses of a layer are there, in the shape of its weights; equal masks compare equal."""

    mask: NDArray[np.bool_] = field(compare=False, repr=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        content = hashlib.sha256(repr(self.mask.shape).encode() + np.packbits(self.mask).tobytes())
        object.__setattr__(self, "digest", content.hexdigest())

    @classmethod
    def whole(cls, layer: SynapticLayer) -> "Present":
        """All synapses of a layer."""
        return cls(np.ones(layer.weight_shape, np.bool_))


@dataclass(frozen=True)
class StoredWeights:
    """A layer's synapses in the format in which the cores of a chip store them."""

    memory: SynapseMemory
    present: Present

    @property
    def synapses(self) -> int:
        """Synapses of the layer that are there."""
        return int(np.count_nonzero(self.present.mask))

    def words_and_bits(self, term: Term, piece: Slice, memory: Sram) -> tuple[int, int]:
        """What a term of one value per weight takes: weights with their index, anything else a value per entry."""
        part = self.present.mask[
            piece.channel_start : piece.channel_stop, piece.input_start : piece.input_stop
        ]
        rows = np.ascontiguousarray(part.reshape(len(part), -1).T)
        store = SynapseStore(self.memory, rows, term.value_bits, memory.word_bits)
        if term.kind is Content.WEIGHT:
            return store.storage_words, store.storage_bits
        values = term.times * store.stored_entries
        return term.times * store.value_storage_words(term.value_bits), values * term.value_bits
