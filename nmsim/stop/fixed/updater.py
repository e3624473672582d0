"""Apply gradient sums to the raw parameters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.lfsr import PERIOD, draw_table, first_draw
from nmsim.fixedpoint.quantize import (
    ADD,
    DOWN,
    DRAW_DOWN,
    DRAW_UP,
    EVEN,
    HIGH,
    LEFT_P,
    LEFT_Q,
    LOW,
    MASK,
    OFFSET,
    STOCHASTIC,
    WRAP,
    ZERO,
    bring_into_range,
    round_shift,
)  # fmt: skip
from nmsim.stop.fixed.layer_update import LayerUpdate, Scratch
from nmsim.stop.fixed.parameters import RawParameters, highest_leak
from nmsim.stop.fixed.rates import UpdateNumbers, update_numbers
from nmsim.stop.fixed.samples import BatchSums
from nmsim.stop.fixed.sums import NARROW, WIDE
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.protocol import UpdateRates
from nmsim.stop.spec import TrainingSpec

BOUND_UPDATES = 256
"""Updates from factors after which the bounds on sums of weights, which only grow in between, are formed anew."""


class Updater:
    """Updates weights, thresholds and leak factors; counts their overflows into `counts (L, tensors)`."""

    def __init__(
        self, parameters: RawParameters, training: TrainingSpec, seed: int, counts: NDArray[np.int64]
    ) -> None:
        self.parameters, self.training, self.seed, self.counts = parameters, training, seed, counts
        storage = parameters.layout.storage
        self._highest = [highest_leak(own, training) for own in parameters.formats]
        scratch, exact = Scratch(storage, object if storage is object else np.int64), storage is object
        self._layers = [
            LayerUpdate(index, parameters, training, counts, scratch, exact=exact)
            for index in range(len(parameters.formats))
        ]
        self._rates: UpdateRates | None = None
        self._numbers: list[UpdateNumbers] = []

    def numbers(self, rates: UpdateRates) -> list[UpdateNumbers]:
        """Rows of numbers of every layer; kept as long as the rates stay."""
        if rates is not self._rates and rates != self._rates:
            parameters = self.parameters
            self._numbers = [
                update_numbers(own, numbers, rates, self.training, self.seed)
                for own, numbers in zip(parameters.formats, parameters.layout.plan.numbers, strict=True)
            ]
            self._rates = rates
        return self._numbers

    def update_weights(self, sums: BatchSums, rates: UpdateRates, count: int) -> None:
        """All weights; `count` is the draw counter."""
        for index, numbers in enumerate(self.numbers(rates)):
            if self.parameters.layout.layers[index].factored and sums.slots is not None:
                bound = sums.factor_bounds[index]
                self._update_from_factors(index, sums.slots, bound, numbers, count)
            else:
                self._update_from_sums(index, sums, numbers, count)
            if numbers.biases is not None:
                self._update_biases(index, sums, numbers, count)

    def _update_biases(self, index: int, sums: BatchSums, numbers: UpdateNumbers, count: int) -> None:
        parameters, at = self.parameters, self.parameters.slices[index].rows
        layer = self._layer(index, numbers)
        layer.biases(layer.own(sums.biases[at]), numbers.biases, first_draw(count, at.stop - at.start))
        layer.bring_home()
        parameters.use_biases(index)

    def _update_from_sums(self, index: int, sums: BatchSums, numbers: UpdateNumbers, count: int) -> None:
        """One layer's weights from its complete dW."""
        parameters, layer = self.parameters, self._layer(index, numbers)
        own_sums = sums.weights[parameters.slices[index].weights]
        by_input = parameters.layout.layers[index].factored
        weights = np.ascontiguousarray(parameters.in_order(index)) if by_input else parameters.weights[index]
        layer.weights(
            layer.own(weights), layer.own(own_sums), parameters.held.masked[index], numbers.weights,
            first_draw(count, own_sums.size),
        )  # fmt: skip
        layer.bring_home()
        if by_input:
            parameters.in_order(index)[:] = weights
        parameters.arrange_weights(index)

    def _update_from_factors(
        self, index: int, slots: NDArray[Any], bound: int, numbers: UpdateNumbers, count: int
    ) -> None:
        """One dense layer's weights from the traces and deltas in its slots; `bound` on the magnitude of dW."""
        parameters, layer = self.parameters, self._layer(index, numbers)
        at = parameters.slices[index].weights
        low, high = numbers.gradient_range
        wraps = not low <= -bound <= bound <= high
        narrow = parameters.layout.storage is np.int16 and bound < 1 << 31 and not wraps and not numbers.exact
        parameters.used_overflows[index] += layer.factored[NARROW if narrow else WIDE](
            layer.own(slots), parameters.held.masked[index], numbers.weights, wraps,
            first_draw(count, at.stop - at.start),
        )  # fmt: skip
        layer.bring_home()
        if count % BOUND_UPDATES == 0:
            parameters.arrange_weights(index)

    def _layer(self, index: int, numbers: UpdateNumbers) -> LayerUpdate:
        """The kernels that suit the numbers."""
        if not numbers.exact or self.parameters.layout.storage is object:
            return self._layers[index]
        scratch = Scratch(object, object)
        return LayerUpdate(index, self.parameters, self.training, self.counts, scratch, exact=True)

    def update_neurons(self, sums: BatchSums, rates: UpdateRates, count: int) -> None:
        """Thresholds and leak factors, as far as the rule learns them; `count` is the number of updates before."""
        for index, numbers in enumerate(self.numbers(rates)):
            if self.training.rule.learns_thresholds:
                self._update_thresholds(index, sums, numbers, count)
            if self.training.rule.learns_leak:
                self._update_leak(index, sums, numbers, count)

    def _update_thresholds(self, index: int, sums: BatchSums, numbers: UpdateNumbers, count: int) -> None:
        at, layer = self.parameters.slices[index], self._layer(index, numbers)
        layer.thresholds(
            layer.own(sums.thresholds[at.neurons]), layer.own(sums.groups[at.thresholds]), numbers.thresholds,
            first_draw(count, at.thresholds.stop - at.thresholds.start),
        )  # fmt: skip
        layer.bring_home()

    def _update_leak(self, index: int, sums: BatchSums, numbers: UpdateNumbers, count: int) -> None:
        """`alpha = min(max(Q(alpha - lr dAlpha / (B n)), 0), alpha_max)`; the clip is not an overflow."""
        alpha, total = int(self.parameters.held.alpha[index]), int(sums.leak[index])
        sums.leak[index] = 0
        row, own = numbers.leak, numbers.leak_gradient
        if not own[LOW] <= total <= own[HIGH]:
            self.counts[index, Tensor.LEAK_GRADIENT] += 1
            total = bring_into_range(total, own[LOW], own[HIGH], own[MASK], own[WRAP])
        add = row[ADD]
        if row[STOCHASTIC]:
            draw = int(draw_table()[(row[OFFSET] + first_draw(count, 1)) % PERIOD])
            add += (draw << row[DRAW_UP]) >> row[DRAW_DOWN]
        step = -((row[LEFT_Q] * total) << row[LEFT_P])
        alpha = round_shift(alpha, step, row[DOWN], add, row[EVEN], row[ZERO])
        self.parameters.held.alpha[index] = min(max(alpha, 0), self._highest[index])
