"""Memories whose words follow the formats, and what is said of words that contradict themselves."""

import pytest
from pydantic import ValidationError

from nmsim.contents import Content
from nmsim.hardware.sram import Sram
from nmsim.mapping.automatic import deploy_network
from nmsim.mapping.task import following
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.pipeline.simulate import read_chip

NEEDS = TrainingNeeds.for_rule("inference", static_input=True)


@pytest.mark.parametrize(("weight", "bits"), [("s16.13", 256), ("s8.5", 128), ("s4.2", 64)])
def test_words_are_as_wide_as_their_values_ask(weight: str, bits: int) -> None:
    chip, network = read_chip("edge-28nm"), dense(784, 256, 10)
    precision = Precision.model_validate({"weight": weight})
    core = following(network, precision, NEEDS, chip).core_types[0]
    assert core.memories[core.home(Content.WEIGHT)].word_bits == bits
    job = deploy_network(network, precision, NEEDS, chip)
    words = {use.words_used for use in job.mapping.memory_use(job.chip) if use.memory == "weights"}
    # as many whatever their width: a row of 16 neighbours for each input, and 2,560 weights of layer 1 on one core
    assert words == {784, 784 + 160}


def test_a_chip_is_the_same_chip_whatever_its_words_follow() -> None:
    chip = read_chip("edge-28nm")
    narrow = following(dense(784, 256, 10), Precision.model_validate({"weight": "s4.2"}), NEEDS, chip)
    assert narrow.content_hash() == chip.content_hash()
    assert narrow != chip


def test_a_chip_whose_words_are_given_stays_as_it_is() -> None:
    chip = read_chip("reckon-like-28nm")
    assert following(dense(256, 256, 16), Precision(), NEEDS, chip) is chip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"word_bits": "auto"}, "word_bits 'auto' needs 'word_values'"),
        ({"word_bits": 100, "word_values": 16}, "word_bits 100 and word_values 16 contradict each other"),
    ],
)
def test_widths_that_contradict_each_other_are_refused(words: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Sram.model_validate({"name": "weights", "holds": ["weight"], "words": 64, **words})
