"""Mean energies by phase and layer against the rows of the energy table."""

import numpy as np
import pytest

from nmsim import units
from nmsim.cost.accounting import energy_of
from nmsim.cost.clocking import clocked
from nmsim.cost.energy import CLOCK, WORKING
from nmsim.cost.mean_energy import action_energy_pj, clock_energy_pj
from nmsim.cost.static import static_power
from nmsim.cost.table import load_table
from nmsim.counts import Phase
from nmsim.perf.analytic import analytic_times
from nmsim.perf.work import build_work
from nmsim.validate.designs import random_design

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
