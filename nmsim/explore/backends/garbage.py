"""Garbage in cycles: how often Python looks for it while tasks are done."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

AFTER = 70_000
"""New objects after which a look is due: it goes through them, and at times through all that caches keep."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage in cycles seldom. Use it around all tasks of a worker: leaving the block brings on a look.

    >>> with seldom_collected():
    ...     gc.get_threshold()[0] >= AFTER
    True
    """
    usual = gc.get_threshold()
    gc.set_threshold(max(AFTER, usual[0]), *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
