"""Columns: what names the rows of a long table, with the groups that the rows were found to fall into."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
KEPT = 64
"""Answers that one object keeps."""
BYTES_PER_ROW = 56
"""What a row of a column takes, as measured on counts of VGG-11: 500 bytes in nine columns."""


Coded = tuple[NDArray[Any], IntArray]
"""Distinct values of a column, ascending, and which of them stands in each row."""


class _Given:
    """Columns as they were given, each an array or a function that finds its `Coded` form, and what was found.

    Columns that are made from others hold this part of them, not the whole, which keeps what was made: such a circle would
    live until somebody looks for garbage.
    """

    def __init__(self, given: Mapping[str, NDArray[Any] | Callable[[], Coded]]) -> None:
        self.arrays = {name: column for name, column in given.items() if not callable(column)}
        self._find = {name: column for name, column in given.items() if callable(column)}
        self._coded: dict[str, Coded] = {}

    def coded(self, name: str) -> Coded:
        """See `Columns.coded`."""
        if name not in self._coded:
            find = self._find.get(name)
            self._coded[name] = _coded(self.arrays[name]) if find is None else find()
        return self._coded[name]

    def picked(self, name: str, rows: IntArray) -> Coded:
        """The coded form of some rows."""
        values, code = self.coded(name)
        return values, code[rows]

    def taken(self, name: str, rows: IntArray) -> NDArray[Any] | Callable[[], Coded]:
        """Some rows of a column."""
        return self.arrays[name][rows] if name in self.arrays else partial(self.picked, name, rows)

    def whole(self, name: str) -> NDArray[Any] | Callable[[], Coded]:
        """A column for others to have too."""
        return self.arrays[name] if name in self.arrays else partial(self.coded, name)


class Columns(Mapping[str, NDArray[Any]]):
    """Named arrays of one length, never changed after they were given; what was asked about them is kept.

    Tables of figures whose rows are the same share one object, so that many designs sort texts once. A column may be given
    as a function that finds its `Coded` form: long columns of few texts are then written out only if somebody reads them.
    Two objects are equal only if they are the same.

    Example:
        >>> columns = Columns({"phase": np.array(["neuron", "error", "neuron"]), "core": np.array([0, 0, 1])})
        >>> columns.where(phase="neuron").tolist(), columns.groups("core")[1].tolist()
        ([True, False, True], [0, 0, 1])
    """

    __hash__ = object.__hash__

    def __init__(
        self, given: Mapping[str, NDArray[Any] | Callable[[], Coded]], rows: int | None = None
    ) -> None:
        self._names = tuple(given)
        self._given = _Given(given)
        self._kept: dict[Hashable, Any] = {}
        self.rows = len(next(iter(self._given.arrays.values()), ())) if rows is None else rows

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "Columns":
        """The same object if it is one already."""
        return arrays if isinstance(arrays, Columns) else cls(arrays)

    @classmethod
    def picked(cls, values: Mapping[str, NDArray[Any]], row: IntArray, **whole: NDArray[Any]) -> "Columns":
        """Columns of texts or numbers of which each row takes one, and columns that are given `whole`.

        >>> phases = {"phase": np.array(["neuron", "error"])}
        >>> Columns.picked(phases, np.array([1, 0, 1]), core=np.arange(3))["phase"].tolist()
        ['error', 'neuron', 'error']
        """
        source = _Given(values)
        return cls({**{name: partial(source.picked, name, row) for name in values}, **whole}, len(row))

    def __getitem__(self, name: str) -> NDArray[Any]:
        arrays = self._given.arrays
        if name not in arrays:
            values, code = self.coded(name)
            arrays[name] = values[code]
        return arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def nbytes(self) -> int:
        """Bytes of its columns once texts are written out and sorted; an estimate."""
        return BYTES_PER_ROW * self.rows * len(self._names)

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
            values, code = self.coded(name)
            found &= np.isin(values, np.asarray(wanted))[code]
        return found

    def coded(self, name: str) -> Coded:
        """Distinct values of a column, ascending (some may stand nowhere), and which of them stands in each row."""
        return self._given.coded(name)

    def groups(self, *names: str) -> tuple[IntArray, IntArray]:
        """First row of every distinct combination of values, and the combination of every row."""
        return self.keep(("groups", names), lambda: distinct_numbers([self.coded(name)[1] for name in names]))

    def take(self, rows: BoolArray | IntArray) -> "Columns":
        """Some of the rows."""
        whole = len(rows) == self.rows and rows.dtype == np.bool_ and bool(rows.all())
        return (
            self if whole else self.keep(("take", rows.dtype.kind, rows.tobytes()), lambda: self._take(rows))
        )

    def _take(self, rows: BoolArray | IntArray) -> "Columns":
        kept: IntArray = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
        return Columns({name: self._given.taken(name, kept) for name in self._names}, len(kept))

    def only(self, *names: str) -> "Columns":
        """Some of the columns, in this order."""
        return self.keep(
            ("only", names), lambda: Columns({name: self._given.whole(name) for name in names}, self.rows)
        )

    def named(self, names: Sequence[str], **texts: str) -> "Columns":
        """Columns of these names: some that have one text in every row, and those that are here.

        >>> named = Columns({"core": np.array([4, 2])}).named(("part", "core"), part="lane")
        >>> named["part"].tolist(), named["core"].tolist()
        (['lane', 'lane'], [4, 2])
        """
        given = {
            name: partial(_constant, texts[name], self.rows) if name in texts else self._given.whole(name)
            for name in names
        }
        return Columns(given, self.rows)

    def is_number(self, name: str) -> bool:
        """Whether a column is of numbers, given as such."""
        array = self._given.arrays.get(name)
        return array is not None and array.dtype.kind in "bif"

    def keep(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` found about these columns when it was first asked under this key."""
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = find()
        found: T = self._kept[key]
        return found


