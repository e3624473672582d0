"""The mean of a row of gradients and its subtraction, by hand: halves go up, pruned synapses stay out, overflows count."""

import numpy as np
import pytest

from nmsim.fixedpoint.format import Overflow, QFormat
from nmsim.fixedpoint.quantize import range_numbers
from nmsim.stop.fixed.centralization import centre_into, row_mean

NONE = np.zeros(0, np.uint8)


def row(overflow: Overflow) -> np.ndarray:
    """Numbers of an accumulator that holds -8..7."""
    return np.array(range_numbers(QFormat.parse("s4.0"), overflow), np.int64)


@pytest.mark.parametrize(
    ("values", "mean"), [((1, 2), 2), ((-1, -2), -1), ((1, 1, 2), 1), ((-1, -1, -2), -1), ((5,), 5), ((7, -8, 0, 0), 0)]
)  # fmt: skip
def test_the_mean_rounds_halves_up(values: tuple[int, ...], mean: int) -> None:
    assert row_mean(np.array(values), NONE, 0, row(Overflow.SATURATE)) == mean


def test_sums_count_as_the_accumulator_holds_them() -> None:
    sums = np.array([9, -3])
    assert row_mean(sums, NONE, 0, row(Overflow.SATURATE)) == 2  # 7 and -3
    assert row_mean(sums, NONE, 0, row(Overflow.WRAP)) == -5  # -7 and -3


def test_pruned_synapses_take_no_part() -> None:
    present = np.array([1, 0, 1], np.uint8)
    values = np.array([3, 7, 6])
    mean = row_mean(values, present, 1, row(Overflow.SATURATE))
    assert mean == 5
    assert centre_into(values, mean, present, 1, row(Overflow.SATURATE)) == 0
    assert values.tolist() == [-2, 7, 1]
    assert row_mean(values, np.zeros(3, np.uint8), 1, row(Overflow.SATURATE)) == 0


@pytest.mark.parametrize(
    ("overflow", "left"), [(Overflow.SATURATE, [7, -8, -1]), (Overflow.WRAP, [-6, -8, -1])]
)
def test_a_difference_outside_the_accumulator_counts(overflow: Overflow, left: list[int]) -> None:
    values = np.array([7, -11, -4])
    assert centre_into(values, -3, NONE, 0, row(overflow)) == 1
    assert values.tolist() == left
