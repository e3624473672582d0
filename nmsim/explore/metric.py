"""Metrics: the figures of a design that constraints bound and objectives rank."""

from dataclasses import dataclass
from typing import Literal

Sense = Literal["min", "max"]


@dataclass(frozen=True)
class Metric:
    """One figure of a design.

    `unit` is SI as in `nmsim.report`, `sense` the better direction, `text` its name for people. `exact`: both
    performance models give the same value.
    """

    name: str
    unit: str
    sense: Sense
    text: str
    exact: bool = False


COMPONENTS = {
    "alu": "arithmetic",
    "registers": "register files",
    "sram": "memories on chip",
    "noc": "network on chip",
    "chip_link": "links between chips",
    "dram": "memory off chip",
    "sync": "synchronisation",
    "host": "the host",
    "event": "events of a chip priced whole",
    "static": "leakage",
    "clock": "the clock",
    "control": "control overhead",
}
"""Components of the energy, in the order of the results' columns."""

_ALL = (
    Metric("energy_j", "J", "min", "energy per sample"),
    Metric("energy_low_j", "J", "min", "energy per sample, low end of the prices' band"),
    Metric("energy_high_j", "J", "min", "energy per sample, high end of the prices' band"),
    Metric("forward_energy_j", "J", "min", "energy per sample, forward part"),
    *(
        Metric(f"energy_{part}_j", "J", "min", f"energy per sample of {text}")
        for part, text in COMPONENTS.items()
    ),
    Metric("latency_s", "s", "min", "latency per sample"),
    Metric("throughput_per_s", "sample/s", "max", "throughput"),
    Metric("power_w", "W", "min", "mean power"),
    Metric(
        "deadlines_missed", "fraction", "min", "samples that take longer than the time between two arrivals"
    ),
    Metric("edp_js", "J s", "min", "energy-delay product"),
    Metric("area_mm2", "mm2", "min", "area", exact=True),
    Metric("memory_bits", "bit", "min", "memory used", exact=True),
    Metric("memory_capacity_bits", "bit", "min", "memory on the chip", exact=True),
    Metric("off_chip_bits", "bit", "min", "data in DRAM", exact=True),
    Metric("cores_used", "", "min", "cores used", exact=True),
    Metric("accuracy", "fraction", "max", "held-out accuracy", exact=True),
)
METRICS = {metric.name: metric for metric in _ALL}
"""By name, in the order of the results' columns."""
