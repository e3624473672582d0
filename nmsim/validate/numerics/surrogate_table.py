"""The surrogate table: what its number of entries costs, on the membranes that occurred."""

import numpy as np
from numpy.typing import NDArray

from nmsim.network.precision import SurrogateTable
from nmsim.stop.surrogate import derivative, look_up, table_entries
from nmsim.validate.numerics.error_sums import sqnr_db
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.numerics.measured import TableNumerics

FACTORS = (1, 2, 4, 8, 16)
"""Tables of so many times the entries are tried."""


class TableNoise:
    """Errors of phi with the table of one layer and with finer ones, over all `|U - theta|` that occurred."""

    def __init__(self, chip: FixedSide, layer: int) -> None:
        self._layer = layer
        self.table: SurrogateTable = chip.formats[layer].precision.surrogate
        self._kind = chip.network.neuron.surrogate
        self._signal = 0.0
        self._noise = dict.fromkeys(FACTORS, 0.0)
        self._beyond = self._seen = 0
        self._entries = {
            factor: table_entries(self._kind, self._finer(factor)) * self.table.format.lsb
            for factor in FACTORS
        }

    def _finer(self, factor: int) -> SurrogateTable:
        return self.table.model_copy(update={"entries": self.table.entries * factor})

    def add(self, distance: NDArray[np.float64]) -> None:
        """Take more distances of the membrane from its threshold."""
        exact = derivative(self._kind, distance.copy())
        self._signal += float(np.square(exact).sum())
        self._seen += distance.size
        self._beyond += int((distance >= self.table.range).sum())
        for factor, entries in self._entries.items():
            width = self.table.range / (self.table.entries * factor)
            self._noise[factor] += float(np.square(look_up(entries, width, distance) - exact).sum())

    def record(self) -> TableNumerics:
        """The sums as a record."""
        found = {
            self.table.entries * factor: sqnr_db(self._signal, noise) for factor, noise in self._noise.items()
        }
        return TableNumerics(self._layer, self.table.format, found, self._beyond / max(self._seen, 1))
