"""What the command line shows: messages, tables, and progress as a bar on a terminal or plain lines elsewhere."""

import logging
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from nmsim.cli.fitted import FittedTable

if TYPE_CHECKING:  # screens are made by every verb, training by few
    from nmsim.stop.history import EpochRow
    from nmsim.stop.train import Progress as TrainingProgress

PLAIN_LINE_SECONDS = 15.0
LOG = logging.getLogger("nmsim")


class _Notes(logging.Handler):
    """What the rooms below say of what they are at, on standard error, so that answers on standard output stay whole."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"nmsim: {record.getMessage()}", file=sys.stderr)


class Screen:
    """Output of one command; `quiet` drops everything but errors and `--json` results."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.out = Console(quiet=quiet, highlight=False, soft_wrap=True)
        self.is_terminal = sys.stderr.isatty() and not quiet
        LOG.handlers = [] if quiet else [_Notes()]
        LOG.setLevel(logging.INFO)

    def say(self, text: str = "") -> None:
        """One line of plain text; on a terminal it is wrapped between words."""
        if self.out.is_terminal and len(text) > self.out.width:
            indent = " " * (len(text) - len(text.lstrip()))
            text = textwrap.fill(
                text,
                self.out.width,
                subsequent_indent=indent + "  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        self.out.print(text, markup=False)

    def show(self, renderable: Any) -> None:
        """A rich table or other renderable."""
        self.out.print(renderable)

    @contextmanager
    def training(self, label: str) -> Iterator["TrainingLines"]:
        """Progress of a training run, to be passed as its listener."""
        if not self.is_terminal:
            yield TrainingLines(self, None, None)
            return
        columns = (
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            yield TrainingLines(self, progress, progress.add_task(label, rate=""))


class TrainingLines:
    """Listener of the training loop: moves the bar, or prints a plain line from time to time and per epoch."""

    def __init__(self, screen: Screen, progress: Progress | None, task: Any) -> None:
        self.screen, self.progress, self.task = screen, progress, task
        self.began = self.line_at = time.monotonic()
        self.first_done: int | None = None

    def __call__(self, step: "TrainingProgress") -> None:
        """Take one report of the training loop."""
        if step.row is not None:
            self._epoch(step.row, step.epochs)
            return
        done, total = step.epoch * step.batches + step.batch, step.epochs * step.batches
        if (
            self.first_done is None
        ):  # the first batch compiles kernels: what is left is told from the next one on
            self.began, self.first_done = time.monotonic(), done
        batches_per_s = (done - self.first_done) / max(time.monotonic() - self.began, 1e-9)
        known = f"{batches_per_s * step.samples / step.batch:,.0f} samples/s, " if batches_per_s else ""
        rate = f"{known}accuracy {step.train_accuracy:.1%}"
        if self.progress is not None:
            self.progress.update(self.task, total=total, completed=done, rate=rate)
        elif time.monotonic() - self.line_at > PLAIN_LINE_SECONDS:
            self.line_at = time.monotonic()
            left = f", {(total - done) / batches_per_s:.0f} s left" if batches_per_s else ""
            self.screen.say(
                f"  epoch {step.epoch + 1}/{step.epochs}, batch {step.batch}/{step.batches}: {rate}{left}"
            )

    def _epoch(self, row: "EpochRow", epochs: int) -> None:
        self.line_at = time.monotonic()
        text = (
            f"  epoch {row.epoch + 1:>3}/{epochs}: loss {row.train_loss:.4f}, while learning {row.train_accuracy:.2%},"
            f" accuracy {row.accuracy_text}, {row.samples_per_s:,.0f} samples/s"
        )
        if self.progress is not None:
            self.progress.console.print(text, markup=False, highlight=False)
        else:
            self.screen.say(text)


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numeric_from: int = 1, keys: int = 1
) -> FittedTable:
    """A table whose columns from `numeric_from` on are right-aligned; see `FittedTable`."""
    return FittedTable(title, columns, rows, numeric_from, keys)


def show_sourced(
    screen: Screen,
    title: str,
    columns: list[str],
    rows: list[list[str]],
    sources: list[str],
    numeric_from: int,
) -> None:
    """A table whose last column is the number of a source, and the numbered sources below it."""
    numbered = list(dict.fromkeys(sources))
    marked = [[*row, f"[{numbered.index(source) + 1}]"] for row, source in zip(rows, sources, strict=True)]
    screen.show(table(title, [*columns, "source"], marked, numeric_from=numeric_from))
    for index, source in enumerate(numbered, 1):
        screen.say(f"[{index}] {source}")
