"""Prices of single actions."""

import pytest
from example_chip import make_memory

from nmsim.cost import dram, logic, noc, sram
from nmsim.cost.event import event_price
from nmsim.cost.price import Price
from nmsim.cost.table import ComponentTable, EventTable, load_table
from nmsim.cost.technology import Technology, technology_at
from nmsim.counts import Action
from nmsim.errors import CostError
from nmsim.hardware.noc import Dram


@pytest.fixture
def at_45_nm(cmos: ComponentTable) -> Technology:
    return technology_at(cmos, 45, 0.9)


# k = 0.003125 pJ/bit and k2 = 0.003027 pJ/bit^2 at 45 nm
@pytest.mark.parametrize(
    ("action", "widths", "expected_pj"),
    [
        (Action.SOP, (32, 0, 0), 32 * 0.003125),
        (Action.ADD, (16, 0, 0), 16 * 0.003125),
        (Action.MULTIPLY, (16, 12, 0), 192 * 0.003027),
        (Action.MAC, (16, 12, 32), 192 * 0.003027 + 32 * 0.003125),
        (Action.COMPARE, (16, 0, 0), 16 * 0.001094),
        (Action.SHIFT, (16, 0, 0), 16 * 0.003125),
        (Action.LOOKUP, (8, 0, 0), 8 * 0.009713),
        (Action.RANDOM_DRAW, (16, 0, 0), 16 * (0.009713 + 0.003125)),
    ],
)
def test_arithmetic_by_width(
    at_45_nm: Technology, action: Action, widths: tuple[int, int, int], expected_pj: float
) -> None:
    assert logic.operation(at_45_nm, action, *widths).pj == pytest.approx(expected_pj)


def test_a_width_that_decides_the_price_must_be_given(at_45_nm: Technology) -> None:
    with pytest.raises(CostError) as error:
        logic.operation(at_45_nm, Action.MAC, 16, 0, 32)
    assert str(error.value) == (
        "cmos: 'mac' was counted with widths 16, 0, 32; give the operand widths that decide its price"
    )


def test_a_memory_access_is_no_arithmetic(at_45_nm: Technology) -> None:
    with pytest.raises(
        CostError, match="'read' is not an arithmetic action; count it under its own component"
    ):
        logic.operation(at_45_nm, Action.READ, 16, 0, 0)


def test_a_write_costs_a_fifth_more_than_a_read_with_a_wider_band(at_45_nm: Technology) -> None:
    memory = make_memory(8, 64)
    reading, writing = sram.read(at_45_nm, memory), sram.write(at_45_nm, memory)
    assert writing.pj == pytest.approx(1.2 * reading.pj)
    assert writing.low_pj / writing.pj < reading.low_pj / reading.pj
    assert writing.high_pj / writing.pj > reading.high_pj / reading.pj
    assert writing.name == "SRAM write 8 KB, 64 bit, 1 bank(s)"


def test_below_half_a_kilobyte_a_memory_is_made_of_registers(at_45_nm: Technology) -> None:
    registers = make_memory(0.25, 32)
    assert sram.read(at_45_nm, registers).pj == pytest.approx(32 * 0.009713)
    assert sram.write(at_45_nm, registers).pj == pytest.approx(32 * 0.009713)
    assert sram.read(at_45_nm, make_memory(0.5, 32)).group == "sram"


def test_a_bank_costs_less_than_the_whole_but_its_word_travels(at_45_nm: Technology) -> None:
    whole, banked = make_memory(64, 32), make_memory(64, 32, banks=4)
    bank = sram.read(at_45_nm, make_memory(16, 32)).pj
    # 64 KB at 0.532308 um2 per bit: half a side is 0.264 mm; wire 0.087311 pJ per bit and mm
    travel = 32 * 0.087311 * (64 * 8192 * 0.532308e-6) ** 0.5 / 2
    assert sram.read(at_45_nm, banked).pj == pytest.approx(bank + travel)
    assert sram.read(at_45_nm, banked).pj < sram.read(at_45_nm, whole).pj


def test_leakage_is_a_microwatt_per_kilobyte_at_0_8_v(cmos: ComponentTable) -> None:
    found = sram.leakage(technology_at(cmos, 22, 0.8), make_memory(64, 32))
    assert found.value == pytest.approx(64e-6)
    assert found.band == (0.6, 3.2)


def test_a_barrier_is_two_flits_over_a_hop_per_tile(at_45_nm: Technology) -> None:
    expected = 2 * (noc.flit_hop(at_45_nm, 32).pj + 32 * 1000 * noc.wire_bit_um(at_45_nm).pj)
    assert noc.barrier(at_45_nm, 32, 1.0).pj == pytest.approx(expected)


