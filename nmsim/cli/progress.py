"""Progress of counted work: a bar per stage on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from nmsim.cli.console import PLAIN_LINE_SECONDS, Screen

Count = Callable[[str, int, int, str], None]
"""Called with a stage, how much of it is done, how much there is, and a remark."""


@contextmanager
def counted(screen: Screen) -> Iterator[Count]:
    """A listener for as long as the work lasts."""
    if not screen.is_terminal:
        yield _Lines(screen)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[remark]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def count(stage: str, done: int, total: int, remark: str) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, remark="")
            bar.update(tasks[stage], completed=done, total=total, remark=remark)

        yield count


class _Lines:
    """Prints a line from time to time and at the end of a stage."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.stage, self.first = screen, "", 0
        self.began = self.line_at = time.monotonic()

    def __call__(self, stage: str, done: int, total: int, remark: str) -> None:
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.began, self.line_at, self.first = stage, now, now, done
        if now - self.line_at < PLAIN_LINE_SECONDS and done < total:
            return
        self.line_at = now
        rate = (done - self.first) / max(now - self.began, 1e-9)
        left = f", {(total - done) / rate:.0f} s left" if 0 < done < total and rate > 0 else ""
        self.screen.say(f"  {stage}: {done:,} of {total:,}{', ' * bool(remark)}{remark}{left}")
