"""The draws of stochastic rounding against the register shifted by hand."""

import numpy as np

from nmsim.fixedpoint.lfsr import (
    PERIOD,
    RUN,
    Role,
    draw_into,
    draw_table,
    draws,
    first_draw,
    offset,
    unrolled_table,
)


def test_first_draw_by_hand() -> None:
    bits = [int(bit) for bit in f"{0xACE1:016b}"]  # bit 15 first
    for _ in range(16):
        new = bits[15] ^ bits[13] ^ bits[12] ^ bits[10]  # S ^ S>>2 ^ S>>3 ^ S>>5, lowest bit
        bits = [new, *bits[:15]]
    assert int("".join(map(str, bits)), 2) == 0x4722
    assert draw_table()[0] == 0x4722


def test_second_draw_is_sixteen_shifts_later() -> None:
    state = 0x4722
    for _ in range(16):
        state = state >> 1 | ((state ^ state >> 2 ^ state >> 3 ^ state >> 5) & 1) << 15
    assert draw_table()[1] == state


def test_all_states_are_drawn_once() -> None:
    assert sorted(draw_table().tolist()) == list(range(1, 65536))
    assert draw_table()[-1] == 0xACE1


def test_table_is_shared_and_cannot_be_written() -> None:
    assert draw_table() is draw_table()
    assert not draw_table().flags.writeable
    assert not unrolled_table().flags.writeable


def test_unrolled_table_goes_on_past_the_period() -> None:
    assert unrolled_table().size == PERIOD + RUN
    assert np.array_equal(unrolled_table()[PERIOD:], draw_table()[:RUN])


def test_offset_of_a_stream() -> None:
    assert offset(0, 0, Role.WEIGHT) == 40503
    assert offset(6, 3, Role.DELTA) == (40503 * 7 + 7919 * (48 + 7)) % 65535


def test_every_element_of_any_size_sees_every_draw() -> None:
    """A distance of `size` between requantizations would leave an element of 257 x 255 with a single draw."""
    for size in (1, 2, 3, 85 * 784, 257 * 255, 510 * 128, 1 << 16, (1 << 16) + 1):
        starts = first_draw(np.arange(PERIOD), size) % PERIOD
        assert len(np.unique(starts)) == PERIOD
        shift = (size - 1).bit_length()
        assert [first_draw(n, size) % PERIOD for n in (1, 2, 99_999)] == [
            (n << shift) % PERIOD for n in (1, 2, 99_999)
        ]


def test_draws_wrap_at_the_period() -> None:
    assert draws(PERIOD - 1, 3).tolist() == [draw_table()[-1], draw_table()[0], draw_table()[1]]


def test_draws_of_a_map_are_indexed_in_c_order_but_stored_channels_last() -> None:
    channels, positions = 3, 4
    stored = np.zeros(channels * positions, np.uint16)
    draw_into(stored, draw_table(), 2 * PERIOD - 5, stored.size, channels)
    in_c_order = draws(PERIOD - 5, stored.size).reshape(channels, positions)
    assert np.array_equal(stored.reshape(positions, channels), in_c_order.T)
