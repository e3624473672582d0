"""A drawn split: a share of every class is held out, the same on any machine."""

import hashlib
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


def held_out(labels: NDArray[np.integer], share: float, seed: int) -> NDArray[np.bool_]:
    """Which of the samples `labels (N,)` are held out: of every class its share, rounded to nearest, halves up.

    Of a class of two or more at least one is held out and at least one kept. Within a class the samples are drawn by the
    SHA-256 of `seed:number`, so that a sample's draw depends on nothing but its number.

    >>> held_out(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 0.25, 1).tolist()
    [False, False, True, False, False, False, False, True]
    """
    chosen = np.zeros(len(labels), np.bool_)
    if share == 0:
        return chosen
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = int(len(members) * Fraction(share).limit_denominator(10**6) + Fraction(1, 2))
        if len(members) > 1:
            count = min(max(count, 1), len(members) - 1)
        drawn = sorted(
            members.tolist(), key=lambda number: hashlib.sha256(f"{seed}:{number}".encode()).digest()
        )
        chosen[drawn[:count]] = True
    return chosen
