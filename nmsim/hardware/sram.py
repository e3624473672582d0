"""An on-chip memory: what it holds and its shape."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from nmsim.config import Record
from nmsim.contents import STORED, SUMS, Content


def _stored(content: Content) -> Content:
    if content not in STORED:
        raise ValueError(
            f"'{content}' is kept in registers and tables, not in a memory; leave it out, or name one of"
            f" {', '.join(STORED)}"
        )
    return content


Stored = Annotated[Content, AfterValidator(_stored)]
"""A content that a memory can hold."""


MemoryKind = Literal["1rw", "1r1w", "2rw", "registers"]


class Sram(Record):
    """One physical memory of a core; several kinds of data may share it (and then its ports).

    Sums may be held by two memories. The smaller one is their *near* level: sums stay there while they are being added
    up, as many as it holds; the larger one is their home (docs/machine.md).
    """

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
    kind: MemoryKind = "1rw"
    """Accesses per bank and cycle: one read or write (`1rw`), one read and one write (`1r1w`), any two (`2rw`).

    `registers`: a register file in flip-flops; its banks are the files of the lanes, each with a read and a write port.
    """
    access_cycles: Annotated[int, Field(ge=1)] | Literal["auto"] = 1
    """Cycles from address to data; accesses are pipelined. `auto`: as few as the memory needs at the chip's clock and
    supply. A number that is too small for them is refused (docs/timing.md)."""

    @model_validator(mode="before")
    @classmethod
    def _says_kind(cls, value: Any) -> Any:
        if isinstance(value, dict) and "ports" in value:
            raise ValueError(
                "'ports' is described by 'kind' now; write 1rw for one port, 1r1w or 2rw for two"
            )
        return value

    @field_validator("holds", mode="before")
    @classmethod
    def _both_sums(cls, holds: Any) -> Any:
        """`accumulator` stands for both sums."""
        if not isinstance(holds, list | tuple):
            return holds
        return [name for item in holds for name in (SUMS if item == "accumulator" else (item,))]

    @property
    def accesses_per_cycle(self) -> int:
        """Most words that move in a cycle, over all banks."""
        return self.banks * (1 if self.kind == "1rw" else 2)

    @property
    def splits_ports(self) -> bool:
        """Whether reads and writes have ports of their own."""
        return self.kind in {"1r1w", "registers"}

    @property
    def capacity_bits(self) -> int:
        """Bits it can hold."""
        return self.words * self.word_bits

    def words_for(self, values: int, value_bits: int) -> int:
        """Words that `values` values of `value_bits` bits take: packed whole, or several words a value."""
        if value_bits <= self.word_bits:
            return -(-values // (self.word_bits // value_bits))
        return values * -(-value_bits // self.word_bits)
