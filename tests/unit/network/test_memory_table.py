"""Published memory figures, in the conventions behind them."""

import pytest

from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_table import memory_by_rule, state_words
from nmsim.network.precision import Precision
from nmsim.network.published import dense, vgg11
from nmsim.network.spec import NetworkSpec
from nmsim.rules import RULES

PARAMETERS = 9_222_848
"""Weights of VGG-11, each with an accumulator."""


def words(rule: str, *, packed: bool, network: NetworkSpec | None = None) -> float:
    return state_words(network or vgg11(), TrainingNeeds.for_rule(rule), packed=packed)


def test_state_of_vgg11_in_bits() -> None:
    bits = {memory.rule: memory.bits("state_only") for memory in memory_by_rule(vgg11(), Precision())}
    neurons, inputs = 151_562, 60_928
    assert bits["inference"] == neurons * (16 + 1)
    assert bits["stop-w"] == neurons * (16 + 1) + inputs * 12 == 3_307_690
    assert bits["stop-wtl"] == neurons * (16 + 1 + 12 + 16) + inputs * 12 == 7_551_426
    assert bits["stbp"] == 6 * neurons * (16 + 1) + neurons * 16 == 17_884_316


@pytest.mark.parametrize(("rule", "stated_mb"), [("stop-w", 0.41), ("stop-wtl", 0.94), ("stbp", 2.23)])
def test_state_of_vgg11_in_megabytes_as_stated(rule: str, stated_mb: float) -> None:
    found = dict(zip(RULES, memory_by_rule(vgg11(), Precision()), strict=True))[rule].megabytes("state_only")
    assert int(found * 100) / 100 == stated_mb  # stated cut after two digits: 0.4135, 0.9439, 2.2355


def test_one_word_each_is_a_factor_of_four() -> None:
    assert words("stbp", packed=False) / words("stop-w", packed=False) == 4.0


def test_packed_spikes_and_pooled_inputs_give_the_published_ratios() -> None:
    assert words("stbp", packed=True) / words("stop-w", packed=True) == pytest.approx(4.35, abs=0.005)
    assert words("stbp", packed=True) / words("stop-wtl", packed=True) == pytest.approx(1.84, abs=0.005)


def test_with_weights_and_accumulators_little_is_saved_at_one_sample() -> None:
    stbp, stop = (words(rule, packed=False) + 2 * PARAMETERS for rule in ("stbp", "stop-w"))
    assert stbp / stop == pytest.approx(1.07, abs=0.005)


def test_a_dense_network_with_many_inputs_saves_nothing() -> None:
    network = dense(784, 256, 10)
    assert words("stop-wtl", packed=True, network=network) > words("stbp", packed=True, network=network)


def test_inference_state_is_a_membrane_and_a_spike() -> None:
    assert words("inference", packed=False) == 2 * 151_562
