"""An on-chip memory: what it holds and its shape."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from nmsim.config import Record


class Content(StrEnum):
    """Kinds of data a core keeps; a kind that no memory of a core holds must live off chip.

    The names are those of `nmsim.network.memory.Kind`; what is kept in registers and tables (leak factors and
    their gradients, the surrogate and softmax tables) has no content here.
    """

    WEIGHT = "weight"
    WEIGHT_GRADIENT = "weight_gradient"
    VELOCITY = "velocity"
    THRESHOLD = "threshold"
    THRESHOLD_GRADIENT = "threshold_gradient"
    MEMBRANE = "membrane"
    SPIKE = "spike"
    """Spike bit of the step before, one per neuron."""
    WEIGHT_TRACE = "weight_trace"
    THRESHOLD_TRACE = "threshold_trace"
    LEAK_TRACE = "leak_trace"
    DELTA = "delta"
    """Deltas of the layer in work and errors of the one below."""
    ACCUMULATOR = "accumulator"
    """Input currents and error sums of the layer in work."""
    INPUT = "input"
    """Incoming spikes or intensities of the step: the queue of the core."""
    HISTORY = "history"
    """Membranes and spikes of earlier time steps, kept only by STBP."""
    TEMPORAL_ERROR = "temporal_error"
    """Error carried back from the time step after, kept only by STBP."""
    FACTOR = "factor"
    """Deltas and traces over T of the factored weight gradient."""


class Sram(Record):
    """One physical memory of a core; several kinds of data may share it (and then its ports)."""

    name: str
    """Name in reports and price tables, e.g. `weights`."""
    holds: tuple[Content, ...] = Field(min_length=1)
    """Kinds of data that live here; each kind in one memory of a core only."""
    words: int = Field(ge=1)
    """Number of words over all banks."""
    word_bits: int = Field(ge=1)
    """Width of a word; an access moves one word. Values are packed whole: 64 bits hold five of 12 bits."""
    banks: int = Field(default=1, ge=1)
    """Independent banks, interleaved by word address."""
    ports: int = Field(default=1, ge=1)
    """Accesses (read or write) per bank and cycle."""
    access_cycles: Annotated[int, Field(ge=1)] | Literal["auto"] = 1
    """Cycles from address to data; accesses are pipelined. `auto`: as few as the memory needs at the chip's clock and
    supply. A number that is too small for them is refused (docs/timing.md)."""

    @property
    def capacity_bits(self) -> int:
        """Bits it can hold."""
        return self.words * self.word_bits

    def words_for(self, values: int, value_bits: int) -> int:
        """Words that `values` values of `value_bits` bits take: packed whole, or several words a value."""
        if value_bits <= self.word_bits:
            return -(-values // (self.word_bits // value_bits))
        return values * -(-value_bits // self.word_bits)
