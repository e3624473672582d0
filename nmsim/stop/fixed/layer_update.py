"""One layer's parameters and the kernels that update them, bound to each other by name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.lfsr import unrolled_table
from nmsim.stop.fixed.factored import UPDATE_FACTORED, draws_by_input
from nmsim.stop.fixed.parameters import RawParameters
from nmsim.stop.fixed.rates import momentum_raw
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.fixed.update import BLOCK, UPDATE_BIASES, UPDATE_WEIGHTS
from nmsim.stop.fixed.workspace import zeros
from nmsim.stop.spec import TrainingSpec


class Scratch:
    """Scratch memory of updates, for one type of stored integers and of wide numbers; `counts (L, tensors)`: overflows."""

    def __init__(self, storage: Any, numbers: Any, counts: NDArray[np.int64]) -> None:
        draws: Any = object if numbers is object else np.uint16
        self.steps, self.zeros = np.zeros((3, BLOCK), numbers), np.zeros(BLOCK, draws)
        self.table = np.concatenate([unrolled_table(), self.zeros]).astype(draws)
        narrow = np.int32 if storage is np.int16 else numbers
        self.runs = (np.zeros(BLOCK, narrow), np.zeros(BLOCK, numbers))
        self.used = np.zeros(BLOCK, storage)
        self.counts, self.own_counts = counts, np.zeros(len(Tensor), np.int64)


class Copies:
    """Arrays as kernels take them: themselves, or, for kernels that run on Python integers, copies of machine integers."""

    def __init__(self, *, copied: bool) -> None:
        self._copied = copied
        self._copies: list[tuple[NDArray[Any], NDArray[Any]]] = []

    def own(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array, or a copy that `bring_home` writes back."""
        if not self._copied:
            return array
        copy = array.astype(object)
        self._copies.append((array, copy))
        return copy

    def bring_home(self) -> None:
        """Write copies back to the arrays they were made of."""
        for array, copy in self._copies:
            array[:] = copy


class LayerUpdate(Copies):
    """Updates the weights and biases of one layer; overflows go to `counts (L, tensors)`.

    `weights(begin, end, weights, shares, place, masked, rows, first)`, `biases(sums, rows, first)` and
    `factored[way](memory, masked, rows, wraps, first)` are kernels: `rows` as in `UpdateNumbers`, `first` the index of the
    first draw. `synapses`: how many there are.

    `exact`: they run interpreted, on Python integers. Rates so small that 64 bits could overflow are rare; they make a run
    of machine integers update on copies.
    """

    def __init__(
        self, index: int, parameters: RawParameters, training: TrainingSpec, scratch: Scratch, *, exact: bool
    ) -> None:
        layout, held, at = parameters.layout, parameters.held, parameters.slices[index]
        super().__init__(copied=exact and layout.storage is not object)
        layer, momentum = layout.layers[index], momentum_raw(training) if training.momentum > 0 else 0
        layers = layout.layers if exact else layout.plan.layers
        table, steps, synapses = scratch.table, scratch.steps, held.synapses[at.weights]
        self.weights = UPDATE_WEIGHTS.bound(
            interpreted=exact, layers=layers, index=index, synapses=synapses, counts=scratch.counts, table=table,
            scratch=steps, small_steps=scratch.runs[0], velocity=self.own(parameters.velocity[at.weights]),
            momentum=momentum, centred=training.gradient_centralization,
        )  # fmt: skip
        self.biases = UPDATE_BIASES.bound(
            interpreted=exact, index=index, counts=scratch.counts, table=table, scratch=steps,
            own_counts=scratch.own_counts, bias=self.own(parameters.bias[at.rows]),
            velocity=self.own(parameters.bias_velocity[at.rows]), momentum=momentum,
        )  # fmt: skip
        self.synapses = synapses.size
        self.factored: tuple[Any, ...] = ()
        if layer.factored:
            weights, used = self.own(parameters.weights[index]), held.backward[at.backward]
            row_sums, narrower = self.own(held.row_sums[at.rows]), _is_narrower(parameters, index)
            # empty where the used weights are the stored ones, which the kernel has already
            used = self.own(used[:0] if layer.shared else used)
            by_input, factor = draws_by_input(layer.inputs)
            pairs, storage = (layer.group + 1) // 2, weights.dtype
            traced, deltas = zeros(layer.inputs, storage), zeros(2 * pairs * layer.error_depth, storage)
            changes = zeros(layer.error_depth, np.int32)
            self.factored = tuple(
                kernel.bound(
                    interpreted=exact, layers=layers, index=index, order=at.order, weights=weights, synapses=synapses,
                    used_row=parameters.used.numbers[index], narrower=narrower, factor=factor,
                    table=by_input.astype(object) if exact else by_input, zeros=scratch.zeros, counts=scratch.counts,
                    backward=used, row_sums=row_sums, bounds=held.weight_bounds, run=run, scratch=scratch.used,
                    traced=traced, deltas=deltas, changes=changes,
                )
                for kernel, run in zip(UPDATE_FACTORED, scratch.runs, strict=True)
            )  # fmt: skip


def _is_narrower(parameters: RawParameters, index: int) -> bool:
    """Whether `w_use` has a format of its own."""
    own = parameters.formats[index]
    return own.used != own.precision.weight.format
