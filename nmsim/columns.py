"""Columns: what names the rows of a long table, with the groups that the rows were found to fall into."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
KEPT = 64
"""Answers that one object keeps, and joined columns that are kept."""


class Columns(Mapping[str, NDArray[Any]]):
    """Named arrays of one length, never changed after they were given; what was asked about them is kept.

    Tables of figures whose rows are the same share one object, so that many designs sort texts once. Two objects are
    equal only if they are the same.

    Example:
        >>> columns = Columns({"phase": np.array(["neuron", "error", "neuron"]), "core": np.array([0, 0, 1])})
        >>> columns.where(phase="neuron").tolist(), columns.groups("core")[1].tolist()
        ([True, False, True], [0, 0, 1])
    """

    __hash__ = object.__hash__

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        self._kept: dict[Hashable, Any] = {}
        self.rows = len(next(iter(self._arrays.values()), ()))

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "Columns":
        """The same object if it is one already."""
        return arrays if isinstance(arrays, Columns) else cls(arrays)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __eq__(self, other: object) -> bool:
        return self is other

    def where(self, **equal: Any) -> BoolArray:
        """Rows whose columns equal the given values `(K,)`; a tuple of values means any of them."""
        asked = tuple(
            (name, tuple(value) if isinstance(value, tuple | list | set | frozenset) else (value,))
            for name, value in equal.items()
        )
        return self.keep(("where", asked), lambda: self._where(asked))

    def _where(self, asked: Sequence[tuple[str, tuple[Any, ...]]]) -> BoolArray:
        found = np.ones(self.rows, np.bool_)
        for name, wanted in asked:
            values, code = self._coded(name)
            found &= np.isin(values, np.asarray(wanted))[code]
        return found

    def _coded(self, name: str) -> tuple[NDArray[Any], IntArray]:
        """Distinct values of a column, ascending, and which of them stands in each row."""
        return self.keep(("coded", name), lambda: np.unique(self._arrays[name], return_inverse=True))

    def groups(self, *names: str) -> tuple[IntArray, IntArray]:
        """First row of every distinct combination of values, and the combination of every row."""
        return self.keep(("groups", names), lambda: distinct([self._coded(name)[1] for name in names]))

    def take(self, rows: BoolArray | IntArray) -> "Columns":
        """Some of the rows."""
        whole = len(rows) == self.rows and rows.dtype == np.bool_ and bool(rows.all())
        return (
            self if whole else self.keep(("take", rows.dtype.kind, rows.tobytes()), lambda: self._take(rows))
        )

    def _take(self, rows: BoolArray | IntArray) -> "Columns":
        return Columns({name: array[rows] for name, array in self._arrays.items()})

    def only(self, *names: str) -> "Columns":
        """Some of the columns, in this order."""
        return self.keep(("only", names), lambda: Columns({name: self._arrays[name] for name in names}))

    def keep(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` found about these columns when it was first asked under this key."""
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = find()
        found: T = self._kept[key]
        return found


@lru_cache(maxsize=KEPT)
def joined(*parts: Columns) -> Columns:
    """Rows of several one after the other; all have the same names."""
    return Columns({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def distinct(columns: Sequence[NDArray[Any]]) -> tuple[IntArray, IntArray]:
    """First row of every distinct combination of values, and the combination of every row."""
    code = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, part = np.unique(column, return_inverse=True)
        _, code = np.unique(code * max(len(values), 1) + part, return_inverse=True)
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    return first, inverse
