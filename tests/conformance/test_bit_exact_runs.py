"""The same run gives the same integers: other execution splits, one or two threads, killed and resumed."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nmsim
from nmsim.pipeline.train import train

SETTINGS = (
    "training.epochs=3",
    "network.layers.0.units=48",
    "training.momentum=0.5",
    "dataset={name: mnist-subset, train_samples: 1024, test_samples: 100}",
)
COMMAND = [sys.executable, "-m", "nmsim.cli.main", "train", "mnist-dense", "--seed", "4", "--quiet"]
for setting in SETTINGS:
    COMMAND += ["--set", setting]


def integers(out: Path) -> dict[str, np.ndarray]:
    with np.load(out / "parameters.npz") as file:
        return {name: file[name] for name in file.files}


def same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    out = tmp_path_factory.mktemp("reference")
    nmsim.train(nmsim.read_workload("mnist-dense", *SETTINGS), out, seed=4)
    return integers(out)


@pytest.mark.parametrize("samples", [1, 5, 32])
def test_other_execution_splits(samples: int, tmp_path: Path, reference: dict[str, np.ndarray]) -> None:
    workload = nmsim.read_workload("mnist-dense", *SETTINGS)
    train(workload, tmp_path, seed=4, max_samples_in_flight=samples)
    assert same(integers(tmp_path), reference)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_threads(jobs: str, tmp_path: Path, reference: dict[str, np.ndarray]) -> None:
    subprocess.run([*COMMAND, "--out", str(tmp_path), "--jobs", jobs], check=True)
    assert same(integers(tmp_path), reference)


@pytest.mark.parametrize("epoch", [1, 2])
def test_killed_and_resumed(epoch: int, tmp_path: Path, reference: dict[str, np.ndarray]) -> None:
    """SIGKILL once a checkpoint of the wanted epoch exists; the resumed run ends with the same integers."""
    process = subprocess.Popen([*COMMAND, "--out", str(tmp_path)])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None and _epochs_done(tmp_path) < epoch:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "parameters.npz").exists(), "the run ended before it could be killed"
    subprocess.run([*COMMAND, "--out", str(tmp_path), "--resume"], check=True)
    assert same(integers(tmp_path), reference)


def _epochs_done(out: Path) -> int:
    try:
        with np.load(out / "checkpoint.npz") as file:
            return int(json.loads(file["header"].tobytes())["epoch"])
    except (OSError, ValueError, KeyError, EOFError):
        return 0
