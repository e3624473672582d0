"""Clock power of a chip priced by its components: flip-flops of lanes, memories and routers, open or gated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim import units
from nmsim.cost.constant import Constant
from nmsim.cost.price import Price
from nmsim.cost.sram import of_registers
from nmsim.cost.technology import Technology, multiplied, price_of
from nmsim.counts import CoreActivity
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core

FloatArray = NDArray[np.float64]
GROUP = "clock"
LANE_BITS = 32
"""Bits of a pipeline register of a lane."""
ROUTER_PORTS = 5
KEPT = 64
"""Chips whose flip-flops are kept."""


@dataclass(frozen=True)
class FlipFlops:
    """Flip-flops of a core that see a clock: pipelines of the lanes, a register at the word of every memory, and control.

    How far it is off for cores that were built in RTL: docs/energy.md, "Clock". Fifos and registers below 0.5 KB, which are
    built of flip-flops, count whole.
    """

    lanes: int
    memories: int
    control: int

    @classmethod
    def of(cls, core: Core) -> "FlipFlops":
        """Of one core."""
        lanes = core.accumulate_lanes + core.mac_lanes + core.neuron_lanes + core.update_lanes
        registers = [m.capacity_bits if of_registers(m) else m.word_bits for m in core.memories]
        return cls(lanes * per_lane(core), sum(registers), core.control_bits)

    @property
    def total(self) -> int:
        """All of them."""
        return self.lanes + self.memories + self.control


def per_lane(core: Core) -> int:
    """Flip-flops of one lane: a register of 32 bits per pipeline stage."""
    return LANE_BITS * max(core.depths.integrate, 1)


def router_flip_flops(chip: ChipConfig) -> int:
    """Flip-flops of one router: the input queues of its five ports; none where there is one tile."""
    return ROUTER_PORTS * chip.noc.buffer_flits * chip.noc.flit_bits if chip.tiles > 1 else 0


def period_price(technology: Technology) -> Price:
    """Energy of one open flip-flop in one clock period, the tree that leads to it included."""
    flip_flop = price_of([(technology.constant("clock.flip_flop_pj"), 1)], "", GROUP, "flip_flop_pj")
    tree = technology.constant("clock.tree_factor")
    return multiplied(flip_flop, tree, "flip-flop and clock period", f"{tree.value:g} * flip_flop_pj")


def open_when_idle(chip: ChipConfig, technology: Technology) -> Constant:
    """Part of the clock that runs whether or not there is work: all of it without gating."""
    residue = technology.constant("clock.open_when_idle")
    if chip.power.clock_gating == "none":
        return residue.model_copy(update={"value": 1.0, "band": (1.0, 1.0)})
    return residue


def idle_power_w(chip: ChipConfig, technology: Technology) -> Iterator[tuple[str, int, Constant]]:
    """Clock power that never stops, in watts with its band: `(unit, core, power)`, -1 for all routers together."""
    price, residue = period_price(technology), open_when_idle(chip, technology)
    of_type = {core.name: FlipFlops.of(core).total for core in chip.core_types}
    # idle cores too: what gating leaves open does not ask whether a core was given work
    parts = [("core", core.index, of_type[core.type.name]) for core in chip.cores()]
    if routers := router_flip_flops(chip):
        parts.append(("routers", -1, routers * chip.tiles))
    kept: dict[int, Constant] = {}
    for unit, core, flip_flops in parts:
        if flip_flops not in kept:
            per_s = multiplied(price, residue, "", "")
            watts = per_s.pj * flip_flops * chip.clock_hz * units.J_PER_PJ
            band = (per_s.low_pj / per_s.pj, max(per_s.high_pj / per_s.pj, 1.0))
            kept[flip_flops] = residue.model_copy(
                update={"value": watts, "unit": "W", "band": band, "source": price.source}
            )
        yield unit, core, kept[flip_flops]


def open_periods(
    chip: ChipConfig, technology: Technology, activities: Iterable[CoreActivity]
) -> list[tuple[CoreActivity, FloatArray]]:
    """Flip-flop periods `(n, S)` that work adds to those that never stop, stage by stage.

    `idle_core`: all flip-flops of a core while it works. `fine`: the pipeline of a lane for each operation it starts,
    and the register of a memory for each word. `none`: nothing is added, for everything is open already.
    """
    if chip.power.clock_gating == "none":
        return []
    gated = 1 - open_when_idle(chip, technology).value
    return [(activity, _periods(chip, activity, gated)) for activity in activities]


def _periods(chip: ChipConfig, activity: CoreActivity, gated: float) -> FloatArray:
    of_lane, of_core = _of_cores(chip)
    if chip.power.clock_gating == "idle_core":
        return np.asarray(activity.busy_cycles * of_core[activity.cores, None] * gated)
    opened = activity.lane_operations * of_lane[activity.cores, None] + activity.word_bits
    return np.asarray(opened * gated)


def mean_open_periods(
    chip: ChipConfig, technology: Technology, activities: Iterable[CoreActivity]
) -> Iterator[tuple[CoreActivity, float]]:
    """What `open_periods` come to per sample, over all cores; kept where it follows from what was done alone."""
    if chip.power.clock_gating == "none":
        return
    gated = 1 - open_when_idle(chip, technology).value
    whole = chip.power.clock_gating == "idle_core"
    known = gated, _lanes_of(chip)
    for activity in activities:
        mean = None if whole else activity.kept.get(known)
        if mean is None:
            periods = _periods(chip, activity, gated)
            mean = float(periods.sum()) / periods.shape[1]
            if not whole:
                activity.kept[known] = mean
        yield activity, mean


@lru_cache(maxsize=KEPT)
def _lanes_of(chip: ChipConfig) -> bytes:
    return _of_cores(chip)[0].tobytes()


@lru_cache(maxsize=KEPT)
def _of_cores(chip: ChipConfig) -> tuple[FloatArray, FloatArray]:
    """Flip-flops of one lane, and of everything, of every core `(C,)`."""
    of_type = {
        core.name: (float(per_lane(core)), float(FlipFlops.of(core).total)) for core in chip.core_types
    }
    of_lane, of_core = np.array([of_type[core.type.name] for core in chip.cores()]).T
    return np.ascontiguousarray(of_lane), np.ascontiguousarray(of_core)
