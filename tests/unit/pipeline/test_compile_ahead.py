"""The event-driven model is compiled beside the training engine, where its machine code is missing."""

import logging
import subprocess
from types import SimpleNamespace

import pytest

from nmsim.perf.event.loop import RUN
from nmsim.pipeline import compile_ahead


class _Beside:
    """A process that ends when it is waited for."""

    started: list["_Beside"]

    def __init__(self, command: list[str], **_: object) -> None:
        self.command, self.ended, self.killed_early = command, False, False
        _Beside.started.append(self)

    def poll(self) -> int | None:
        return 0 if self.ended else None

    def wait(self) -> int:
        self.ended = True
        return 0

    def kill(self) -> None:
        self.killed_early |= not self.ended


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[_Beside]:
    _Beside.started = []
    monkeypatch.setattr(subprocess, "Popen", _Beside)
    monkeypatch.setattr(compile_ahead, "RUN", SimpleNamespace(on_disk=False))
    monkeypatch.setattr(compile_ahead, "available_workers", lambda: 2)
    return _Beside.started


def test_running_the_module_leaves_the_code_of_the_event_driven_model_on_disk() -> None:
    compile_ahead.main()
    assert RUN.on_disk


def test_a_second_process_runs_the_module_and_is_waited_for(
    started: list[_Beside], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nmsim")
    with compile_ahead.event_model_compiled():
        assert not started[0].ended
    assert started[0].command[1:] == ["-m", "nmsim.pipeline.compile_ahead"]
    assert started[0].ended
    assert not started[0].killed_early
    assert "waiting for the event-driven model" in caplog.text


def test_the_second_process_does_not_outlive_an_interrupted_training(started: list[_Beside]) -> None:
    with pytest.raises(KeyboardInterrupt), compile_ahead.event_model_compiled():
        raise KeyboardInterrupt
    assert started[0].killed_early


def test_nothing_is_made_ahead_on_one_processor_or_with_the_code_on_disk(
    started: list[_Beside], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_ahead, "available_workers", lambda: 1)
    with compile_ahead.event_model_compiled():
        pass
    monkeypatch.setattr(compile_ahead, "available_workers", lambda: 2)
    monkeypatch.setattr(compile_ahead, "RUN", SimpleNamespace(on_disk=True))
    with compile_ahead.event_model_compiled():
        pass
    assert not started
