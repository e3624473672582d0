"""Mean energies by phase and layer against the rows of the energy table."""

import numpy as np
import pytest

from nmsim import units
from nmsim.cost.accounting import energy_of
from nmsim.cost.clocking import clocked
from nmsim.cost.energy import CLOCK, WORKING
from nmsim.cost.mean_energy import action_energy_pj, clock_energy_pj
from nmsim.cost.outline import without_bandwidth
from nmsim.cost.pricing import PriceList
from nmsim.cost.static import static_power
from nmsim.cost.table import load_table
from nmsim.counts import Phase
from nmsim.mapping.automatic import deploy_network
from nmsim.perf.analytic import analytic_times
from nmsim.perf.work import build_work
from nmsim.pipeline.simulate import read_chip
from nmsim.pipeline.train import read_workload
from nmsim.validate.designs import random_design
from nmsim.validate.synthetic import synthetic_activity

BATCH_SIZE = 5


@pytest.mark.parametrize("seed", [0, 3, 7, 11, 20])
def test_they_are_what_the_rows_add_up_to(seed: int) -> None:
    design = random_design(seed)
    chip = design.job.chip.model_copy(update={"technology": "cmos", "clock_hz": 1e7})
    chip = chip.model_copy(update={"power": chip.power.model_copy(update={"clock_gating": "fine"})})
    table = load_table(chip.technology)
    job = design.job
    work = build_work(
        type(job)(job.network, job.precision, job.needs, clocked(chip, table), job.mapping), design.activity
    )
    times = analytic_times(work)
    energy = energy_of(
        work.counts, chip, table, static_power(chip, table), {Phase.BARRIER.value: np.zeros(work.samples)},
        batch_size=BATCH_SIZE, activities=times.activities,
    )  # fmt: skip
    others = tuple({*energy.columns["component"].tolist()} - {CLOCK})
    pairs = (
        (clock_energy_pj(times.activities, chip, table), energy.select(component=CLOCK, action=WORKING)),
        (action_energy_pj(work.blocks, chip, table, batch_size=BATCH_SIZE), energy.select(component=others)),
    )
    for found, rows in pairs:
        expected = rows.means_by("phase", "layer")
        assert {place for place, pj in found.items() if pj} == {
            place for place, joules in expected.items() if joules
        }
        for place, joules in expected.items():
            assert found.get(place, 0.0) * units.J_PER_PJ == pytest.approx(joules, rel=1e-12)


def test_the_open_clock_is_found_once_for_the_stages_of_cores_alike() -> None:
    design = random_design(3)
    chip = design.job.chip.model_copy(update={"technology": "cmos", "clock_hz": 1e7})
    table = load_table(chip.technology)
    found = {}
    for gating, depth in (("fine", 4), ("fine", 8), ("idle_core", 4)):
        power = chip.power.model_copy(update={"clock_gating": gating})
        cores = tuple(core.model_copy(update={"pipeline_depth_cycles": depth}) for core in chip.core_types)
        own = clocked(chip.model_copy(update={"power": power, "core_types": cores}), table)
        job = design.job
        work = build_work(type(job)(job.network, job.precision, job.needs, own, job.mapping), design.activity)
        times = analytic_times(work)
        first, again = (clock_energy_pj(times.at_work, own, table) for _ in range(2))
        assert first == again == clock_energy_pj(times.activities, own, table)
        found[gating, depth] = sum(first.values())
    assert len(set(found.values())) == 3


def test_the_speed_of_dram_is_in_the_energy_of_its_bits_and_in_no_other() -> None:
    """On-chip energies are kept by the chip without it, and found again by one that differs in nothing else."""
    workload = read_workload("mnist-dense")
    activity = synthetic_activity(workload.network, 2, rule="stop-wtl")
    needs = workload.needs("stop-wtl", sample_bits=activity.layers[0].input_bits, static_input=True)
    found = []
    for bits_per_s in ("1e11", "2e10"):
        chip = read_chip("single-core-dram-28nm", [f"dram.bandwidth_bits_per_s={bits_per_s}"])
        table = load_table(chip.technology)
        work = build_work(deploy_network(workload.network, workload.precision, needs, chip), activity)
        times = analytic_times(work)
        rows = energy_of(
            work.counts, chip, table, static_power(chip, table), {Phase.BARRIER.value: np.zeros(work.samples)},
            batch_size=needs.batch_size, activities=times.activities,
        )  # fmt: skip
        of = {
            name: rows.select(component=name).mean_j
            for name in {*rows.columns["component"].tolist()} - {CLOCK}
        }
        priced = action_energy_pj(work.blocks, chip, table, batch_size=needs.batch_size)
        assert sum(priced.values()) * units.J_PER_PJ == pytest.approx(sum(of.values()), rel=1e-12)
        apart = [
            action_energy_pj([blocks], chip, table, batch_size=needs.batch_size) for blocks in work.blocks
        ]
        found.append(
            (
                of,
                apart,
                sum(float(cycles.sum()) for cycles in times.dram),
                PriceList.of(without_bandwidth(chip), table),
            )
        )
    (fast, fast_parts, fast_cycles, shared), (slow, slow_parts, slow_cycles, other_shared) = found
    assert shared is other_shared
    assert fast.keys() == slow.keys()
    assert {name for name in fast if fast[name] != slow[name]} == {"dram"}
    assert fast["dram"] < slow["dram"]
    assert fast_cycles < slow_cycles
    assert 0 < sum(one == other for one, other in zip(fast_parts, slow_parts, strict=True)) < len(fast_parts)
