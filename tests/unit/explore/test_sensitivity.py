import numpy as np
import pytest
from toy_space import TEXT, space

from nmsim.explore.result import Result, Status
from nmsim.explore.sensitivity import effects
from nmsim.explore.traits import common_traits
from nmsim.figures import METRICS

ENERGY = METRICS["energy_per_sample_j"]


def results_of(cost: object) -> list[Result]:
    return [
        Result(i, "analytic", v, Status.OK, metrics={"energy_per_sample_j": cost(v)})  # type: ignore[operator]
        for i, v in enumerate(space().grid())
    ]


def test_the_shares_of_a_product_are_its_factors_variances() -> None:
    found = {e.axis: e for e in effects(results_of(lambda v: 1e-6 * v[0] * (1.5 if v[3] == "overlapped" else 1.0)),
                                        space().axes, [ENERGY])}  # fmt: skip
    columns, schedule = np.var(np.log([1, 2, 4, 8])), np.var(np.log([1, 1.5]))
    assert found["columns"].share == pytest.approx(columns / (columns + schedule), rel=1e-3)
    assert found["schedule"].share == pytest.approx(schedule / (columns + schedule), rel=0.05)
    assert found["lanes"].share == 0.0
    assert found["columns"].factor == pytest.approx(8.0)
    assert found["columns"].means == pytest.approx([1e-6 * c * 1.5**0.5 for c in (1, 2, 4, 8)])
    assert found["columns"].best_level(1) == "1"
    assert found["columns"].best_level(-1) == "8"
    assert found["columns"].counts == (180,) * 4


def test_noise_explains_nothing() -> None:
    rng = np.random.default_rng(1)
    found = effects(results_of(lambda _: float(rng.lognormal())), space().axes, [ENERGY])
    assert max(effect.share for effect in found) < 0.02


def test_a_constant_metric_has_no_sensitivity() -> None:
    assert {effect.share for effect in effects(results_of(lambda _: 0.7), space().axes, [ENERGY])} == {0.0}


def test_continuous_axes_are_cut_into_ranges() -> None:
    wide = space(TEXT.replace("columns, key: chip.mesh.columns, kind: power_of_two, low: 1, high: 8",
                              "clock, key: chip.clock_hz, kind: continuous, low: 1, high: 9"))  # fmt: skip
    clocks = np.linspace(1, 9, 60)
    some = [
        Result(i, "analytic", (c, 1, 1024, "sequential", 28), Status.OK, metrics={"energy_per_sample_j": c})
        for i, c in enumerate(clocks)
    ]
    found = effects(some, wide.axes, [ENERGY])
    assert [effect.axis for effect in found] == ["clock"], "axes that do not vary have no effect"
    assert len(found[0].levels) == 6
    assert found[0].share > 0.9


def test_where_no_design_has_a_figure_no_axis_has_an_effect() -> None:
    clock = space(TEXT.replace("columns, key: chip.mesh.columns, kind: power_of_two, low: 1, high: 8",
                               "clock, key: chip.clock_hz, kind: continuous, low: 1, high: 9"))  # fmt: skip
    failed = [Result(0, "analytic", (1.0, 1, 1024, "sequential", 28), Status.DOES_NOT_FIT, "too small")]
    assert effects(failed, clock.axes, [ENERGY]) == ()


def test_traits_are_what_chance_does_not_explain() -> None:
    everything = results_of(lambda _: 1.0)
    front = [r for r in everything if r.values[3] == "overlapped" and r.values[4] != 65][::11]
    rest = [r for r in everything if r not in front]
    texts = [trait.text for trait in common_traits(front, rest, space().axes)]
    assert texts == [
        "schedule: overlapped in all 22 (50% of all)",
        "node: never 65 (33% of all)",
    ]


def test_a_trait_names_what_is_preferred_before_what_is_avoided() -> None:
    everything = results_of(lambda _: 1.0)
    of_node = {node: [r for r in everything if r.values[4] == node] for node in (65, 28, 16)}
    front = of_node[16][::4] + of_node[28][::60]
    texts = [
        trait.text for trait in common_traits(front, [r for r in everything if r not in front], space().axes)
    ]
    assert texts[0] == (
        "node: 16, in 60 of 64 (94%, against 33% of all); never 65 (33% of all); rarely"
        " 28, in 4 of 64 (6%, against 33% of all)"
    )


def test_a_range_of_a_continuous_axis_is_a_trait() -> None:
    wide = space(TEXT.replace("columns, key: chip.mesh.columns, kind: power_of_two, low: 1, high: 8",
                              "clock, key: chip.clock_hz, kind: continuous, low: 1, high: 9"))  # fmt: skip
    some = [
        Result(i, "analytic", (c, 1, 1024, "sequential", 28), Status.OK)
        for i, c in enumerate(np.linspace(1, 9, 81))
    ]
    found = common_traits(some[61:], some[:61], wide.axes)
    assert [trait.text for trait in found] == [
        "clock: high, 7.1 to 9 (median 8.05, of all 5) in all 20 (25% of all)"
    ]


def test_a_small_front_has_no_traits() -> None:
    everything = results_of(lambda _: 1.0)
    assert common_traits(everything[:2], everything[2:], space().axes) == ()


def test_axes_that_are_correlated_among_the_designs_that_fit_keep_their_own_effects() -> None:
    """Area = columns x lanes, and of the designs only those with many columns or few lanes are left: additive exactly.

    Means over one level give either axis the credit of the other there; the joint fit does not.
    """
    left = [r for r in results_of(lambda v: 1e-6 * v[0] * 2.0 ** (np.log2(v[1]) / 2)) if v_fits(r.values)]
    found = {e.axis: e for e in effects(left, space().axes, [ENERGY])}
    assert sum(effect.share for effect in found.values()) == pytest.approx(1.0, abs=1e-9)
    assert found["columns"].together == pytest.approx(1.0, abs=1e-9)
    assert found["columns"].factor == pytest.approx(8.0)
    for effect in found.values():
        if effect.axis not in {"columns", "lanes"}:
            assert effect.factor == pytest.approx(1.0)
            assert effect.share < 0.02


def v_fits(values: tuple[object, ...]) -> bool:
    return int(values[0]) >= 4 or int(values[1]) <= 4  # type: ignore[call-overload]


def test_what_all_axes_lack_together_is_interaction() -> None:
    """A product of two signs is pure interaction; added to a main effect of the same size it is half of the variance."""

    def cost(values: tuple[object, ...]) -> float:
        sign = 1 if values[3] == "overlapped" else -1
        turn = 1 if values[0] in (1, 2) else -1
        return float(np.exp(sign * turn + sign))

    found = effects(results_of(cost), space().axes, [ENERGY])
    assert found[0].together == pytest.approx(0.5, abs=0.02)
    assert sum(effect.share for effect in found) == pytest.approx(found[0].together)
