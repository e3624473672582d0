"""What every performance model owes its users, run against each of them on the same works."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from nmsim.counts import Action, Component, Phase
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.chip import EventModel
from nmsim.perf.model import PerformanceModel, PerfResult
from nmsim.perf.work import StepWork
from nmsim.validate.designs import random_design

MODELS: tuple[PerformanceModel, ...] = (AnalyticModel(), EventModel())
SEEDS = range(100, 110)


@cache
def made(seed: int) -> StepWork:
    return random_design(seed).work()


@cache
def timed(model: PerformanceModel, seed: int) -> PerfResult:
    return model.run(made(seed))


@pytest.fixture(params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def work(seed: int) -> StepWork:
    return made(seed)


@pytest.fixture(params=MODELS, ids=lambda model: model.name)
def result(request: pytest.FixtureRequest, seed: int) -> PerfResult:
    return timed(request.param, seed)


def test_it_names_itself(result: PerfResult) -> None:
    assert result.model in {"analytic", "event"}


def test_counts_are_those_of_the_work(work: StepWork, result: PerfResult) -> None:
    assert result.counts is work.counts


def test_phases_add_up_to_the_whole(result: PerfResult) -> None:
    np.testing.assert_allclose(sum(result.phase_cycles.values()), result.sample_cycles, rtol=1e-12)


def test_slots_add_up_to_the_sample(result: PerfResult) -> None:
    np.testing.assert_allclose(result.slot_cycles.sum(axis=1), result.cycles, rtol=1e-12)


def test_packets_sent_are_packets_received(work: StepWork, result: PerfResult) -> None:
    asked = np.zeros(work.samples, np.int64)
    for stage in work.stages:
        if stage.traffic is not None and stage.cadence != "batch":
            times = [row for group in work.schedule.slots for row in group.chains]
            turns = sum(
                work.stages[number] is stage
                for chain in times
                for g, _ in chain
                for number in work.schedule.groups[g]
            )
            targets = np.array([len(cores) for cores in stage.traffic.targets])
            assert turns == (1 if stage.cadence == "sample" else work.time_steps)
            asked += (stage.traffic.packets.sum(axis=-1) * targets[:, None]).sum(axis=0)
    assert (result.packets_sent == asked).all()
    assert (result.packets_received == asked).all()


def test_no_resource_is_busy_longer_than_the_sample(work: StepWork, result: PerfResult) -> None:
    for busy in (result.memory_busy_cycles, result.lane_busy_cycles):
        expected_conflicts = result.stall_cycles["bank conflict"]
        assert (busy <= (result.cycles + expected_conflicts) * (1 + 1e-9)).all()
    assert (result.link_utilization <= 1 + 1e-9).all()
    assert (result.core_waiting_cycles >= 0).all()


def test_no_stage_is_shorter_than_its_most_loaded_core(work: StepWork, result: PerfResult) -> None:
    for stage, cycles in zip(work.stages, result.stage_cycles, strict=True):
        rate = work.machine.lane_rate[stage.cores][:, :, None, None]
        least = (stage.uses.lanes / rate).max(axis=(0, 1))
        assert (cycles[:, : least.shape[1]] >= least - 1e-6).all()


def test_barriers_are_counted_as_they_are_waited_for(work: StepWork, result: PerfResult) -> None:
    barriers = work.counts.select(component=Component.SYNC, action=Action.BARRIER)
    per_sample = barriers.counts[~barriers.per_batch].sum(axis=0)
    assert (per_sample == result.barriers * work.tiles_used).all()
    waited = result.phase_cycles[Phase.BARRIER]
    update = work.schedule.barriers(work.schedule.update_slots) / work.batch_size
    np.testing.assert_allclose(waited, (result.barriers + update) * work.barrier_cycles)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_same_work_takes_the_same_time_again(model: PerformanceModel) -> None:
    first, second = (model.run(random_design(117).work()) for _ in range(2))
    for field in dataclasses.fields(first):
        left, right = getattr(first, field.name), getattr(second, field.name)
        if isinstance(left, np.ndarray):
            assert (left == right).all(), field.name


def test_the_models_agree_on_what_happened_but_for_time(work: StepWork) -> None:
    analytic, event = (model.run(work) for model in MODELS)
    assert analytic.counts is event.counts
    assert (analytic.link_flits == event.link_flits).all()
    assert (analytic.packets_received == event.packets_received).all()
