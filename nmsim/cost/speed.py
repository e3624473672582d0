"""How fast logic and memories are at a supply: gate delay by the alpha-power law, access time by capacity."""

from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, log, sqrt

import numpy as np

from nmsim import units
from nmsim.cost.sram import of_registers, size_kb
from nmsim.cost.technology import Technology
from nmsim.hardware.sram import Sram

THRESHOLD_BAND_V = 0.05
"""Uncertainty of the threshold voltage in the alpha-power law, from the chips it was compared with (docs/timing.md)."""


@dataclass(frozen=True)
class Speed:
    """Delays of one technology at one supply.

    Ask it before time is modelled: a clock that it does not allow is a result (`nmsim.cost.clocking`). `voltage_v` may
    differ from the technology's own, to search for a supply that would do. `threshold_shift_v` moves the threshold of
    the law, which gives its band. The law is `f ~ (V - Vt)^a / V` (Sakurai and Newton, JSSC 25(2) 1990).

    Raises:
        CostError: the price table has no timing at this node.
    """

    technology: Technology
    voltage_v: float
    threshold_shift_v: float = 0.0

    def _constant(self, name: str) -> float:
        return self.technology.constant(f"timing.{name}").value

    @cached_property
    def slowdown(self) -> float:
        """Gate delay over its value at the nominal supply."""
        return _slowness(self.voltage_v, self) / _slowness(self.technology.supply.nominal_v, self)

    @cached_property
    def gate_delay_ps(self) -> float:
        """Delay of an inverter that drives four like it (FO4), laid out, typical corner."""
        return self._constant("fo4_ps") * self.slowdown

    @property
    def logic_hz(self) -> float:
        """Fastest clock of pipelined logic: a period holds `logic_depth_fo4` gate delays, register included."""
        return units.PS_PER_S / (self._constant("logic_depth_fo4") * self.gate_delay_ps)

    def access_ns(self, memory: Sram) -> float:
        """Address to data of one bank: decoder and output slow down as logic does, the cell read more than that."""
        nominal_ns = self._nominal_ns(memory)
        if nominal_ns == 0.0:  # registers answer within the period of the logic around them
            return 0.0
        return nominal_ns * (1 - self._cell_share) * self.slowdown + self.cell_ns(memory)

    def cell_ns(self, memory: Sram) -> float:
        """The part of an access that no pipeline register can divide: the weakest cell discharges its bit line."""
        return self._nominal_ns(memory) * self._cell_share * self.slowdown * self._weak_cell

    @cached_property
    def register_ns(self) -> float:
        """Clock to output and set-up of the register around a memory."""
        return self._constant("register_fo4") * self.gate_delay_ps / units.PS_PER_NS

    @cached_property
    def _cell_share(self) -> float:
        return self._constant("weak_cell_share")

    def _nominal_ns(self, memory: Sram) -> float:
        """Access time at the nominal supply; 0 for what is built of registers."""
        if of_registers(memory):
            return 0.0
        growth = self._constant("memory_ns_per_sqrt_kb") * sqrt(size_kb(memory) / memory.banks)
        return self._constant("memory_ns") + growth

    @cached_property
    def _weak_cell(self) -> float:
        """How much more than logic a weak cell slows down from the nominal supply to this one."""
        points = self.technology.weak_cell_excess
        volts, excess = zip(*points, strict=True) if points else ((0.0,), (1.0,))
        nominal_v = self.technology.supply.nominal_v
        here, nominal = (
            exp(float(np.interp(v, volts, [log(x) for x in excess]))) for v in (self.voltage_v, nominal_v)
        )
        return here / nominal


def _slowness(voltage_v: float, speed: Speed) -> float:
    """`V / (V - Vt)^a`, infinite at the threshold and below."""
    technology = speed.technology
    threshold_v = technology.constant("timing.threshold_v").value + speed.threshold_shift_v
    # at the threshold the law gives no current and hence no clock; an infinite delay compares as too slow everywhere
    overdrive_v = voltage_v - threshold_v
    return inf if overdrive_v <= 0 else voltage_v / overdrive_v ** technology.constant("timing.alpha").value
