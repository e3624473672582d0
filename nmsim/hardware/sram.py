"""An on-chip memory: what it holds and its shape."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

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


NOMINAL_BITS = 16
"""Width of a value before formats are known, in a memory whose words follow them."""


def _nominal(value: Any) -> Any:
    """`word_bits: auto` as words of so many values of 16 bits; `following` makes them as wide as the formats ask."""
    if not isinstance(value, dict):
        return value
    width, values = value.get("word_bits"), value.get("word_values")
    if width == "auto" and values is None:
        raise ValueError(
            "word_bits 'auto' needs 'word_values', how many values a word holds; add it, or give bits"
        )
    if values is None or not isinstance(values, int):
        return value
    nominal = NOMINAL_BITS * values
    if width not in {"auto", nominal}:
        raise ValueError(
            f"word_bits {width} and word_values {values} contradict each other; write word_bits: auto, or leave"
            " word_values out"
        )
    return {**value, "word_bits": nominal}


class Sram(Record):
    """One physical memory of a core; several kinds of data may share it (and then its ports).

    Sums may be held by two memories. The smaller one is their *near* level: sums stay there while they are being added
    up, as many as it holds; the larger one is their home (docs/machine.md).

    >>> memory = Sram(name="weights", holds=("weight",), words=1024, word_bits=64)
    >>> memory.capacity_bits, memory.words_for(100, 12)
    (65536, 20)
    """

    name: str
    """Name in reports and price tables, e.g. `weights`."""
    holds: tuple[Stored, ...] = Field(min_length=1)
    """Kinds of data that live here; each kind in one memory of a core only."""
    words: int = Field(ge=1, le=2**36)
    """Number of words over all banks."""
    word_bits: int = Field(ge=1, le=65_536)
    """Width of a word; an access moves one word. Values are packed whole: 64 bits hold five of 12 bits."""
    word_values: int | None = Field(default=None, ge=1)
    """Values in a word, with `word_bits: auto`: as wide as so many values of the widest kind it holds."""
    banks: int = Field(default=1, ge=1, le=65_536)
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
        return _nominal(value)

    @field_validator("holds", mode="before")
    @classmethod
    def _both_sums(cls, holds: Any) -> Any:
        """`accumulator` stands for both sums."""
        if not isinstance(holds, list | tuple):
            return holds
        return [name for item in holds for name in (SUMS if item == "accumulator" else (item,))]

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As in a chip file, so that a chip is the same chip (and has the same hash) whatever formats its words follow."""
        written: dict[str, Any] = handler(self)
        return written | {"word_bits": "auto"} if self.word_values is not None else written

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
