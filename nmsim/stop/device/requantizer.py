"""`Q` of whole tensors, and the bounds that say whether a sum of products needs it at all."""

import numpy as np

from nmsim.fixedpoint.lfsr import PERIOD, draw_table
from nmsim.fixedpoint.quantize import (
    ADD,
    DOWN,
    DRAW_DOWN,
    DRAW_UP,
    EVEN,
    HIGH,
    LOW,
    MASK,
    OFFSET,
    SPREAD,
    STOCHASTIC,
    UP,
    WHOLE,
    WRAP,
    ZERO,
)  # fmt: skip
from nmsim.stop.device.torch_device import Tensor, TorchDevice

EXACT_BITS = 53
"""Integers below 2**53, and sums whose absolute terms add up to less, are exact in float64."""


class OrderMattersError(Exception):
    """No bound shows that the order of additions is free, or that float64 holds the sums: the kernels have to do it."""


def must_settle(bound: int, row: list[int]) -> bool:
    """Whether complete sums of absolute products up to `bound` may be outside an accumulator, `row`.

    Raises:
        OrderMattersError: partial sums count, or float64 does not hold them.
    """
    fits = bound <= row[HIGH] and -bound >= row[LOW]
    if bound >> EXACT_BITS or not (fits or row[WRAP] or row[WHOLE]):
        raise OrderMattersError
    return not fits


class Requantizer:
    """Requantizations of `samples` samples, the first of which has index `first` in the run, over `steps` time steps."""

    def __init__(self, on: TorchDevice, steps: int) -> None:
        self._on, self._steps = on, steps
        self._draws = on.put(draw_table().astype(np.int64))
        self.samples, self.first, self.step = 0, 0, 0

    def begin(self, samples: int, first: int) -> None:
        """Start with other samples."""
        self.samples, self.first = samples, first

    def _bits(self, row: list[int], size: int) -> Tensor:
        """Draws of one requantization of `size` elements a sample, `(S, size)`."""
        count = ((self.first + self._on.up_to(self.samples)) * self._steps + self.step) % PERIOD
        start = row[OFFSET] + (count << row[SPREAD])
        return self._draws[(start[:, None] + self._on.up_to(size)) % PERIOD]

    def quantize(self, exact: Tensor, row: list[int], overflows: Tensor) -> Tensor:
        """`Q` of exact values `(S, size)` at time step `step`; adds to `overflows`."""
        if row[EVEN] or row[ZERO]:
            floor = exact >> row[DOWN]
            rounded = exact + row[ADD] + row[EVEN] * (floor & 1) + row[ZERO] * (floor < 0)
        elif row[STOCHASTIC]:
            rounded = exact + ((self._bits(row, exact.shape[1]) << row[DRAW_UP]) >> row[DRAW_DOWN])
        else:
            rounded = (exact << row[UP]) + row[ADD]
        return settle(rounded >> row[DOWN], row, overflows)


def settle(values: Tensor, row: list[int], overflows: Tensor) -> Tensor:
    """Values brought into a range, by its mode; those outside are counted."""
    overflows += ((values < row[LOW]) | (values > row[HIGH])).sum()
    if row[WRAP]:
        return ((values - row[LOW]) & row[MASK]) + row[LOW]
    return values.clamp(row[LOW], row[HIGH])
