"""Keeps what products read of the weights up to date."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.stop.fixed.factored import ARRANGE_BY_INPUT, BOUND_BY_INPUT
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import Held
from nmsim.stop.fixed.slices import ParameterSlices
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.fixed.threads import share_of
from nmsim.stop.fixed.used_weights import ARRANGE_BACKWARD, ARRANGE_WEIGHTS


class Arrangement:
    """Used weights, their bounds, and the rows that error sums read, in `held`; formed after every change of `weights`.

    `weights` are those of `RawParameters`. A layer's overflows of used weights are in `overflows`.
    """

    def __init__(
        self, layout: Layout, held: Held, slices: Sequence[ParameterSlices], weights: Sequence[NDArray[Any]]
    ) -> None:
        self.layout, self.held, self.slices, self.weights = layout, held, slices, weights
        self.numbers = [row[Tensor.WEIGHT_USED].copy() for row in layout.plan.numbers]
        self.overflows = np.zeros(len(slices), np.int64)
        interpreted = layout.storage is object
        self._use, self._face = (k.form(interpreted=interpreted) for k in (ARRANGE_WEIGHTS, ARRANGE_BACKWARD))
        self._by_input, self._bound = (
            k.form(interpreted=interpreted) for k in (ARRANGE_BY_INPUT, BOUND_BY_INPUT)
        )

    def arrange(self, index: int) -> None:
        """Form everything of one layer."""
        at, held, layers = self.slices[index], self.held, self.layout.plan.layers
        layer = self.layout.layers[index]
        if not layer.factored:
            self.finish(index, [self.use(index, 0, 1)])
            if layer.sends_error:
                self.bound(index, [self.face(index, 0, 1)])
            return
        backward = held.backward[at.backward]
        over = self._by_input(
            layers,
            index,
            self.weights[index],
            self.numbers[index],
            at.order,
            backward,
            held.row_sums[at.rows],
        )
        self.finish(index, [over])
        if layer.sends_error:
            held.weight_bounds[index, 1:3] = self._bound(
                layers, index, self.weights[index], at.order, backward
            )

    def use(self, index: int, share: int, shares: int) -> int:
        """A share of a layer's rows of used weights; their overflows, for `finish`."""
        at, held = self.slices[index], self.held
        begin, end = share_of(self.layout.layers[index].channels, share, shares)
        scratch = np.empty(self.layout.widest_sum, self.layout.storage)
        return int(
            self._use(
                self.layout.plan.layers, index, self.weights[index], self.numbers[index], at.order,
                held.used[at.used], held.row_sums[at.rows], scratch, begin, end,
            )
        )  # fmt: skip

    def finish(self, index: int, overflows: Sequence[int]) -> None:
        """What follows from all shares of `use`."""
        self.overflows[index] = sum(overflows)
        self.held.weight_bounds[index, 0] = self.held.row_sums[self.slices[index].rows].max()

    def face(self, index: int, share: int, shares: int) -> tuple[int, int, int]:
        """A share of the rows that error sums read, after all of `use`; their bounds, for `bound`."""
        at, held, layer = self.slices[index], self.held, self.layout.layers[index]
        rows = layer.input_channels if layer.kernel else layer.inputs
        found = self._face(
            self.layout.plan.layers, index, held.used[at.used], held.backward[at.backward],
            *share_of(rows, share, shares),
        )  # fmt: skip
        return tuple(found)

    def bound(self, index: int, found: Sequence[tuple[int, int, int]]) -> None:
        """What follows from all shares of `face`."""
        self.held.weight_bounds[index, [1, 2, 4]] = [max(own) for own in zip(*found, strict=True)]
