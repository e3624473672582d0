"""Rows by core: which rows of a stage are on which core, so that what they do is added up core by core."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import Itself

IntArray = NDArray[np.int64]
KEPT = 1024
"""Rows by core that are kept: every stage of a layer has the same."""


@dataclass(frozen=True, eq=False)
class RowsByCore:
    """Rows sorted by core: those of `cores[d]` are `order[first[d]:first[d + 1]]`, in their order; cores ascend."""

    cores: IntArray
    order: IntArray
    first: IntArray

    @classmethod
    def of(cls, core: IntArray) -> "RowsByCore":
        """Of rows on a core each `(n,)`; kept, so that the array must not change."""
        return _rows_by_core(Itself(core))

    @classmethod
    def found(cls, core: IntArray) -> "RowsByCore":
        """The same for once."""
        order = np.argsort(core, kind="stable")
        ascending = core[order]
        first = np.flatnonzero(np.diff(ascending, prepend=-1))
        return cls(ascending[first], order, np.append(first, len(order)))

    @property
    def joined(self) -> bool:
        """Whether rows are in another order than cores, or several on one."""
        return len(self.cores) < len(self.order) or bool((np.diff(self.order) < 0).any())


@lru_cache(maxsize=KEPT)
def _rows_by_core(asked: Itself[IntArray]) -> RowsByCore:
    return RowsByCore.found(asked.it)
