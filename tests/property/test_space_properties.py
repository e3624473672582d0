"""Axes and stores: whatever the values, nothing is lost on the way."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nmsim.explore.axis import Axis
from nmsim.explore.result import Result, Status
from nmsim.explore.store import Store

ADAPTER: TypeAdapter[Axis] = TypeAdapter(Axis)
PLAIN = st.one_of(
    st.integers(-9, 9),
    st.text("abc ", max_size=4),
    st.booleans(),
    st.floats(-1e9, 1e9),
    st.lists(st.integers(), max_size=2),
)


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    kind = draw(st.sampled_from(["integer", "power_of_two", "continuous", "categorical"]))
    if kind == "integer":
        low, span = draw(st.integers(-50, 50)), draw(st.integers(0, 40))
        return ADAPTER.validate_python(
            {"key": "chip.x", "kind": kind, "low": low, "high": low + span, "step": draw(st.integers(1, 5))}
        )
    if kind == "power_of_two":
        low, span = draw(st.integers(0, 8)), draw(st.integers(0, 8))
        return ADAPTER.validate_python(
            {"key": "chip.x", "kind": kind, "low": 1 << low, "high": 1 << low + span}
        )
    if kind == "continuous":
        low, span = draw(st.floats(1e-6, 1e6)), draw(st.floats(1.01, 100))
        return ADAPTER.validate_python(
            {"key": "chip.x", "kind": kind, "low": low, "high": low * span, "log": draw(st.booleans())}
        )
    values = draw(st.lists(PLAIN, min_size=1, max_size=6, unique_by=repr))
    return ADAPTER.validate_python({"key": "chip.x", "kind": kind, "values": values})


@given(axes(), st.floats(0, 1, exclude_max=True))
def test_every_point_of_the_cube_is_a_value_of_the_axis(axis: Axis, fraction: float) -> None:
    value = axis.at(fraction)
    assert axis.holds(value)
    assert 0.0 <= axis.position(value) <= 1.0


@given(axes())
def test_levels_lie_in_order_and_come_back(axis: Axis) -> None:
    levels = axis.levels()
    places = [axis.position(level) for level in levels]
    assert places == sorted(places)
    if axis.kind != "continuous":
        assert [axis.at((i + 0.5) / len(levels)) for i in range(len(levels))] == list(levels)


@given(
    axes(), st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=8), st.floats(allow_nan=False)
)
@settings(max_examples=40, deadline=None)
def test_values_and_figures_survive_the_store(axis: Axis, fractions: list[float], figure: float) -> None:
    results = [
        Result(i, "analytic", (axis.at(u),), Status.OK, metrics={"energy_per_sample_j": figure})
        for i, u in enumerate(fractions)
    ]
    with tempfile.TemporaryDirectory() as folder:
        with Store(Path(folder) / "s.sqlite", (axis,), {}) as store:
            for result in results:
                store.add(result)
        with Store(Path(folder) / "s.sqlite", (axis,)) as store:
            found = store.results()
    assert [(r.values, r.metrics["energy_per_sample_j"]) for r in found] == [
        (r.values, figure) for r in results
    ]
    assert [type(r.values[0]) for r in found] == [type(r.values[0]) for r in results]
