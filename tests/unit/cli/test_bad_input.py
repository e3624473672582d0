"""Every kind of bad input: one sentence, exit code 2; a network that does not fit: exit code 1 and the report."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nmsim import config
from nmsim.cli.main import main

WORKLOAD = """\
name: small
dataset: mnist-subset
encoding: direct
network:
  input_shape: [1, 28, 28]
  time_steps: 2
  layers:
    - {kind: dense, units: 16}
    - {kind: dense, units: 10}
training: {epochs: 1, batch_size: 32}
profile: {samples: 2}
"""


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and message of a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nmsim", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
    return int(str(stopped.value.code)), capsys.readouterr().err.strip()


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(WORKLOAD)
    return path


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "time_steps",
            "time_stepz",
            "small.yaml:6: network.time_stepz: unknown key 'time_stepz'; did you mean 'time_steps'?",
        ),
        (
            "encoding: direct",
            "name: again",
            "small.yaml:3: name: key 'name' appears twice (first at 1); keep one of the two lines",
        ),
        (
            "units: 16",
            "units: many",
            "small.yaml:8: network.layers[0].units: value 'many': must be a whole number; write it as a plain number",
        ),
        (
            "epochs: 1",
            "epochs: 0",
            "small.yaml:10: training.epochs: value 0: must be greater than or equal to 1; change the value",
        ),
        (
            "epochs: 1",
            "momentum: .nan",
            "small.yaml:10: training.momentum: value nan: must be a finite number; change the value",
        ),
    ],
)
def test_mistakes_in_a_workload(
    workload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, sentence: str
) -> None:
    workload.write_text(WORKLOAD.replace(old, new, 1))
    code, message = failure(capsys, "train", str(workload), "--out", str(tmp_path / "run"))
    assert (code, message) == (2, f"nmsim: {tmp_path}/{sentence}")


def test_missing_workload(capsys: pytest.CaptureFixture[str]) -> None:
    assert failure(capsys, "train", "none.yaml") == (
        2,
        "nmsim: none.yaml: no such file; check the path, or see `nmsim list` for the shipped ones",
    )


def test_missing_data(workload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "nowhere"
    code, message = failure(
        capsys,
        "train",
        str(workload),
        "--set",
        "dataset=mnist",
        "--data",
        str(missing),
        "--out",
        str(tmp_path / "run"),
    )
    assert code == 2
    assert message.startswith(f"nmsim: {missing}: ")
    assert len(message.splitlines()) == 1


def test_corrupt_data(workload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(b"\x00\x00\x08\x03garbage"))
    code, message = failure(
        capsys,
        "train",
        str(workload),
        "--set",
        "dataset=mnist",
        "--data",
        str(folder),
        "--out",
        str(tmp_path / "run"),
    )
    assert code == 2
    assert "ubyte.gz" in message
    assert len(message.splitlines()) == 1


def npz(path: Path, size: int, count: int) -> Path:
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (count, size, size), np.uint8)
    labels = (np.arange(count) % 10).astype(np.uint8)
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return path


def test_wrong_image_shape(workload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = npz(tmp_path / "wide.npz", 30, 40)
    code, message = failure(
        capsys,
        "train",
        str(workload),
        "--set",
        "dataset=mnist",
        "--data",
        str(data),
        "--out",
        str(tmp_path / "run"),
    )
    assert code == 2
    assert "30" in message
    assert len(message.splitlines()) == 1


def test_empty_data_set(workload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = npz(tmp_path / "empty.npz", 28, 0)
    code, message = failure(
        capsys,
        "train",
        str(workload),
        "--set",
        "dataset=mnist",
        "--data",
        str(data),
        "--out",
        str(tmp_path / "run"),
    )
    assert code == 2
    assert len(message.splitlines()) == 1


def test_a_format_that_cannot_hold_the_initial_weights(
    workload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, message = failure(
        capsys, "train", str(workload), "--set", "precision.weight=s8.13", "--out", str(tmp_path / "run")
    )
    assert code == 2
    assert "s8.13" in message
    assert len(message.splitlines()) == 1


def test_negative_capacity(workload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, message = failure(
        capsys,
        "run",
        str(workload),
        "--set",
        "chip.core_types.0.memories.0.words=-5",
        "--out",
        str(tmp_path / "run"),
    )
    assert code == 2
    assert message == (
        "nmsim: --set chip.core_types.0.memories.0.words=-5: core_types[0].memories[0].words: value -5: must be greater"
        " than or equal to 1; change the value"
    )


def test_a_run_of_another_configuration_is_kept(
    workload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nmsim", "train", str(workload), "--out", str(out), "--quiet"])
        with pytest.raises(SystemExit) as stopped:
            main()
    assert stopped.value.code in {0, None}
    before = (out / "training.json").read_bytes()
    code, message = failure(capsys, "train", str(workload), "--out", str(out), "--seed", "9")
    assert code == 2
    assert message.endswith("give another --out, or --overwrite")
    assert (out / "training.json").read_bytes() == before


def test_a_network_that_does_not_fit(workload: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "nmsim.cli.main", "run", str(workload), "--out", str(tmp_path / "run"), "--quiet", "--set",
        "chip.mesh.columns=1", "--set", "chip.mesh.rows=1", "--set", "network.layers.0.units=4000",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "does not fit" in done.stderr
    assert done.stderr.rstrip().endswith("--chip mesh-16nm")


def test_every_shipped_file_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("workloads", "arch_configs/chips"):
        for path in config.shipped(kind).values():
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "argv", ["nmsim", "check-config", str(path)])
                with pytest.raises(SystemExit) as stopped:
                    main()
            assert stopped.value.code in {0, None}, capsys.readouterr().err


def test_validate_against_a_run_folder_says_what_it_wants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text("{}")
    code, said = failure(capsys, "validate", "mnist-dense", "--against", str(tmp_path))
    assert code == 2
    assert f"--against {tmp_path}: this is a run folder, and a reference is wanted: use one of" in said
    assert f"nmsim validate {tmp_path} compares that run with float64, nmsim compare puts rules" in said
    assert len(said.splitlines()) == 1


def test_no_hint_names_a_package_that_is_not_published() -> None:
    root = Path(__file__).parents[3]
    pages = [*root.glob("nmsim/**/*.py"), *root.glob("docs/**/*.md"), root / "README.md"]
    assert not [
        page for page in pages if re.search(r"pip install '?nmsim\b", page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("name", ["28nm / 0.9 V", "../../x", "/absolute"])
def test_a_default_folder_is_named_safely_whatever_the_workload_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "a" / "b" / "c"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    spec = WORKLOAD.replace("name: small", f"name: '{name}'").replace(
        "dataset: mnist-subset", "dataset: {name: mnist-subset, train_samples: 32, test_samples: 10}"
    )
    (place / "w.yaml").write_text(spec)
    for verb in (["train"], ["rtl"], ["export-vectors", "--samples", "1"], ["validate", "--samples", "1"]):
        code, said = failure(capsys, verb[0], "w.yaml", *verb[1:], "--quiet")
        assert code == 0, said
    assert {path.name for path in place.iterdir()} == {"w.yaml", "runs"}
    assert len(list((place / "runs").iterdir())) == 4
    assert [path.name for above in (tmp_path, place.parents[1], place.parent) for path in above.iterdir()] == [
        "a", "b", "c",
    ]  # fmt: skip
