"""What goes and comes as a whole, and among which others it is ranked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.structure.spec import Blocks, NofM, Pattern

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Units:
    """The units of one layer: `unit (P,)` of every synapse in C order, numbered from 0 in order of their first synapse.

    A unit is a synapse, or a block of a weight matrix `(C_out, fan_in)`; at its right and lower edge blocks are smaller.

    >>> Units.of(Blocks(kind="blocks", rows=2, columns=2), 2, 3).unit.tolist()
    [0, 0, 1, 0, 0, 1]
    """

    unit: IntArray
    count: int
    group: int
    """Units that are ranked among each other, in runs; 0: all of the layer (or of all layers)."""
    fan_in: int

    @classmethod
    def of(cls, pattern: Pattern, rows: int, fan_in: int) -> "Units":
        """Units of a layer with so many neurons or output channels, of so many weights each."""
        if isinstance(pattern, Blocks):
            across = -(-fan_in // pattern.columns)
            row = np.arange(rows)[:, None] // pattern.rows
            unit = (row * across + np.arange(fan_in)[None, :] // pattern.columns).ravel()
            return cls(unit, -(-rows // pattern.rows) * across, 0, fan_in)
        size = rows * fan_in
        return cls(np.arange(size), size, pattern.group if isinstance(pattern, NofM) else 0, fan_in)

    @property
    def single(self) -> bool:
        """Whether every unit is one synapse."""
        return self.count == len(self.unit)

    def present(self, synapses: NDArray[Any]) -> NDArray[np.bool_]:
        """Units of which any synapse is there `(U,)`."""
        found = np.zeros(self.count, np.bool_)
        found[self.unit[np.asarray(synapses, np.bool_)]] = True
        return found

    def scores(self, values: NDArray[Any]) -> NDArray[Any]:
        """Exact sum of magnitudes of every unit `(U,)`."""
        magnitudes: NDArray[Any] = np.abs(values)
        if self.single:
            return magnitudes
        found = np.zeros(self.count, magnitudes.dtype if magnitudes.dtype == object else np.int64)
        np.add.at(found, self.unit, magnitudes)
        return found

    def synapses(self, units: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Synapses of the chosen units `(P,)`."""
        return units[self.unit]

    @cached_property
    def groups(self) -> list[IntArray]:
        """Numbers of the units that are ranked among each other, where a group is less than the layer."""
        starts = [
            line + start
            for line in range(0, self.count, self.fan_in)
            for start in range(0, self.fan_in, self.group)
        ]
        ends = [min(start + self.group, start - start % self.fan_in + self.fan_in) for start in starts]
        return [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
