"""Damaged files of a run folder: whatever stands in them, a verb that reads them is done, or says one sentence.

The whole set: `python -m pytest -m slow tests/unit/cli/test_damaged_runs.py`; a tenth of it runs with the fast tests.
"""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import change_a_value, command

WORKLOAD = """\
name: small
dataset: {name: mnist-subset, train_samples: 24, test_samples: 10}
encoding: {kind: direct, downsample: 1/4}
network:
  input_shape: [1, 7, 7]
  time_steps: 2
  layers: [{kind: dense, units: 6}, {kind: dense, units: 10}]
training: {epochs: 1, batch_size: 8, momentum: 0.5}
profile: {samples: 2, milestones: 2, milestone_samples: 2}
"""
CHIP = ("--chip", "edge-28nm", "--set", "chip.options.spread=compact")
READERS = {
    "run.json": ("report", "RUN"),
    "workload.yaml": ("report", "RUN"),
    "training.json": ("report", "RUN"),
    "activity.npz": ("simulate", "RUN", "--rule", "inference", *CHIP),
    "activity-stbp.npz": ("simulate", "RUN", "--rule", "stbp", *CHIP),
    "parameters.npz": ("keep", "RUN", "--how", "by hand", "--out", "KEPT"),
    "checkpoint.npz": ("train", "WORKLOAD", "--out", "RUN", "--resume"),
    "start.npz": ("train", "RUN", "--out", "AGAIN"),
    "milestones": ("simulate", "RUN", "--along", "--rule", "stop-wtl", *CHIP),
    "simulations": ("report", "RUN"),
}
"""File or folder of a run to a verb that reads it."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workload and its run: trained, followed along the training, simulated."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "small.yaml").write_text(WORKLOAD)
    run = str(folder / "run")
    assert command("train", str(folder / "small.yaml"), "--out", run, "--quiet") == 0
    assert command("simulate", run, "--rule", "inference,stop-wtl", *CHIP, "--quiet") == 0
    assert command("simulate", run, "--along", "--rule", "stop-wtl", *CHIP, "--quiet") == 0
    further = str(folder / "further")
    assert command("train", str(folder / "small.yaml"), "--from", run, "--out", further, "--quiet") == 0
    shutil.copytree(further, folder / "with start")
    return folder


# --- kinds of damage: bytes, JSON values, arrays -------------------------------------------------------------------


def cut(draw: random.Random, file: Path) -> str:
    content = file.read_bytes()
    place = draw.randrange(len(content))
    file.write_bytes(content[:place])
    return f"cut at {place}"


def flip(draw: random.Random, file: Path) -> str:
    content = bytearray(file.read_bytes())
    places = [draw.randrange(len(content)) for _ in range(draw.choice((1, 3, 30)))]
    for place in places:
        content[place] = draw.randrange(256)
    file.write_bytes(content)
    return f"bytes changed at {places}"


def replace(draw: random.Random, file: Path) -> str:
    others = (b"", b"\0" * 4096, b"[]", b"null", b"{}", b"PK\x03\x04", b"\x80\x04.", b"{" * 5000, b"\xff\xfe")
    index = draw.randrange(len(others))
    file.write_bytes(others[index])
    return f"replaced by {others[index][:10]!r}"


def become_a_folder(_: random.Random, file: Path) -> str:
    file.unlink()
    file.mkdir()
    return "a folder in its place"


def change_json(draw: random.Random, file: Path) -> str:
    content = json.loads(file.read_text())
    done = change_a_value(draw, content)
    file.write_text(json.dumps(content))
    return done


def change_arrays(draw: random.Random, file: Path) -> str:
    with np.load(file) as found:
        arrays = {name: found[name] for name in found.files}
    name = draw.choice(sorted(arrays))
    if "header" in arrays and (name == "header" or draw.random() < 0.4):
        header = json.loads(arrays["header"].tobytes())
        done = f"header {change_a_value(draw, header)}"
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    else:
        done = f"{name} {_change_array(draw, arrays, name)}"
    np.savez(file, **arrays)
    return done


def _change_array(draw: random.Random, arrays: dict[str, Any], name: str) -> str:
    own = arrays[name]
    changes: dict[str, Callable[[], Any]] = {
        "empty": lambda: own[:0] if own.ndim else own.reshape(1)[:0],
        "transposed": lambda: own.T,
        "one axis more": lambda: own[None],
        "flat": own.ravel,
        "floats": lambda: own.astype(np.float64) + 0.5,
        "not a number": lambda: np.full(own.shape, np.nan),
        "complex": lambda: own.astype(np.complex128),
        "text": lambda: own.astype(np.str_),
        "negative": lambda: -1 - own.astype(np.int64),
        "too large": lambda: np.full(own.shape, 2**62),
        "twice as long": lambda: np.concatenate([own, own]) if own.ndim else np.stack([own, own]),
        "one": lambda: np.array(1),
    }
    kind = draw.choice([*changes, "left out"])
    if kind == "left out":
        del arrays[name]
    else:
        arrays[name] = changes[kind]()
    return kind


def damages(file: Path) -> list[Callable[[random.Random, Path], str]]:
    """Kinds of damage that a file can have, those of its content more often."""
    own = {".json": change_json, ".npz": change_arrays}.get(file.suffix)
    return (
        [cut, flip, replace, become_a_folder, *[own] * 8]
        if own
        else [cut, flip, flip, replace, become_a_folder]
    )


def damaged(seed: int, whole: Path, folder: Path) -> tuple[int, str]:
    """Damage a copy of the run and read it; the exit code, and what was done for whom."""
    draw = random.Random(seed)
    name = sorted(READERS)[seed % len(READERS)]
    run = folder / "run"
    shutil.copytree(whole / ("with start" if name == "start.npz" else "run"), run)
    file = run / name
    if file.is_dir():
        file = draw.choice(sorted(file.iterdir()))
    if name == "checkpoint.npz":
        (run / "training.json").unlink()
    done = draw.choice(damages(file))(draw, file)
    places = {
        "RUN": run,
        "KEPT": folder / "kept.npz",
        "AGAIN": folder / "again",
        "WORKLOAD": whole / "small.yaml",
    }
    arguments = [str(places.get(part, part)) for part in READERS[name]]
    return command(*arguments, "--quiet"), f"seed {seed}, {file.name}: {done}; {arguments[0]}"


def check(seed: int, whole: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, what = damaged(seed, whole, folder)
    said = capsys.readouterr().err
    assert code in (0, 1, 2), f"{what}\n{said}"
    assert "Traceback" not in said
    assert (said.startswith("nmsim: ")) == (code != 0), f"{what}\n{said}"


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_file_of_a_run_is_one_sentence(
    seed: int, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(seed, whole, tmp_path, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30, 330))
def test_more_damaged_files_of_a_run_are_one_sentence(
    seed: int, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(seed, whole, tmp_path, capsys)
