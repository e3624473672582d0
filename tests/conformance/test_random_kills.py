"""A hundred SIGKILLs at random moments of train, run and sweep: with --resume each ends as if nothing had happened.

Slow, because every attempt starts a process: `python -m pytest -m slow -n 0 tests/conformance/test_random_kills.py`.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

WORKLOAD = """
name: killed
dataset: {name: mnist-subset, train_samples: 320, test_samples: 50}
encoding: direct
network: {input_shape: [784], time_steps: 2, layers: [{kind: dense, units: 24}, {kind: dense, units: 10}]}
training: {epochs: 12, batch_size: 8, momentum: 0.5}
profile: {samples: 4, milestones: 3}
"""
SPACE = """
name: killed
base: {chip: edge-28nm, workload: killed.yaml, values: {chip.mesh.rows: 2, training.epochs: 1}}
axes:
  - {name: lanes, key: chip.core_types.trainer.mac_lanes, kind: power_of_two, low: 2, high: 16}
  - {name: batch, key: training.batch_size, kind: categorical, values: [8, 16]}
objectives: [energy_per_sample_j, latency_per_sample_s, area_mm2]
"""
COMMANDS = {
    "train": ("train", "killed.yaml"),
    "run": ("run", "killed.yaml", "--model", "analytic"),
    "sweep": ("sweep", "killed.yaml", "--backend", "serial", "--reports", "0"),
}
KILLS = {"train": 44, "run": 28, "sweep": 28}
"""Attempts that are ended while they run, by verb; the dearer a verb's attempt, the fewer."""
EARLIEST = 0.25
"""Part of an undisturbed run's time before which nothing is written yet."""
TIMED = {"training.json", "training.csv"}
"""Files that hold how long an epoch took, beside what is the same every time."""
LEFT_OUT = {".lock", "checkpoint.npz", "report.html"}
"""Files with a time in them, or of no meaning after the end; `summary.json` holds the figures of the page."""


def start(verb: str, place: Path, out: Path) -> subprocess.Popen[bytes]:
    words = [
        sys.executable,
        "-m",
        "nmsim.cli.main",
        *COMMANDS[verb],
        "--out",
        str(out),
        "--resume",
        "--quiet",
    ]
    return subprocess.Popen(
        words, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def without_times(value: Any) -> Any:
    """The same content without what a clock says."""
    if isinstance(value, Mapping):
        return {key: without_times(item) for key, item in value.items() if "second" not in key}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def content(out: Path) -> dict[str, Any]:
    """Every file of a folder, byte by byte where no time is in it."""
    found: dict[str, Any] = {}
    for file in sorted(out.rglob("*")):
        if not file.is_file() or file.name in LEFT_OUT or "results.sqlite-" in file.name:
            continue
        name = str(file.relative_to(out))
        if file.name == "results.sqlite":
            with sqlite3.connect(file) as database:
                found[name] = list(database.iterdump())
        elif file.name == "training.json":
            found[name] = without_times(json.loads(file.read_text()))
        else:
            found[name] = None if file.name in TIMED else file.read_bytes()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("verb", COMMANDS)
def test_a_command_that_is_killed_at_random_ends_as_one_that_was_not(verb: str, tmp_path: Path) -> None:
    place = tmp_path
    (place / "killed.yaml").write_text(SPACE if verb == "sweep" else WORKLOAD)
    if verb == "sweep":
        (place / "base").mkdir()
        (place / "base" / "killed.yaml").write_text(WORKLOAD)
        (place / "killed.yaml").write_text(SPACE.replace("killed.yaml", "base/killed.yaml"))
    began = time.monotonic()
    _, errors = start(verb, place, place / "undisturbed").communicate(timeout=600)
    whole_s, undisturbed = time.monotonic() - began, content(place / "undisturbed")
    assert undisturbed, errors.decode()

    draw, kills, rounds = random.Random(verb), 0, 0
    while kills < KILLS[verb]:
        rounds += 1
        kills += _one_round(verb, place, place / f"round-{rounds}", whole_s, draw, KILLS[verb] - kills)
        found = content(place / f"round-{rounds}")
        assert found.keys() == undisturbed.keys(), f"round {rounds}, after {kills} kills"
        wrong = [name for name in found if found[name] != undisturbed[name]]
        assert not wrong, f"round {rounds}, after {kills} kills"


def _one_round(verb: str, place: Path, out: Path, whole_s: float, draw: random.Random, most: int) -> int:
    """Kills until a command comes to its end."""
    kills = 0
    while True:
        process = start(verb, place, out)
        wait_s = whole_s * (EARLIEST + (1 - EARLIEST) * draw.random()) if kills < most else 600
        try:
            _, errors = process.communicate(timeout=wait_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
        else:
            assert process.returncode == 0, errors.decode()
            return kills
