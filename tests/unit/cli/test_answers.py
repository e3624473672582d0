"""Answers: every verb's `--json` is one JSON document of the schema that `nmsim schema answers` prints."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from nmsim.cli import answers
from nmsim.cli.main import main
from nmsim.cli.verbs import VERBS

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "schemas" / "answers.json"
WITHOUT = {"schema", "rtl", "import-network", "export-network", "keep", "restore"}
"""`schema` prints JSON as it is; the others are still for people only."""
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


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What a verb prints with `--json`, checked against the type of its answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nmsim", *arguments, "--json"])
        with pytest.raises(SystemExit):
            main()
    content = json.loads(capsys.readouterr().out)
    kind = "error" if "error" in content else arguments[0]
    answers.answers()[kind].validate_python(content)
    return content


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("answers")
    (folder / "small.yaml").write_text(WORKLOAD)
    return folder


def test_every_verb_has_an_answer() -> None:
    assert set(answers.answers()) - {"error"} == set(VERBS) - WITHOUT


def test_the_schema_in_the_documents_is_the_one_of_the_code() -> None:
    assert json.loads(SCHEMA_FILE.read_text()) == answers.json_schema(), (
        "nmsim schema answers --out docs/schemas/answers.json"
    )


@pytest.mark.parametrize("verb", ["list", "costs", "doctor"])
def test_verbs_that_describe(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, verb)


def test_files_are_checked_and_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert answer(capsys, "check-config", "edge-28nm", "mnist-dense")[1]["kind"] == "workload"
    assert answer(capsys, "init", "chip", "--out", str(tmp_path / "a.yaml"))["files"] == 1


def test_the_stages_of_a_run(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    out = str(run / "run")
    trained = answer(capsys, "train", str(run / "small.yaml"), "--out", out)
    assert (trained["workload"], trained["epochs"]) == ("small", 1)
    rows = answer(capsys, "simulate", out, "--rule", "inference")
    assert rows[0]["energy_per_sample_j"] > 0
    assert answer(capsys, "report", out)["evaluations"]


@pytest.mark.slow
def test_golden_vectors(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    out = str(run / "vectors")
    assert answer(capsys, "export-vectors", str(run / "small.yaml"), "--out", out)["checked"]
    assert answer(capsys, "validate", out)["words"] > 0


def test_an_error_is_an_answer_too(capsys: pytest.CaptureFixture[str]) -> None:
    error = answer(capsys, "check-config", "nowhere.yaml")["error"]
    assert (error["kind"], error["exit_code"]) == ("ConfigError", 2)
    assert "nowhere.yaml" in error["sentences"][0]
    assert answer(capsys, "validate", "--nonsense")["error"]["exit_code"] == 2