def _coded(array: NDArray[Any]) -> Coded:
    """See `Columns.coded`; of whole numbers in a small range without sorting."""
    if array.dtype.kind in "iu" and len(array):
        least = array.min()
        place = array - least
        if (most := int(place.max()) + 1) <= _most(place):
            occurs = np.zeros(most, np.bool_)
            occurs[place] = True
            return np.flatnonzero(occurs).astype(array.dtype) + least, (np.cumsum(occurs) - 1)[place]
    return np.unique(array, return_inverse=True)


def _constant(text: str, rows: int) -> Coded:
    return np.array([text]), np.zeros(rows, np.int64)


def joined(parts: tuple[Columns, ...]) -> Columns:
    """Rows of several one after the other; all have the same names."""
    given = {name: _joined(parts, name) for name in parts[0]}
    return Columns(given, sum(part.rows for part in parts))


def _joined(parts: Sequence[Columns], name: str) -> NDArray[Any] | Callable[[], Coded]:
    if all(part.is_number(name) for part in parts):
        return np.concatenate([part[name] for part in parts])
    return partial(_joined_codes, parts, name)


def _joined_codes(parts: Sequence[Columns], name: str) -> Coded:
    coded = [part.coded(name) for part in parts]
    values = np.unique(np.concatenate([own for own, _ in coded]))
    return values, np.concatenate([np.searchsorted(values, own)[code] for own, code in coded])


def distinct(columns: Sequence[NDArray[Any]]) -> tuple[IntArray, IntArray]:
    """First row of every distinct combination of values, and the combination of every row."""
    return distinct_numbers([np.unique(column, return_inverse=True)[1] for column in columns])


def distinct_numbers(columns: Sequence[IntArray]) -> tuple[IntArray, IntArray]:
    """As `distinct`, of whole numbers from 0 on, the smaller the better: combinations in ascending order.

    >>> first, combination = distinct_numbers([np.array([2, 0, 2]), np.array([1, 5, 1])])
    >>> first.tolist(), combination.tolist()
    ([1, 0], [1, 0, 1])
    """
    code, codes = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        size = int(column.max(initial=0)) + 1
        if codes * size > _most(code):
            first, code = _ranked(code, codes)
            codes = len(first)
        code, codes = code * size + column, codes * size
    return _ranked(code, codes)


def _most(code: IntArray) -> int:
    """Combinations up to which a table of all of them is quicker than sorting."""
    return 4 * len(code) + 4096


def _ranked(code: IntArray, codes: int) -> tuple[IntArray, IntArray]:
    """First row of every code below `codes` that occurs, ascending, and the rank of every row's code."""
    if codes > _most(code):
        _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
        return first, inverse
    rows = np.full(codes, -1, np.int64)
    rows[code[::-1]] = np.arange(len(code) - 1, -1, -1)  # the last one written is the first row
    occurs = rows >= 0
    return rows[occurs], (np.cumsum(occurs) - 1)[code]
