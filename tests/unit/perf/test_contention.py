"""Stages that run beside each other, bounded in one compiled pass, against plain sums over resources."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nmsim import config
from nmsim.cost.clocking import clocked
from nmsim.cost.table import load_table
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import deploy_network
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.perf.analytic import AnalyticTimes, loads_of
from nmsim.perf.contention import Meetings, least_cycles
from nmsim.perf.stage_load import StageLoad, dram_cycles
from nmsim.perf.work import StepWork, build_work
from nmsim.validate.synthetic import synthetic_activity

NETWORK = dense(40, 24, 10)
SAMPLES = 3
FloatArray = NDArray[np.float64]


def work(name: str, rule: str, samples: int = SAMPLES, **options: object) -> StepWork:
    chip = config.build(ChipConfig, config.load(config.find("arch_configs/chips", name)))
    chip = chip.model_copy(update={"options": chip.options.model_copy(update=options)})
    chip = clocked(chip, load_table(chip.technology))
    job = deploy_network(NETWORK, Precision(), TrainingNeeds.for_rule(rule), chip)
    return build_work(job, synthetic_activity(NETWORK, samples))


def plain(found: StepWork, loads: tuple[StageLoad, ...], turns: list[tuple[int, int]]) -> FloatArray:
    """The largest sum on any resource, dense arrays and one stage after the other."""
    machine = found.machine
    cores = np.zeros((len(machine.tile), loads[0].resources, SAMPLES))
    links = np.zeros((machine.links.grid.links, SAMPLES))
    ports = np.zeros((2, machine.links.grid.tiles, SAMPLES))
    dram, fill = np.zeros(SAMPLES), np.zeros(SAMPLES)
    for stage, t in turns:
        load = loads[stage]
        cores[load.stage.cores] += load.taken[..., t]
        dram += dram_cycles(load.stage, found.chip, found.clock_hz)[:, t]
        fill = np.maximum(fill, load.longest_fill[:, t])
        if load.network is not None:
            links += load.network.links[..., t]
            ports += load.network.ports[..., t]
    bounds = (cores.max(axis=(0, 1)), links.max(axis=0), ports.max(axis=(0, 1)), dram)
    return np.ceil(np.max(bounds, axis=0) - 1e-9) + fill


@pytest.mark.parametrize("schedule", ["sequential", "overlapped", "pipelined"])
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("edge-28nm", "stop-wtl"), ("mesh-16nm", "stbp"),
        ("single-core-dram-28nm", "stop-wtl"), ("single-core-dram-28nm", "stbp"),
    ],
)  # fmt: skip
def test_meetings_take_as_long_as_the_busiest_resource(name: str, rule: str, schedule: str) -> None:
    found = work(name, rule, schedule=schedule)
    loads = loads_of(found)
    dram = [dram_cycles(stage, found.chip, found.clock_hz) for stage in found.stages]
    steps = [loads[group[0]].cycles.shape[1] for group in found.schedule.groups]
    meetings = Meetings.of(found.schedule, steps)
    least = least_cycles(meetings, loads, dram, found.machine, SAMPLES)
    turns = list(zip(meetings.stage.tolist(), meetings.step.tolist(), strict=True))
    for row, first, past in zip(least, meetings.first[:-1], meetings.first[1:], strict=True):
        assert np.array_equal(row, plain(found, loads, turns[first:past]))


@pytest.mark.parametrize("schedule", ["sequential", "overlapped", "pipelined"])
def test_every_slot_and_group_with_company_meets_once(schedule: str) -> None:
    found = work("edge-28nm", "stop-wtl", schedule=schedule)
    times = AnalyticTimes(found)
    steps = [times.dram[group[0]].shape[1] for group in found.schedule.groups]
    meetings = Meetings.of(found.schedule, steps)
    turns = list(zip(meetings.stage.tolist(), meetings.step.tolist(), strict=True))
    for group, first, count in zip(found.schedule.groups, meetings.of_group, steps, strict=True):
        assert (first >= 0) == (len(group) > 1)
        for t in range(count if first >= 0 else 0):
            rows = slice(meetings.first[first + t], meetings.first[first + t + 1])
            assert turns[rows] == [(stage, t) for stage in group]
    for slot, number in zip(found.schedule.slots, meetings.of_slot, strict=True):
        assert (number >= 0) == (len(slot.chains) > 1)
        if number >= 0:
            rows = slice(meetings.first[number], meetings.first[number + 1])
            together = [(n, t) for chain in slot.chains for g, t in chain for n in found.schedule.groups[g]]
            assert turns[rows] == together
