"""Progress in plain lines: what is left is told without the time that compiling took."""

import pytest

from nmsim.cli import console, explore, progress
from nmsim.cli.console import Screen, TrainingLines
from nmsim.pipeline.study import StudyProgress
from nmsim.stop.train import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for module in (console, explore, progress):
        monkeypatch.setattr(module, "time", found)
    return found


def test_the_first_line_of_a_training_leaves_compiling_out(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = TrainingLines(Screen(), None, None)
    for now, batch in ((60.0, 1), (61.0, 2), (77.0, 18)):
        clock.now = now  # the first batch compiles for a minute, the others take a second
        lines(Progress(0, 2, batch, 100, 32 * batch, 0.5))
    first, later = capsys.readouterr().out.splitlines()
    assert "left" not in first
    assert "182 s left" in later


def test_counted_work_and_studies_do_the_same(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    count, study = progress._Lines(Screen()), explore._Lines(Screen())
    for now, done in ((100.0, 1), (120.0, 21)):
        clock.now = now
        count("replay", done, 101, "")
        study(StudyProgress("designs", done, 101, 0))
    assert [line.rpartition(", ")[2] for line in capsys.readouterr().out.splitlines()] == ["80 s left"] * 2
