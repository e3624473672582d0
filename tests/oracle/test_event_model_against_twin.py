"""The event-driven model against its slow twin, bit for bit, on random designs with every option."""

from dataclasses import fields

import numpy as np
import pytest
from event_twin.chip import EventModel as EventTwin

from nmsim.perf.event.bursts import Bursts
from nmsim.perf.event.chip import EventModel
from nmsim.perf.model import PerfResult
from nmsim.validate.designs import random_design

SEEDS = range(24)
PACKET_BY_PACKET = Bursts(per_flow=1_000_000, packets=1)


def assert_same(found: PerfResult, twin: PerfResult) -> None:
    for field in fields(PerfResult):
        ours, theirs = getattr(found, field.name), getattr(twin, field.name)
        if isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs, field.name)
        elif isinstance(ours, dict):
            assert list(ours) == list(theirs)
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name], f"{field.name}, {name}")
        elif field.name != "counts":
            assert ours == theirs, field.name


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cycle_and_bar_is_that_of_the_twin(seed: int) -> None:
    work = random_design(seed).work()
    assert_same(EventModel(timeline=True).run(work), EventTwin(timeline=True).run(work))


@pytest.mark.parametrize("seed", range(100, 104))
def test_packets_one_by_one_too(seed: int) -> None:
    work = random_design(seed).work()
    assert_same(EventModel(PACKET_BY_PACKET).run(work), EventTwin(PACKET_BY_PACKET).run(work))
