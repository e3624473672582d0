"""Random bits of stochastic rounding: a leap-ahead 16-bit LFSR, read by index (docs/arithmetic.md, "Random bits")."""

from enum import IntEnum
from functools import cache
from typing import TypeVar

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

PERIOD = 65535
"""Non-zero states of the register, hence different draws."""
SEED_STATE = 0xACE1
Count = TypeVar("Count", int, NDArray[np.int64])
RUN = 4096
"""Longest contiguous run that `unrolled_table` serves from any start."""


class Role(IntEnum):
    """Which tensor of a layer draws; part of the stream number `16 * layer + role`."""

    WEIGHT = 0
    THRESHOLD = 1
    LEAK_FACTOR = 2
    MEMBRANE = 3
    LEAK_TRACE = 4
    THRESHOLD_TRACE = 5
    WEIGHT_TRACE = 6
    DELTA = 7
    ERROR = 8
    VELOCITY = 9
    CONSTANT_TRACE = 10
    BIAS = 11
    INPUT = 12
    """The spikes of a rate-encoded input, in layer 0."""
    AUGMENTATION = 13
    """Shifts and flips of training samples, in layer 0."""
    BIAS_VELOCITY = 14
    STRUCTURE = 15
    """Ranks of synapses that come at random."""


def shift(state: int) -> int:
    """One shift of the Fibonacci register x^16 + x^14 + x^13 + x^11 + 1."""
    bit = (state ^ state >> 2 ^ state >> 3 ^ state >> 5) & 1
    return state >> 1 | bit << 15


@cache
def draw_table() -> NDArray[np.uint16]:
    """`L[j]`, the state after `16 * (j + 1)` shifts from 0xACE1, `(65535,)`, read-only.

    The register runs through its whole period once; the draws are every sixteenth of those states.
    """
    states = np.empty(PERIOD, np.uint16)
    state = SEED_STATE
    for count in range(PERIOD):
        states[count] = state
        state = shift(state)
    table = states[16 * np.arange(1, PERIOD + 1) % PERIOD]
    table.setflags(write=False)
    return table


@cache
def unrolled_table() -> NDArray[np.uint16]:
    """`L` continued by `RUN` draws past its period, so that a run of draws is one contiguous read; read-only."""
    table = np.concatenate([draw_table(), draw_table()[:RUN]])
    table.setflags(write=False)
    return table


def offset(seed: int, layer: int, role: Role) -> int:
    """First draw of a tensor: `(40503 * (seed + 1) + 7919 * (16 * layer + role)) mod 65535`."""
    return (40503 * (seed + 1) + 7919 * (16 * layer + int(role))) % PERIOD


def spread(size: int) -> int:
    """Left shift of `n` in the index of a draw: `ceil(log2(size))` modulo 16, for `2**16` is 1 modulo the period.

    A power of two has no factor in common with the period, so that every element sees every draw in time.
    """
    return (size - 1).bit_length() % 16


def first_draw(n: Count, size: int) -> Count:
    """Index, from the tensor's offset on, of the draw of element 0 of the `n`-th requantization of `size` elements."""
    return n % PERIOD << spread(size)


def draws(start: int, size: int) -> NDArray[np.uint16]:
    """Draws `L[(start + e) mod 65535]` for `e = 0..size-1`."""
    return draw_table()[(start + np.arange(size)) % PERIOD]


@register_jitable
def draw_into(out, table, start, size, channels):
    """Draws of one tensor of `size` elements from `L[start]` on, stored channels last.

    The element of C-order index `c * positions + p` lands at `p * channels + c`.
    """
    positions = size // channels
    index = start % PERIOD
    for channel in range(channels):
        for position in range(positions):
            out[position * channels + channel] = table[index]
            index += 1
            if index == PERIOD:
                index = 0
