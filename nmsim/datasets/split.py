"""Parts of labelled samples in which every class has its share: a drawn split, and a subset in the order of the file."""

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


def stratified(labels: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Numbers of `count` of the samples `labels (N,)`, rising; of every class the first ones.

    A class gets `count` times its share of all samples, rounded down; what is missing goes to the largest remainders,
    lower labels first. The first samples of a file whose classes take turns are their own stratified subset.

    >>> stratified(np.array([0, 0, 0, 0, 1, 1, 2, 2]), 4)
    array([0, 1, 4, 6])
    """
    classes, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    exact = count * sizes
    quota = exact // len(labels)
    largest = np.lexsort((classes, -(exact % len(labels))))[: count - int(quota.sum())]
    quota[largest] += 1
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - np.repeat(starts, sizes)
    return np.flatnonzero(rank < quota[inverse])
