"""Caches: answers that are kept for whoever asks the same again, and keys by which they are asked."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class HashedTuple(tuple[T_co, ...]):  # noqa: SLOT001 - a tuple has room for nothing else but in its dictionary
    """A tuple that is hashed once, and unequal to those of another hash without a look at their items.

    Use it for long tuples that are parts of many keys: a dictionary hashes its key at every touch.

    Example:
        >>> key = HashedTuple(range(3))
        >>> key == (0, 1, 2), hash(key) == hash((0, 1, 2)), key
        (True, True, (0, 1, 2))
    """

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, HashedTuple) and self._hash != other._hash:
            return False
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __reduce__(self) -> tuple[Any, ...]:
        """Without its hash, which is another one in another process."""
        return type(self), (tuple(self),)


class _Asked:
    """A question with its hash: questions are long, and a dictionary hashes its key at every touch."""

    __slots__ = ("hash", "question")

    def __init__(self, question: Hashable) -> None:
        self.question, self.hash = question, hash(question)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.question == other.question


class BoundedCache(Generic[K, V]):
    """A function whose answers are kept, the ones asked for last, so that memory stays flat.

    Use it where answers differ in size by orders of magnitude, as arrays do; `functools.lru_cache` counts answers. The
    size of an answer is what it and its question hold on to: a question lives as long as its answer. The answer that was
    found last is kept whatever its size.

    Example:
        >>> squares = BoundedCache(lambda n: n * n, lambda n, square: 8, most_bytes=16)
        >>> [squares(n) for n in (1, 2, 3, 3)], len(squares)
        ([1, 4, 9, 9], 2)
    """

    def __init__(self, find: Callable[[K], V], size_bytes: Callable[[K, V], int], most_bytes: int) -> None:
        self.find, self._size_bytes, self._most_bytes = find, size_bytes, most_bytes
        self._answers: OrderedDict[_Asked, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    def __call__(self, asked: K) -> V:
        """The answer to a question."""
        key = _Asked(asked)
        kept = self._answers.get(key)
        if kept is not None:
            self._answers.move_to_end(key)
            return kept[0]
        found = self.find(asked)
        self._answers[key] = found, self._size_bytes(asked, found)
        self._bytes += self._answers[key][1]
        while self._bytes > self._most_bytes and len(self._answers) > 1:
            self._bytes -= self._answers.popitem(last=False)[1][1]
        return found

    def cache_clear(self) -> None:
        """Forget every answer."""
        self._answers.clear()
        self._bytes = 0


@dataclass(frozen=True, eq=False)
class Itself(Generic[T]):
    """An object as a key that equals nothing but itself, and lives as long as the key does.

    Use it where comparing by content takes longer than finding the answer, or cannot be done.

    Example:
        >>> one, alike = [1], [1]
        >>> Itself(one) == Itself(one), Itself(one) == Itself(alike)
        (True, False)
    """

    it: T

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and other.it is self.it
