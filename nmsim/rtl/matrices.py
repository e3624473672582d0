"""Leaps of the draw register as matrices over GF(2): how a lane of the RTL steps through its tensor's draws.

A draw is a linear function of the register's state, so any fixed number of draws is one constant 16 x 16 matrix
(docs/arithmetic.md, "Random bits").
"""

from functools import cache

from nmsim.fixedpoint.lfsr import PERIOD, shift

BITS = 16
SHIFTS_PER_DRAW = 16
Columns = tuple[int, ...]
"""A matrix by columns: the image of every single bit."""


def apply(columns: Columns, state: int) -> int:
    """The state after a leap."""
    result = 0
    for bit in range(BITS):
        if state >> bit & 1:
            result ^= columns[bit]
    return result


@cache
def leap(draws: int) -> Columns:
    """The leap by a number of draws, which may be negative; it is taken modulo the period."""
    result: Columns = tuple(1 << bit for bit in range(BITS))
    power, left = _one_draw(), draws % PERIOD
    while left:
        if left & 1:
            result = _product(power, result)
        power, left = _product(power, power), left >> 1
    return result


def rows(columns: Columns) -> Columns:
    """The same matrix by rows: bit b of the result is the parity of `rows[b] & state`."""
    return tuple(sum((columns[j] >> b & 1) << j for j in range(BITS)) for b in range(BITS))


def _one_draw() -> Columns:
    def draw(state: int) -> int:
        for _ in range(SHIFTS_PER_DRAW):
            state = shift(state)
        return state

    return tuple(draw(1 << bit) for bit in range(BITS))


def _product(left: Columns, right: Columns) -> Columns:
    return tuple(apply(left, column) for column in right)
