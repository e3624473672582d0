"""What every back end of the exploration must do, whichever it is."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import hypothesis  # noqa: F401 - else its plugin imports it at the end, while Dask's threads still run
import pytest

from nmsim.errors import RunError
from nmsim.explore.backends import Backend, Lost, create_backend
from nmsim.explore.backends.backend import ATTEMPTS

# The functions below must be importable in workers, which know this file by its folder only.
sys.path.insert(0, str(Path(__file__).parent))
os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])


@dataclass(frozen=True)
class Square:
    """A function with a parameter."""

    offset: float

    def __call__(self, task: int) -> tuple[int, float]:
        return task, (task + self.offset) ** 2 / 3


@dataclass(frozen=True)
class KillFirst:
    """Dies on some tasks: until a file says that it has died often enough."""

    folder: str
    fatal: tuple[int, ...]
    times: int

    def __call__(self, task: int) -> int:
        if task in self.fatal:
            for attempt in range(self.times):
                mark = Path(self.folder) / f"{task}-{attempt}"
                if not mark.exists():
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
        return task * 10


def fails_on_seven(task: int) -> int:
    if task == 7:
        raise RunError("task 7: is not to be computed; leave it out")
    return task


def own_process(task: int) -> int:
    time.sleep(0.05)
    return os.getpid()


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[str], Backend]]:
    """Back ends by name, each started once, whatever the order of the tests."""
    with ExitStack() as running:
        yield cache(lambda name: running.enter_context(create_backend(name, 2)))


@pytest.fixture(params=["serial", "processes", "dask"])
def backend(request: pytest.FixtureRequest, started: Callable[[str], Backend]) -> Backend:
    if request.param == "dask":
        pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    return started(request.param)


@pytest.fixture
def with_workers(backend: Backend) -> Backend:
    if type(backend).__name__ == "Serial":
        pytest.skip("the serial back end has no workers to kill")
    return backend


def collect(backend: Backend, function: Callable[[int], object], tasks: range) -> dict[int, object]:
    found: dict[int, object] = {}

    def on_result(task: int, result: object) -> None:
        assert task not in found, "a task is told once"
        assert threading.current_thread() is threading.main_thread()
        found[task] = result

    backend.run(function, list(tasks), on_result)
    return found


def test_results_are_those_of_the_plain_function_bit_for_bit(backend: Backend) -> None:
    function = Square(1e-9)
    assert collect(backend, function, range(40)) == {task: function(task) for task in range(40)}


def test_no_tasks_is_no_work(backend: Backend) -> None:
    assert collect(backend, Square(0.0), range(0)) == {}


def test_a_block_runs_several_functions(backend: Backend) -> None:
    for offset in (0.0, 1.0, 2.0):
        assert collect(backend, Square(offset), range(3)) == {task: Square(offset)(task) for task in range(3)}


def test_what_the_function_raises_is_raised_here(backend: Backend) -> None:
    with pytest.raises(RunError, match=r"^task 7: is not to be computed; leave it out$"):
        collect(backend, fails_on_seven, range(20))
    assert collect(backend, fails_on_seven, range(3)) == {0: 0, 1: 1, 2: 2}, (
        "and the back end is still usable"
    )


def test_what_the_listener_raises_is_raised_here(backend: Backend) -> None:
    def on_result(task: int, result: object) -> None:
        raise RunError("full")

    with pytest.raises(RunError, match=r"^full$"):
        backend.run(Square(0.0), [1, 2, 3], on_result)
    assert collect(backend, Square(0.0), range(3)) == {task: Square(0.0)(task) for task in range(3)}


def test_a_worker_that_dies_is_replaced_and_its_task_done(with_workers: Backend, tmp_path: Path) -> None:
    function = KillFirst(str(tmp_path), fatal=(3, 11), times=1)
    assert collect(with_workers, function, range(16)) == {task: task * 10 for task in range(16)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["11-0", "3-0"]


@pytest.mark.slow
def test_a_task_that_kills_every_worker_is_lost_and_the_others_are_not(
    with_workers: Backend, tmp_path: Path
) -> None:
    found = collect(with_workers, KillFirst(str(tmp_path), fatal=(2,), times=99), range(8))
    lost = found.pop(2)
    assert isinstance(lost, Lost)
    assert lost.reason.startswith(f"its worker died {ATTEMPTS} times")
    assert found == {task: task * 10 for task in range(8) if task != 2}


def test_tasks_are_shared_out(with_workers: Backend) -> None:
    seen: set[int] = set()
    deadline = time.monotonic() + 60  # a worker may start late on a busy machine
    while len(seen) < 2 and time.monotonic() < deadline:
        seen |= set(collect(with_workers, own_process, range(12)).values())
    assert len(seen) == 2
    assert os.getpid() not in seen


def test_dask_workers_that_are_killed_while_they_start_are_one_sentence(tmp_path: Path) -> None:
    """In a process of its own: what is left of a cluster that died would warn in whatever test comes next."""
    pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    deadly = tmp_path / "deadly.py"
    deadly.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    script = f"""
import dask
from nmsim.errors import RunError
from nmsim.explore.backends import create_backend
if __name__ == "__main__":
    with dask.config.set({{"distributed.worker.preload": [{str(deadly)!r}]}}):
        try:
            create_backend("dask", 2)
        except RunError as error:
            print(error)
"""
    (tmp_path / "start.py").write_text(script)
    said = subprocess.run(
        [sys.executable, tmp_path / "start.py"], capture_output=True, text=True, check=False
    ).stdout
    assert re.match(r"--backend dask: 2 workers did not come up \(.*\); go on with", said)
    assert len(said.splitlines()) == 1
