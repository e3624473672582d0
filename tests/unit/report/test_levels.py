"""Levels of memory: words and operations by hand, and how full words are."""

import pytest

from nmsim.cost.table import load_table
from nmsim.evaluate import Evaluation, evaluate
from nmsim.mapping.automatic import deploy_network
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.pipeline.simulate import read_chip
from nmsim.report.levels import level_lines, levels, levels_table, words_filled
from nmsim.validate.synthetic import Densities, synthetic_activity

EVERY = Densities(inputs=1, spikes=1, deltas=1)


@pytest.fixture(scope="module")
def inference() -> Evaluation:
    """32-16 on one core whose words of weights hold 16 of 16 bits; every input spikes at both time steps."""
    network = dense(32, 16).model_copy(update={"time_steps": 2})
    chip = read_chip(
        "edge-28nm", ["mesh.columns=1", "mesh.rows=1", "options.dataflow.integrate=input_stationary"]
    )
    activity = synthetic_activity(network, 1, EVERY, rule="inference", static_input=False, input_bits=1)
    needs = TrainingNeeds.for_rule("inference", sample_bits=1)
    return evaluate(deploy_network(network, Precision(), needs, chip), activity, load_table("cmos"))


def test_a_word_of_sixteen_weights_serves_sixteen_synapses(inference: Evaluation) -> None:
    (weights,) = [level for level in levels(inference) if level.memory == "weights"]
    assert (weights.phase, weights.component) == ("integrate", "sram")
    assert (weights.reads, weights.writes) == (2 * 32, 0)  # a word per spike
    assert weights.operations == 2 * 32 * 16
    assert weights.reuse == 16


def test_every_level_is_a_row_and_every_phase_a_line(inference: Evaluation) -> None:
    found = levels(inference)
    assert {level.component for level in found} == {"sram", "registers"}
    assert len(levels_table(inference).rows) == len(found)
    (line,) = [line for line in level_lines(inference) if line.startswith("integrate: ")]
    assert "weights 16" in line


def test_words_are_filled_by_what_they_hold(inference: Evaluation) -> None:
    filled = words_filled(inference)
    assert filled["weights"] == 1.0  # 512 weights of 16 bits in words of 256
    assert all(0 < share <= 1 for share in filled.values())
