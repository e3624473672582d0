"""Pooling of channel-last maps `(B, H, W, C)` over non-overlapping p x p windows, and the adjoints."""

from collections.abc import Iterator

import numpy as np

from nmsim.stop.protocol import FloatArray


def average(maps: FloatArray, size: int) -> FloatArray:
    """Mean of every full window, `(B, H // p, W // p, C)`."""
    views = list(_places(maps, size))
    total = views[0].copy()
    for view in views[1:]:
        total += view
    total *= 1.0 / size**2
    return total


def spread_average(error: FloatArray, like: FloatArray, size: int) -> FloatArray:
    """Adjoint of `average`: every input of a window receives `error / p**2`, dropped rows and columns 0."""
    spread = np.zeros_like(like)
    share = error * (1.0 / size**2)
    for place in _places(spread, size):
        place[...] = share
    return spread


def maximum(maps: FloatArray, size: int) -> FloatArray:
    """Maximum of every full window."""
    views = list(_places(maps, size))
    best = views[0].copy()
    for view in views[1:]:
        np.maximum(best, view, out=best)
    return best


def spread_maximum(error: FloatArray, maps: FloatArray, size: int) -> FloatArray:
    """Adjoint of `maximum`: the error goes to the first maximal input of its window in row-major order."""
    best = maximum(maps, size)
    spread = np.zeros_like(maps)
    unclaimed = np.ones(best.shape, dtype=bool)
    for view, place in zip(_places(maps, size), _places(spread, size), strict=True):
        winner = (view == best) & unclaimed
        np.copyto(place, error, where=winner)
        unclaimed &= ~winner
    return spread


def global_average(maps: FloatArray) -> FloatArray:
    """Mean over all positions, `(B, 1, 1, C)`."""
    mean: FloatArray = maps.mean(axis=(1, 2), keepdims=True)
    return mean


def spread_global_average(error: FloatArray, like: FloatArray) -> FloatArray:
    """Adjoint of `global_average`."""
    return np.broadcast_to(error * (1.0 / (like.shape[1] * like.shape[2])), like.shape).copy()


def _places(maps: FloatArray, size: int) -> Iterator[FloatArray]:
    """The p * p places of a window in row-major order, each as a view `(B, H // p, W // p, C)`."""
    height, width = maps.shape[1] // size * size, maps.shape[2] // size * size
    for row in range(size):
        for column in range(size):
            yield maps[:, row:height:size, column:width:size]
