"""Calls that may be made in any order, and by another process: who has some passes them to a `Share`."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

R = TypeVar("R")


class Share(Protocol):
    """Makes calls and gives their answers in order; what a call raises is raised in its turn."""

    def __call__(self, calls: Sequence[Callable[[], R]], /) -> Iterator[R]:
        """The answers; the calls are functions or methods with their arguments bound, and can be pickled."""


def in_turn(calls: Sequence[Callable[[], R]], /) -> Iterator[R]:
    """Each call when its answer is asked for, in this process.

    >>> list(in_turn([lambda: "a", lambda: "b"]))
    ['a', 'b']
    """
    return (call() for call in calls)
