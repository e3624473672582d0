"""The defaults printed in docs/energy.md are those of the shipped tables."""

from pathlib import Path

import pytest

from nmsim.cost.constant import Constant
from nmsim.cost.event import event_price
from nmsim.cost.price import Price
from nmsim.cost.scaling import NodeConstant
from nmsim.cost.table import EVENT_ACTIONS, ComponentTable, EventTable, load_table

PAGE = Path(__file__).resolve().parents[3] / "docs" / "energy.md"


def table_rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def written(constant: Constant | NodeConstant) -> tuple[str, str, str, str]:
    if isinstance(constant, NodeConstant):
        values = [f"{constant.at[node].value:g}" if node in constant.at else "-" for node in (45, 28, 14, 7)]
    else:
        values = [f"{constant.value:g}"]
    low, high = constant.band
    return " / ".join(values), constant.unit, constant.kind.value, f"{low:g} to {high:g}"


def test_component_defaults_are_those_of_the_table(cmos: ComponentTable) -> None:
    expected = {}
    for section in ("logic", "sram", "ports", "timing", "clock", "noc", "area"):
        part = getattr(cmos, section)
        for name in type(part).model_fields:
            constant = getattr(part, name)
            if name.startswith(("fitted_", "weak_cell_excess", "weak_cell_source")):
                continue
            expected[f"{section}.{name}"] = [*written(constant), constant.source]
    for section in ("dram_pj_per_bit", "dram_pj_per_row", "dram_standby_w"):
        for kind, constant in getattr(cmos, section).items():
            expected[f"{section}.{kind}"] = [*written(constant), constant.source]
    assert cmos.dram_power_down_share is not None
    expected["dram_power_down_share"] = [
        *written(cmos.dram_power_down_share),
        cmos.dram_power_down_share.source,
    ]
    assert cmos.control_overhead is not None
    expected["control_overhead"] = [*written(cmos.control_overhead), cmos.control_overhead.source]
    assert {row[0]: row[1:] for row in table_rows("Component prices")} == expected


def test_event_prices_are_those_of_the_tables() -> None:
    expected = []
    for name in ("loihi-2018", "loihi-board", "truenorth", "odin"):
        table = load_table(name)
        assert isinstance(table, EventTable)
        powers = {key: getattr(table, key) for key in ("static_power_w", "clock_power_w_per_hz")}
        found = {
            **table.events,
            **{key: constant for key, constant in powers.items() if constant is not None},
        }
        expected += [[name, key, *written(constant)] for key, constant in found.items()]
    assert table_rows("Event prices") == expected


def test_the_example_table_reads_and_prices(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "my-chip.yaml").write_text(example, encoding="utf-8")
    table = load_table(str(tmp_path / "my-chip.yaml"))
    assert isinstance(table, EventTable)
    found = event_price(table, "synaptic_op", "", 0.7)
    assert isinstance(found, Price)
    # 2.5 pJ at 0.8 V scaled by V^2 to 0.7 V
    assert found.pj == pytest.approx(2.5 * (0.7 / 0.8) ** 2)
    priced = set(table.events) | set(table.not_priced)
    assert priced >= set(EVENT_ACTIONS) - {"synaptic_update", "bit"}
