"""Subset: a part of labelled samples in which every class has its share, whatever the order of the file."""

import numpy as np
from numpy.typing import NDArray


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
