"""Energies of groups of prices, with the ends of their bands, do not depend on how many threads a library has."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from nmsim.columns import Columns
from nmsim.cost.constant import Kind
from nmsim.cost.energy import ENERGY_COLUMNS, EnergyTable
from nmsim.cost.price import Price

ROWS = 60_000
"""As many as a large chip has; a library shares products of long vectors among its threads."""


def table() -> EnergyTable:
    random = np.random.default_rng(0)
    prices = tuple(
        Price(
            f"price {k}",
            1.0,
            *(1.0 + random.random(2) * (-0.5, 0.5)),
            f"group {k % 3}",
            Kind.MEASURED,
            "",
            "",
        )
        for k in range(7)
    )
    energy_pj = random.random((ROWS, 4)) * 10.0 ** random.integers(-6, 6, (ROWS, 1))
    columns = Columns({name: np.zeros(ROWS, np.int64) for name in ENERGY_COLUMNS})
    return EnergyTable(columns, energy_pj, energy_pj, random.integers(0, 7, ROWS), prices)


def test_bands_of_groups_are_the_same_whatever_the_number_of_threads() -> None:
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(table().group_energy_pj())
    assert found[0] == found[1]


def test_bands_of_groups_are_energies_times_the_ends_of_their_prices() -> None:
    given = table()
    mean = given.energy_pj.mean(axis=1)
    for name, (energy, low, high) in given.group_energy_pj().items():
        rows = [k for k, price in enumerate(given.prices) if price.group == name]
        keep = np.isin(given.price, rows)
        ends = np.array([(given.prices[k].low_pj, given.prices[k].high_pj) for k in given.price[keep]])
        assert energy == float(mean[keep].sum())
        assert (low, high) == pytest.approx(tuple((mean[keep, None] * ends).sum(axis=0)), rel=1e-12)
        assert low < energy < high
