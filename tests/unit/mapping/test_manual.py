"""A mapping from a YAML file."""

from pathlib import Path

import pytest
from mapping_cases import CONVOLUTIONS, DRAM, NETWORK, machine

from nmsim import config
from nmsim.errors import ConfigError, DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.manual import ManualMapping, map_manually
from nmsim.mapping.mapping import Mapping
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec

TWO_CORES = """
slices:
  - {layer: 0, core: 2, channels: [0, 20]}
  - {layer: 0, core: 0, channels: [20, 32]}
  - {layer: 1, core: 0}
"""


def manual(text: str, chip: ChipConfig | None = None, network: NetworkSpec = NETWORK) -> Mapping:
    lines = config.build(ManualMapping, config.parse_text(text, "map.yaml"))
    return map_manually(network, Precision(), TrainingNeeds.for_rule("stop-w"), chip or machine(), lines)


def test_slices_go_where_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(TWO_CORES)
    lines = config.read(ManualMapping, path)
    mapping = map_manually(NETWORK, Precision(), TrainingNeeds.for_rule("stop-w"), machine(), lines)
    assert mapping.cores_used == (0, 2)
    assert mapping.neuron_core(0, (32,)).tolist() == [2] * 20 + [0] * 12
    assert all(use.words_used <= use.words for use in mapping.memory_use(machine()))


def test_a_split_fan_in_is_owned_by_the_slice_of_the_first_inputs() -> None:
    mapping = manual(
        """
slices:
  - {layer: 0, core: 1, inputs: [25, 40]}
  - {layer: 0, core: 3, inputs: [0, 25]}
  - {layer: 1, core: 0}
"""
    )
    assert [(p.core, p.owner) for p in mapping.slices_of(0)] == [(1, False), (3, True)]


@pytest.mark.parametrize("network", [NETWORK, CONVOLUTIONS])
def test_an_automatic_mapping_written_down_is_the_same_mapping(network: NetworkSpec) -> None:
    chip = machine(mesh__rows=8)
    needs = TrainingNeeds.for_rule("stop-w")
    automatic = map_network(network, Precision(), needs, chip)
    copied = map_manually(network, Precision(), needs, chip, ManualMapping.of(automatic))
    assert set(copied.slices) == set(automatic.slices)
    assert copied.residency == automatic.residency


def test_an_overfull_core_takes_turns_where_there_is_dram() -> None:
    one = machine(core_types__0__memories__0__words=500, dram=DRAM)
    text = "slices: [{layer: 0, core: 0, channels: [0, 16]}, {layer: 0, core: 0, channels: [16, 32]}, {layer: 1, core: 0}]"
    assert manual(text, one).time_multiplexed


def test_an_overfull_core_is_a_fit_report() -> None:
    with pytest.raises(DoesNotFitError) as error:
        manual(TWO_CORES, machine(core_types__0__memories__0__words=300))
    assert (
        str(error.value)
        == """\
test chip: network '40-32-10' with stop-w does not fit its 4 cores
  memory 'weights' of core type 'core': needs 600 words of 64 bits in core 2, has 300: 300 short
  memory 'weights' of core type 'core': needs 600 words of 64 bits in core 0, has 300: 300 short"""
    )


SENTENCES = [
    ("slices: []", "map.yaml:1: slices: value a list of 0: must list at least 1; change the value"),
    (
        "slices: [{layer: 0, core: 0, channels: [3, 3]}]",
        "map.yaml:1: slices[0]: channels [3, 3] is an empty range; write [start, stop) with start < stop",
    ),
    ("slices: [{layer: 2, core: 0}]", "slices[0].layer: the network has layers 0..1, not 2; use one of them"),
    ("slices: [{layer: 0, core: 4}]", "slices[0].core: the chip has cores 0..3, not 4; use one of them"),
    (
        "slices: [{layer: 0, core: 0, channels: [0, 33]}]",
        "slices[0].channels: [0, 33) goes beyond the 32 channels of layer 0; end at 32",
    ),
    (
        "slices: [{layer: 0, core: 0, channels: [0, 20]}, {layer: 1, core: 0}]",
        "slices: layer 0: the neuron in channel 20, row 0 has no core; give every neuron one core",
    ),
    (
        "slices: [{layer: 0, core: 0, channels: [0, 20]}, {layer: 0, core: 1, channels: [10, 32]}]",
        "slices: layer 0: the neuron in channel 10, row 0 has two cores; give every neuron one core",
    ),
    (
        "slices: [{layer: 0, core: 0, inputs: [0, 20]}, {layer: 0, core: 1, inputs: [15, 40]}]",
        "slices: layer 0: channels [0, 32) sum input 15 twice; let their input ranges follow each other",
    ),
    (
        "slices: [{layer: 0, core: 0, inputs: [0, 20]}, {layer: 0, core: 1, inputs: [25, 40]}]",
        "slices: layer 0: channels [0, 32) sum input 20 never; let their input ranges follow each other",
    ),
    (
        "slices: [{layer: 0, core: 0, inputs: [0, 20]}]",
        "slices: layer 0: channels [0, 32) never sum inputs from 20 on; add a slice for them",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), SENTENCES)
def test_a_mistake_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        manual(text)
    assert str(error.value) == sentence


def test_a_core_without_the_memories_is_refused() -> None:
    full = machine().core_types[0].model_dump(mode="json")
    bare = {**full, "name": "bare", "tiles": [[0, 0]], "memories": full["memories"][:1]}
    with pytest.raises(ConfigError) as error:
        manual(TWO_CORES, machine(core_types=[full, bare]))
    assert str(error.value).startswith(
        "core 0: its type 'bare' has no memory for delta, error_sum, input, input_sum"
    )
