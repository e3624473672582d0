"""A second process gets ready beside a training, takes its share of calls, and is missed by nobody where there is none."""

import logging
import multiprocessing
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_run import trained

import nmsim
from nmsim.explore.backends.worker import Worker
from nmsim.perf.event.loop import RUN
from nmsim.pipeline import beside
from nmsim.pipeline.beside import Beside, get_ready
from nmsim.pipeline.report import reported
from nmsim.pipeline.simulate import read_chip, simulate
from nmsim.sharing import Share, in_turn


def _process(seconds: float = 0.2) -> int:
    time.sleep(seconds)
    return os.getpid()


def _numbered(number: int) -> int:
    time.sleep(0.02)
    return number


def _refused(number: int) -> int:
    raise ValueError(f"call {number}")


def _ends_elsewhere() -> int:
    if multiprocessing.parent_process() is not None:
        os._exit(3)
    return 7


def _package() -> str:
    return str(nmsim.__file__)


def _fails() -> None:
    raise RuntimeError("not ready")


def _two_processors(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(beside, "available_workers", lambda: 2)
    patch.setattr(beside, "available_bytes", lambda: 1 << 40)
    patch.setattr(beside, "get_ready", os.getpid)


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    _two_processors(monkeypatch)


def _started() -> Beside:
    found = Beside()
    assert found._is_ready(None)
    return found


@pytest.fixture(scope="module")
def ready() -> Iterator[Beside]:
    with pytest.MonkeyPatch.context() as patch:
        _two_processors(patch)
        with _started() as found:
            yield found


def test_the_other_process_takes_calls_from_the_end_and_answers_keep_their_order(ready: Beside) -> None:
    assert list(ready.shared([partial(_numbered, number) for number in range(40)])) == list(range(40))
    processes = list(ready.shared([_process] * 4))
    assert processes[0] == os.getpid() != processes[-1]


def test_what_a_call_raises_is_raised_in_its_turn(ready: Beside) -> None:
    found = ready.shared([_process, partial(_refused, 1), partial(_refused, 2)])
    assert next(found) == os.getpid()
    with pytest.raises(ValueError, match="call 1"):
        next(found)


def test_what_a_process_that_died_was_about_to_do_is_done_here() -> None:
    with _started() as found:
        assert list(found.shared([_process, _ends_elsewhere])) == [os.getpid(), 7]
        assert list(found.shared([_process] * 3)) == [os.getpid()] * 3


@pytest.mark.parametrize("start", [_fails, partial(time.sleep, 600)])
def test_one_that_fails_or_is_not_ready_yet_is_not_waited_for(
    start: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "get_ready", start)
    with Beside() as found:
        if start is _fails:
            assert not found._is_ready(None)
        assert list(found.shared([_process] * 3)) == [os.getpid()] * 3


@pytest.mark.parametrize("short", ["available_workers", "available_bytes"])
def test_there_is_none_on_one_processor_or_without_memory_for_it(
    short: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, short, lambda: 1)
    monkeypatch.setattr(beside, "_started", None)
    with Beside() as found:
        found.compiled()
        assert list(found.shared([partial(_numbered, 1), partial(_numbered, 2)])) == [1, 2]


def test_one_job_asks_for_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "_started", None)
    with Beside(jobs=1) as found:
        assert list(found.shared([_process])) == [os.getpid()]


def test_it_does_not_outlive_an_interrupted_training() -> None:
    def interrupted() -> None:
        with Beside() as found:
            started.append(found._worker)
            raise KeyboardInterrupt

    started: list[Worker | None] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert started[0] is not None
    assert not started[0].process.is_alive()


def test_it_is_the_same_nmsim_in_a_folder_that_holds_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nmsim").mkdir()
    (tmp_path / "nmsim" / "__init__.py").write_text("raise SystemExit('the wrong one')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with _started() as found:
        assert list(found.shared([_process, _package])) == [os.getpid(), nmsim.__file__]


def test_missing_code_of_the_event_driven_model_is_waited_for_and_else_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nmsim")
    monkeypatch.setattr(beside, "get_ready", _process)
    for on_disk in (True, False):
        monkeypatch.setattr(beside, "RUN", SimpleNamespace(on_disk=on_disk))
        with Beside() as found:
            found.compiled()
            assert (found._state == "ready") is not on_disk
        assert ("waiting for the event-driven model" in caplog.text) is not on_disk


def test_getting_ready_leaves_the_code_of_the_event_driven_model_on_disk() -> None:
    get_ready()
    assert RUN.on_disk


def _files(run: Path, share: Share) -> dict[str, bytes]:
    """Reports and simulations of a run."""
    simulate(run, [read_chip("edge-28nm")], rules=("stop-wtl", "stbp"), share=share)
    reported(run, share)
    return {
        str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()
    }


def test_a_run_has_the_same_bytes_whoever_does_what(tmp_path: Path, ready: Beside) -> None:
    here = _files(trained(tmp_path / "run"), in_turn)
    (tmp_path / "run" / "simulations").rename(tmp_path / "before")
    assert _files(tmp_path / "run", ready.shared) == here
    assert sum(name.endswith(".svg") for name in here) > 8
