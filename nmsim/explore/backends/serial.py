"""One task after the other, in this process."""

from collections.abc import Callable, Sequence
from typing import Any

from nmsim.explore.backends.backend import Backend, Lost, R, T
from nmsim.explore.backends.garbage import seldom_collected


class Serial(Backend):
    """No workers at all: the simplest, and what the others are compared with."""

    workers = 1

    def run(
        self, function: Callable[[T], R], tasks: Sequence[T], on_result: Callable[[T, R | Lost], Any]
    ) -> None:
        """See `Backend.run`; in order of the tasks."""
        with seldom_collected():
            for task in tasks:
                on_result(task, function(task))
