"""The energy table: counts times prices per sample, by component, phase, layer and core, with its band."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim import units
from nmsim.columns import Columns
from nmsim.cost.price import Price
from nmsim.sums import sum_last, sum_rows

FloatArray = NDArray[np.float64]
ENERGY_COLUMNS = ("component", "action", "unit", "phase", "layer", "core")
STATIC, CLOCK, CONTROL, HOST = "static", "clock", "control", "host"
STANDING, WORKING, OVERHEAD = "power", "open flip-flop", "overhead"
"""Actions of rows that no counted action makes: power for the time of a phase; flip-flop periods that work adds; control."""
OVERHEAD_GROUPS = ("logic", "sram", "noc")
"""Groups of prices that the control overhead multiplies."""


@dataclass(frozen=True)
class Unpriced:
    """An action that happened and has no price in this table, with the reason: shown in every report."""

    component: str
    action: str
    count_per_sample: float
    reason: str


@dataclass(frozen=True)
class EnergyTable:
    """A long table of K rows: one per component, action, unit, phase, layer and core.

    `columns` maps each name of `ENERGY_COLUMNS` to an array `(K,)`. `component` is a `Component` or one of
    `static` (leakage), `clock` (what never stops, and what work adds) and `control` (overhead factor); `layer` and
    `core` are -1 where shared. `energy_pj (K, S)` is per sample: work done once per batch is divided by the batch
    size. `count (K, S)` is what was multiplied: actions; seconds for static power and the clock that never stops;
    flip-flop periods for the clock that work adds; picojoules of on-chip actions for control. `price (K,)` indexes
    `prices`. `overhead_band` is the relative band of all energy that carries control overhead.
    """

    columns: Columns
    count: FloatArray
    energy_pj: FloatArray
    price: NDArray[np.int64]
    prices: tuple[Price, ...]
    unpriced: tuple[Unpriced, ...] = ()
    inside: tuple[str, ...] = ()
    """Components whose counts are inside the prices of others: whole events against their parts."""
    notes: tuple[str, ...] = ()
    overhead_band: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", Columns.of(self.columns))

    def __len__(self) -> int:
        return len(self.energy_pj)

    @property
    def total_pj(self) -> FloatArray:
        """Energy per sample `(S,)`, picojoules."""
        return np.asarray(self.energy_pj.sum(axis=0))

    @property
    def mean_j(self) -> float:
        """Mean energy per sample, joules."""
        return float(self._row_pj.sum()) * units.J_PER_PJ if len(self) else 0.0

    @cached_property
    def _row_pj(self) -> FloatArray:
        """Mean energy per sample of every row `(K,)`."""
        return sum_last(self.energy_pj) / self.energy_pj.shape[1] if len(self) else np.zeros(0)

    def mean_of(self, **equal: Any) -> float:
        """Mean energy per sample of the rows that `select` would give, joules."""
        return float(self._row_pj[self.columns.where(**equal)].sum()) * units.J_PER_PJ

    def parts_j(self, name: str) -> FloatArray:
        """Mean energy per sample of every value of a column, joules, row by row added up."""
        values, code = self.columns.coded(name)
        return sum_rows(code, self._row_pj[:, None], len(values))[:, 0] * units.J_PER_PJ

    def means_by(self, *names: str) -> dict[tuple[Any, ...], float]:
        """Mean energy per sample of the parts that `by` would give, joules."""
        parts = self._parts(names)
        return {key: float(self._row_pj[rows].sum()) * units.J_PER_PJ for key, rows in parts.items()}

    def _parts(self, names: tuple[str, ...]) -> dict[tuple[Any, ...], NDArray[np.int64]]:
        """Rows that agree in the named columns, in order of appearance."""

        def find() -> dict[tuple[Any, ...], NDArray[np.int64]]:
            first, inverse = self.columns.groups(*names)
            order = np.argsort(inverse, kind="stable")
            rows = np.split(order, np.cumsum(np.bincount(inverse, minlength=len(first)))[:-1])
            parts = dict(zip(first.tolist(), rows, strict=True))
            return {
                tuple(self.columns[name][row].item() for name in names): parts[row] for row in sorted(parts)
            }

        return self.columns.keep(("parts", names), find)

    def select(self, **equal: Any) -> "EnergyTable":
        """The rows whose columns equal the given values; a tuple of values means any of them."""
        return self._rows(np.flatnonzero(self.columns.where(**equal)))

    def by(self, *names: str) -> dict[tuple[Any, ...], "EnergyTable"]:
        """Parts of the table that agree in the named columns, in order of appearance; they add up to it."""
        return {key: self._rows(rows) for key, rows in self._parts(names).items()}

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dictionary per row: the columns, count, energy with its band, and the price with its source."""
        for index in range(len(self)):
            price = self.prices[int(self.price[index])]
            energy_j = float(self.energy_pj[index].mean()) * units.J_PER_PJ
            yield {
                **{name: self.columns[name][index].item() for name in ENERGY_COLUMNS},
                "count_per_sample": float(self.count[index].mean()),
                "energy_j": energy_j,
                "energy_low_j": energy_j * _ratio(price.low_pj, price.pj),
                "energy_high_j": energy_j * _ratio(price.high_pj, price.pj),
                "price_pj": price.pj,
                "price": price.name,
                "formula": price.formula,
                "kind": price.kind.value,
                "source": price.source,
            }

    def group_energy_pj(self) -> dict[str, tuple[float, float, float]]:
        """Mean, low and high energy per sample of every group of prices, picojoules."""
        mean = self._row_pj
        found: dict[str, tuple[float, float, float]] = {}
        ends = np.array([(_ratio(p.low_pj, p.pj), _ratio(p.high_pj, p.pj)) for p in self.prices]).reshape(
            -1, 2
        )
        codes = {
            group: code for code, group in enumerate(dict.fromkeys(price.group for price in self.prices))
        }
        of_price = np.array([codes[price.group] for price in self.prices], np.int64)
        of_row = of_price[self.price]
        # by price, and row by row: a product of vectors would be added up in an order that depends on the number of threads
        moved = sum_rows(self.price, mean[:, None], len(self.prices)) * ends
        for group, code in codes.items():
            keep = np.flatnonzero(of_row == code)
            if len(keep):
                low, high = moved[of_price == code].sum(axis=0).tolist()
                found[group] = (float(mean[keep].sum()), low, high)
        return found

    @property
    def band_j(self) -> tuple[float, float]:
        """Lower and upper bound of `mean_j` that the bands of the prices allow, joules.

        Inside a group of prices (logic, sram, noc, dram, static, ...) all are off together: bands add up.
        Groups are off independently: their deviations combine as the root of the sum of squares, upwards and
        downwards apart. Control overhead moves with the energy it multiplies, and has the band of its factor
        besides.
        """
        moves = self.deviations_pj().values()
        down, up = hypot(*(low for low, _ in moves)), hypot(*(high for _, high in moves))
        return self.mean_j - down * units.J_PER_PJ, self.mean_j + up * units.J_PER_PJ

    def deviations_pj(self) -> dict[str, tuple[float, float]]:
        """How far the mean energy falls and rises when the prices of one group go to the ends of their bands."""
        groups = self.group_energy_pj()
        control, control_low, control_high = groups.pop(CONTROL, (0.0, 0.0, 0.0))
        carried = sum(energy for name, (energy, _, _) in groups.items() if name in OVERHEAD_GROUPS)
        share = min(control / carried, self._control_factor()) if carried > 0 else 0.0
        found = {}
        for name, (energy, low, high) in groups.items():
            factor = 1 + share if name in OVERHEAD_GROUPS else 1.0
            found[name] = (energy - low) * factor, (high - energy) * factor
        alone = control - share * carried
        found[CONTROL] = control - control_low, control_high - control
        found[f"{CONTROL}, alone"] = alone * (1 - self.overhead_band[0]), alone * (self.overhead_band[1] - 1)
        return found

    def _rows(self, keep: NDArray[np.int64]) -> "EnergyTable":
        return replace(
            self,
            columns=self.columns.take(keep),
            count=self.count[keep],
            energy_pj=self.energy_pj[keep],
            price=self.price[keep],
        )

    def _control_factor(self) -> float:
        return next((price.pj for price in self.prices if price.group == CONTROL), 0.0)


