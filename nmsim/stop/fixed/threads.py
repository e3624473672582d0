"""Threads that take shares of one job; kernels leave the interpreter to the others while they run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

Found = TypeVar("Found")


class Threads:
    """Up to `count` threads, the caller's among them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count - 1) if count > 1 else None

    def run(self, job: Callable[[int], Found], shares: int) -> list[Found]:
        """`job(share)` of every share below `shares`, side by side, in their order; returns when all have ended."""
        if self._pool is None or shares == 1:
            return [job(share) for share in range(shares)]
        others = [self._pool.submit(job, share) for share in range(1, shares)]
        try:
            return [job(0), *(other.result() for other in others)]
        finally:
            wait(others)


def share_of(size: int, share: int, shares: int) -> tuple[int, int]:
    """Begin and end of one share of so many things.

    >>> [share_of(7, share, 3) for share in range(3)]
    [(0, 2), (2, 4), (4, 7)]
    """
    return size * share // shares, size * (share + 1) // shares
