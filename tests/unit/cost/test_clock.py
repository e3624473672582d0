"""Clock power: flip-flops by hand, what gating leaves, and that nothing is counted twice."""

import numpy as np
import pytest
from example_chip import make_chip

from nmsim.cost.accounting import energy_of
from nmsim.cost.clock import FlipFlops
from nmsim.cost.energy import EnergyTable
from nmsim.cost.static import static_power
from nmsim.cost.table import ComponentTable, EventTable
from nmsim.counts import ActionCounts, CoreActivity, Phase
from nmsim.hardware.chip import ChipConfig

PERIOD_PJ = 0.004374 * 2.0
"""28 nm, 0.9 V: a flip-flop and its share of the tree."""
CORE = 4 * 32 * 4 + 64 + 32
"""One lane of each kind, four stages of 32 bits; words of 64 and 32 bits."""
ROUTERS = 4 * 5 * 4 * 32
BUSY_CYCLES, OPERATIONS, WORD_BITS = 100.0, 30.0, 640.0


def chip_with(gating: str, *assignments: str) -> ChipConfig:
    power = f"power={{clock_gating: {gating}, control_overhead_factor: 1}}"
    return make_chip(power, *assignments)


def account(chip: ChipConfig, table: ComponentTable, seconds: float = 1e-6) -> EnergyTable:
    """One core of four works for 100 of 200 cycles."""
    ones = np.ones((1, 1))
    activity = CoreActivity(
        Phase.INTEGRATE, 0, np.array([2]), BUSY_CYCLES * ones, OPERATIONS * ones, WORD_BITS * ones
    )
    power = static_power(chip, table)
    time_s = {"integrate": np.array([seconds])}
    counts = ActionCounts.from_rows([], 1)
    return energy_of(counts, chip, table, power, time_s, batch_size=1, activities=[activity])


def test_flip_flops_are_those_of_lanes_and_memory_words() -> None:
    found = FlipFlops.of(make_chip().core_types[0])
    assert (found.lanes, found.memories, found.total) == (512, 96, CORE)
    with_control = FlipFlops.of(make_chip("core_types.0.control_bits=100").core_types[0])
    assert (with_control.control, with_control.total) == (100, CORE + 100)


def test_the_core_that_was_built_has_as_many() -> None:
    """RTL of 16 accumulate, MAC and update lanes, 4 neuron lanes and nine memories: 8,728 flip-flops in synthesis."""
    words = (256, 512, 512, 128, 244, 256, 48, 32, 192)
    kinds = ["weight", "weight_gradient", "accumulator", "delta", "membrane", "history", "weight_trace"]
    kinds += ["input", "threshold"]
    memories = ", ".join(
        f"{{name: m{i}, holds: [{kind}], words: 1024, word_bits: {bits}}}"
        for i, (bits, kind) in enumerate(zip(words, kinds, strict=True))
    )
    lanes = "accumulate_lanes: 16, mac_lanes: 16, update_lanes: 16, neuron_lanes: 4, pipeline_depth_cycles: 4"
    chip = make_chip(f"core_types=[{{neuron_slots: 256, {lanes}, memories: [{memories}]}}]")
    assert FlipFlops.of(chip.core_types[0]).total == pytest.approx(8728, rel=0.02)


def test_without_gating_everything_runs_all_the_time(cmos: ComponentTable) -> None:
    clock = account(chip_with("none"), cmos).select(component="clock")
    assert clock.mean_j * 1e12 == pytest.approx(PERIOD_PJ * (4 * CORE + ROUTERS) * 200)
    assert set(clock.columns["action"].tolist()) == {"power"}


def test_gated_by_core_a_working_core_runs_whole(cmos: ComponentTable) -> None:
    clock = account(chip_with("idle_core"), cmos).select(component="clock")
    idle = 0.12 * (4 * CORE + ROUTERS) * 200
    working = 0.88 * CORE * BUSY_CYCLES
    assert clock.mean_j * 1e12 == pytest.approx(PERIOD_PJ * (idle + working))
    row = clock.select(action="open flip-flop")
    assert (row.columns["core"].tolist(), row.columns["phase"].tolist()) == ([2], ["integrate"])


def test_gated_finely_only_what_works_runs(cmos: ComponentTable) -> None:
    clock = account(chip_with("fine"), cmos).select(component="clock", action="open flip-flop")
    assert clock.mean_j * 1e12 == pytest.approx(PERIOD_PJ * 0.88 * (OPERATIONS * 32 * 4 + WORD_BITS))


def test_finer_gating_never_costs_more(cmos: ComponentTable) -> None:
    none, core, fine = (account(chip_with(gating), cmos).mean_j for gating in ("none", "idle_core", "fine"))
    assert fine < core < none


def test_clock_power_follows_the_supply_squared(cmos: ComponentTable) -> None:
    high = account(chip_with("fine"), cmos).select(component="clock").mean_j
    low = account(chip_with("fine", "voltage_v=0.6"), cmos).select(component="clock").mean_j
    assert low == pytest.approx(high * (0.6 / 0.9) ** 2)


def test_a_measured_clock_power_replaces_all_of_it(cmos: ComponentTable) -> None:
    chip = make_chip("power={clock_power_w_per_hz: 1e-12, control_overhead_factor: 1}")
    assert account(chip, cmos).select(component="clock").mean_j == pytest.approx(200e6 * 1e-12 * 1e-6)


def test_static_power_of_an_event_chip_follows_the_cube_of_the_supply(truenorth: EventTable) -> None:
    # 64.43 mW at 0.8 V; Akopyan et al. 2015 measured 42 mW at 0.70 V without activity
    found_w = static_power(make_chip("voltage_v=0.7"), truenorth).total_w
    assert found_w == pytest.approx(64.43e-3 * (0.7 / 0.8) ** 3)
    assert found_w == pytest.approx(42e-3, rel=0.035)


def test_static_power_outside_the_published_supplies_is_not_available(truenorth: EventTable) -> None:
    found = static_power(make_chip("voltage_v=0.6"), truenorth)
    assert found.unavailable is not None
    assert found.unavailable.startswith("truenorth: prices hold from 0.7 to 1.05 V")
