"""Power that flows whether or not anything happens: leakage, measured static power, the idle clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim import units
from nmsim.caches import Itself
from nmsim.cost import dram, sram
from nmsim.cost.clock import idle_power_w
from nmsim.cost.constant import Constant, Kind
from nmsim.cost.energy import CLOCK, HOST, STATIC
from nmsim.cost.price import Price
from nmsim.cost.scaling import DYNAMIC_EXPONENT, LEAKAGE_EXPONENT, scaled
from nmsim.cost.table import ComponentTable, CostTable, EventTable, usable
from nmsim.cost.technology import technology_at
from nmsim.errors import CostError
from nmsim.hardware.chip import ChipConfig

KEPT = 16
"""Machines whose power is kept: the search of a mapping and its evaluation ask for the same."""


@dataclass(frozen=True)
class ConstantPower:
    """Constant power of one part of the machine: `price.pj` is its energy per second, picojoules."""

    component: str
    unit: str
    core: int
    price: Price


@dataclass(frozen=True)
class StaticPower:
    """All constant power of a machine; `unavailable` is the reason if the table gives none."""

    parts: tuple[ConstantPower, ...]
    unavailable: str | None

    @property
    def total_w(self) -> float:
        """Sum over parts, watts."""
        return sum(part.price.pj for part in self.parts) * units.J_PER_PJ

    @cached_property
    def watts(self) -> dict[str, float]:
        """Power by component."""
        found: dict[str, float] = {}
        for part in self.parts:
            found[part.component] = found.get(part.component, 0.0) + part.price.pj * units.J_PER_PJ
        return found

    @cached_property
    def places(self) -> tuple[tuple[str, str, int], ...]:
        """Component, unit and core of every part."""
        return tuple((part.component, part.unit, part.core) for part in self.parts)

    @cached_property
    def prices(self) -> tuple[tuple[Price, ...], NDArray[np.int64]]:
        """Distinct prices in order of appearance, and which of them each part has."""
        found = {price: index for index, price in enumerate(dict.fromkeys(part.price for part in self.parts))}
        return tuple(found), np.array([found[part.price] for part in self.parts], np.int64)


def static_power(chip: ChipConfig, table: CostTable) -> StaticPower:
    """Static and clock power of all chips of a machine, idle cores included.

    A chip's own `power.static_power_w` replaces the table's figure and the sum over memories; its source is
    the chip's `sources`.
    """
    return _static_power(chip, Itself(table))


@lru_cache(maxsize=KEPT)
def _static_power(chip: ChipConfig, given: Itself[CostTable]) -> StaticPower:
    table = given.it
    try:
        return StaticPower(
            (*_clock(chip, table), *_static(chip, table), *_dram(chip, table), *_host(chip)), None
        )
    except CostError as error:
        return StaticPower((), str(error))


def _static(chip: ChipConfig, table: CostTable) -> Iterator[ConstantPower]:
    if chip.power.static_power_w is not None:  # a measurement of the whole chip has every leak in it already
        yield _whole_chip(
            chip, _of_chip(chip, chip.power.static_power_w, "W", "power.static_power_w"), STATIC, 1.0
        )
    elif isinstance(table, EventTable):
        constant = table.cited(usable(table.static_power_w, "static_power_w", table.name))
        yield _whole_chip(chip, _at_chip(constant, chip, table, LEAKAGE_EXPONENT), STATIC, 1.0)
    else:
        yield from _leakage(chip, table)


def leakage_w(chip: ChipConfig, table: CostTable) -> float | None:
    """What the memories of a machine leak by the table's constants, watts; None where the table has none for it."""
    if isinstance(table, EventTable):
        return None
    try:
        return sum(part.price.pj for part in _leakage(chip, table)) * units.J_PER_PJ
    except CostError:
        return None


