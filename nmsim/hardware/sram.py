"""An on-chip memory: what it holds and its shape."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nmsim.config import Record
from nmsim.contents import STORED, Content


def _stored(content: Content) -> Content:
    if content not in STORED:
        raise ValueError(
            f"'{content}' is kept in registers and tables, not in a memory; leave it out, or name one of"
            f" {', '.join(STORED)}"
        )
    return content


Stored = Annotated[Content, AfterValidator(_stored)]
"""A content that a memory can hold."""


class Sram(Record):
    """One physical memory of a core; several kinds of data may share it (and then its ports)."""

    name: str
    """Name in reports and price tables, e.g. `weights`."""
    holds: tuple[Stored, ...] = Field(min_length=1)
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
