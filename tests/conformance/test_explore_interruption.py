"""A study that is killed, again and again, ends as one that was not; slow because it starts many processes."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nmsim.explore.backends.dask import Dask

SPACE = """
name: interrupted
base: {chip: edge-28nm, workload: WORKLOAD, values: {chip.mesh.rows: 2}}
axes:
  - {name: columns, key: chip.mesh.columns, kind: integer, low: 1, high: 4}
  - {name: lanes, key: chip.core_types.trainer.mac_lanes, kind: power_of_two, low: 2, high: 16}
  - {name: words, key: chip.core_types.trainer.memories.gradients.words, kind: power_of_two, low: 64, high: 512}
  - {name: clock_hz, key: chip.clock_hz, kind: continuous, low: 1e8, high: 4e8}
  - {name: update, key: training.batch_size, kind: categorical, values: [8, 16]}
objectives: [energy_per_sample_j, latency_per_sample_s, area_mm2]
"""
WORKLOAD = """
name: small
dataset: {name: mnist-subset, train_samples: 64, test_samples: 40}
encoding: {kind: direct, downsample: 1/2}
network: {input_shape: [1, 14, 14], time_steps: 2, layers: [{kind: dense, units: 24}, {kind: dense, units: 10}]}
training: {rule: stop-w, arithmetic: float64, epochs: 1, batch_size: 16}
profile: {samples: 2}
"""
DESIGNS = 200
VGG_TRAINING = ("training.epochs=1", "training.batch_size=16", "profile.samples=2")
"""VGG-11 in full, near its initial state: what a design costs does not depend on how long it was trained."""


@dataclass(frozen=True)
class Sweep:
    """The command of a sweep of 200 designs, the event-driven model for 8 of them."""

    space: str
    options: tuple[str, ...] = ()

    def start(self, out: Path, *options: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "nmsim.cli.main",
            "sweep",
            self.space,
            "--out",
            str(out),
            "--method",
            "sobol",
        ]
        command += [
            "--designs",
            str(DESIGNS),
            "--event",
            "8",
            "--reports",
            "0",
            "--resume",
            *self.options,
            *options,
        ]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )

    def finish(self, out: Path, *options: str) -> None:
        process = self.start(out, *options)
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors.decode()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("small", marks=pytest.mark.slow),
        pytest.param("vgg11", marks=pytest.mark.benchmark),
    ],
)
def sweep(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("space")
    if request.param == "small":
        (folder / "workload.yaml").write_text(WORKLOAD)
        (folder / "space.yaml").write_text(SPACE.replace("WORKLOAD", str(folder / "workload.yaml")))
        return Sweep(str(folder / "space.yaml"))
    data = request.getfixturevalue("shared_data") / "cifar10.npz"
    dataset = f"dataset={{name: cifar10, path: {data}, train_samples: 32, test_samples: 8}}"
    settings = [part for text in (dataset, *VGG_TRAINING) for part in ("--set", text)]
    command = [
        sys.executable,
        "-m",
        "nmsim.cli.main",
        "train",
        "cifar10-vgg11",
        "--out",
        str(folder / "run"),
        *settings,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return Sweep("vgg11-mesh", ("--run", str(folder / "run")))


def stored(out: Path) -> int:
    try:
        database = sqlite3.connect(f"file:{out}/results.sqlite?mode=ro", uri=True)
        try:
            return int(database.execute("SELECT count(*) FROM results").fetchone()[0])
        finally:
            database.close()
    except sqlite3.Error:
        return 0


def content(out: Path) -> dict[str, object]:
    """The whole store as SQL text, and every table and picture beside it, byte by byte."""
    database = sqlite3.connect(out / "results.sqlite")
    dump = list(database.iterdump())
    database.close()
    names = ("results.csv", "sweep.parquet", "sensitivity.csv", "study.html")
    return {"dump": dump, **{name: (out / name).read_bytes() for name in names if (out / name).exists()}}


@pytest.fixture(scope="module")
def undisturbed(sweep: Sweep, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    out = tmp_path_factory.mktemp("serial") / "study"
    sweep.finish(out, "--backend", "serial")
    assert stored(out) >= DESIGNS
    return content(out)


def test_killed_ten_times_and_resumed_ends_with_the_identical_store(
    sweep: Sweep, tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    rng = random.Random(7)
    out = tmp_path / "study"
    seen = []
    for turn in range(10):
        process = sweep.start(out, "--jobs", "2")
        target = turn * (DESIGNS // 10) + rng.randrange(DESIGNS // 12)
        while stored(out) < target and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.5)
        assert process.poll() is None, "it was to be killed while running"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        seen.append(stored(out))
    assert seen == sorted(seen)
    assert 0 < seen[-1] < DESIGNS + 8
    sweep.finish(out, "--jobs", "2")
    assert content(out) == undisturbed


def test_dask_workers_killed_during_the_run_give_the_identical_store(
    sweep: Sweep, tmp_path: Path, undisturbed: dict[str, object], cluster: "Cluster"
) -> None:
    pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    out = tmp_path / "study"
    process = sweep.start(out, "--scheduler", cluster.address)
    for share in (0.2, 0.4, 0.6, 0.8):
        while stored(out) < share * DESIGNS and process.poll() is None:
            time.sleep(0.01)
        cluster.kill_a_worker()
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors.decode()
    assert content(out) == undisturbed


@pytest.mark.slow
def test_a_scheduler_that_restarts_loses_nothing(cluster: "Cluster") -> None:
    found: dict[float, object] = {}
    tasks = [0.2 + i * 1e-4 for i in range(60)]
    backend = Dask(1, cluster.address)
    restart = threading.Timer(3.0, cluster.restart)
    restart.start()
    with backend:
        backend.run(time.sleep, tasks, found.__setitem__)
    restart.join()
    assert found == dict.fromkeys(tasks)
    assert cluster.restarts == 1


class Cluster:
    """A scheduler and three workers of one thread, as a user starts them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 18786
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.restarts = 0
        self.start()

    def start(self) -> None:
        scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._dask(*scheduler)
        self.workers = [
            self._dask("worker", self.address, "--nthreads", "1", "--no-dashboard") for _ in range(3)
        ]

    def _dask(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DASK_LOGGING__DISTRIBUTED": "critical", "PYTHONWARNINGS": "ignore"}
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments], cwd=self.folder, env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill_a_worker(self) -> None:
        """SIGKILL to one worker with its nanny, and a new one in its place."""
        worker = self.workers.pop(0)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.workers.append(self._dask("worker", self.address, "--nthreads", "1", "--no-dashboard"))

    def restart(self) -> None:
        self.stop()
        self.restarts += 1
        time.sleep(1.0)
        self.start()

    def stop(self) -> None:
        for process in (self.scheduler, *self.workers):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.stop()
