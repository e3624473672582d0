"""What of a front is safe: moves of prices, ends of axes."""

import numpy as np
import pytest
from toy_space import space

from nmsim.explore.axis import Linked
from nmsim.explore.result import Result, Status
from nmsim.explore.robustness import PriceMove, edges, price_moves, stability
from nmsim.explore.space import Values
from nmsim.figures import ENERGY, ENERGY_OF, LATENCY

NONE = {figure.name: 0.0 for figure in ENERGY_OF.values()}
PLACE: Values = (4, 8, 4096, "sequential", 28)


def design(number: int, sram: float, dram: float, latency: float, values: Values = PLACE) -> Result:
    metrics = {**NONE, ENERGY.name: sram + dram, ENERGY_OF["sram"].name: sram, ENERGY_OF["dram"].name: dram,
               LATENCY.name: latency, "area_mm2": 1.0}  # fmt: skip
    return Result(number, "analytic", values, Status.OK, metrics=metrics)


CHEAP_DRAM = PriceMove("dram", "low", {"dram": 0.5})
DEAR_DRAM = PriceMove("dram", "high", {"dram": 2.0})


def test_a_design_that_needs_a_cheap_price_leaves_the_front_when_it_rises() -> None:
    """1 is all SRAM, 2 is half DRAM: cheaper at these prices, dearer and no faster when DRAM costs twice as much."""
    found = stability(
        [design(1, 10, 0, 1.0), design(2, 4, 4, 1.0), design(3, 30, 0, 0.5)], space(), [CHEAP_DRAM, DEAR_DRAM]
    )
    assert found.leaves == {2: (DEAR_DRAM,), 3: ()}
    assert found.joins == {1: (DEAR_DRAM,)}
    assert found.staying == (3,)
    assert DEAR_DRAM.text == "dram prices at the high end"


def test_moves_that_are_common_to_all_change_nothing() -> None:
    some = [design(number, 10.0 / number, 0, float(number)) for number in range(1, 6)]
    found = stability(some, space(), [PriceMove("sram", "high", {"sram": 3.0})])
    assert found.staying == (1, 2, 3, 4, 5)
    assert found.joins == {}


def test_edges_are_ends_of_ordered_axes_with_the_designs_there() -> None:
    front = [
        design(1, 1, 0, 1, (1, 8, 4096, "sequential", 28)),
        design(2, 1, 0, 1, (8, 8, 4096, "overlapped", 65)),
        design(3, 1, 0, 1, (8, 2, 1024, "overlapped", 65)),
    ]
    found = {(edge.axis, edge.end): edge for edge in edges(front, space().axes)}
    assert set(found) == {("columns", "lower"), ("columns", "upper"), ("words", "lower"), ("node", "upper")}
    assert found["columns", "upper"].designs == (2, 3)
    assert found["columns", "upper"].level == 8
    assert (found["node", "upper"].level, found["node", "upper"].designs) == (65, (2, 3)), (
        "its list begins with 65"
    )


def test_choices_that_set_several_keys_have_ends_where_they_are_numbers() -> None:
    choices = {name: {"chip.mesh.rows": rows} for rows, name in enumerate(("256", "512", "1024"), 1)}
    numbers = Linked(kind="linked", name="words", choices=choices)
    names = Linked(kind="linked", name="schedule", choices=dict(zip("abc", choices.values(), strict=True)))
    front = [design(1, 1, 0, 1, ("1024", "a")), design(2, 1, 0, 1, ("512", "c"))]
    (edge,) = edges(front, (numbers, names))
    assert (edge.axis, edge.end, edge.designs) == ("words", "upper", (1,))


def test_moves_come_from_the_bands_of_the_prices_of_an_evaluation() -> None:
    from nmsim.cost.energy import EnergyTable
    from nmsim.cost.price import Price

    def price(name: str, group: str, low: float, high: float) -> Price:
        return Price(name, 1.0, low, high, group, "", "assumed", "hand")  # type: ignore[arg-type]

    table = EnergyTable(
        {
            "component": np.array(["sram", "dram", "control"]), "action": np.array(["read"] * 3), "unit": np.array([""] * 3),
            "phase": np.array(["neuron"] * 3), "layer": np.zeros(3, int), "core": np.zeros(3, int),
        },
        np.ones((3, 2)), np.array([[10.0, 10.0], [5.0, 5.0], [6.0, 6.0]]), np.array([0, 1, 2]),
        (price("s", "sram", 0.5, 1.5), price("d", "dram", 1.0, 1.0), price("c", "control", 0.9, 1.2)),
    )  # fmt: skip
    moves = {(move.group, move.end): move.factors for move in price_moves(table)}
    assert set(moves) == {("sram", "low"), ("sram", "high"), ("control", "low"), ("control", "high")}
    # control overhead multiplies SRAM energy, so that it moves with it
    assert moves["sram", "high"] == {"sram": pytest.approx(1.5), "control": pytest.approx(1.5)}
    assert moves["control", "high"] == {"control": pytest.approx(1.2)}
