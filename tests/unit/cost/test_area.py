"""Silicon area: macros and lanes by hand, real macros and a synthesised core beside them."""

import pytest
from example_chip import make_chip, make_memory

from nmsim.cost.area import LaneUnits, area_of, lane_units, memory_terms, neuron_multipliers
from nmsim.cost.sram import extrapolation, read
from nmsim.cost.table import ComponentTable
from nmsim.cost.technology import technology_at
from nmsim.errors import CostError
from nmsim.hardware.chip import ChipConfig

TRAINER = (
    "core_types=[{neuron_slots: 256, accumulate_lanes: 16, mac_lanes: 16, update_lanes: 16, neuron_lanes: 4,"
    " pipeline_depth_cycles: 4, memories: [{name: w, holds: [weight, weight_gradient], words: 12800, word_bits: 768},"
    " {name: n, holds: [membrane, spike, threshold, threshold_gradient, threshold_trace, leak_trace, weight_trace, delta,"
    " accumulator, input], words: 67, word_bits: 1412}]}]"
)
"""The core that was built in RTL, its nine memories joined to two of as many word bits."""


def trainer(*assignments: str) -> ChipConfig:
    return make_chip("tech_node_nm=45", TRAINER, *assignments)


def cells_um2(chip: ChipConfig, table: ComponentTable) -> float:
    """Cells of the lanes and registers of one core, before they are placed."""
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    found = lane_units(chip.core_types[0])
    names = ("adder_um2_per_bit", "multiplier_um2_per_bit2", "register_um2_per_bit")
    amounts = (found.adder_bits, found.multiplier_bits2, found.register_bits)
    return sum(technology.constant(f"area.{n}").value * a for n, a in zip(names, amounts, strict=True))


def test_memory_area_is_cells_and_periphery_of_every_bank(cmos: ComponentTable) -> None:
    # four cores of 64 KB in words of 64 bits, and 4 KB in four banks of 32-bit words, at 28 nm: 0.233846 um2 per bit
    found = area_of(make_chip(), cmos)
    weights = 64 + 0.26 + 0.0128 * 64
    states = 4 + 4 * (0.26 + 0.0128 * 32)
    assert found.by_component_mm2["sram"] == pytest.approx(4 * (weights + states) * 8192 * 0.233846e-6)
    assert found.low_mm2 < found.total_mm2 < found.high_mm2


# um2 per bit of IHP SG13G2 macros, over that of the 16 KB one (3.75)
@pytest.mark.parametrize(
    ("kb", "word_bits", "published"),
    [(0.5, 64, 12.33), (1, 32, 6.04), (2, 64, 5.69), (4, 32, 4.28), (8, 64, 4.03), (32, 32, 3.59)],
)
def test_small_memories_take_more_per_bit_as_real_macros_do(
    cmos: ComponentTable, kb: float, word_bits: int, published: float
) -> None:
    technology = technology_at(cmos, 28, 0.9)

    def um2_per_bit(kb: float, word_bits: int) -> float:
        return sum(c.value * n for c, n in memory_terms(technology, make_memory(kb, word_bits))) / (kb * 8192)

    assert um2_per_bit(kb, word_bits) / um2_per_bit(16, 64) == pytest.approx(published / 3.75, rel=0.16)


def test_ports_cost_area_energy_and_leakage(cmos: ComponentTable) -> None:
    one, two = make_chip(), make_chip("core_types.0.memories.0.kind=2rw")
    technology = technology_at(cmos, 28, 0.9)
    assert read(technology, two.core_types[0].memories[0]).pj == pytest.approx(
        1.2 * read(technology, one.core_types[0].memories[0]).pj
    )
    areas = [area_of(chip, cmos).by_component_mm2["sram"] for chip in (one, two)]
    weights = 4 * (64 + 0.26 + 0.0128 * 64) * 8192 * 0.233846e-6
    assert areas[1] - areas[0] == pytest.approx(0.94 * weights)


def test_a_price_outside_the_fit_has_a_wider_band(cmos: ComponentTable) -> None:
    technology = technology_at(cmos, 28, 0.9)
    inside, outside = (read(technology, make_memory(64, bits)) for bits in (256, 1640))
    assert extrapolation(technology, make_memory(64, 1640)) == pytest.approx(4)
    # four times too wide: half and twice the band of the fit
    assert outside.high_pj / outside.pj == pytest.approx(2 * inside.high_pj / inside.pj)
    assert outside.low_pj / outside.pj == pytest.approx(inside.low_pj / inside.pj / 2)


def test_the_stages_of_a_neuron_lane_share_their_multipliers() -> None:
    # membrane, threshold trace and leak trace for STOP-WTL; the membrane alone where nothing is learned
    assert neuron_multipliers(trainer().core_types[0]) == 3
    assert neuron_multipliers(make_chip().core_types[0]) == 1
    # two paths side by side have three of 16 x 16 bits more in each of four lanes
    one, two = (lane_units(trainer().core_types[0], stages_overlap=overlap) for overlap in (False, True))
    assert two.multiplier_bits2 - one.multiplier_bits2 == 4 * 3 * 256
    assert (two.adder_bits, two.register_bits) == (one.adder_bits, one.register_bits)


