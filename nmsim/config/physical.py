"""Ranges of physical keys: a figure outside is a slip of units or of a digit, and is refused where it is written."""

import re
from typing import Any

from pydantic import AfterValidator, Field

PREFIXES = {
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
}
_QUANTITY = re.compile(
    r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([kKMGTmunp]?)i?(Hz|bit/s|B/s|bits?|B|s|W|V|m|J)\s*\Z"
)
_UNITS = {
    "_hz": ("Hz", 1.0), "_bits_per_s": ("bit/s", 1.0), "_bits": ("bit", 1.0), "_ns": ("s", 1e9), "_us": ("s", 1e6),
    "_s": ("s", 1.0), "_w": ("W", 1.0), "_v": ("V", 1.0), "_mm": ("m", 1e3), "_nm": ("m", 1e9), "_j": ("J", 1.0),
}  # fmt: skip
_BYTES = {"B/s": "bit/s", "B": "bit"}
KIBI = {"k": 1024.0, "K": 1024.0, "M": 1024.0**2, "G": 1024.0**3}
"""Memories are counted in powers of two."""
BITS_PER_BYTE = 8


def within(low: float, high: float, hint: str) -> tuple[Any, ...]:
    """Annotations of a number between `low` and `high`, as in `Annotated[float, *within(...)]`; then `hint`."""

    def check(value: float) -> float:
        if not low <= value <= high:
            raise ValueError(f"value {value:g} is outside {low:g} to {high:g}; {hint}")
        return value

    return AfterValidator(check), Field(json_schema_extra={"minimum": low, "maximum": high})


def plain_number(key: str, text: str) -> str | None:
    """What to write under `key` for a text with a unit, such as 2e+08 for `200 MHz`; None if the text is no quantity."""
    match = _QUANTITY.match(text)
    ending = max((end for end in _UNITS if key.endswith(end)), key=len, default=None)
    if match is None or ending is None:
        return None
    try:
        value = float(match[1])
    except ValueError:
        return None
    unit, factor = _UNITS[ending]
    prefix, given = PREFIXES[match[2]], match[3].rstrip("s") if match[3] == "bits" else match[3]
    if given in _BYTES:
        given = _BYTES[given]
        prefix = KIBI.get(match[2], prefix) if given == "bit" else prefix
        prefix *= BITS_PER_BYTE
    return f"{value * prefix * factor:.10g}" if given == unit else None
