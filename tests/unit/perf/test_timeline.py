"""The timeline: every kind of track, and as much work on it as the counters say."""

from collections import defaultdict
from functools import cache

import numba
import numpy as np
import pytest

from nmsim.counts import Action, Component
from nmsim.hardware.routing import DIRECTIONS
from nmsim.perf.event.chip import EventModel
from nmsim.perf.event.tables import BAR, CLOCK, NONE
from nmsim.perf.event.timeline import note
from nmsim.perf.model import PerfResult
from nmsim.validate.designs import DrawnDesign, random_design

SEEDS = (7, 11, 23, 30)


def busy(result: PerfResult) -> dict[str, float]:
    """Work on every track while the first sample runs."""
    found: dict[str, float] = defaultdict(float)
    for bar in result.timeline:
        if bar.start_cycles < result.cycles[0] - 1e-6 or bar.track == "barrier":
            found[bar.track] += bar.busy_cycles
    return found


@cache
def drawn(seed: int) -> DrawnDesign:
    return random_design(seed)


@cache
def timed(seed: int) -> PerfResult:
    return EventModel(timeline=True).run(drawn(seed).work())


@pytest.fixture(params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def design(seed: int) -> DrawnDesign:
    return drawn(seed)


@pytest.fixture
def result(seed: int) -> PerfResult:
    return timed(seed)


def test_links_are_as_busy_as_counted(result: PerfResult) -> None:
    found = busy(result)
    for link, cycles in enumerate(result.link_busy_cycles[:, 0]):
        assert found[f"link {link // 4} {DIRECTIONS[link % 4]}"] == pytest.approx(cycles)
    assert result.link_busy_cycles[:, 0].any()


def test_cores_are_as_busy_as_counted(result: PerfResult) -> None:
    found = busy(result)
    for core, cycles in zip(result.cores, result.core_busy_cycles[:, 0], strict=True):
        assert found[f"core {core}"] == pytest.approx(cycles)


def test_memories_work_as_long_as_their_words_take(design: DrawnDesign, result: PerfResult) -> None:
    """Busy cycles in the result hold expected bank conflicts besides; in a bar they are part of its length."""
    found, work = busy(result), design.work()
    rate, names = work.machine.memory_rate, work.chip.cores()
    expected: dict[str, float] = defaultdict(float)
    for stage in work.stages:
        if stage.cadence == "batch":
            continue
        for row, core in enumerate(stage.cores.tolist()):
            for index, memory in enumerate(names[core].type.memories):
                words = stage.uses.words[row, index, 0].sum()
                expected[f"memory {core} {memory.name}"] += words / rate[core, index]
    for track, cycles in expected.items():
        assert found[track] == pytest.approx(cycles)
    assert sum(expected.values()) > 0


def test_the_dram_channel_is_busy_with_its_bits(design: DrawnDesign, result: PerfResult) -> None:
    dram = design.job.chip.dram
    assert dram is not None
    bits = [
        result.counts.select(component=Component.DRAM, action=action)
        for action in (Action.READ, Action.WRITE)
    ]
    moved = sum(part.counts[~part.per_batch, 0].sum() for part in bits)
    assert busy(result)["dram"] == pytest.approx(moved * design.job.chip.clock_hz / dram.bandwidth_bits_per_s)


def test_barriers_are_all_there(result: PerfResult) -> None:
    starts = [bar.start_cycles for bar in result.timeline if bar.track == "barrier"]
    assert len([start for start in starts if start < result.cycles[0]]) == result.barriers


def test_the_update_comes_after_the_sample(result: PerfResult) -> None:
    latest = max(bar.start_cycles + bar.duration_cycles for bar in result.timeline)
    assert latest == pytest.approx(result.cycles[0] + result.update_cycles)


def test_bars_that_touch_become_one_and_late_ones_are_counted() -> None:
    clock, bars, last = np.zeros(1, CLOCK), np.zeros(2, BAR), np.full(3, NONE)
    add = numba.njit(note)
    for bar in ((0, 0, 4, 3), (0, 4, 6, 2), (1, 6, 7, 1), (0, 5, 8, 1), (2, 8, 9, 1), (1, 9, 9, 0)):
        key, *cycles = bar
        add(clock, bars, last, key, *map(float, cycles))
    assert bars.tolist() == [(0, 0, 8, 6), (1, 6, 7, 1)]
    assert clock["left_out"] == 1


def test_nothing_is_recorded_unless_asked() -> None:
    assert EventModel().run(random_design(SEEDS[1]).work()).timeline == ()
    assert np.array_equal(
        EventModel().run(random_design(SEEDS[1]).work()).cycles,
        EventModel(timeline=True).run(random_design(SEEDS[1]).work()).cycles,
    )
