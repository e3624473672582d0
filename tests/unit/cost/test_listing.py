"""The list of constants in use."""

from example_chip import make_chip

from nmsim.cost.listing import constants_in_use
from nmsim.cost.table import ComponentTable, EventTable, load_table
from nmsim.hardware.chip import ChipConfig


def test_every_constant_says_what_it_is(chip: ChipConfig, cmos: ComponentTable) -> None:
    listed = {item.name: item for item in constants_in_use(chip, cmos)}
    add = listed["logic.add_pj_per_bit"]
    assert (add.value, add.unit, add.kind, add.node_nm, add.voltage_v, add.use) == (
        0.002299, "pJ/bit", "derived", 28, 0.9, "used",
    )  # fmt: skip
    assert add.source.startswith("Horowitz")
    assert add.low < add.value < add.high
    assert all(item.unit and item.source != "none" for item in listed.values())


def test_only_the_chips_own_dram_is_listed(chip: ChipConfig, cmos: ComponentTable) -> None:
    names = [item.name for item in constants_in_use(chip, cmos) if item.name.startswith("dram")]
    assert names == [
        "dram_pj_per_bit.LPDDR4",
        "dram_pj_per_row.LPDDR4",
        "dram_standby_w.LPDDR4",
        "dram_power_down_share",
    ]


def test_averages_are_for_comparison_only(truenorth: EventTable) -> None:
    listed = {item.name: item for item in constants_in_use(make_chip("voltage_v=0.8"), truenorth)}
    assert listed["operating_points.synaptic_op_all_in"].use == "for comparison only"
    assert listed["operating_points.synaptic_op_all_in"].kind == "average"
    assert listed["events.synaptic_op"].use == "used"
    assert listed["static_power_w"].value == 64.43e-3


def test_the_chips_own_figures_are_listed_with_its_sources(cmos: ComponentTable) -> None:
    chip = make_chip("power={static_power_w: 1e-3, control_overhead_factor: 1.7}")
    listed = {item.name: item for item in constants_in_use(chip, cmos)}
    assert listed["power.static_power_w"].source == "made up for tests"
    assert listed["power.control_overhead_factor"].value == 1.7
    assert listed["power.control_overhead_factor"].kind == "assumed"


def test_a_figure_without_a_source_is_listed_with_the_reason_why_it_is_not_used() -> None:
    chip = make_chip("sources=[]", "power={static_power_w: 1e-3}")
    listed = {item.name: item for item in constants_in_use(chip, load_table("cmos"))}
    assert listed["power.static_power_w"].use.startswith("cmos: power.static_power_w has no source")
