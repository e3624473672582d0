"""A hundred SIGKILLs at random moments of train, run and sweep: with --resume each ends as if nothing had happened.

Every attempt is a process of its own, forked from one that has imported everything. Slow:
`python -m pytest -m slow -n 0 tests/conformance/test_random_kills.py`.
"""

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nmsim.cli.main import main

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
base: {chip: edge-28nm, workload: base.yaml, values: {chip.mesh.rows: 2, training.epochs: 1}}
axes:
  - {name: lanes, key: chip.core_types.trainer.mac_lanes, kind: power_of_two, low: 2, high: 16}
  - {name: batch, key: training.batch_size, kind: categorical, values: [8, 16]}
objectives: [energy_per_sample_j, latency_per_sample_s, area_mm2]
"""
COMMANDS = {
    "train": ("train", "killed.yaml", "--jobs", "1"),
    "run": ("run", "killed.yaml", "--jobs", "1", "--model", "analytic"),
    "sweep": ("sweep", "killed.yaml", "--backend", "serial", "--reports", "0"),
}
KILLS = {"train": 60, "run": 12, "sweep": 28}
"""Attempts that are ended while they run, by verb; the dearer a verb's attempt, the fewer."""
TIMED = {"training.json", "training.csv"}
"""Files that hold how long an epoch took, beside what is the same every time."""
LEFT_OUT = {".lock", "checkpoint.npz", "report.html"}
"""Files with a time in them, or of no meaning after the end; `summary.json` holds the figures of the page."""


def begin(verb: str, place: Path, out: Path, errors: Path) -> int:
    """Start the command in a process of its own, forked from this one so that nothing is imported again; its number."""
    words = ["nmsim", *COMMANDS[verb], "--out", str(out), "--resume", "--quiet"]
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.chdir(place)
        sys.stderr = errors.open("w")
        sys.argv = words
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 70
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(process: int, within_s: float) -> int | None:
    """The exit code of a process that ends within a time, else None after a SIGKILL."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


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
    (tmp_path / "base.yaml").write_text(WORKLOAD)
    (tmp_path / "killed.yaml").write_text(SPACE if verb == "sweep" else WORKLOAD)
    errors = tmp_path / "errors.txt"
    _warm(verb, tmp_path)
    began = time.monotonic()
    assert ended(begin(verb, tmp_path, tmp_path / "undisturbed", errors), 600) == 0, errors.read_text()
    whole_s, undisturbed = time.monotonic() - began, content(tmp_path / "undisturbed")

    draw, kills, rounds = random.Random(verb), 0, 0
    while kills < KILLS[verb]:
        rounds += 1
        out = tmp_path / f"round-{rounds}"
        while True:
            within_s = whole_s * draw.random() if kills < KILLS[verb] else 600
            code = ended(begin(verb, tmp_path, out, errors), within_s)
            if code is not None:
                break
            kills += 1
            (tmp_path / "kills").write_text(f"{kills} kills in {rounds} runs")
        assert code == 0, errors.read_text()
        found = content(out)
        assert found.keys() == undisturbed.keys(), f"round {rounds}, after {kills} kills"
        wrong = [name for name in found if found[name] != undisturbed[name]]
        assert not wrong, f"round {rounds}, after {kills} kills"


def _warm(verb: str, place: Path) -> None:
    """Run the command here once, so that forked processes find everything imported and compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "argv", ["nmsim", *COMMANDS[verb], "--out", str(place / "warm"), "--quiet"])
        with pytest.raises(SystemExit) as stopped:
            main()
    assert stopped.value.code == 0
