"""Requantizations in 32-bit lanes give the integers and the counts of exact arithmetic, up to the bounds that admit them."""

import numpy as np
import pytest

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.fixedpoint.quantize import DRAW_UP, LEFT_P, LEFT_Q, quantize, step_numbers
from nmsim.stop.fixed.lanes import (
    LONGEST,
    advance_in_lanes,
    fits_lanes,
    subtract_fits,
    subtract_in_lanes,
    subtract_spikes,
    sum_in_lanes,
)

ADVANCE, SUBTRACT = kernel(advance_in_lanes), kernel(subtract_in_lanes)
SPIKES, SUM = kernel(subtract_spikes), kernel(sum_in_lanes)
SATURATE, WRAP = Overflow.SATURATE, Overflow.WRAP


def row_of(fraction: int, text: str, rounding: Rounding, overflow: Overflow = SATURATE) -> np.ndarray:
    return np.array(step_numbers(fraction, QFormat.parse(text), rounding, overflow))


@pytest.mark.parametrize("rounding", [Rounding.NEAREST, Rounding.FLOOR])
@pytest.mark.parametrize(("text", "keep", "take"), [("u12.8", 65535, 1 << 16), ("s12.8", 40000, -(1 << 18))])
def test_a_trace_advances_as_in_exact_arithmetic(text: str, keep: int, take: int, rounding: Rounding) -> None:
    fmt, rng = QFormat.parse(text), np.random.default_rng(keep)
    row = row_of(24, text, rounding)
    state = rng.integers(fmt.min_raw, fmt.max_raw + 1, 1003).astype(np.int16)
    state[:2] = fmt.min_raw, fmt.max_raw
    inputs = rng.integers(0, 256, state.size).astype(np.int16)
    wanted = [
        quantize(keep * int(p) + take * int(q), 24, fmt, rounding, SATURATE)
        for p, q in zip(state, inputs, strict=True)
    ]
    over, largest = ADVANCE.machine(state, keep, inputs, take, row)
    assert state.tolist() == [value for value, _ in wanted]
    assert over == sum(outside for _, outside in wanted) > 0
    assert largest == max(abs(value) for value, _ in wanted)


def test_values_that_need_more_than_32_bits_take_another_way() -> None:
    assert fits_lanes(row_of(24, "s16.8", Rounding.FLOOR), 65535, 0, 0)
    assert not fits_lanes(row_of(24, "s16.8", Rounding.FLOOR), 65536, 0, 0)
    assert not fits_lanes(row_of(24, "s16.8", Rounding.NEAREST), 65535, 65535, 1)
    for rounding in (Rounding.NEAREST_EVEN, Rounding.TOWARD_ZERO, Rounding.STOCHASTIC):
        assert not fits_lanes(row_of(24, "s16.8", rounding), 1, 1, 1)
    assert not fits_lanes(row_of(24, "s16.8", Rounding.FLOOR, WRAP), 1, 1, 1)
    assert not fits_lanes(row_of(60, "s16.8", Rounding.FLOOR), 1, 1, 1)


@pytest.mark.parametrize("fraction", [29, 36, 44])
@pytest.mark.parametrize("mantissa", [1, 154, 255])
@pytest.mark.parametrize("rounding", [Rounding.STOCHASTIC, Rounding.NEAREST])
def test_weights_change_as_in_exact_arithmetic(fraction: int, mantissa: int, rounding: Rounding) -> None:
    row, fmt, rng = (
        row_of(fraction, "s16.13", rounding),
        QFormat.parse("s16.13"),
        np.random.default_rng(mantissa),
    )
    row[LEFT_Q] = mantissa
    values = rng.integers(-32768, 32768, 1003).astype(np.int16)
    assert subtract_fits(values, row)
    steps = rng.integers(-(2**31), 2**31, values.size).astype(np.int32)
    steps[:6] = -(2**31), 2**31 - 1, -1, 0, 255, 256
    draws = rng.integers(0, 65536, values.size).astype(np.uint16)
    draws[:2] = 65535, 0
    wanted = []
    for value, step, draw in zip(values.tolist(), steps.tolist(), draws.tolist(), strict=True):
        exact = (value << fraction - 13) - mantissa * step
        wanted.append(quantize(exact, fraction, fmt, rounding, SATURATE, draw))
    drawn = draws if rounding is Rounding.STOCHASTIC else np.zeros_like(draws)
    over = SUBTRACT.machine(values, steps, row, drawn)
    assert values.tolist() == [value for value, _ in wanted]
    assert over == sum(outside for _, outside in wanted)


def test_other_updates_take_another_way() -> None:
    values = np.zeros(1, np.int16)
    assert not subtract_fits(values.astype(np.int32), row_of(36, "s16.13", Rounding.STOCHASTIC))
    assert not subtract_fits(values, row_of(28, "s16.13", Rounding.STOCHASTIC))  # draws would be shifted down
    assert not subtract_fits(values, row_of(45, "s16.13", Rounding.NEAREST))
    assert not subtract_fits(values, row_of(36, "s16.13", Rounding.NEAREST_EVEN))
    assert not subtract_fits(values, row_of(36, "s16.13", Rounding.STOCHASTIC, WRAP))
    shifted = row_of(36, "s16.13", Rounding.STOCHASTIC)
    assert shifted[DRAW_UP] == 36 - 13 - 16
    shifted[LEFT_P] = 1
    assert not subtract_fits(values, shifted)


def test_residuals_saturate_and_count() -> None:
    row = row_of(10, "s16.10", Rounding.FLOOR)
    membrane = np.array([-32768, -32768, 0, 32767, 5], np.int16)
    theta = np.array([32767, 32767, 32767, 1, 1], np.int16)
    spikes, out = np.array([1, 0, 1, 1, 0], np.int16), np.zeros(5, np.int16)
    assert SPIKES.machine(out, membrane, spikes, theta, row) == 1
    assert out.tolist() == [-32768, -32768, -32767, 32766, 5]


@pytest.mark.parametrize("value", [-32768, 32767])
def test_the_longest_sum_of_magnitudes_fits(value: int) -> None:
    assert SUM.machine(np.full(LONGEST, value, np.int16)) == LONGEST * abs(value)
