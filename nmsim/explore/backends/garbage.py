"""Garbage in cycles: how often Python looks for it while tasks are done."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

LESS_OFTEN = 100
"""A look goes through what is young, and at times through all that caches keep; tasks leave hardly any cycles."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage in cycles a hundredth as often. Around all tasks of a worker: leaving the block brings on a look.

    >>> with seldom_collected():
    ...     rarely = gc.get_threshold()[0]
    >>> rarely // gc.get_threshold()[0]
    100
    """
    usual = gc.get_threshold()
    gc.set_threshold(LESS_OFTEN * usual[0], *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
