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
from nmsim.network.state import NEURON_TRACES, TRACES

SUM_BITS = 32
"""Width of sums in the lanes."""
FACTOR_BITS, STATE_BITS, GRADIENT_BITS = 8, 16, 48
"""Assumed widths: rates and leak factors; membranes, traces, deltas; gradients of thresholds and leak factors."""
SETTLED = 6
"""Values besides traces that a neuron lane rounds and saturates: residual, current, membrane, two errors, delta."""
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
        terms = logic_terms(technology, core, stages_overlap=chip.options.schedule != "sequential")
        parts["logic"] += [(constant, amount * count) for constant, amount in terms]
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


def logic_terms(technology: Technology, core: Core, *, stages_overlap: bool = False) -> Terms:
    """Constants and their amounts for the lanes and registers of one core, cells over what fills the rows."""
    found = lane_units(core, stages_overlap=stages_overlap)
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


def lane_units(core: Core, *, stages_overlap: bool = False) -> LaneUnits:
    """Units of all lanes of a core, as many as their rates need; how they were found: docs/energy.md, "Area".

    An accumulate lane adds and saturates; a MAC lane multiplies 16 x 16 bits besides. A core that learns has update lanes,
    which scale a gradient, add, saturate and draw; one that propagates deltas an adder tree over its MAC lanes for error
    sums. Neurons have `_neuron_units`. Where stages overlap, forward and error path have multipliers of their own. A bit of
    control has the logic of an adder's, which counts it up or takes a new value, and reads it.
    """
    held = {content for memory in core.memories for content in memory.holds}
    learns = bool(held & {Content.DELTA, Content.WEIGHT_GRADIENT, Content.FACTOR})
    updates = core.update_lanes if learns else 0
    summing = core.accumulate_lanes + core.mac_lanes + updates
    propagates = Content.DELTA in held
    neurons = _neuron_units(core, held, paths=2 if propagates and stages_overlap else 1)
    adders = summing * (SUM_BITS + SATURATOR_BITS) + updates * DRAW_XOR_BITS + neurons.adder_bits
    adders += (core.mac_lanes * SUM_BITS if propagates else 0) + core.control_bits
    multipliers = core.mac_lanes * STATE_BITS**2 + updates * SUM_BITS * FACTOR_BITS + neurons.multiplier_bits2
    arrays = [memory for memory in core.memories if not of_registers(memory)]
    flip_flops = FlipFlops.of(core)
    registers = flip_flops.lanes + flip_flops.control + sum(memory.word_bits for memory in arrays)
    registers += updates * DRAW_BITS
    return LaneUnits(adders, multipliers, registers + neurons.register_bits)


def _neuron_units(core: Core, held: set[Content], *, paths: int) -> LaneUnits:
    """Units of the neuron lanes, and of learning thresholds and leak factors.

    A lane multiplies as often in one cycle as it has states to decay or products to form, and its stages share the
    multipliers: one, and one for each trace of a neuron. It rounds and saturates every value that it settles: residual,
    current and membrane, each trace, two errors and a delta; without deltas it adds in the width of its states. Every lane
    adds up and moves a threshold; one unit a core adds up what all lanes give a leak factor and moves it.
    """
    lanes, move = core.neuron_lanes, GRADIENT_BITS + SATURATOR_BITS
    traces = len(held & {trace.content for trace in TRACES})
    if Content.DELTA in held:
        adders = lanes * (SETTLED + traces) * (SUM_BITS + SATURATOR_BITS)
        multipliers = lanes * paths * neuron_multipliers(core) * STATE_BITS**2
    else:
        adders = lanes * (1 + traces) * (STATE_BITS + SATURATOR_BITS // 2)
        multipliers = lanes * (1 + traces) * STATE_BITS * FACTOR_BITS
    draws = 0
    if Content.THRESHOLD_GRADIENT in held:
        adders += lanes * (2 * move + DRAW_XOR_BITS)
        multipliers += lanes * GRADIENT_BITS * FACTOR_BITS
        draws += lanes
    if Content.LEAK_TRACE in held:
        adders += lanes * GRADIENT_BITS + move + DRAW_XOR_BITS
        multipliers += GRADIENT_BITS * FACTOR_BITS
        draws += 1
    return LaneUnits(adders, multipliers, draws * DRAW_BITS)


def neuron_multipliers(core: Core) -> int:
    """Multipliers that the stages of a neuron lane share: the membrane's, and one for each trace of a neuron."""
    held = {content for memory in core.memories for content in memory.holds}
    return 1 + len(held & {trace.content for trace in NEURON_TRACES})
