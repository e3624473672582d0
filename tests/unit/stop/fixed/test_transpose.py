"""Transposition in vectors gives what the plain loop gives, and touches nothing beside it."""

import numpy as np
import pytest

from nmsim.fixedpoint.compiled import kernel
from nmsim.stop.fixed.transpose import SIDE, transpose_into

TRANSPOSE = kernel(transpose_into, "test")


@pytest.mark.parametrize("storage", [np.int16, np.int32])
@pytest.mark.parametrize(
    ("rows", "columns"),
    [(1, 1), (SIDE, SIDE), (3 * SIDE, 2 * SIDE + 5), (SIDE + 7, SIDE), (40, 3), (SIDE, 1), (7, 30)],
)
def test_rows_become_columns(storage: type, rows: int, columns: int) -> None:
    stride, out_stride = columns + 3, rows + 5
    values = np.random.default_rng(rows).integers(-99, 99, (rows, stride)).astype(storage)
    out = np.full(columns * out_stride, 7, storage)
    TRANSPOSE.machine(out, 2, out_stride, values.ravel(), 1, stride, rows, columns)
    placed = np.full(columns * out_stride, 7, storage)
    for column in range(columns):
        begin = 2 + column * out_stride
        placed[begin : begin + rows] = values[:, 1 + column]
    assert np.array_equal(out, placed)


def test_python_integers_are_transposed_too() -> None:
    values = np.array([2**70 + k for k in range(9 * SIDE)], object)
    out = np.zeros(9 * SIDE, object)
    transpose_into(out, 0, 9, values, 0, SIDE, 9, SIDE)
    assert out.tolist() == values.reshape(9, SIDE).T.ravel().tolist()
