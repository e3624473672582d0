"""Sums of products: every way gives the exact sum, or the sum saturated after every addition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.format import Overflow, QFormat
from nmsim.fixedpoint.quantize import range_numbers
from nmsim.stop.fixed.sums import (
    LANES,
    NARROW,
    ORDERED,
    WIDE,
    Rows,
    dot_narrow,
    dot_ordered,
    dot_wide,
    way_of_summing,
)
from nmsim.stop.fixed.tile import Block, narrow_tile, plain_tile


def multiply(a, p, b, q, depth, rows, columns, out, add, places):
    """Entry into the compiled product."""
    dot_narrow(Rows(a, p, depth, rows), Rows(b, q, depth, columns), places, depth, out, add)


def tiles(a, b, depth, out):
    """Entry into both tiles, which must agree modulo 2**32."""
    p, q = (0, depth, 0, depth), (0, 0, depth, depth)
    narrow_tile(a, p, b, q, depth, Block(out[0], 0, 4, 4, 4, 0))
    PLAIN(a, p, b, q, depth, Block(out[1], 0, 4, 4, 4, 0))


PLAIN = plain_tile(np.int32)
MULTIPLY, TILES = kernel(multiply, "test"), kernel(tiles, "test")
NOWHERE = np.zeros(0, np.int64)


def random_rows(rng: np.random.Generator, rows: int, depth: int, largest: int) -> NDArray[np.int16]:
    return rng.integers(-largest, largest + 1, (rows, depth)).astype(np.int16)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 13), st.integers(1, 13), st.integers(1, 3), st.booleans())
def test_narrow_products_are_exact(seed: int, rows: int, columns: int, lanes: int, add: bool) -> None:
    rng, depth = np.random.default_rng(seed), LANES * lanes
    a, b = random_rows(rng, rows + 1, depth, 500), random_rows(rng, columns + 1, depth, 500)
    out = rng.integers(-9, 9, rows * columns)
    expected = out.reshape(rows, columns) * add + a[1:].astype(np.int64) @ b[1:].astype(np.int64).T
    MULTIPLY.machine(a.ravel(), depth, b.ravel(), depth, depth, rows, columns, out, int(add), NOWHERE)
    assert np.array_equal(out.reshape(rows, columns), expected)


def test_long_rows_and_scattered_rows_are_exact() -> None:
    rng, depth = np.random.default_rng(1), 3 * 1024 + LANES
    a, b = random_rows(rng, 150, depth, 90), random_rows(rng, 9, depth, 90)
    places = np.array([7, 7, 0, 3, 8]) * depth
    out = np.zeros(150 * 5, np.int64)
    MULTIPLY.machine(a.ravel(), 0, b.ravel(), 0, depth, 150, 5, out, 0, places)
    assert np.array_equal(out.reshape(150, 5), a.astype(np.int64) @ b[[7, 7, 0, 3, 8]].astype(np.int64).T)


def test_tiles_agree_on_extreme_operands() -> None:
    rng, depth = np.random.default_rng(2), 4 * LANES
    a = rng.choice(np.array([-32768, 32767, 0, 1], np.int16), 2 * depth)
    b = rng.choice(np.array([-32768, 32767, -1], np.int16), 2 * depth)
    out = np.zeros((2, 16), np.int64)
    TILES.machine(a, b, depth, out)
    assert np.array_equal(out[0], out[1])


def test_wide_products_hold_integers_of_any_size() -> None:
    a, b = np.array([1 << 70, 3], object), np.array([5, -(1 << 80)], object)
    out = np.zeros(1, object)
    dot_wide(Rows(a, 0, 2, 1), Rows(b, 0, 2, 1), NOWHERE, 2, out, 0)
    assert out[0] == 5 * (1 << 70) - 3 * (1 << 80)


@given(st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=1, max_size=12), st.randoms())
def test_ordered_sums_saturate_after_every_addition(pairs: list[tuple[int, int]], random) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)
    total, saturations = 0, 0
    for k in order:
        total += pairs[k][0] * pairs[k][1]
        saturations += not -16 <= total <= 15
        total = max(-16, min(15, total))
    a, b = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    row = range_numbers(QFormat.parse("s5.0"), Overflow.SATURATE)
    out, scratch = np.zeros(1, np.int64), np.zeros(len(pairs), np.int64)
    found = dot_ordered(Rows(a, 0, 0, 1), Rows(b, 0, 0, 1), np.array(order), row, out, scratch)
    assert (out[0], found) == (total, saturations)


@pytest.mark.parametrize(
    ("bound", "whole", "narrow", "expected"),
    [
        (127, False, True, (NARROW, False)),
        (127, False, False, (WIDE, False)),
        (128, False, True, (ORDERED, False)),
        (128, True, True, (NARROW, True)),
        (2**31, True, True, (WIDE, True)),
    ],
)
def test_way_of_summing_follows_the_bound(
    bound: int, whole: bool, narrow: bool, expected: tuple[int, bool]
) -> None:
    assert way_of_summing(bound, -128, 127, whole=whole, narrow=narrow) == expected


def test_an_unsigned_accumulator_cannot_take_negative_products_unordered() -> None:
    assert way_of_summing(5, 0, 255, whole=False, narrow=True) == (ORDERED, False)
