"""Sums of chosen rows, each times its input, are plain sums, and nothing beside them is touched."""

import numpy as np
import pytest

from nmsim.fixedpoint.compiled import Kernel, kernel
from nmsim.stop.fixed.row_sums import ROW_COLUMNS, VECTORISED, plain_sum_rows, rows_fill_vectors, sum_rows


def summed(out, values, start, stride, memory, place, chosen, count):
    sum_rows(out[:-1], values, start, stride, memory, place, chosen, count)


def plainly_summed(out, values, start, stride, memory, place, chosen, count):
    plain_sum_rows(out[:-1], values, start, stride, memory, place, chosen, count // 2)


@pytest.mark.parametrize("count", [0, 2, 14])
@pytest.mark.parametrize("summing", [kernel(summed), kernel(plainly_summed)])
def test_rows_times_their_inputs(summing: Kernel, count: int) -> None:
    rng, stride, start, place = np.random.default_rng(count), ROW_COLUMNS + 5, 3, 2
    values = rng.integers(-32768, 32768, 20 * stride + start).astype(np.int16)
    memory = rng.integers(-4000, 4000, 30).astype(np.int16)
    chosen = rng.permutation(20).astype(np.int64)
    out = np.full(ROW_COLUMNS + 1, 7, np.int64)
    summing.machine(out, values, start, stride, memory, place, chosen, count)
    rows = values[start:].reshape(20, stride)[chosen[:count], :ROW_COLUMNS].astype(np.int64)
    wanted = memory[place:][chosen[:count]].astype(np.int64) @ rows
    assert np.abs(wanted).max() < 2**31
    assert out[:-1].tolist() == wanted.tolist()
    assert out[-1] == 7


def test_only_rows_of_whole_vectors_of_16_bits_are_summed_so() -> None:
    narrow, wide = np.zeros(1, np.int16), np.zeros(1, np.int32)
    assert bool(rows_fill_vectors(narrow, 2 * ROW_COLUMNS)) == VECTORISED
    assert not rows_fill_vectors(narrow, ROW_COLUMNS + 1)
    assert not rows_fill_vectors(wide, 2 * ROW_COLUMNS)