def test_units_of_a_core_that_learns_are_counted_by_hand() -> None:
    found = lane_units(trainer().core_types[0])
    # 48 lanes add and saturate, 16 of them draw; a tree over 16 MAC lanes; nine values a neuron lane; thresholds in four
    # lanes are added up and moved, the leak factor in one place
    lanes = 48 * 48 + 16 * 48 + 16 * 32 + 4 * 9 * 48
    assert found.adder_bits == lanes + 4 * (64 + 64 + 48) + (4 * 48 + 64 + 48)
    assert found.multiplier_bits2 == 16 * 256 + 16 * 32 * 8 + 4 * 3 * 256 + 4 * 48 * 8 + 48 * 8
    assert found.register_bits == 52 * 128 + 768 + 1412 + (16 + 4 + 1) * 16


def test_lanes_are_counted_by_hand() -> None:
    # one accumulate and one MAC lane add 32 bits and saturate; one neuron lane decays a membrane of 16 bits
    expected = LaneUnits(2 * 48 + 24, 16 * 16 + 16 * 8, 4 * 32 * 4 + 64 + 32)
    assert lane_units(make_chip().core_types[0]) == expected


def test_a_bit_of_control_is_a_flip_flop_and_the_logic_of_an_adder_bit() -> None:
    without, found = (
        lane_units(make_chip(f"core_types.0.control_bits={bits}").core_types[0]) for bits in (0, 100)
    )
    assert (found.adder_bits - without.adder_bits, found.register_bits - without.register_bits) == (100, 100)
    assert found.multiplier_bits2 == without.multiplier_bits2


IHP_UM2 = {"adder": 1649.29 / 32, "multiplier": 11087.42 / 256, "register": 1567.64 / 32}
"""Units alone in IHP SG13G2, by the synthesis that mapped the core: a 32-bit adder, a 16 x 16 multiplier, 32 flip-flops."""


def test_the_core_that_was_synthesised_is_met_in_two_libraries(cmos: ComponentTable) -> None:
    """docs/rtl.md, "Area": 11,901 um2 of ASAP7 and 1,482,762 um2 of IHP SG13G2, bus and overflow counters included."""
    assert cells_um2(trainer("tech_node_nm=7", "voltage_v=0.7"), cmos) == pytest.approx(11_901, rel=0.18)
    found = lane_units(trainer().core_types[0])
    amounts = (found.adder_bits, found.multiplier_bits2, found.register_bits)
    um2 = sum(price * amount for price, amount in zip(IHP_UM2.values(), amounts, strict=True))
    assert um2 == pytest.approx(1_482_762, rel=0.1)


def test_the_first_core_that_was_synthesised_is_met(cmos: ComponentTable) -> None:
    """Nangate45: 177,769 um2, a prototype whose stages shared no multiplier and which had neither bus nor counters."""
    assert cells_um2(trainer(), cmos) == pytest.approx(177_769, rel=0.1)


def test_control_and_periphery_are_factors_on_what_is_inside(cmos: ComponentTable) -> None:
    found = area_of(make_chip(), cmos).by_component_mm2
    inside = found["sram"] + found["logic"] + found["noc"]
    assert found["control"] / inside == pytest.approx(cmos.area.control_and_wiring.value - 1)  # type: ignore[union-attr]
    assert found["periphery"] / (inside + found["control"]) == pytest.approx(0.12)


def test_more_lanes_take_more_area_and_a_single_tile_has_no_router(cmos: ComponentTable) -> None:
    base, wide = area_of(make_chip(), cmos), area_of(make_chip("core_types.0.mac_lanes=16"), cmos)
    assert wide.by_component_mm2["logic"] > base.by_component_mm2["logic"]
    assert wide.by_component_mm2["sram"] == base.by_component_mm2["sram"]
    assert base.by_component_mm2["noc"] > 0
    assert area_of(make_chip("mesh={columns: 1, rows: 1}"), cmos).by_component_mm2["noc"] == 0


def test_two_chips_take_twice_the_area(cmos: ComponentTable) -> None:
    two = make_chip("chips={columns: 2, link: {bits_per_cycle: 1, latency_cycles: 1}}")
    assert area_of(two, cmos).total_mm2 == pytest.approx(2 * area_of(make_chip(), cmos).total_mm2)


def test_area_without_a_published_bitcell_is_refused(cmos: ComponentTable) -> None:
    area = cmos.area.model_copy(update={"sram_um2_per_bit": None})
    with pytest.raises(CostError, match=r"^cmos: area.sram_um2_per_bit is not in this table"):
        area_of(make_chip(), cmos.model_copy(update={"area": area}))
