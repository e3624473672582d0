"""SQNR, spreads and the bits that ranges need."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmsim.fixedpoint.format import QFormat
from nmsim.validate.numerics.error_sums import fitted, format_integer_bits, integer_bits, sqnr_db
from nmsim.validate.numerics.measured import ComparedWith
from nmsim.validate.numerics.tally import Tally


def test_sqnr_of_a_tenth_in_amplitude_is_20_db() -> None:
    assert sqnr_db(100.0, 1.0) == pytest.approx(20.0)
    assert sqnr_db(1.0, 0.0) == inf
    assert sqnr_db(0.0, 1.0) is None


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [
        (0.0, 0.0, None),
        (0.0, 0.9, 0),
        (0.0, 1.0, 1),
        (-1.0, 0.0, 0),
        (-1.1, 0.0, 1),
        (-4.0, 3.9, 2),
        (-0.2, 0.1, -2),
    ],
)
def test_integer_bits_that_hold_a_range(low: float, high: float, bits: int | None) -> None:
    """Two's complement holds -2^k but not 2^k in k integer bits."""
    assert integer_bits(low, high) == bits


@given(st.integers(-(2**20), 2**20), st.integers(-(2**20), 2**20), st.integers(4, 24))
def test_a_fitted_format_holds_its_range_and_no_narrower_one_does(one: int, other: int, total: int) -> None:
    low, high = min(one, other, 0) / 64, max(one, other, 0) / 64
    needed = integer_bits(low, high)
    if needed is None:
        return
    fmt = fitted(QFormat.parse(f"s{total}.0"), total, needed)
    assert format_integer_bits(fmt) == needed
    assert low >= fmt.min_raw * fmt.lsb
    assert high < (fmt.max_raw + 1) * fmt.lsb
    half = (fmt.max_raw + 1) * fmt.lsb / 2
    assert low < -half or high >= half


def tally(fmt: str, chip: list[float], exact: list[float]) -> Tally:
    found = Tally(0, "delta", "delta", QFormat.parse(fmt), "nearest", 1)
    shape = (1, 1, -1)
    found.add(np.reshape(chip, shape), {ComparedWith.OWN: np.reshape(exact, shape)})
    return found


def test_a_tally_counts_what_by_hand_is_lost() -> None:
    # s4.2 holds -2..1.75 in steps of 0.25
    record = tally("s4.2", [1.75, 0.0, -2.0, 0.5, 0.0], [3.0, 0.1, -2.0, 0.6, 0.0]).record()
    own = record.errors[ComparedWith.OWN]
    assert own.worst_lsb == pytest.approx(5.0)
    assert own.mean_lsb == pytest.approx((5 + 0.4 + 0 + 0.4 + 0) / 5)
    assert own.bias_lsb == pytest.approx(-(5 + 0.4 + 0.4) / 5)
    assert own.sqnr_db() == pytest.approx(10 * np.log10((9 + 0.01 + 4 + 0.36) / (1.25**2 + 0.01 + 0.01)))
    spread = record.spread
    assert (int(spread.saturated[0]), int(spread.underflowed[0]), spread.zeros, spread.nonzero) == (
        1,
        1,
        1,
        4,
    )
    assert (spread.low, spread.high) == (-2.0, 3.0)
    assert record.unused_bits == -1


def test_rounding_noise_is_what_rounding_makes() -> None:
    values = np.random.default_rng(0).normal(size=500) * 0.3
    noise = (
        tally("s8.6", (np.rint(values * 64) / 64).tolist(), values.tolist()).record().spread.rounding_noise
    )
    for bits in (2, 6, 11):
        rounded = np.rint(values * 2.0**bits) * 2.0**-bits
        assert noise[bits] == pytest.approx(float(np.square(values - rounded).sum()))


@given(st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=50), st.integers(-2, 10))
def test_underflow_at_another_format_is_exact(values: list[float], bits: int) -> None:
    spread = tally("s16.8", [0.0] * len(values), values).record().spread
    nonzero = [value for value in values if value]
    lost = sum(abs(value) < 0.5 * 2.0**-bits for value in nonzero)
    assert spread.underflow_rate_at(bits) == pytest.approx(lost / max(len(nonzero), 1))
