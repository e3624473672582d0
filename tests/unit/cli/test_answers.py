"""Answers: every verb's `--json` is one JSON document of the schema that `nmsim schema answers` prints."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from commands import SMALL_WORKLOAD

from nmsim.cli import answers
from nmsim.cli.describe import EXTRAS
from nmsim.cli.main import main
from nmsim.cli.verbs import VERBS

ROOT = Path(__file__).parents[3]
SCHEMA_FILE = ROOT / "docs" / "schemas" / "answers.json"
SANAFE_CHIP = Path(__file__).parents[1] / "exchange" / "sanafe" / "mesh.yaml"
WITHOUT = {"schema"}
"""It prints JSON as it is."""


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
    (folder / "small.yaml").write_text(SMALL_WORKLOAD)
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


def test_runs_that_travel(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    out, file, arrays = str(run / "travels"), str(run / "kept.npz"), str(run / "arrays.npz")
    answer(capsys, "train", str(run / "small.yaml"), "--out", out)
    kept = answer(capsys, "keep", out, "--out", file, "--how", "nmsim train small.yaml")
    assert (kept["workload"], kept["size_bytes"]) == ("small", Path(file).stat().st_size)
    restored = answer(capsys, "restore", file, "--out", str(run / "restored"))
    assert restored["agrees"]
    assert restored["accuracy"] == restored["kept_accuracy"]
    exported = answer(capsys, "export-network", out, "--to", "npz", "--out", arrays)
    assert (exported["file"], exported["format"]) == (arrays, "npz")
    imported = answer(
        capsys, "import-network", arrays, "--dataset", "mnist-subset", "--network", str(run / "small.yaml"),
        "--set", "dataset.train_samples=40", "--set", "dataset.test_samples=20", "--out", str(run / "imported"),
    )  # fmt: skip
    assert (imported["layers"], imported["weights"], imported["test_samples"]) == (2, 784 * 12 + 120, 20)
    assert len(imported["weight_formats"]) == 2


def test_a_core_in_rtl(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    written = answer(capsys, "rtl", str(run / "small.yaml"), "--out", str(run / "rtl"))
    assert written == {"folder": str(run / "rtl"), "verified": None, "area": None}


def test_a_chip_of_another_tool(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    given = str(SANAFE_CHIP)
    found = answer(capsys, "import-chip", given, "--synapse", "table", "--out", str(tmp_path / "chip.yaml"))
    assert found["cores"] > 0
    assert Path(found["prices_file"]).exists()


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


def test_doctor_looks_for_every_extra_that_users_install() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for_users = {
        name: tuple(re.split("[>=]", package)[0] for package in packages)
        for name, packages in project["optional-dependencies"].items()
        if name not in {"bench", "test", "dev"}
    }
    assert for_users == EXTRAS
