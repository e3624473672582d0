"""How a core stores the synapses that are there: formats of a sparse weight matrix, in bits, words and cycles."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nmsim.config import Record

IntArray = NDArray[np.int64]
FORMATS = ("dense", "bitmap", "csr", "n_of_m", "blocks")


class SynapseMemory(Record):
    """A format; synapses are stored by input, so that a spike finds its row (docs/structure.md).

    >>> SynapseMemory(format="csr", index_bits=4).text
    'csr, 4-bit gaps'
    """

    format: Literal["dense", "bitmap", "csr", "n_of_m", "blocks"] = "dense"
    """`dense`: all weights, absent ones as zeros. `bitmap`: a flag per synapse, then the weights that are there. `csr`: a
    pointer per row, and each weight with the number of its neuron. `n_of_m`: fixed slots per group of inputs. `blocks`:
    each block with its number, and all of its weights."""
    index_bits: int | None = Field(default=None, ge=1, le=32)
    """`csr`: gaps to the next neuron in so many bits, a filler entry where a gap is longer; absent: whole numbers."""
    keep: int = Field(default=2, ge=1, le=256)
    """`n_of_m`: slots in a group."""
    group: int = Field(default=4, ge=2, le=256)
    """`n_of_m`: inputs in a group."""
    rows: int = Field(default=4, ge=1, le=1024)
    """`blocks`: neurons of a block."""
    columns: int = Field(default=4, ge=1, le=1024)
    """`blocks`: inputs of a block."""
    transposed: Literal["scan", "index"] = "scan"
    """How errors find the synapses of a neuron: the whole store is walked, or a second list names its entries."""

    @property
    def text(self) -> str:
        """In a few words."""
        match self.format:
            case "csr":
                return f"csr, {self.index_bits}-bit gaps" if self.index_bits else "csr"
            case "n_of_m":
                return f"{self.keep} of {self.group}"
            case "blocks":
                return f"blocks {self.rows} x {self.columns}"
        return self.format


def bits_for(values: int) -> int:
    """Bits that tell so many values apart, at least one."""
    return max(1, (values - 1).bit_length())


@dataclass(frozen=True, eq=False)
class SynapseStore:
    """The synapses of a layer (or of a core's part of it) in a format.

    `mask (R, N)` says which of the synapses from R inputs (of a convolution: kernel elements of input channels) to N neurons
    (output channels) are there. Everything `(R,)` is per row.
    """

    memory: SynapseMemory
    mask: NDArray[np.bool_]
    weight_bits: int
    word_bits: int

    @property
    def synapses(self) -> int:
        """Synapses that are there."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def present(self) -> IntArray:
        """Synapses of each row `(R,)`."""
        return np.asarray(self.mask.sum(axis=1), np.int64)

    @cached_property
    def entries(self) -> IntArray:
        """Stored weights that reading a row passes `(R,)`, fillers and zeros included."""
        memory, (rows, neurons) = self.memory, self.mask.shape
        match memory.format:
            case "dense":
                return np.full(rows, neurons, np.int64)
            case "csr":
                return self.present + self._fillers
            case "n_of_m":
                return np.full(rows, neurons * memory.keep, np.int64)
            case "blocks":
                return np.asarray(self._blocks.sum(axis=1) * memory.rows, np.int64)
        return self.present

    @cached_property
    def _fillers(self) -> IntArray:
        """Entries that only bridge gaps longer than the index can say `(R,)`."""
        bits, found = self.memory.index_bits, np.zeros(len(self.mask), np.int64)
        if bits is None:
            return found
        for row, own in enumerate(self.mask):
            gaps = np.diff(np.flatnonzero(own), prepend=-1) - 1
            found[row] = int((gaps // (1 << bits)).sum())
        return found

    @cached_property
    def _blocks(self) -> NDArray[np.bool_]:
        """Blocks that each row meets `(R, ceil(N / rows))`."""
        memory, (inputs, neurons) = self.memory, self.mask.shape
        down, across = -(-inputs // memory.columns), -(-neurons // memory.rows)
        padded = np.zeros((down * memory.columns, across * memory.rows), np.bool_)
        padded[:inputs, :neurons] = self.mask
        whole = padded.reshape(down, memory.columns, across, memory.rows).any(axis=(1, 3))
        return np.repeat(whole, memory.columns, axis=0)[:inputs]

    @property
    def fits(self) -> bool:
        """Whether the format can hold the mask: n of m has only so many slots for a group of inputs."""
        if self.memory.format != "n_of_m":
            return True
        starts = np.arange(0, len(self.mask), self.memory.group)
        held = np.add.reduceat(self.mask, starts, axis=0, dtype=np.int64)
        return int(held.max(initial=0)) <= self.memory.keep

    def runs_met(self, neurons: int) -> IntArray:
        """Runs of so many neighbouring neurons that a row has a synapse to `(R,)`: words of their sums, say."""
        starts = np.arange(0, self.mask.shape[1], neurons)
        return np.asarray(
            np.add.reduceat(self.mask, starts, axis=1, dtype=np.int64).astype(bool).sum(axis=1), np.int64
        )

    @cached_property
    def entry_index_bits(self) -> int:
        """Bits that travel with one entry to say where it belongs."""
        neurons = self.mask.shape[1]
        match self.memory.format:
            case "csr":
                return self.memory.index_bits or bits_for(neurons)
            case "n_of_m":
                return bits_for(self.memory.group)
        return 0

    @cached_property
    def _header_bits(self) -> IntArray:
        """Bits of a row before its weights `(R,)`."""
        rows, neurons = self.mask.shape
        match self.memory.format:
            case "bitmap":
                return np.full(rows, neurons, np.int64)
            case "csr":
                return np.full(rows, bits_for(int(self.entries.sum()) + 1), np.int64)
            case "blocks":
                number = bits_for(-(-neurons // self.memory.rows))
                return np.asarray(self._blocks.sum(axis=1) * number, np.int64)
        return np.zeros(rows, np.int64)

    @cached_property
    def row_words(self) -> IntArray:
        """Words that are read to serve a row `(R,)`: header, then entries packed whole."""
        width = self.weight_bits + self.entry_index_bits
        per_word = max(1, self.word_bits // width)
        header = -(-self._header_bits // self.word_bits)
        return np.asarray(header - (-self.entries // per_word) * -(-width // self.word_bits), np.int64)

    def value_words(self, bits: int) -> IntArray:
        """Words of a row of values kept for its entries, such as gradients `(R,)`."""
        per_word = max(1, self.word_bits // bits)
        return np.asarray(-(-self.entries // per_word) * -(-bits // self.word_bits), np.int64)

    def decode_cycles(self, lanes: int) -> IntArray:
        """Cycles to find the entries of a row for so many lanes `(R,)`; it looks at a word of flags or numbers a cycle."""
        flags = -(-self._header_bits // self.word_bits) if self.memory.format in {"bitmap", "blocks"} else 0
        return np.asarray(np.maximum(-(-self.entries // lanes), flags), np.int64)

    @cached_property
    def stored_entries(self) -> int:
        """Weights that are stored: a group of n_of_m and the rows of a block are stored once, not once a row."""
        inputs = len(self.mask)
        if self.memory.format == "n_of_m":
            return int(-(-inputs // self.memory.group) * self.mask.shape[1] * self.memory.keep)
        return int(self.entries.sum())

    @cached_property
    def weight_storage_bits(self) -> int:
        """Bits of weights."""
        return self.stored_entries * self.weight_bits

    @cached_property
    def index_storage_bits(self) -> int:
        """Bits of flags, numbers and pointers, the list for the transposed walk included."""
        headers = int(self._header_bits.sum())
        if self.memory.format == "csr":
            headers += bits_for(int(self.entries.sum()) + 1)  # the end of the last row
        if self.memory.format == "blocks":  # a block is named once, not once for each of its inputs
            firsts = self._blocks[:: self.memory.columns]
            headers = int(firsts.sum()) * bits_for(-(-self.mask.shape[1] // self.memory.rows))
            headers += (len(firsts) + 1) * bits_for(int(firsts.sum()) + 1)
        own = headers + self.stored_entries * self.entry_index_bits
        return own + self.transposed_bits

    @cached_property
    def transposed_bits(self) -> int:
        """Bits of the second list: an entry's place for every synapse, and a pointer for every neuron."""
        if self.memory.transposed == "scan" or self.memory.format == "dense":
            return 0
        place = bits_for(self.stored_entries)
        return int(self.synapses * place + (self.mask.shape[1] + 1) * bits_for(self.synapses + 1))

    @property
    def storage_bits(self) -> int:
        """All of it."""
        return self.weight_storage_bits + self.index_storage_bits

    @property
    def storage_words(self) -> int:
        """Words of the memory that holds it: the entries of a row begin a word, as reading them does; all else is packed."""
        others = self.index_storage_bits - self.stored_entries * self.entry_index_bits
        return self._packed_by_row(self.weight_bits + self.entry_index_bits) - (-others // self.word_bits)

    def value_storage_words(self, bits: int) -> int:
        """Words of a value for every stored entry, such as a gradient."""
        return self._packed_by_row(bits)

    def _packed_by_row(self, bits: int) -> int:
        entries = self.entries[:: self.memory.group] if self.memory.format == "n_of_m" else self.entries
        per_word = max(1, self.word_bits // bits)
        return int((-(-entries // per_word)).sum()) * -(-bits // self.word_bits)

    def lane_imbalance(self, lanes: int) -> float:
        """Cycles of rows whose neurons are dealt out to lanes by number, over those of an even share."""
        neurons = self.mask.shape[1]
        padded = np.zeros((len(self.mask), -(-neurons // lanes) * lanes), np.int64)
        padded[:, :neurons] = self.mask
        slowest = padded.reshape(len(self.mask), -1, lanes).sum(axis=1).max(axis=1)
        even = -(-self.present // lanes)
        return float(slowest.sum() / even.sum()) if even.sum() else 1.0

    def core_imbalance(self, cores: int) -> float:
        """Synapses of the fullest of so many cores that share the neurons in runs, over the mean."""
        parts = [part.sum() for part in np.array_split(self.mask, min(cores, self.mask.shape[1]), axis=1)]
        return float(max(parts) / (sum(parts) / len(parts))) if sum(parts) else 1.0
