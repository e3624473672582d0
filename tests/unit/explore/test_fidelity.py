from dataclasses import replace

import pytest
from toy_space import space, toy_result

from nmsim.explore.fidelity import best_known, disagreements, to_simulate
from nmsim.explore.pareto import non_dominated
from nmsim.explore.result import Result, costs, feasible

SPACE = space()
ANALYTIC = [toy_result(i, values) for i, values in enumerate(SPACE.grid())]


def simulated(result: Result) -> Result:
    """The truth of this world: latency is up by 20 %, and by 60 % more with overlapping on few lanes."""
    factor = 1.2 * (1.6 if result.values[3] == "overlapped" and result.values[1] < 8 else 1.0)
    metrics = {**result.metrics, "latency_per_sample_s": result.metrics["latency_per_sample_s"] * factor}
    return replace(result, model="event", metrics=metrics)


def simulate_until_done(batch: int) -> list[Result]:
    event: list[Result] = []
    while chosen := to_simulate(ANALYTIC, event, SPACE)[:batch]:
        event += [simulated(result) for result in chosen]
    return event


def front(results: list[Result]) -> set[int]:
    good = [r for r in results if feasible(r, SPACE)]
    return {
        r.design for r, keep in zip(good, non_dominated(costs(good, SPACE.objectives)), strict=True) if keep
    }


def test_disagreement_is_the_median_ratio_and_its_spread() -> None:
    chosen = [r for r in ANALYTIC if r.ok][:40]
    found = disagreements(ANALYTIC, [simulated(r) for r in chosen])
    assert found["latency_per_sample_s"].bias == pytest.approx(1.2) or found[
        "latency_per_sample_s"
    ].bias == pytest.approx(1.92)
    assert found["latency_per_sample_s"].margin == pytest.approx(1.6)
    assert found["energy_per_sample_j"].bias == 1.0
    assert "area_mm2" not in found, "both models agree on it by construction"
    assert set(found["latency_per_sample_s"].ratios) == {r.design for r in chosen}


def test_figures_are_the_simulated_ones_or_corrected() -> None:
    chosen = [r for r in ANALYTIC if r.ok and r.values[1] >= 8][:10]
    known = {r.design: r for r in best_known(ANALYTIC, [simulated(r) for r in chosen])}
    assert known[chosen[0].design].model == "event"
    other = next(r for r in ANALYTIC if r.ok and r.design not in {c.design for c in chosen})
    assert known[other.design].model == "analytic"
    assert known[other.design].metrics["latency_per_sample_s"] == pytest.approx(
        1.2 * other.metrics["latency_per_sample_s"]
    )
    assert known[other.design].metrics["area_mm2"] == other.metrics["area_mm2"]


def test_nothing_is_corrected_by_a_handful() -> None:
    chosen = [r for r in ANALYTIC if r.ok][:4]
    known = best_known(ANALYTIC, [simulated(r) for r in chosen])
    assert known[-1] == ANALYTIC[-1]


def test_the_front_of_the_truth_is_found_with_a_part_of_the_simulations() -> None:
    event = simulate_until_done(16)
    truth = [simulated(r) if r.ok else r for r in ANALYTIC]
    found = front(best_known(ANALYTIC, event))
    assert found == front(truth)
    assert found != front(ANALYTIC), "otherwise the analytic model alone would do"
    assert len(event) < len([r for r in ANALYTIC if r.ok]) * 0.8


def test_designs_on_the_estimated_front_come_first() -> None:
    first = to_simulate(ANALYTIC, [], SPACE)
    on_front = front(ANALYTIC)
    assert {r.design for r in first[: len(on_front)]} == on_front
    assert len(first) > len(on_front)


def test_a_failed_simulation_is_not_tried_again() -> None:
    first = to_simulate(ANALYTIC, [], SPACE)[0]
    failed = replace(first, model="event", status="error", metrics={})
    assert first.design not in {r.design for r in to_simulate(ANALYTIC, [failed], SPACE)}
