"""The chips that come with nmsim."""

from pathlib import Path

import pytest

from nmsim import config
from nmsim.errors import DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense, resnet18, vgg11

CHIPS = config.shipped("arch_configs/chips")
NAMES = {
    "edge-28nm", "conv-mesh-28nm", "mesh-16nm", "single-core-dram-28nm", "reckon-like-28nm", "odin-like-28nm", "loihi-2018",
    "loihi-board", "truenorth-28nm", "stop-core-28nm",
}  # fmt: skip
RULES = ("inference", "stop-w", "stop-wtl", "stbp")


def chip(name: str) -> ChipConfig:
    return config.read(ChipConfig, CHIPS[name])


def test_all_are_there() -> None:
    assert set(CHIPS) == NAMES


@pytest.mark.parametrize("path", CHIPS.values(), ids=CHIPS)
def test_a_chip_is_named_after_its_file_and_priced_by_a_shipped_table(path: Path) -> None:
    found = config.read(ChipConfig, path)
    assert found.name == path.stem
    assert found.technology in config.shipped("arch_configs/technology")
    assert found.description
    assert found.sources


@pytest.mark.parametrize("path", CHIPS.values(), ids=CHIPS)
def test_a_chip_survives_writing_and_reading(path: Path) -> None:
    found = config.read(ChipConfig, path)
    again = ChipConfig.model_validate(found.model_dump(mode="json"))
    assert again == found
    assert again.content_hash() == found.content_hash()


@pytest.mark.parametrize(
    "name", sorted(NAMES - {"loihi-2018", "loihi-board", "odin-like-28nm", "truenorth-28nm"})
)
def test_invented_machines_say_what_is_assumed(name: str) -> None:
    text = CHIPS[name].read_text()
    sized = [
        line
        for line in text.splitlines()
        if "_lanes:" in line or "neuron_slots:" in line or "latency_ns:" in line
    ]
    assert sized
    assert all("#" in line for line in sized)
    assert text.count("assumed") >= 8


@pytest.mark.parametrize("rule", RULES)
def test_the_edge_chip_holds_the_default_network(rule: str) -> None:
    edge = chip("edge-28nm")
    mapping = map_network(
        dense(784, 256, 10), Precision(), TrainingNeeds.for_rule(rule, static_input=True), edge
    )
    assert not mapping.time_multiplexed
    assert len(mapping.cores_used) == 16
    assert max(use.utilization for use in mapping.memory_use(edge)) < 0.5


@pytest.mark.parametrize("rule", ["inference", "stop-wtl", "stbp"])
def test_the_large_mesh_holds_vgg11_on_64_cores(rule: str) -> None:
    mesh = chip("mesh-16nm")
    mapping = map_network(vgg11(), Precision(), TrainingNeeds.for_rule(rule, static_input=True), mesh)
    assert not mapping.time_multiplexed
    assert len(mapping.cores_used) == 64


def test_the_large_mesh_holds_resnet18_while_training() -> None:
    needs = TrainingNeeds.for_rule("stop-wtl", static_input=True)
    assert not map_network(resnet18(), Precision(), needs, chip("mesh-16nm")).time_multiplexed


@pytest.mark.parametrize("rule", RULES)
def test_the_single_core_takes_turns(rule: str) -> None:
    single = chip("single-core-dram-28nm")
    mapping = map_network(vgg11(), Precision(), TrainingNeeds.for_rule(rule, static_input=True), single)
    assert mapping.time_multiplexed
    assert mapping.cores_used == (0,)
    assert mapping.off_chip_bits() >= 9_222_848 * 16


def test_loihi_barriers_are_the_published_ones() -> None:
    barrier = chip("loihi-2018").barrier
    assert barrier.cycles(1) == pytest.approx(113, abs=0.01)
    assert barrier.cycles(32) == pytest.approx(465, abs=0.01)
    assert [chip("loihi-board").barrier.cycles(tiles) for tiles in (1, 2, 4, 29)] == [600, 1000, 1400, 1800]


@pytest.mark.parametrize(
    ("name", "cores", "neurons"),
    [("loihi-2018", 128, 131_072), ("truenorth-28nm", 4096, 2**20), ("odin-like-28nm", 1, 256)],
)
def test_published_chips_have_their_published_size(name: str, cores: int, neurons: int) -> None:
    found = chip(name).cores()
    assert (len(found), sum(core.type.neuron_slots for core in found)) == (cores, neurons)


def test_odin_cannot_train() -> None:
    with pytest.raises(DoesNotFitError, match="memory for 'weight_gradient'"):
        map_network(dense(64, 10), Precision(), TrainingNeeds.for_rule("stop-w"), chip("odin-like-28nm"))


def test_odin_holds_its_crossbar_of_four_bit_synapses() -> None:
    odin, precision = chip("odin-like-28nm"), Precision.model_validate({"weight": "s4.2"})
    mapping = map_network(dense(256, 256), precision, TrainingNeeds.for_rule("inference"), odin)
    use = {use.memory: use.utilization for use in mapping.memory_use(odin)}
    assert use["synapses"] == 1.0


def test_reckon_trains_its_frame_of_eight_bit_weights() -> None:
    reckon, precision = chip("reckon-like-28nm"), Precision.model_validate({"weight": "s8.5"})
    needs = TrainingNeeds.for_rule("stop-wtl", update="in_place", static_input=True)
    mapping = map_network(dense(256, 256, 16), precision, needs, reckon)
    assert mapping.notes == ()
    assert sum(row.bits for row in mapping.residency if row.content == "weight") == (256 * 256 + 256 * 16) * 8


def test_a_calibration_without_a_learning_event_says_so() -> None:
    timing = chip("loihi-board").core_types[0].event_timing
    assert timing is not None
    assert timing.synaptic_update_ns is None
