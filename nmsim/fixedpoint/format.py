"""Number formats: `sT.F` and `uT.F`, total width T and fraction bits F (docs/arithmetic.md)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from nmsim.errors import FormatError

_TEXT = re.compile(r"([su])(\d+)(?:\.(-?\d+))?\Z")
MAX_TOTAL_BITS = 128


class Rounding(StrEnum):
    """How bits below the LSB are dropped."""

    FLOOR = "floor"
    NEAREST = "nearest"
    NEAREST_EVEN = "nearest_even"
    TOWARD_ZERO = "toward_zero"
    STOCHASTIC = "stochastic"


class Overflow(StrEnum):
    """What happens to a value outside the range; it is counted in any case.

    An accumulator that saturates does so after every addition, so that order matters; with `saturate_end`, when its sum
    is complete, so that order does not.
    """

    SATURATE = "saturate"
    WRAP = "wrap"
    SATURATE_END = "saturate_end"


@dataclass(frozen=True, slots=True)
class QFormat:
    """A fixed-point format: the stored integer `raw` means `raw * 2**-fraction_bits`.

    `fraction_bits` may exceed `total_bits` or be negative. Signed formats are two's complement.

    >>> fmt = QFormat.parse("s4.12")
    >>> fmt.total_bits, fmt.fraction_bits, fmt.lsb
    (4, 12, 0.000244140625)

    Raises:
        FormatError: width outside 1..128, or a signed format of less than 2 bits.
    """

    signed: bool
    total_bits: int
    fraction_bits: int

    def __post_init__(self) -> None:
        low = 2 if self.signed else 1
        if not low <= self.total_bits <= MAX_TOTAL_BITS:
            raise FormatError(
                f"format {self}: width {self.total_bits} is outside {low}..{MAX_TOTAL_BITS} bits;"
                " choose a width in that range"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Format from its text, e.g. `s16.13`; `FormatError` if it is not one."""
        match = _TEXT.match(text)
        if match is None or match[3] is None:
            raise FormatError(
                f"format '{text}': expected s or u, total bits, a point and fraction bits; write for example s16.13"
            )
        if len(match[2]) > 4 or len(match[3]) > 4 or abs(int(match[3])) > MAX_TOTAL_BITS:
            raise FormatError(
                f"format '{text[:40]}': fraction bits are outside -{MAX_TOTAL_BITS}..{MAX_TOTAL_BITS};"
                " write for example s16.13"
            )
        return cls(match[1] == "s", int(match[2]), int(match[3]))

    @property
    def min_raw(self) -> int:
        """Smallest stored integer."""
        return -(1 << (self.total_bits - 1)) if self.signed else 0

    @property
    def max_raw(self) -> int:
        """Largest stored integer."""
        return (1 << (self.total_bits - 1)) - 1 if self.signed else (1 << self.total_bits) - 1

    @property
    def lsb(self) -> float:
        """Value of one unit in the last place."""
        return 2.0**-self.fraction_bits

    def __str__(self) -> str:
        return f"{'s' if self.signed else 'u'}{self.total_bits}.{self.fraction_bits}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """YAML holds the text; the record holds the format."""
        return _text_schema(cls, cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Pattern for editors."""
        return {"type": "string", "pattern": r"^[su]\d+\.-?\d+$", "examples": ["s16.13", "u12.8"]}


@dataclass(frozen=True, slots=True)
class AccumulatorFormat:
    """Width of an accumulator, `s32` or `u40`; its fraction bits follow from its operands."""

    signed: bool
    total_bits: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accumulator width from its text, e.g. `s32`; `FormatError` if it is not one."""
        match = _TEXT.match(text)
        if match is None or match[3] is not None:
            raise FormatError(
                f"accumulator format '{text}': expected s or u and total bits without fraction bits, which follow"
                " from the operands; write for example s32"
            )
        if len(match[2]) > 4:
            raise FormatError(
                f"accumulator format '{text[:40]}': width is outside 1..{MAX_TOTAL_BITS} bits; write for example s32"
            )
        return cls(match[1] == "s", int(match[2]))

    def with_fraction(self, fraction_bits: int) -> QFormat:
        """The full format once the operands' fraction bits are known."""
        return QFormat(self.signed, self.total_bits, fraction_bits)

    def __str__(self) -> str:
        return f"{'s' if self.signed else 'u'}{self.total_bits}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """YAML holds the text; the record holds the format."""
        return _text_schema(cls, cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Pattern for editors."""
        return {"type": "string", "pattern": r"^[su]\d+$", "examples": ["s32", "s48"]}


def _text_schema(cls: type, parse: Any) -> CoreSchema:
    def from_value(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not the text of a format; write for example s16.13")  # noqa: TRY004 - pydantic reports ValueError
        try:
            return parse(value)
        except FormatError as error:
            raise ValueError(str(error)) from error

    return core_schema.no_info_plain_validator_function(
        from_value, serialization=core_schema.plain_serializer_function_ser_schema(str)
    )
