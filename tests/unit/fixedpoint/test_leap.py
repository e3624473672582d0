"""Leaps of the draw register."""

import pytest

from nmsim.fixedpoint.leap import apply, leap, rows
from nmsim.fixedpoint.lfsr import PERIOD, draw_table


@pytest.mark.parametrize("draws", [0, 1, 4, 783, 65534, 65535, 200_704, -7])
def test_a_leap_lands_where_the_table_of_draws_does(draws: int) -> None:
    table = draw_table()
    for start in (0, 1, 4711, 65534):
        assert apply(leap(draws), int(table[start])) == table[(start + draws) % PERIOD]


def test_rows_and_columns_are_one_matrix() -> None:
    columns, state = leap(784), 0xACE1
    by_rows = sum(((row & state).bit_count() & 1) << bit for bit, row in enumerate(rows(columns)))
    assert by_rows == apply(columns, state)
