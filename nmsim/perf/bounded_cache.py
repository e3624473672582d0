"""Bounded cache: answers that are kept for whoever asks the same again, as many as fit into some bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """A function whose answers are kept, the ones asked for last, so that memory stays flat.

    Use it where answers differ in size by orders of magnitude, as arrays do; `functools.lru_cache` counts answers. The
    answer that was found last is kept whatever its size.

    Example:
        >>> squares = BoundedCache(lambda n: n * n, lambda square: 8, most_bytes=16)
        >>> [squares(n) for n in (1, 2, 3, 3)], len(squares)
        ([1, 4, 9, 9], 2)
    """

    def __init__(self, find: Callable[[K], V], size_bytes: Callable[[V], int], most_bytes: int) -> None:
        self.find, self._size_bytes, self._most_bytes = find, size_bytes, most_bytes
        self._answers: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    def __call__(self, asked: K) -> V:
        """The answer to a question."""
        if asked in self._answers:
            self._answers.move_to_end(asked)
            return self._answers[asked][0]
        found = self.find(asked)
        self._answers[asked] = found, self._size_bytes(found)
        self._bytes += self._answers[asked][1]
        while self._bytes > self._most_bytes and len(self._answers) > 1:
            self._bytes -= self._answers.popitem(last=False)[1][1]
        return found

    def cache_clear(self) -> None:
        """Forget every answer."""
        self._answers.clear()
        self._bytes = 0
