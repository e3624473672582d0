"""Apply gradient sums to the raw parameters."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.lfsr import first_draw
from nmsim.stop.fixed.layer_update import Copies, LayerUpdate, Scratch
from nmsim.stop.fixed.neuron_update import UPDATE_NEURONS
from nmsim.stop.fixed.parameters import RawParameters, highest_leak, lowest_threshold
from nmsim.stop.fixed.rates import UpdateNumbers, update_numbers
from nmsim.stop.fixed.samples import BatchSums
from nmsim.stop.fixed.sums import NARROW, WIDE
from nmsim.stop.fixed.threads import Threads, share_of
from nmsim.stop.protocol import UpdateRates
from nmsim.stop.spec import TrainingSpec

BOUND_UPDATES = 256
"""Updates from factors after which the bounds on sums of weights, which only grow in between, are formed anew."""
MINIMUM_WEIGHTS = 50_000
"""Fewest weights whose update is worth a thread."""


class Updater:
    """Updates weights, thresholds and leak factors; counts their overflows into `counts (L, tensors)`.

    Rows of weights are shared between `threads`.
    """

    def __init__(
        self,
        parameters: RawParameters,
        training: TrainingSpec,
        seed: int,
        counts: NDArray[np.int64],
        threads: Threads,
    ) -> None:
        self.parameters, self.training, self.seed, self.counts = parameters, training, seed, counts
        self._threads, storage = threads, parameters.layout.storage
        self._exact = storage is object
        self._narrow = storage is np.int16
        self._wide: Any = object if self._exact else np.int64
        self._learns = training.rule.learns_thresholds or training.rule.learns_leak
        layers = parameters.layout.layers
        by_rows = [layer for layer in layers if not layer.factored]
        shares = self._worthwhile(by_rows)
        self._facing_shares = self._worthwhile([layer for layer in by_rows if layer.sends_error])
        scratches = [Scratch(storage, self._wide, counts)]
        scratches += [Scratch(storage, self._wide, np.zeros_like(counts)) for _ in range(1, shares)]
        self._shares = [
            [self._bound(index, scratch, exact=self._exact) for index in range(len(layers))]
            for scratch in scratches
        ]
        self._other_counts = [scratch.counts for scratch in scratches[1:]]
        self._neurons = self._bound_neurons(scratches[0], Copies(copied=False), exact=self._exact)
        self._rates: UpdateRates | None = None
        self._numbers: list[UpdateNumbers] = []
        self._neuron_rows: tuple[NDArray[Any], NDArray[Any]]
        self._exact_neurons = self._exact

    def _worthwhile(self, layers: list[SimpleNamespace]) -> int:
        """Shares that the weights of so many layers are worth."""
        weights: int = sum(layer.channels * layer.fan_in for layer in layers)
        return max(1, min(self._threads.count, weights // MINIMUM_WEIGHTS))

    def _bound(self, index: int, scratch: Scratch, *, exact: bool) -> LayerUpdate:
        return LayerUpdate(index, self.parameters, self.training, scratch, exact=exact)

    def _bound_neurons(self, scratch: Scratch, copies: Copies, *, exact: bool) -> Any:
        """The update of thresholds and leak factors, bound to their arrays or to copies."""
        parameters, layout, own = self.parameters, self.parameters.layout, copies.own
        numbers: Any = object if exact else np.int64
        lowest = [lowest_threshold(own, self.training) for own in parameters.formats]
        highest = [highest_leak(own, self.training) for own in parameters.formats]
        return UPDATE_NEURONS.bound(
            interpreted=exact, layers=layout.layers if exact else layout.plan.layers,
            thresholds=own(parameters.thresholds), theta=own(parameters.held.theta), alpha=own(parameters.held.alpha),
            lowest=np.array(lowest, numbers), highest=np.array(highest, numbers), table=scratch.table,
            scratch=scratch.steps, counts=self.counts,
        )  # fmt: skip

    def numbers(self, rates: UpdateRates) -> list[UpdateNumbers]:
        """Rows of numbers of every layer; kept as long as the rates stay."""
        if rates is not self._rates and rates != self._rates:
            parameters = self.parameters
            self._numbers = [
                update_numbers(own, numbers, rates, self.training, self.seed)
                for own, numbers in zip(parameters.formats, parameters.layout.plan.numbers, strict=True)
            ]
            self._neuron_rows = (
                np.stack([own.thresholds for own in self._numbers]),
                np.stack([own.leak for own in self._numbers]),
            )
            self._exact_neurons = any(own.exact_neurons for own in self._numbers)
            self._rates = rates
        return self._numbers

    def update_weights(self, sums: BatchSums, rates: UpdateRates, count: int) -> None:
        """All weights; `count` is the draw counter."""
        by_rows, layers = [], self.parameters.layout.layers
        for index, numbers in enumerate(self.numbers(rates)):
            factored = layers[index].factored
            if factored and sums.slots is not None:
                self._update_from_factors(index, sums.slots, sums.factor_bounds[index], numbers, count)
            elif factored or numbers.exact:
                self._update_whole(index, sums, numbers, count)
            else:
                by_rows.append(index)
            if numbers.biases is not None:
                self._update_biases(index, sums, numbers, count)
        if by_rows:
            self._update_by_rows(by_rows, sums, count)

    def _update_biases(self, index: int, sums: BatchSums, numbers: UpdateNumbers, count: int) -> None:
        parameters, at = self.parameters, self.parameters.slices[index].rows
        layer = self._layer(index, numbers)
        layer.biases(layer.own(sums.biases[at]), numbers.biases, first_draw(count, at.stop - at.start))
        layer.bring_home()
        parameters.use_biases(index)

    def _update_by_rows(self, indices: list[int], sums: BatchSums, count: int) -> None:
        """Weights of layers from their complete dW; a share of the output channels of every layer on each thread."""
        parameters, used, shares = self.parameters, self.parameters.used, len(self._shares)
        facing = [index for index in indices if parameters.layout.layers[index].sends_error]

        def update(share: int) -> list[int]:
            for index in indices:
                at, masked = parameters.slices[index].weights, parameters.held.masked[index]
                begin, end = share_of(parameters.layout.layers[index].channels, share, shares)
                self._shares[share][index].weights(
                    begin, end, parameters.weights[index], sums.weights, at.start, masked,
                    self._numbers[index].weights, first_draw(count, at.stop - at.start),
                )  # fmt: skip
            return [used.use(index, share, shares) for index in indices]

        def face(share: int) -> list[tuple[int, int, int]]:
            return [used.face(index, share, self._facing_shares) for index in facing]

        overflows = self._threads.run(update, shares)
        for index, found in zip(indices, zip(*overflows, strict=True), strict=True):
            used.finish(index, found)
        for counts in self._other_counts:
            self.counts += counts
            counts[:] = 0
        bounds = self._threads.run(face, self._facing_shares)
        for index, own in zip(facing, zip(*bounds, strict=True), strict=True):
            used.bound(index, own)

    def _update_whole(self, index: int, sums: BatchSums, numbers: UpdateNumbers, count: int) -> None:
        """One layer's weights from its complete dW, where they are stored by input or need integers of any size."""
        parameters, layer = self.parameters, self._layer(index, numbers)
        at, factored = parameters.slices[index].weights, parameters.layout.layers[index].factored
        weights = np.ascontiguousarray(parameters.in_order(index)) if factored else parameters.weights[index]
        copied = numbers.exact and not self._exact
        shares, place = (sums.weights[:, at], 0) if copied else (sums.weights, at.start)
        layer.weights(
            0, parameters.layout.layers[index].channels, layer.own(weights), layer.own(shares), place,
            parameters.held.masked[index], numbers.weights, first_draw(count, at.stop - at.start),
        )  # fmt: skip
        layer.bring_home()
        if factored:
            parameters.in_order(index)[:] = weights
        parameters.used.arrange(index)

    def _update_from_factors(
        self, index: int, slots: NDArray[Any], bound: int, numbers: UpdateNumbers, count: int
    ) -> None:
        """One dense layer's weights from the traces and deltas in its slots; `bound` on the magnitude of dW."""
        used, layer = self.parameters.used, self._layer(index, numbers)
        low, high = numbers.gradient_range
        wraps = not low <= -bound <= bound <= high
        narrow = self._narrow and bound < 1 << 31 and not wraps and not numbers.exact
        over = layer.factored[NARROW if narrow else WIDE](
            layer.own(slots), self.parameters.held.masked[index], numbers.weights, wraps,
            first_draw(count, layer.synapses),
        )  # fmt: skip
        if over:
            used.overflows[index] += over
        layer.bring_home()
        if count % BOUND_UPDATES == 0:
            used.arrange(index)

    def _layer(self, index: int, numbers: UpdateNumbers) -> LayerUpdate:
        """The kernels that suit the numbers."""
        if not numbers.exact or self._exact:
            return self._shares[0][index]
        return self._bound(index, Scratch(object, object, self.counts), exact=True)

    def update_neurons(self, sums: BatchSums, rates: UpdateRates, count: int) -> None:
        """Thresholds and leak factors, as far as the rule learns them; `count` is the number of updates before."""
        if not self._learns:
            return
        self.numbers(rates)
        if self._exact_neurons == self._exact:
            self._neurons(sums.thresholds, sums.groups, sums.leak, *self._neuron_rows, count)
            return
        copies = Copies(copied=True)
        own, scratch = copies.own, Scratch(object, object, self.counts)
        update = self._bound_neurons(scratch, copies, exact=True)
        update(own(sums.thresholds), own(sums.groups), own(sums.leak), *self._neuron_rows, count)
        copies.bring_home()
