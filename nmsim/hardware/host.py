"""The rest of the board around a chip, and deadlines set by samples that arrive at their own rate."""

from typing import Annotated, Literal

from pydantic import Field

from nmsim.config import Record, within


class Host(Record):
    """The part of a board that feeds the chip; its figures are those of the chip's `sources`."""

    power_w: Annotated[float, *within(0, 10_000, "it is in watts")] = 0.0
    """What it draws all the time."""
    energy_pj_per_byte: float = Field(default=0.0, ge=0, le=1e9)
    """Energy of a byte that it sends to the chip: input packets without their routing headers."""


class RealTime(Record):
    """Samples that arrive at a rate, as from a sensor; without it they come as fast as the chip takes them."""

    arrival_hz: float = Field(gt=0, le=1e12)
    """Samples per second; a sample must be done when the next arrives."""
    between_samples: Literal["clocked", "clock_stopped", "power_gated"] = "clocked"
    """What the chip does until the next sample: wait with its clock on, wait without, or lose its supply."""
    gated_leakage_share: float = Field(default=0.1, ge=0, le=1)
    """Leakage that is left while gated, memories that keep their content included; the default is assumed."""
    wake_up_s: float = Field(default=0.0, ge=0, le=1e4)
    """Time before each sample in which the chip is on again without working."""