def _leakage(chip: ChipConfig, table: ComponentTable) -> Iterator[ConstantPower]:
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    of_type = {
        core.name: [(memory.name, sram.leakage(technology, memory)) for memory in core.memories]
        for core in chip.core_types
    }
    price_of_type = {
        name: [
            (memory, _price(constant, f"leakage of {memory}", "leakage_uw_per_kb * KB"))
            for memory, constant in found
        ]
        for name, found in of_type.items()
    }
    for core in chip.cores():
        for memory, price in price_of_type[core.type.name]:
            yield ConstantPower(STATIC, memory, core.index, price)


def _at_chip(constant: Constant, chip: ChipConfig, table: EventTable, exponent: int) -> Constant:
    """A power of a whole chip at the chip's supply; as it is where its authors state no supply."""
    if table.supply is None:
        return constant
    table.supply.check(chip.voltage_v, table.name)
    return scaled(constant, exponent, chip.voltage_v, table.supply.nominal_v)


def _clock(chip: ChipConfig, table: CostTable) -> Iterator[ConstantPower]:
    """Clock power that flows whether or not there is work."""
    if chip.power.clock_power_w_per_hz == 0:
        return
    if chip.power.clock_power_w_per_hz is not None:
        constant = _of_chip(chip, chip.power.clock_power_w_per_hz, "W/Hz", "power.clock_power_w_per_hz")
        yield _whole_chip(chip, constant, CLOCK, chip.clock_hz)
    elif isinstance(table, ComponentTable):
        technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
        for unit, core, watts in idle_power_w(chip, technology) if technology.clocked else ():
            formula = "flip_flop_pj * tree * open * flip-flops * Hz"
            yield ConstantPower(
                CLOCK, unit, core, _price(watts, f"clock that never stops, {unit}", formula, CLOCK)
            )
    elif table.clock_power_w_per_hz is not None:
        constant = table.cited(usable(table.clock_power_w_per_hz, "clock_power_w_per_hz", table.name))
        yield _whole_chip(chip, _at_chip(constant, chip, table, DYNAMIC_EXPONENT), CLOCK, chip.clock_hz)


def _dram(chip: ChipConfig, table: CostTable) -> Iterator[ConstantPower]:
    """DRAM that waits; what it draws while data moves is in the price of a bit."""
    if chip.dram is None or not isinstance(table, ComponentTable):
        return
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    waiting = dram.power_down(technology, chip.dram)
    if waiting is not None:
        formula = "dram_standby_w * dram_power_down_share"
        yield ConstantPower(
            STATIC, "dram", -1, _price(waiting, f"{chip.dram.kind} in power-down", formula, dram.GROUP)
        )


def _host(chip: ChipConfig) -> Iterator[ConstantPower]:
    """What feeds the chips: one for all of them."""
    if chip.host is not None and chip.host.power_w > 0:
        constant = _of_chip(chip, chip.host.power_w, "W", "host.power_w")
        yield ConstantPower(HOST, "", -1, _price(constant, "power of the host", "W", HOST))


def _whole_chip(chip: ChipConfig, constant: Constant, component: str, factor: float) -> ConstantPower:
    chips = chip.chips.columns * chip.chips.rows
    total = constant.model_copy(update={"value": constant.value * factor * chips})
    formula = (
        f"{constant.unit} * {factor:g} * {chips} chip(s)" if component == CLOCK else f"W * {chips} chip(s)"
    )
    return ConstantPower(
        component, "", -1, _price(total, f"{component} power of the chip", formula, component)
    )


def _of_chip(chip: ChipConfig, value: float, unit: str, key: str) -> Constant:
    source = "; ".join(chip.sources) or None
    node_nm, voltage_v = chip.tech_node_nm, chip.voltage_v
    constant = Constant(
        value=value, unit=unit, kind=Kind.MEASURED, source=source, node_nm=node_nm, voltage_v=voltage_v
    )
    return usable(constant, key, f"chip '{chip.name}'")


def _price(power: Constant, name: str, formula: str, group: str = STATIC) -> Price:
    pj_per_s = power.value * units.PJ_PER_J
    return Price(
        name=name,
        pj=pj_per_s,
        low_pj=pj_per_s * power.band[0],
        high_pj=pj_per_s * power.band[1],
        group=group,
        kind=power.kind,
        source=power.source or "",
        formula=f"{formula}, picojoules per second",
    )
