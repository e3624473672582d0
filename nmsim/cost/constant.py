"""A typed cost constant: a number that says what it is and where it comes from."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from nmsim.config import Record


class Kind(StrEnum):
    """What a figure is."""

    MARGINAL = "marginal"
    """Measured cost of one more event: may price an event."""
    AVERAGE = "average"
    """All-in cost per event at an operating point: never prices an event."""
    SIMULATED = "simulated"
    """From a circuit simulation, synthesis or memory compiler."""
    MEASURED = "measured"
    """Measured on silicon, other than per event."""
    ASSUMED = "assumed"
    """Nobody measured it; a guess with a stated reason."""
    FITTED = "fitted"
    """Regressed on published points."""
    DERIVED = "derived"
    """Arithmetic on published figures: interpolated, scaled."""


def _encloses_one(band: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= band[0] <= 1 <= band[1]:
        raise ValueError(
            f"band {list(band)} does not enclose 1; give two factors of the value, such as [0.65, 1.35]"
        )
    return band


Band = Annotated[tuple[float, float], AfterValidator(_encloses_one)]


UNITS: dict[str, float] = {
    "pJ": 1e9, "pJ/bit": 1e4, "pJ/bit^2": 1e3, "pJ/bit/hop": 1e4, "pJ/bit/mm": 1e4, "pJ/sqrt(KB)": 1e6,
    "pJ/bit/sqrt(KB)": 1e4, "pJ/row": 1e9, "W": 1e4, "W/Hz": 1e-5, "uW/KB": 1e6, "um2/bit": 1e4, "um2/bit^2": 1e4,
    "ns": 1e6, "ns/sqrt(KB)": 1e6, "ps": 1e6, "V": 1e2, "Hz": 1e12, "KB": 1e9, "KB/bit": 1e6,
    "gate delays": 1e6, "exponent": 10, "ratio": 1e4, "share": 1.0,
}  # fmt: skip
"""The units in which figures are read, each with a value that nothing physical exceeds; anything else is a slip."""


def check_unit(unit: str, value: float) -> None:
    """`ValueError` if a unit is none that is read, or a value is beyond what is physical in it."""
    if unit not in UNITS:
        raise ValueError(
            f"unit '{unit[:40]}' is not read here; convert the value to one of {', '.join(UNITS)}"
        )
    if value > UNITS[unit]:
        raise ValueError(
            f"{value:g} {unit} is above {UNITS[unit]:g} {unit}, which nothing reaches; check value and unit"
        )


class Constant(Record):
    """One cost constant.

    `band` is `[low, high]` as factors of the value: the true figure is expected between `low * value` and
    `high * value`. `source` is free text or a key of the table's `sources`; without it the constant may not
    be used.
    """

    value: float = Field(ge=0)
    unit: str
    kind: Kind
    source: str | None = None
    band: Band = (1.0, 1.0)
    node_nm: float | None = Field(default=None, ge=1, le=10_000)
    """None: does not depend on the node."""
    voltage_v: float | None = Field(default=None, gt=0, le=20)
    """Supply at which the value holds; None where it was not stated."""
    confidence: str = ""
    """How it was read: `primary`, `transcribed`, `secondary`, `derived`, `model`, or a remark."""

    @model_validator(mode="after")
    def _is_physical(self) -> "Constant":
        check_unit(self.unit, self.value)
        return self
