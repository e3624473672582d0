"""Energy by time step: the steps, and what comes more rarely, add up to the dynamic energy of a sample."""

import numpy as np
import pytest
from test_evaluate import NETWORK, PRECISION, make_activity, make_chip

from nmsim.cost.energy import CLOCK, CONTROL, STATIC
from nmsim.cost.table import load_table
from nmsim.evaluate import Evaluation, evaluate
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds


def by_step(rule: str) -> Evaluation:
    chip, needs = make_chip(), TrainingNeeds.for_rule(rule, batch_size=16)
    mapping = map_network(NETWORK, PRECISION, needs, chip)
    return evaluate(
        Deployment(NETWORK, PRECISION, needs, chip, mapping),
        make_activity(),
        load_table(chip.technology),
        detail=True,
    )


@pytest.mark.parametrize("rule", ["inference", "stop-wtl", "stbp"])
def test_steps_add_up_to_the_dynamic_energy_that_comes_every_step(rule: str) -> None:
    found = by_step(rule)
    assert found.step_energy is not None
    assert found.step_energy.energy_pj.shape[1] == found.time_steps
    rarer = ("update", "barrier")
    whole = sum(
        part.mean_j
        for (component, phase), part in found.energy.by("component", "phase").items()
        if component not in {STATIC, CLOCK, CONTROL} and phase not in rarer
    )
    of_steps = found.step_energy.select(component=("alu", "sram", "noc")).energy_pj.sum() * 1e-12
    assert of_steps == pytest.approx(whole, rel=1e-9)
    assert (found.step_energy.total_pj > 0).all()


def test_a_step_without_spikes_costs_less_than_one_with_many() -> None:
    found = by_step("inference")
    assert found.step_energy is not None
    inputs = make_activity().layers[0].mask("inputs").sum(axis=(0, 2))
    sops = found.step_energy.select(action="sop", layer=0).total_pj
    assert np.argsort(sops).tolist() == np.argsort(inputs).tolist()


def test_it_is_left_out_unless_asked_for() -> None:
    chip, needs = make_chip(), TrainingNeeds.for_rule("inference")
    mapping = map_network(NETWORK, PRECISION, needs, chip)
    found = evaluate(
        Deployment(NETWORK, PRECISION, needs, chip, mapping), make_activity(), load_table(chip.technology)
    )
    assert found.step_energy is None
