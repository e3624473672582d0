"""Chance: repeatable draws for what the model does not know, such as the bank at which a burst starts."""

import numpy as np
from numba.extending import register_jitable

from nmsim.perf.event.tables import Table

SEED = 0x2545F4914F6CDD1D
MANY = 24
"""Above this number of bursts their starts are drawn in equal lots."""
LOTS = MANY // 2


@register_jitable
def below(clock: Table, bound: int) -> int:
    """A number in `0 .. bound-1`, from a 64-bit xorshift generator: the same work always meets the same luck."""
    state = clock[0].luck
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    clock[0].luck = state
    product, half, many = state * np.uint64(SEED), np.uint64(32), np.uint64(bound)
    low = ((product & np.uint64(0xFFFFFFFF)) * many) >> half
    return int(((product >> half) * many + low) >> half)
