"""Apply gradient sums to the raw parameters."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.lfsr import PERIOD, draw_table, first_draw, unrolled_table
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
from nmsim.stop.fixed.factored import UPDATE_FACTORED, draws_by_input
from nmsim.stop.fixed.parameters import RawParameters, highest_leak, lowest_threshold
from nmsim.stop.fixed.rates import UpdateNumbers, momentum_raw, update_numbers
from nmsim.stop.fixed.samples import BatchSums
from nmsim.stop.fixed.sums import NARROW, WIDE
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.fixed.update import BLOCK, UPDATE_BIASES, UPDATE_THRESHOLDS, UPDATE_WEIGHTS
from nmsim.stop.protocol import UpdateRates
from nmsim.stop.spec import TrainingSpec

BOUND_UPDATES = 256
"""Updates from factors after which the bounds on sums of weights, which only grow in between, are formed anew."""


class Scratch:
    """Scratch memory of updates, for one type of stored integers and of wide numbers."""

    def __init__(self, storage: Any, numbers: Any) -> None:
        draws: Any = object if numbers is object else np.uint16
        self.steps, self.zeros = np.zeros((3, BLOCK), numbers), np.zeros(BLOCK, draws)
        self.table = np.concatenate([unrolled_table(), self.zeros]).astype(draws)
        narrow = np.int32 if storage is np.int16 else numbers
        self.runs = (np.zeros(BLOCK, narrow), np.zeros(BLOCK, numbers))
        self.used = np.zeros(BLOCK, storage)
        self.counts = np.zeros(len(Tensor), np.int64)


class FactoredLayer(NamedTuple):
    """What the update of a layer from factors reads and writes, in memory that stays where it is.

    `used` its rows of `backward`, empty where they are the weights themselves; `narrower`: `w_use` has a format of its own;
    `table` and `factor` as of `draws_by_input`.
    """

    order: NDArray[np.int64]
    synapses: NDArray[np.uint8]
    used: NDArray[Any]
    row_sums: NDArray[Any]
    narrower: bool
    table: NDArray[np.uint16]
    factor: int


def factored_layers(parameters: RawParameters) -> dict[int, FactoredLayer]:
    """By number of the layer."""
    found, held = {}, parameters.held
    for index, (at, own) in enumerate(zip(parameters.slices, parameters.formats, strict=True)):
        layer = parameters.layout.layers[index]
        if layer.factored:
            used = held.backward[:0] if layer.shared else held.backward[at.backward]
            narrower = own.used != own.precision.weight.format
            found[index] = FactoredLayer(
                at.order,
                held.synapses[at.weights],
                used,
                held.row_sums[at.rows],
                narrower,
                *draws_by_input(layer.inputs),
            )
    return found


class Updater:
    """Updates weights, thresholds and leak factors; counts their overflows into `counts (L, tensors)`."""

    def __init__(
        self, parameters: RawParameters, training: TrainingSpec, seed: int, counts: NDArray[np.int64]
    ) -> None:
        self.parameters, self.training, self.seed, self.counts = parameters, training, seed, counts
        layout = parameters.layout
        self._lowest = [lowest_threshold(own, training) for own in parameters.formats]
        self._highest = [highest_leak(own, training) for own in parameters.formats]
        self._momentum = momentum_raw(training) if training.momentum > 0 else 0
        self._scratch = Scratch(layout.storage, object if layout.storage is object else np.int64)
        self._factored = factored_layers(parameters)
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
        velocity = parameters.bias_velocity[at] if self._momentum else parameters.bias_velocity
        arrays = (parameters.bias[at], velocity, sums.biases[at])
        _, scratch, own = self._suited(numbers, arrays)
        UPDATE_BIASES.form(interpreted=numbers.exact)(
            index, *own, self._momentum, numbers.biases, first_draw(count, at.stop - at.start), scratch.table,
            scratch.steps, self.counts, scratch.counts,
        )  # fmt: skip
        _bring_home(arrays, own)
        parameters.use_biases(index)

    def _update_from_sums(self, index: int, sums: BatchSums, numbers: UpdateNumbers, count: int) -> None:
        """One layer's weights from its complete dW."""
        parameters = self.parameters
        held, at = parameters.held, parameters.slices[index]
        velocity = parameters.velocity[at.weights] if self._momentum else parameters.velocity
        by_input = parameters.layout.layers[index].factored
        weights = np.ascontiguousarray(parameters.in_order(index)) if by_input else parameters.weights[index]
        arrays = (weights, velocity, sums.weights[at.weights])
        layers, scratch, own = self._suited(numbers, arrays)
        UPDATE_WEIGHTS.form(interpreted=numbers.exact)(
            layers, index, *own, held.synapses[at.weights], held.masked[index], self._momentum,
            self.training.gradient_centralization, numbers.weights, first_draw(count, sums.weights[at.weights].size),
            scratch.table, scratch.steps, self.counts,
        )  # fmt: skip
        _bring_home(arrays, own)
        if by_input:
            parameters.in_order(index)[:] = weights
        parameters.arrange_weights(index)

    def _update_from_factors(
        self, index: int, slots: NDArray[Any], bound: int, numbers: UpdateNumbers, count: int
    ) -> None:
        """One dense layer's weights from the traces and deltas in its slots; `bound` on the magnitude of dW."""
        parameters, layer = self.parameters, self._factored[index]
        low, high = numbers.gradient_range
        wraps = not low <= -bound <= bound <= high
        narrow = parameters.layout.storage is np.int16 and bound < 1 << 31 and not wraps and not numbers.exact
        way, table = (NARROW if narrow else WIDE), layer.table
        if numbers.exact:
            table = table.astype(object)
        arrays = (slots, parameters.weights[index], layer.used, layer.row_sums)
        layers, scratch, own = self._suited(numbers, arrays)
        own_slots, own_weights, own_used, row_sums = own
        parameters.used_overflows[index] += UPDATE_FACTORED[way].form(interpreted=numbers.exact)(
            own_slots, layers, index, layer.order, own_weights, layer.synapses, parameters.held.masked[index],
            numbers.weights, wraps, parameters.used_numbers[index], layer.narrower,
            first_draw(count, layer.synapses.size), table, layer.factor,
            scratch.zeros, self.counts, own_used, row_sums, parameters.held.bounds, scratch.runs[way], scratch.used,
        )  # fmt: skip
        _bring_home(arrays, own)
        if count % BOUND_UPDATES == 0:
            parameters.arrange_weights(index)

    def _suited(
        self, numbers: UpdateNumbers, arrays: tuple[NDArray[Any], ...]
    ) -> tuple[Any, Scratch, tuple[NDArray[Any], ...]]:
        """Layers, scratch memory and arrays for the kernel that suits the numbers.

        Rates so small that 64 bits could overflow are rare; they make a run of machine integers update on copies.
        """
        layout = self.parameters.layout
        if not numbers.exact:
            return layout.plan.layers, self._scratch, arrays
        if layout.storage is object:
            return layout.layers, self._scratch, arrays
        return layout.layers, Scratch(object, object), tuple(array.astype(object) for array in arrays)

    def update_neurons(self, sums: BatchSums, rates: UpdateRates, count: int) -> None:
        """Thresholds and leak factors, as far as the rule learns them; `count` is the number of updates before."""
        for index, numbers in enumerate(self.numbers(rates)):
            if self.training.rule.learns_thresholds:
                self._update_thresholds(index, sums, numbers, count)
            if self.training.rule.learns_leak:
                self._update_leak(index, sums, numbers, count)

    def _update_thresholds(self, index: int, sums: BatchSums, numbers: UpdateNumbers, count: int) -> None:
        parameters, at = self.parameters, self.parameters.slices[index]
        arrays = (
            parameters.thresholds[at.thresholds], parameters.held.theta[at.neurons], sums.thresholds[at.neurons],
            sums.groups[at.thresholds],
        )  # fmt: skip
        layers, scratch, own = self._suited(numbers, arrays)
        thresholds, theta, neurons, groups = own
        UPDATE_THRESHOLDS.form(interpreted=numbers.exact)(
            layers, index, thresholds, theta, self._lowest[index], neurons, groups, numbers.thresholds,
            first_draw(count, thresholds.size), scratch.table, scratch.steps, self.counts,
        )  # fmt: skip
        _bring_home(arrays, own)

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


def _bring_home(arrays: tuple[NDArray[Any], ...], own: tuple[NDArray[Any], ...]) -> None:
    """Write copies back to the arrays they were made of."""
    if own is not arrays:
        for array, copy in zip(arrays, own, strict=True):
            array[:] = copy
