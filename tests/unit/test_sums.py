"""Compiled sums against numpy: the same bits."""

import numpy as np
import pytest

from nmsim.sums import BLOCK, starts, sum_last, sum_rows


def test_sums_by_row_are_those_of_numpy() -> None:
    random = np.random.default_rng(1)
    row, values = random.integers(0, 5, 30), random.integers(0, 9, (30, 2, 3))
    total = np.zeros((7, 2, 3), np.int64)
    np.add.at(total, row, values)
    assert np.array_equal(sum_rows(row, values, 7), total)
    assert np.array_equal(
        sum_rows(row, np.broadcast_to(values[:, :1], values.shape), 7)[:, 1],
        total[:, 0] * 0 + sum_rows(row, values[:, 0], 7),
    )
    which = random.integers(0, 30, 30)
    assert np.array_equal(sum_rows(row, values, 7, which), sum_rows(row, values[which], 7))
    none = np.zeros(0, np.int64)
    assert sum_rows(none, np.zeros((0, 2, 2), np.int64), 3).tolist() == np.zeros((3, 2, 2)).tolist()


def test_sums_of_real_numbers_by_row_are_added_in_their_order() -> None:
    random = np.random.default_rng(2)
    row, which = random.integers(0, 3, 200), random.integers(0, 50, 200)
    values = random.standard_normal((50, 2)) * 10.0 ** random.integers(-9, 9, (50, 2))
    total = np.zeros((3, 2))
    np.add.at(total, row, values[which])
    assert np.array_equal(sum_rows(row, values, 3, which), total)
    assert np.array_equal(sum_rows(row, np.asfortranarray(values), 3, which), total)


@pytest.mark.parametrize("size", [*range(20), 100, BLOCK - 1, BLOCK, BLOCK + 1, 300])
def test_sums_along_the_last_axis_have_the_bits_of_numpy(size: int) -> None:
    random = np.random.default_rng(size)
    values = random.standard_normal((5, 3, size)) * 10.0 ** random.integers(-8, 8, (5, 3, size))
    assert np.array_equal(sum_last(values), values.sum(axis=-1))
    assert np.array_equal(sum_last(values[::2]), np.ascontiguousarray(values[::2]).sum(axis=-1))
    whole = random.integers(-9, 9, (5, 3, size))
    assert np.array_equal(sum_last(whole), whole.sum(axis=-1))


def test_parts_one_after_the_other_start_where_the_one_before_ends() -> None:
    assert starts([]).tolist() == [0]
    assert starts(iter([2, 0, 3])).tolist() == [0, 2, 2, 5]
