"""Silicon area of a machine: memories as macros, lanes with the units that their rate needs, routers, control, pads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import hypot

from nmsim import units
from nmsim.contents import Content
from nmsim.cost.clock import FlipFlops
from nmsim.cost.constant import Constant
from nmsim.cost.sram import of_registers, port_factor
from nmsim.cost.table import ComponentTable
from nmsim.cost.technology import Technology, technology_at
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core
from nmsim.hardware.sram import Sram

SUM_BITS = 32
"""Width of sums in the lanes."""
FACTOR_BITS, STATE_BITS = 8, 16
"""Assumed widths in a neuron lane: leak factors, and membranes, traces, deltas."""
SATURATOR_BITS = 16
"""A saturator in bits of an adder: its comparison and its multiplexer (45 nm library)."""
DRAW_BITS = 16
"""Bits of the shift register that a lane draws from to round."""
DRAW_XOR_BITS = 48
"""Its jumps over the draws of other lanes, in bits of an adder: what is left of a synthesised core (docs/energy.md)."""
NOT_INCLUDED = ("PLLs and chip links", "DRAM and its PHY")


@dataclass(frozen=True)
class Area:
    """Estimated area of all chips of a machine, by component, square millimetres, with its band.

    `control` is what control and wiring add to memories, logic and routers; `periphery` what a chip has around its cores.
    """

    by_component_mm2: Mapping[str, float]
    low_mm2: float
    high_mm2: float
    not_included: tuple[str, ...]

    @property
    def total_mm2(self) -> float:
        """Sum over components."""
        return sum(self.by_component_mm2.values())


@dataclass(frozen=True)
class LaneUnits:
    """What the lanes of a core are made of: bits of adders, squared bits of multipliers, bits of registers."""

    adder_bits: int
    multiplier_bits2: int
    register_bits: int


Terms = list[tuple[Constant, float]]


def area_of(chip: ChipConfig, table: ComponentTable) -> Area:
    """Area of a machine.

    Bands add up inside a component and combine as independent errors across components.

    Raises:
        CostError: the table has no sourced area for a component the chip has.
    """
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    parts: dict[str, Terms] = {"sram": [], "logic": [], "noc": []}
    cores = [placed.type.name for placed in chip.cores()]
    for core in chip.core_types:
        count = cores.count(core.name)
        for memory in core.memories:
            name = "logic" if of_registers(memory) else "sram"
            parts[name] += [
                (constant, amount * count) for constant, amount in memory_terms(technology, memory)
            ]
        parts["logic"] += [(constant, amount * count) for constant, amount in logic_terms(technology, core)]
    if chip.tiles > 1:
        parts["noc"].append((technology.constant("area.router_um2_per_bit"), chip.tiles * chip.noc.flit_bits))
    return _summed(parts, technology)


def _summed(parts: Mapping[str, Terms], technology: Technology) -> Area:
    """Components, control and periphery, with their bands."""
    mm2 = {name: _um2(terms) * units.MM2_PER_UM2 for name, terms in parts.items()}
    down = [_um2((c, n * (1 - c.band[0])) for c, n in terms) * units.MM2_PER_UM2 for terms in parts.values()]
    up = [_um2((c, n * (c.band[1] - 1)) for c, n in terms) * units.MM2_PER_UM2 for terms in parts.values()]
    inside = sum(mm2.values())
    factors = [technology.constant(f"area.{key}") for key in ("control_and_wiring", "chip_over_cores")]
    for name, factor in zip(("control", "periphery"), factors, strict=True):
        mm2[name] = sum(mm2.values()) * (factor.value - 1)
    total = sum(mm2.values())
    down = [part * total / inside for part in down] + [total * (1 - factor.band[0]) for factor in factors]
    up = [part * total / inside for part in up] + [total * (factor.band[1] - 1) for factor in factors]
    return Area(mm2, total - hypot(*down), total + hypot(*up), NOT_INCLUDED)


def _um2(terms: Iterable[tuple[Constant, float]]) -> float:
    return sum(constant.value * amount for constant, amount in terms)


def memory_terms(technology: Technology, memory: Sram) -> Terms:
    """Constants and their amounts for one memory.

    A macro has the cells and a periphery of as much as `macro_kb + macro_kb_per_bit w` KB of cells, bank by bank, times
    what its ports take; below 0.5 KB it is built of registers.
    """
    if of_registers(memory):
        return _placed(technology, [("area.register_um2_per_bit", memory.capacity_bits)])
    per_bit = technology.constant("area.sram_um2_per_bit")
    ports = port_factor(technology, memory, "area")
    periphery_kb = (
        technology.constant("area.macro_kb").value
        + technology.constant("area.macro_kb_per_bit").value * memory.word_bits
    )
    bits = memory.capacity_bits + memory.banks * periphery_kb * units.BITS_PER_KIB
    return [(per_bit, bits * (1.0 if ports is None else ports.value))]


def logic_terms(technology: Technology, core: Core) -> Terms:
    """Constants and their amounts for the lanes and registers of one core, cells over what fills the rows."""
    found = lane_units(core)
    return _placed(
        technology,
        [
            ("area.adder_um2_per_bit", found.adder_bits),
            ("area.multiplier_um2_per_bit2", found.multiplier_bits2),
            ("area.register_um2_per_bit", found.register_bits),
        ],
    )


def _placed(technology: Technology, cells: list[tuple[str, float]]) -> Terms:
    density = technology.constant("area.placement_density").value
    return [(technology.constant(name), amount / density) for name, amount in cells]


def lane_units(core: Core) -> LaneUnits:
    """Units of all lanes of a core, as many as their rates need.

    An accumulate lane adds and saturates; a MAC lane multiplies 16 x 16 bits besides; an update lane scales a gradient,
    adds, saturates and draws; a neuron lane starts a neuron every cycle (`neuron_multipliers`). Chips that learn nothing
    have no update.
    """
    held = {content for memory in core.memories for content in memory.holds}
    learns = bool(held & {Content.DELTA, Content.WEIGHT_GRADIENT, Content.FACTOR})
    leaks, products = neuron_multipliers(core)
    updates = core.update_lanes if learns else 0
    summing = core.accumulate_lanes + core.mac_lanes + updates
    adders = summing * (SUM_BITS + SATURATOR_BITS) + updates * DRAW_XOR_BITS
    adders += core.neuron_lanes * (leaks + products) * (STATE_BITS + SATURATOR_BITS // 2)
    multipliers = core.mac_lanes * STATE_BITS**2 + updates * SUM_BITS * FACTOR_BITS
    multipliers += core.neuron_lanes * STATE_BITS * (leaks * FACTOR_BITS + products * STATE_BITS)
    arrays = [memory for memory in core.memories if not of_registers(memory)]
    registers = FlipFlops.of(core).lanes + sum(memory.word_bits for memory in arrays) + updates * DRAW_BITS
    return LaneUnits(adders, multipliers, registers)


def neuron_multipliers(core: Core) -> tuple[int, int]:
    """Multipliers of a neuron lane that starts a neuron every cycle: by a leak factor, and of two states.

    The membrane and each trace that is kept decay (up to four); the error path multiplies the error by the surrogate's
    derivative, and the delta by the threshold and leak traces (up to three). Seven in all for STOP-WTL.
    """
    held = {content for memory in core.memories for content in memory.holds}
    traces = held & {Content.THRESHOLD_TRACE, Content.LEAK_TRACE}
    decaying = 1 + len(held & {Content.THRESHOLD_TRACE, Content.LEAK_TRACE, Content.WEIGHT_TRACE})
    return decaying, 1 + len(traces) if Content.DELTA in held else 0
