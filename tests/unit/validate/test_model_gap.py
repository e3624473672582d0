"""The gap between the performance models."""

from dataclasses import replace

import pytest

from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.chip import EventModel
from nmsim.validate.designs import random_design
from nmsim.validate.model_gap import gap_of, random_gaps, summary


def test_the_analytic_model_is_within_its_bar_on_random_designs() -> None:
    total = summary(random_gaps(range(30)))
    assert total.works == 30
    assert total.median <= 0.10
    assert total.p95 <= 0.25


@pytest.mark.slow
def test_the_bar_holds_over_two_hundred_designs() -> None:
    gaps = random_gaps(range(200))
    total = summary(gaps)
    assert total.works == 200
    assert total.median <= 0.10
    assert total.p95 <= 0.25
    for gap in gaps:
        assert gap.stage or gap.error == 0, gap.name


def test_a_gap_names_the_stage_where_the_models_part() -> None:
    work = random_design(4).work()
    analytic, event = AnalyticModel().run(work), EventModel().run(work)
    stage_cycles = analytic.stage_cycles.copy()
    stage_cycles[2] += 1000
    gap = gap_of(
        replace(analytic, stage_cycles=stage_cycles, cycles=analytic.cycles + 1000), event, work, "bent"
    )
    assert gap.stage == analytic.stages[2].name
    assert gap.error == pytest.approx((analytic.cycles + 1000).sum() / event.cycles.sum() - 1)
    assert gap.cause.startswith(f"{gap.stage} (bound by ")


def test_the_same_seed_gives_the_same_design() -> None:
    first, second = random_design(8), random_design(8)
    assert first.job.chip == second.job.chip
    assert first.job.mapping == second.job.mapping
    assert first.activity.content_hash == second.activity.content_hash