def memory(kind: str, bits_per_s: float = 1e11) -> Dram:
    return Dram(kind=kind, bandwidth_bits_per_s=bits_per_s, latency_ns=50)


def test_dram_is_priced_by_bits_rows_and_standby(at_45_nm: Technology) -> None:
    # a bit, and 40 mW while it moves at 100 Gbit/s; 2.5 nJ a row; 7.4 % of 40 mW while nothing moves
    assert dram.bit(at_45_nm, memory("LPDDR4")).pj == pytest.approx(4.5 + 0.04 / 1e11 * 1e12)
    assert dram.row(at_45_nm, memory("LPDDR4")).pj == 2500
    waiting = dram.power_down(at_45_nm, memory("LPDDR4"))
    assert waiting is not None
    assert waiting.value == pytest.approx(0.074 * 0.04)


def test_interfaces_on_one_footing_come_in_the_order_of_their_generations(at_45_nm: Technology) -> None:
    """Streaming whole rows of 2 KB at 51.2 Gbit/s; the sums of shared figures: 7.5, 5 (4 to 8), 4.3, 4 pJ/bit."""

    def streaming(kind: str) -> float:
        found = memory(kind, 51.2e9)
        return dram.bit(at_45_nm, found).pj + dram.row(at_45_nm, found).pj / found.row_bits

    pj = [streaming(kind) for kind in ("LPDDR3", "LPDDR4", "LPDDR4X", "LPDDR5")]
    assert pj == pytest.approx([7.5, 5.4, 4.7, 4.2], abs=0.5)
    assert pj == sorted(pj, reverse=True)
    assert streaming("HBM2") < 100  # a stack that is used at a fifth of its bandwidth pays for its standby
    whole = memory("HBM2", 2.048e12)
    assert dram.bit(at_45_nm, whole).pj + dram.row(at_45_nm, whole).pj / 8192 == pytest.approx(3.3, abs=0.7)


def test_kinds_published_whole_pay_nothing_for_rows(at_45_nm: Technology) -> None:
    assert dram.bit(at_45_nm, memory("HBM2E")).pj == 4.3
    assert dram.row(at_45_nm, memory("HBM2E")).pj == 0
    assert dram.power_down(at_45_nm, memory("HBM2E")) is None


def test_an_unknown_kind_of_dram_is_refused(at_45_nm: Technology) -> None:
    with pytest.raises(CostError) as error:
        dram.bit(at_45_nm, memory("SDRAM"))
    assert str(error.value) == (
        "cmos: DRAM kind 'SDRAM' has no price; known kinds are"
        " DDR4, GDDR6, LPDDR3, LPDDR4, LPDDR4X, LPDDR5, HBM2, HBM2E, HBM3E"
    )


def test_a_chip_link_is_priced_per_bit(at_45_nm: Technology) -> None:
    assert noc.chip_link_bit(at_45_nm).pj == 26


def test_an_event_has_its_published_energy(truenorth: EventTable) -> None:
    found = event_price(truenorth, "synaptic_op", "", 0.8)
    assert isinstance(found, Price)
    assert found.pj == 2.297
    assert found.source.startswith("Akopyan et al., TrueNorth")


def test_an_event_without_a_price_has_a_reason(truenorth: EventTable) -> None:
    assert event_price(truenorth, "spike_out", "", 0.8) == "part of the slope per synaptic event"


def test_an_event_with_neither_is_refused(truenorth: EventTable) -> None:
    with pytest.raises(CostError) as error:
        event_price(truenorth, "synaptic_update", "", 0.8)
    assert str(error.value) == (
        "truenorth: event 'synaptic_update' happened but the table neither prices it nor says why not; evaluate a rule"
        " without it, or add events.synaptic_update with its source or not_priced.synaptic_update with the reason"
    )


def test_an_event_table_is_not_scaled_beyond_its_supply(truenorth: EventTable) -> None:
    with pytest.raises(CostError, match=r"^truenorth: prices hold from 0.7 to 1.05 V"):
        event_price(truenorth, "synaptic_op", "", 0.65)


@pytest.mark.parametrize(
    ("unit", "expected_pj"), [("conv", 24.0), ("sparse", 33.6), ("dense", 35.5), ("", 35.5)]
)
def test_an_event_may_be_priced_by_its_unit(unit: str, expected_pj: float) -> None:
    table = load_table("loihi-board")
    assert isinstance(table, EventTable)
    found = event_price(table, "synaptic_op", unit, 0.75)
    assert isinstance(found, Price)
    assert found.pj == expected_pj
