"""Products of rows in pairs are plain sums over the rows, whatever their numbers, and touch nothing beside the result."""

from typing import Any

import numpy as np
import pytest

from nmsim.fixedpoint.compiled import kernel
from nmsim.stop.fixed.pair_product import (
    PAIR_COLUMNS,
    PIECE,
    SIDE,
    STRIP,
    add_pair_products,
    pair_rows,
    pair_tile,
    plain_pair_tile,
    strips,
)
from nmsim.stop.fixed.tile import Block


def product(out, deltas, traces, rows, channels, inputs, panel, start):
    pair_rows(panel, 0, deltas, 0, channels, rows, channels, STRIP)
    pair_rows(panel, start, traces, 0, inputs, rows, inputs, PAIR_COLUMNS)
    add_pair_products(out, panel, start, rows, channels, inputs)


def own_tile(a, b, pairs, out, stride, rows, columns):
    pair_tile(a, 0, b, 0, pairs, Block(out, 3, stride, rows, columns, 1))


PRODUCT, TILE = kernel(product), kernel(own_tile)


@pytest.mark.parametrize(
    ("rows", "channels", "inputs"),
    [(1, 1, 1), (2, 4, PAIR_COLUMNS), (7, 10, 77), (2 * PIECE + 5, 37, 2 * PAIR_COLUMNS + 1), (64, 21, 40)],
)
def test_products_are_added_to_what_is_there(rows: int, channels: int, inputs: int) -> None:
    rng = np.random.default_rng(rows)
    deltas = rng.integers(-300, 300, (rows, channels)).astype(np.int16)
    traces = rng.integers(-4000, 4000, (rows, inputs)).astype(np.int16)
    before = rng.integers(-(2**40), 2**40, (channels, inputs))
    around = np.concatenate([before.ravel(), np.full(2 * PAIR_COLUMNS, 11)])
    panel = np.full((rows + 1) * (strips(channels, STRIP) + strips(inputs, PAIR_COLUMNS)), 99, np.int16)
    start = (rows + 1) // 2 * 2 * strips(channels, STRIP)
    PRODUCT.machine(around, deltas.ravel(), traces.ravel(), rows, channels, inputs, panel, start)
    wanted = before + deltas.astype(np.int64).T @ traces.astype(np.int64)
    assert np.array_equal(around[: before.size].reshape(before.shape), wanted)
    assert (around[before.size :] == 11).all()


@pytest.mark.parametrize("rows", [1, SIDE])
@pytest.mark.parametrize("columns", [1, PAIR_COLUMNS - 1, PAIR_COLUMNS, PAIR_COLUMNS + 3])
def test_the_tile_of_vectors_is_the_plain_one(rows: int, columns: int) -> None:
    rng = np.random.default_rng(columns)
    pairs, stride = 5, PAIR_COLUMNS + 3
    a = rng.integers(-32768, 32768, 2 * pairs * STRIP).astype(np.int16)
    b = rng.integers(-1, 2, 2 * pairs * PAIR_COLUMNS).astype(np.int16)
    found, wanted = (np.full(SIDE * stride + 3, 5) for _ in range(2))
    TILE.machine(a, b, pairs, found, stride, rows, columns)
    block: Any = Block(wanted, 3, stride, rows, columns, 1)
    plain_pair_tile(a, 0, b, 0, pairs, block)
    assert np.array_equal(found, wanted)
    assert (wanted != 5).sum() > rows * min(columns, PAIR_COLUMNS) // 2


def test_products_at_the_bound_of_32_bits() -> None:
    deltas, traces = np.full((2, 1), -32768, np.int16), np.array([[32767], [32767]], np.int16)
    out, panel = np.zeros(1, np.int64), np.zeros(2 * (STRIP + PAIR_COLUMNS), np.int16)
    PRODUCT.machine(out, deltas.ravel(), traces.ravel(), 2, 1, 1, panel, 2 * STRIP)
    assert out[0] == -(2**31) + 2**16
