"""The shipped component table is the recommended default model, number by number."""

import csv
import io
import os
from pathlib import Path

import pytest

from nmsim.cost.constant import Kind
from nmsim.cost.scaling import NodeConstant
from nmsim.cost.table import ComponentTable

NAMES = {
    "E_int_add_per_bit": "logic.add_pj_per_bit",
    "E_int_mul_per_bit2": "logic.multiply_pj_per_bit2",
    "E_compare_b": "logic.compare_pj_per_bit",
    "E_shift_b": "logic.shift_pj_per_bit",
    "E_reg_access_per_bit": "logic.register_pj_per_bit",
    "e0": "sram.base_pj",
    "b": "sram.word_pj_per_bit",
    "d": "sram.size_pj_per_sqrt_kb",
    "c": "sram.size_word_pj_per_bit_sqrt_kb",
    "leak": "sram.leakage_uw_per_kb",
    "area_per_bit": "area.sram_um2_per_bit",
    "E_router_per_bit": "noc.router_pj_per_bit",
    "E_wire_per_bit_mm": "noc.wire_pj_per_bit_mm",
}


def value_of(table: ComponentTable, parameter: str, node: str) -> float:
    if parameter == "write_over_read":
        assert table.sram.write_over_read is not None
        return table.sram.write_over_read.value
    if parameter == "V_nominal":
        return table.supply[int(node)].nominal_v
    if node == "any":
        return table.dram_pj_per_bit[parameter.removesuffix("_total")].value
    if parameter in NAMES:
        section, _, key = NAMES[parameter].partition(".")
        constant = getattr(getattr(table, section), key)
    else:
        key = parameter.removeprefix("E_").replace("mul", "multiply")
        constant = table.reference_pj[key]
    assert isinstance(constant, NodeConstant)
    return constant.at[int(node)].value


def test_every_value_is_that_of_the_default_model(cmos: ComponentTable) -> None:
    default = Path(__file__).resolve().parents[4] / "shared" / "costs"
    file = Path(os.environ.get("NMSIM_SHARED_COSTS", default)) / "default_model.csv"
    if not file.is_file():
        pytest.skip(f"the default model is not at {file}; set NMSIM_SHARED_COSTS to run this test")
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert len(rows) > 150
    for row in rows:
        if row["parameter"].startswith("access_t"):
            continue  # fast CACTI cells; the timing section has cells of the usual kind instead
        if row["parameter"].split("_")[0] in cmos.dram_pj_per_row:
            continue  # split into bursts, rows and standby since
        assert value_of(cmos, row["parameter"], row["node_nm"]) == float(row["value"]), row


def test_every_constant_has_a_source_and_no_average_prices(cmos: ComponentTable) -> None:
    sections = (cmos.logic, cmos.sram, cmos.ports, cmos.timing, cmos.clock, cmos.noc, cmos.area)
    constants = [
        getattr(section, name)
        for section in sections
        for name in type(section).model_fields
        if not name.startswith(("fitted_", "weak_cell_excess", "weak_cell_source"))
    ]
    constants += [
        *cmos.dram_pj_per_bit.values(),
        *cmos.dram_pj_per_row.values(),
        *cmos.dram_standby_w.values(),
    ]
    constants += [cmos.dram_power_down_share, *cmos.reference_pj.values(), cmos.control_overhead]
    assert len(constants) > 30
    for constant in constants:
        assert constant.source in cmos.sources
        assert constant.kind is not Kind.AVERAGE


@pytest.mark.parametrize(
    "kind", ["DDR4", "GDDR6", "LPDDR3", "LPDDR4", "LPDDR4X", "LPDDR5", "HBM2", "HBM2E", "HBM3E"]
)
def test_dram_kinds_have_a_band(cmos: ComponentTable, kind: str) -> None:
    low, high = cmos.dram_pj_per_bit[kind].band
    assert low < high
