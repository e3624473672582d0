"""Clocks of event cameras: counters of a few bits that start again from 0 when they are full."""

import numpy as np
from numpy.typing import NDArray


def unwrapped(ticks: NDArray[np.integer], bits: int, late: int = 0) -> NDArray[np.int64]:
    """Times (E,) of a clock that wraps, as if it had never done so.

    A step back by more than half the clock's period is a wrap; a smaller one stays, for the reader to refuse or to sort. An
    event that comes up to `late` ticks late, from before a wrap, is put there. A clock of 32 bits that counts microseconds
    wraps after 71.6 minutes.

    >>> unwrapped(np.array([4294967290, 4294967295, 4, 4294967294, 9]), 32, late=100).tolist()
    [4294967290, 4294967295, 4294967300, 4294967294, 4294967305]
    """
    period = 1 << bits
    held = ticks.astype(np.int64)
    steps = np.diff(held)
    wraps = (steps < -(period // 2)).astype(np.int64) - (steps >= period - late)
    whole: NDArray[np.int64] = period * np.concatenate([[0], np.cumsum(wraps)])[: len(held)]
    return held + whole
