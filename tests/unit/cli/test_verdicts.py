"""What a run says of itself decides the exit code, and `--set` reaches what it names."""

import json
import sys
from pathlib import Path

import pytest

from nmsim import config
from nmsim.cli.main import main
from nmsim.pipeline.train import read_workload

WORKLOAD = """\
name: small
dataset: {name: mnist-subset, train_samples: 40, test_samples: 20}
encoding: direct
network:
  input_shape: [784]
  time_steps: 2
  layers: [{kind: dense, units: 12}, {kind: dense, units: 10}]
training: {epochs: 1, batch_size: 8}
profile: {samples: 4}
"""


def nmsim(*arguments: str) -> int:
    """Exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nmsim", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
    return int(str(stopped.value.code))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that does nothing, beside its workload."""
    folder = tmp_path_factory.mktemp("verdicts")
    (folder / "small.yaml").write_text(WORKLOAD)
    dead = ("--set", "network.neuron.threshold=30", "--out", str(folder / "dead"), "--quiet")
    assert nmsim("train", str(folder / "small.yaml"), *dead) == 0
    return folder


def test_strict_makes_warnings_an_exit_code(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulate = ("simulate", str(place / "dead"), "--rule", "inference")
    assert nmsim(*simulate) == 0
    said = capsys.readouterr()
    assert "the output is silent in 100% of the 4 profiled samples" in said.out + said.err
    assert "dead" in said.out
    assert nmsim(*simulate, "--strict") == 1


def test_a_failed_audit_is_an_exit_code(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hot = ("--set", "chip.power.static_power_w=50")
    assert nmsim("simulate", str(place / "dead"), "--rule", "inference", *hot, "--json") == 1
    said = capsys.readouterr()
    assert "the audit fails, do not use its figures" in said.out + said.err
    assert nmsim("simulate", str(place / "dead"), "--rule", "inference", "--json") == 0
    assert json.loads(capsys.readouterr().out)


def test_map_takes_keys_of_the_workload_and_of_the_chip(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("--set", "chip.mesh.columns=2", "--set", "network.layers.0.units=20")
    assert nmsim("map", str(place / "small.yaml"), *sets) == 0
    assert "of 8 cores in use" in capsys.readouterr().out


def test_a_key_below_a_short_form_is_set() -> None:
    text = config.find("workloads", "mnist-full").read_text()
    assert "\ndataset: mnist\n" in text
    assert read_workload("mnist-full", "dataset.train_samples=100").dataset.train_samples == 100
