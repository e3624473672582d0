"""The compiled pass over the cells of a stage, against the formulas of docs/timing.md in plain arrays."""

import numpy as np
import pytest

from nmsim import config
from nmsim.cost.clocking import clocked
from nmsim.cost.table import load_table
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import deploy_network
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.perf.stage import DEPTH_OF
from nmsim.perf.stage_load import StageLoad, dram_cycles
from nmsim.perf.work import StepWork, build_work
from nmsim.validate.synthetic import synthetic_activity

NETWORK = dense(40, 24, 10)


def work(name: str, rule: str, *assignments: str) -> StepWork:
    document = config.load(config.find("arch_configs/chips", name))
    for assignment in assignments:
        document = document.with_value(assignment)
    chip = config.build(ChipConfig, document)
    chip = clocked(chip, load_table(chip.technology))
    job = deploy_network(NETWORK, Precision(), TrainingNeeds.for_rule(rule), chip)
    return build_work(job, synthetic_activity(NETWORK, 3))


@pytest.mark.parametrize(
    ("name", "rule", "banks"),
    [
        ("edge-28nm", "stop-wtl", ()),
        ("edge-28nm", "stop-wtl", tuple(f"core_types.0.memories.{n}.banks=6" for n in range(1, 5))),
        ("mesh-16nm", "stbp", ()),
        ("loihi-2018", "inference", ()),
    ],
)
def test_loads_are_the_formulas(name: str, rule: str, banks: tuple[str, ...]) -> None:
    found = work(name, rule, *banks)
    machine = found.machine
    for stage in found.stages:
        load, cores = StageLoad(machine, stage), stage.cores
        lanes = stage.uses.lanes / machine.lane_rate[cores][:, :, None, None]
        several = machine.banks[cores][:, :, None, None].astype(np.float64)
        share = (stage.uses.words / np.maximum(stage.uses.word_bursts, 1) % several) / several
        variance = stage.uses.word_bursts * share * (1 - share)
        rate = machine.memory_rate[cores][:, :, None, None]
        lost = np.where(
            stage.uses.word_bursts > 1, np.sqrt(2 * np.log(several) * variance) / (rate / several), 0.0
        )
        memories = stage.uses.words / rate + lost
        cycles = np.maximum(lanes.max(axis=1), memories.max(axis=1))
        timed = machine.event_timed[cores][:, None, None]
        cycles = np.where(timed, cycles, np.ceil(cycles - 1e-9))
        slow = (machine.fill_cycles[cores][:, :, None, None] * (stage.uses.words > 0)).max(axis=1)
        depth = machine.depth_cycles[DEPTH_OF[stage.part]][cores][:, None, None]
        fill = (depth + slow + stage.waits) * (cycles > 0)
        assert np.array_equal(load.lanes, lanes)
        assert np.array_equal(load.conflicts, lost)
        assert np.array_equal(load.memories, memories)
        assert np.array_equal(load.work_cycles, cycles)
        assert np.array_equal(load.fill_cycles, fill)
        ends = cycles + fill
        if stage.network is not None:
            ends = ends + np.where(cycles > 0, stage.network.first_arrivals(cores), 0.0)
            network = np.ceil(stage.network.cycles) + fill.max(axis=0)
            assert np.array_equal(load.cycles, np.maximum(ends.max(axis=0), network))
        else:
            assert np.array_equal(load.cycles, ends.max(axis=0))
        kinds = machine.memory_kind[cores][:, :, None, None]
        for index, (memory, _) in enumerate(machine.memory_kinds):
            here = np.where(kinds == index, memories, 0.0).max(axis=(0, 1))
            assert load.most_taken[f"memory '{memory}'"] == here.sum()


def test_transfers_take_the_channel_for_their_bits_and_one_latency() -> None:
    found = work("single-core-dram-28nm", "stop-wtl")
    dram, taken = found.chip.dram, 0.0
    assert dram is not None
    for stage in found.stages:
        bits = stage.dram_bits / (dram.bandwidth_bits_per_s / found.clock_hz)
        latency = np.ceil(dram.latency_ns * 1e-9 * found.clock_hz)
        cycles = dram_cycles(stage, found.chip, found.clock_hz)
        assert np.array_equal(cycles, (np.ceil(bits) + latency) * (stage.dram_bits > 0))
        taken += cycles.sum()
    assert taken > 0
