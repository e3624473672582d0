"""Prices between nodes and supplies, and where they end."""

import pytest

from nmsim.cost.constant import Constant, Kind
from nmsim.cost.scaling import NodeConstant, NodeValue, at_supply, supply_at
from nmsim.cost.table import ComponentTable
from nmsim.cost.technology import technology_at
from nmsim.errors import CostError


def make_constant(**at: float) -> NodeConstant:
    points = {int(node[1:]): NodeValue(value=value) for node, value in at.items()}
    return NodeConstant(unit="pJ", kind=Kind.FITTED, source="paper", band=(0.5, 1.5), at=points)


def test_a_published_node_is_taken_as_it_is() -> None:
    found = make_constant(n45=4.0, n20=1.0).at_node(45, "x")
    assert (found.value, found.kind, found.node_nm) == (4.0, Kind.FITTED, 45)


def test_between_two_nodes_the_price_is_their_geometric_mean_over_log_node() -> None:
    # 30 nm is the geometric mean of 45 and 20 nm, 2.0 that of 4.0 and 1.0
    found = make_constant(n45=4.0, n20=1.0).at_node(30, "x")
    assert found.value == pytest.approx(2.0)
    assert found.kind is Kind.DERIVED
    assert found.confidence == "interpolated between 20 and 45 nm"


def test_a_zero_end_is_interpolated_linearly() -> None:
    assert make_constant(n45=0.0, n20=1.0).at_node(30, "x").value == pytest.approx(0.5)


def test_beyond_the_table_a_price_is_refused() -> None:
    with pytest.raises(CostError) as error:
        make_constant(n45=4.0, n20=1.0).at_node(10, "logic.add")
    assert str(error.value) == (
        "logic.add: published from 20 to 45 nm, not at 10 nm; nmsim does not extrapolate a price, so choose"
        " a node"
        " inside or give a table of your own"
    )


def test_dynamic_energy_goes_with_the_square_and_leakage_with_the_cube_of_the_supply() -> None:
    constant = Constant(value=1.0, unit="pJ", kind=Kind.FITTED, source="paper")
    assert at_supply(constant, "dynamic", 0.45, 0.9).value == pytest.approx(0.25)
    assert at_supply(constant, "leakage", 0.4, 0.9).value == pytest.approx(0.125)
    assert at_supply(constant, "none", 0.4, 0.9).value == 1.0


def test_a_supply_outside_the_published_range_is_refused(cmos: ComponentTable) -> None:
    with pytest.raises(CostError) as error:
        technology_at(cmos, 28, 1.2)
    assert str(error.value) == (
        "cmos at 28 nm: prices hold from 0.5 to 1.05 V (ReckOn, ISSCC 2022, 0.5 V; TrueNorth, TCAD 2015,"
        " 1.05 V), not"
        " at 1.2 V; nmsim does not extrapolate a price, so set voltage_v inside the range or give a table"
        " of your own"
    )


def test_a_node_outside_the_table_is_refused(cmos: ComponentTable) -> None:
    with pytest.raises(CostError, match=r"^supply: published from 7 to 65 nm, not at 90 nm; nmsim does not"):
        technology_at(cmos, 90, 1.0)


def test_a_supply_between_nodes_is_what_both_allow(cmos: ComponentTable) -> None:
    supply = supply_at(cmos.supply, 32)
    assert (supply.min_v, supply.max_v) == (0.7, 1.05)
    assert supply.nominal_v == pytest.approx(0.9)


def test_what_was_scaled_or_interpolated_is_said(cmos: ComponentTable) -> None:
    assert technology_at(cmos, 28, 0.9).notes == ()
    notes = technology_at(cmos, 40, 1.0).notes
    assert len(notes) == 2
    assert notes[0] == "prices at 40 nm are interpolated between the nodes of table 'cmos'"
    assert notes[1].startswith("dynamic prices are scaled by V^2 from 0.9 V to 1 V, inside 0.7-1.05 V")
    assert "at most as the same access at 22 nm" in technology_at(cmos, 14, 0.75).notes[0]
