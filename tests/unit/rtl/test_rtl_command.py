"""The command `nmsim rtl`: what it writes, and what it refuses."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from random_cores import CHIP, case
from tools import needs_verilator
from typer.testing import CliRunner

from nmsim import config
from nmsim.cli.verbs import app
from nmsim.errors import ConfigError
from nmsim.fixedpoint.format import QFormat
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.rtl import verify
from nmsim.rtl.design import Design
from nmsim.rtl.refuse import check
from nmsim.rtl.write_core import module_texts
from nmsim.stop.protocol import Parameters
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("core")
    case(1).write(found)
    return found


def test_every_module_has_a_file_of_its_own_with_a_first_line_that_says_what_it_is() -> None:
    for name, text in module_texts().items():
        assert f"module {name.removesuffix('.sv')}" in text
        assert text.startswith("// ")
        assert len(text.splitlines()) < 250, name


def test_every_module_stands_in_the_table_of_blocks(folder: Path) -> None:
    page = (folder / "README.md").read_text().split("## Blocks")[1].split("## Schedule")[0]
    named = {name for cell in re.findall(r"^\| `([^`]*)`", page, re.MULTILINE) for name in cell.split(", ")}
    assert named == {name.removesuffix(".sv") for name in module_texts()} - {"stop_tb"}


def test_the_folder_holds_what_its_page_and_its_makefile_name(folder: Path) -> None:
    page = (folder / "README.md").read_text()
    assert "belongs to you" in page
    for path in (
        "rtl/stop_pkg.sv",
        "filelist.f",
        "chip.yaml",
        "rtl.json",
        "tb/stop_tb.sv",
        "events.hex",
        "Makefile",
    ):
        assert (folder / path).exists()
        assert path in page or path == "Makefile"
    for path in (folder / "filelist.f").read_text().split():
        assert (folder / path).exists()
    assert "belong to you" in (folder / "rtl" / "stop_pkg.sv").read_text()


def test_memories_in_the_record_are_those_of_the_page_and_of_the_machine_as_built(folder: Path) -> None:
    record = json.loads((folder / "rtl.json").read_text())
    page = (folder / "README.md").read_text()
    built = config.read(ChipConfig, folder / "chip.yaml").core_types[0]
    words = {memory.name: memory.words for memory in built.memories}
    for memory in record["memories"]:
        assert (
            f"| {memory['name']} | {memory['kind']} | {memory['words']:,} | {memory['word_bits']} |" in page
        )
        if len(memory["holds"]) == 1:
            assert words[memory["name"]] in {memory["words"], 3 * memory["words"]}


@needs_verilator
def test_a_wrong_image_is_found_and_named(tmp_path: Path) -> None:
    own = case(2)
    own.write(tmp_path)
    image = tmp_path / "images" / "weights.hex"
    words = image.read_text().split()
    words[3] = f"{int(words[3], 16) ^ 1:0{len(words[3])}x}"
    image.write_text("\n".join(words) + "\n")
    found = verify(own.design, CHIP, own.batch, tmp_path)
    assert found.comparison.differences > 0
    assert not found.passed
    assert "word" in found.comparison.first[0]


def refused(**changes: Any) -> str:
    own = case(1).design
    core = own.core.model_copy(update={k: v for k, v in changes.items() if k.endswith("lanes")})
    training = own.training.model_copy(update={k: v for k, v in changes.items() if not k.endswith("lanes")})
    with pytest.raises(ConfigError) as caught:
        Design(own.side, training, core, own.static)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"momentum": 0.9}, "momentum is not built in RTL; use --set training.momentum=0"),
        ({"update": "factored"}, "use --set training.update=accumulate"),
        ({"gradient_centralization": True}, "gradient_centralization is not built in RTL"),
        ({"neuron_lanes": 3}, "3 neuron_lanes, which is no power of two; use 2"),
        ({"accumulate_lanes": 64}, "make them equal"),
    ],
)
def test_what_is_not_built_is_refused_in_one_sentence(changes: dict[str, Any], words: str) -> None:
    sentence = refused(**changes)
    assert words in sentence
    assert "\n" not in sentence


def test_a_chip_of_many_cores_is_refused(tmp_path: Path) -> None:
    many = CliRunner().invoke(app, ["rtl", "mnist-dense", "--chip", "edge-28nm", "--out", str(tmp_path)])
    assert "RTL is built of one; give a chip with one core, such as stop-core-28nm" in str(many.exception)


def test_a_core_that_the_memories_do_not_hold_is_refused(tmp_path: Path) -> None:
    text = config.find("arch_configs/chips", "stop-core-28nm").read_text()
    small, without = tmp_path / "small.yaml", tmp_path / "without.yaml"
    small.write_text(text.replace("holds: [weight], words: 12800", "holds: [weight], words: 12000"))
    without.write_text(text.replace("holds: [delta]", "holds: [history]"))
    for chip, words in (
        (
            small,
            "the RTL keeps 3,276,800 bits of weight there, and 12,000 words of 256 bits hold 3,072,000; give it 12,800",
        ),
        (without, "no memory holds delta, which the RTL keeps"),
    ):
        found = CliRunner().invoke(app, ["rtl", "mnist-dense", "--chip", str(chip), "--out", str(tmp_path)])
        assert words in str(found.exception)


def test_a_convolution_and_a_shared_threshold_are_refused() -> None:
    own = case(1).design
    for layers, words in (
        (
            [{"kind": "conv", "channels": 2, "kernel": 3}, {"kind": "dense", "units": 3}],
            "only dense layers are",
        ),
        ([{"kind": "dense", "units": 3, "threshold_sharing": "layer"}], "use threshold_sharing: neuron"),
    ):
        network = NetworkSpec.model_validate({"input_shape": [1, 6, 6], "layers": layers})
        side = replace(own.side, network=network, precision=Precision())
        with pytest.raises(ConfigError, match=words):
            Design(side, own.training, own.core, own.static)


def test_the_shipped_chip_has_the_words_that_the_rtl_reads() -> None:
    widths = {
        str(content): memory.word_bits for memory in CHIP.core_types[0].memories for content in memory.holds
    }
    assert widths["weight"] == CHIP.core_types[0].mac_lanes * 16


@pytest.mark.parametrize(
    ("neuron", "words"), [({"leak_factor": 1.0}, "leak_factor: 1"), ({"reset": "zero"}, "reset: zero")]
)
def test_neurons_that_are_not_built_are_refused(neuron: dict[str, Any], words: str) -> None:
    network = NetworkSpec.model_validate(
        {"input_shape": [4], "neuron": neuron, "layers": [{"kind": "dense", "units": 2}]}
    )
    training = TrainingSpec(rule="stop-wt")
    side = FixedSide(network, Precision(), training, Parameters([], [], [], [], []), QFormat.parse("u8.8"), 0)
    with pytest.raises(ConfigError, match=f"neuron.{words} is not built in RTL"):
        check(side, training, Core.model_construct())


def test_biases_are_refused() -> None:
    network = NetworkSpec.model_validate(
        {"input_shape": [4], "layers": [{"kind": "dense", "units": 2, "bias": True}]}
    )
    side = FixedSide(
        network, Precision(), TrainingSpec(), Parameters([], [], [], [], []), QFormat.parse("u8.8"), 0
    )
    with pytest.raises(ConfigError, match="the biases of layer 0 are not built in RTL; use bias: false"):
        check(side, TrainingSpec(), Core.model_construct())