def ratio_band(above: EnergyTable, below: EnergyTable, *, same_prices: bool) -> tuple[float, float]:
    """Lower and upper bound of the ratio of two mean energies that the bands of the prices allow.

    `same_prices`: one chip under two rules. A group of prices that is off is then off in both, and what they have in
    common cancels; otherwise (two chips, two price tables) each side is off by itself.
    """
    over, under = above.mean_j / units.J_PER_PJ, below.mean_j / units.J_PER_PJ
    ratio = over / under
    sides = above.deviations_pj(), below.deviations_pj()
    none = (0.0, 0.0)
    if same_prices:
        names = dict.fromkeys((*sides[0], *sides[1]))
        pairs = [(sides[0].get(name, none), sides[1].get(name, none)) for name in names]
    else:
        pairs = [(move, none) for move in sides[0].values()] + [(none, move) for move in sides[1].values()]
    down, up = [], []
    for (above_down, above_up), (below_down, below_up) in pairs:
        ends = (over - above_down) / (under - below_down), (over + above_up) / (under + below_up)
        down.append(max(0.0, ratio - min(ends)))
        up.append(max(0.0, max(ends) - ratio))
    return ratio - hypot(*down), ratio + hypot(*up)


def _ratio(value: float, reference: float) -> float:
    return value / reference if reference > 0 else 1.0
