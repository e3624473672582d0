"""What a run says of itself decides the exit code, and `--set` reaches what it names."""

import json
from pathlib import Path

import pytest
from commands import SMALL_WORKLOAD, command

from nmsim import config
from nmsim.pipeline.train import read_workload


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that does nothing, beside its workload."""
    folder = tmp_path_factory.mktemp("verdicts")
    (folder / "small.yaml").write_text(SMALL_WORKLOAD)
    dead = ("--set", "network.neuron.threshold=30", "--out", str(folder / "dead"), "--quiet")
    assert command("train", str(folder / "small.yaml"), *dead) == 0
    return folder


def test_strict_makes_warnings_an_exit_code(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulate = ("simulate", str(place / "dead"), "--rule", "inference")
    assert command(*simulate) == 0
    said = capsys.readouterr()
    assert "the output is silent in 100% of the 4 profiled samples" in said.out + said.err
    assert "dead" in said.out
    assert command(*simulate, "--strict") == 1


def test_a_failed_audit_is_an_exit_code(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hot = ("--set", "chip.power.static_power_w=50")
    assert command("simulate", str(place / "dead"), "--rule", "inference", *hot, "--json") == 1
    said = capsys.readouterr()
    assert "the audit fails, do not use its figures" in said.out + said.err
    assert command("simulate", str(place / "dead"), "--rule", "inference", "--json") == 0
    assert json.loads(capsys.readouterr().out)


def test_map_takes_keys_of_the_workload_and_of_the_chip(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("--set", "chip.mesh.columns=2", "--set", "network.layers.0.units=20")
    assert command("map", str(place / "small.yaml"), *sets) == 0
    assert "of 8 cores in use" in capsys.readouterr().out


def test_a_key_below_a_short_form_is_set() -> None:
    text = config.find("workloads", "mnist-full").read_text()
    assert "\ndataset: mnist\n" in text
    assert read_workload("mnist-full", "dataset.train_samples=100").dataset.train_samples == 100
