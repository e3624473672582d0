"""`Q` against its definition in rational arithmetic, for any integers, formats and modes."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.fixedpoint.quantize import quantize, quantize_array

FORMATS = st.builds(QFormat, st.booleans(), st.integers(2, 60), st.integers(-20, 70))
CASES = st.tuples(
    st.integers(-(2**80), 2**80),
    st.integers(-20, 90),
    FORMATS,
    st.sampled_from(Overflow),
    st.integers(0, 65535),
)


def defined(value: Fraction, rounding: Rounding, draw: int, dropped: int) -> int:
    """The rounded integer, by the words of the page."""
    if dropped <= 0:
        return int(value)
    match rounding:
        case Rounding.FLOOR:
            return floor(value)
        case Rounding.NEAREST:
            return floor(value + Fraction(1, 2))
        case Rounding.NEAREST_EVEN:
            return round(value)
        case Rounding.TOWARD_ZERO:
            return floor(value) if value >= 0 else ceil(value)
        case Rounding.STOCHASTIC:
            bits = draw >> (16 - dropped) if dropped <= 16 else draw << (dropped - 16)
            return floor(value + Fraction(bits, 2**dropped))


@given(CASES, st.sampled_from(Rounding))
def test_q_is_its_definition(case: tuple[int, int, QFormat, Overflow, int], rounding: Rounding) -> None:
    value, fraction, fmt, overflow, draw = case
    dropped = fraction - fmt.fraction_bits
    exact = defined(Fraction(value) / Fraction(2) ** dropped, rounding, draw, dropped)
    raw, over = quantize(value, fraction, fmt, rounding, overflow, draw)
    assert over == (not fmt.min_raw <= exact <= fmt.max_raw)
    if overflow is not Overflow.WRAP:
        assert raw == max(fmt.min_raw, min(fmt.max_raw, exact))
    else:
        assert fmt.min_raw <= raw <= fmt.max_raw
        assert (raw - exact) % 2**fmt.total_bits == 0


@given(
    st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=20),
    st.integers(-10, 30),
    FORMATS,
    st.sampled_from(Rounding),
    st.sampled_from(Overflow),
    st.integers(0, 65535),
)
def test_arrays_are_quantized_like_their_elements(
    values: list[int], fraction: int, fmt: QFormat, rounding: Rounding, overflow: Overflow, draw: int
) -> None:
    draws = np.full(len(values), draw, np.uint16)
    raw, count = quantize_array(np.array(values), fraction, fmt, rounding, overflow, draws)
    each = [quantize(value, fraction, fmt, rounding, overflow, draw) for value in values]
    assert [int(v) for v in raw] == [v for v, _ in each]
    assert count == sum(over for _, over in each)
