"""A worker: its memory, and a pass of some samples through the whole network, forward and, in training, backward."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.quantize import HIGH, LOW, WHOLE, WRAP
from nmsim.stop.fixed.backward import BOUND_GRADIENTS, COUNT_SPIKES, LAYER_DELTAS, OUTPUT_ERRORS, SEND_ERRORS
from nmsim.stop.fixed.forward import FORWARD
from nmsim.stop.fixed.gradient import CLOSE_PANEL, COLLECT_MAPS, COLLECT_ROWS, MULTIPLY
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import ADD, AVERAGE, INPUT, MAXIMUM, Held
from nmsim.stop.fixed.ordered import ADD_NEURON_GRADIENTS, ADD_WEIGHT_GRADIENT
from nmsim.stop.fixed.pools import (
    ADD_BRANCHES,
    AVERAGE_POOL,
    COPY_ERRORS,
    LOAD_INPUTS,
    MAXIMUM_POOL,
    ROUTE_MAXIMUM_ERRORS,
    SPREAD_AVERAGE_ERRORS,
)  # fmt: skip
from nmsim.stop.fixed.samples import BatchSums
from nmsim.stop.fixed.static_gradient import ADD_STATIC_GRADIENT
from nmsim.stop.fixed.sums import NARROW, WIDE, way_of_summing
from nmsim.stop.fixed.tensor import CURRENT, ERROR_SUM
from nmsim.stop.fixed.workspace import make_work


class Pass(Enum):
    """What a pass computes."""

    INFERENCE = "spikes"
    ACTIVITY = "also traces and deltas"
    GRADIENTS = "also gradient sums, in any exact order"
    ORDERED = "of one sample, gradient sums in the order of the definition"
    IN_PLACE = "of one sample, dW of a time step exactly, the other sums in order"


SUMMING = (Pass.GRADIENTS, Pass.ORDERED)
"""Passes that sum over whole samples."""


class Worker:
    """Runs passes over up to `samples` samples in its own memory; what it leaves in `work` is for its owner to take."""

    def __init__(
        self, layout: Layout, held: Held, samples: int, *, squared_error: bool, one: int, logs: bool
    ) -> None:
        self.layout, self.held, self.samples = layout, held, samples
        self.work = make_work(layout, samples, logs=logs)
        self.sums = BatchSums(
            self.work.weight_sums,
            self.work.threshold_sums,
            self.work.group_sums,
            self.work.leak_sums,
            self.work.bias_sums,
        )
        self._squared_error, self._one = squared_error, one
        interpreted = layout.storage is object
        self._narrow = layout.storage is np.int16

        def form(kernels: Any) -> Any:
            return [kernel.form(interpreted=interpreted) for kernel in kernels]

        self._forward, self._send, self._multiply = form(FORWARD), form(SEND_ERRORS), form(MULTIPLY)
        self._load, self._count, self._errors, self._deltas, self._bound = form(
            (LOAD_INPUTS, COUNT_SPIKES, OUTPUT_ERRORS, LAYER_DELTAS, BOUND_GRADIENTS)
        )
        self._collect_rows, self._collect_maps, self._close = form((COLLECT_ROWS, COLLECT_MAPS, CLOSE_PANEL))
        self._add_weights, self._add_neurons, self._copy_errors, self._add_static = form(
            (ADD_WEIGHT_GRADIENT, ADD_NEURON_GRADIENTS, COPY_ERRORS, ADD_STATIC_GRADIENT)
        )
        average, maximum, add, spread, route = form(
            (AVERAGE_POOL, MAXIMUM_POOL, ADD_BRANCHES, SPREAD_AVERAGE_ERRORS, ROUTE_MAXIMUM_ERRORS)
        )
        self._between = {AVERAGE: average, MAXIMUM: maximum, ADD: add}
        self._spread_errors, self._route_errors = spread, route
        self._filled = [0] * len(layout.layers)
        numbers = layout.plan.numbers
        self._accumulators = [
            [
                (int(row[LOW]), int(row[HIGH]), bool(row[WRAP] or row[WHOLE]))
                for row in (layer[CURRENT], layer[ERROR_SUM])
            ]
            for layer in numbers
        ]

    def run(
        self, inputs: NDArray[Any], labels: NDArray[np.int64], first: int, steps: range, kind: Pass
    ) -> None:
        """Time steps `steps` (whole groups) of the samples `inputs (S, T or 1, size)`, raw integers in C order.

        `first` is the index of sample 0 in the run, for random draws. States start at zero when `steps` starts at
        0 and go on from the memory otherwise.
        """
        samples, static = inputs.shape[0], inputs.shape[1] == 1
        work = self.work
        if steps.start == 0:
            work.memory[: samples * self.layout.group * self.layout.words] = 0
            work.static_sums[: samples * self.layout.static_sums] = 0
            work.constants[: samples * self.layout.group * len(self.layout.layers)] = 0
            work.spikes[:samples] = 0
        for step in range(steps.start, steps.stop, self.layout.group):
            self._forward_group(inputs, samples, first, step, static=static, kind=kind)
            if kind is not Pass.INFERENCE:
                self._backward_group(labels, samples, first, step, kind)
        if kind in SUMMING and steps.stop == self.layout.layers[0].time_steps:
            self._finish_statics(samples, in_order=kind is Pass.ORDERED)
        if kind is Pass.GRADIENTS or kind is Pass.IN_PLACE:
            for index in range(len(self._filled)):
                self._multiply_panel(index)
        if kind is Pass.GRADIENTS:
            self._bound(
                self.layout.plan.layers, self.layout.plan.numbers, work.magnitudes, work.largest, work.bounds
            )

    def _forward_group(
        self, inputs: NDArray[Any], samples: int, first: int, step: int, *, static: bool, kind: Pass
    ) -> None:
        plan, held, work = self.layout.plan, self.held, self.work
        keeps = static and kind is not Pass.IN_PLACE  # weights that change in a sample change its currents
        for number, node in enumerate(self.layout.nodes):
            if node.layer >= 0:
                index, layer = node.layer, self.layout.layers[node.layer]
                low, high, whole = self._accumulators[index][0]
                bound = int(held.bounds[index, 0]) * layer.largest_input + int(held.bounds[index, 3])
                way, settle = way_of_summing(bound, low, high, whole=whole, narrow=self._narrow)
                self._forward[way](
                    work.memory, plan.layers, index, plan.numbers, held.alpha, held.used, held.backward, held.bias,
                    held.theta, work.constants,
                    plan.orders, plan.draws, work.draws, work.exact, work.block, work.kept, work.gathered, work.nonzero,
                    work.largest, work.counts, work.current_log, samples,
                    step, first, kind is not Pass.INFERENCE, keeps, settle,
                )  # fmt: skip
            elif static and node.static and step > 0:
                continue
            elif node.kind == INPUT:
                self._load(work.memory, plan.nodes, inputs, samples, step)
            else:
                self._between[node.kind](work.memory, plan.nodes, number, samples)
        self._count(work.memory, plan.layers, work.spikes, samples)

    def _backward_group(
        self, labels: NDArray[np.int64], samples: int, first: int, step: int, kind: Pass
    ) -> None:
        plan, work = self.layout.plan, self.work
        self._errors(
            work.memory, plan.layers, plan.numbers, plan.probabilities, labels, work.tally, work.counts, samples, self._one,
            self._squared_error,
        )  # fmt: skip
        for number in range(len(self.layout.nodes) - 1, 0, -1):
            node = self.layout.nodes[number]
            if node.layer >= 0:
                self._backward_layer(node.layer, samples, first, step, kind)
            elif not node.needs_error:
                continue
            elif node.kind == AVERAGE:
                self._spread_errors(work.errors, plan.nodes, number, samples, plan.orders)
            elif node.kind == MAXIMUM:
                self._route_errors(work.errors, plan.nodes, number, samples, work.memory)
            else:
                self._copy_errors(work.errors, plan.nodes, number, samples)

    def _backward_layer(self, index: int, samples: int, first: int, step: int, kind: Pass) -> None:
        plan, held, work, layer = self.layout.plan, self.held, self.work, self.layout.layers[index]
        largest, energy = self._deltas(
            work.memory, work.errors, plan.layers, index, plan.numbers, held.theta, plan.surrogates, plan.draws, work.draws,
            work.factors, work.magnitudes, work.threshold_sums, work.leak_sums, work.bias_sums, work.constants,
            work.static_sums, work.counts,
            samples, step, first, kind is Pass.GRADIENTS, kind is Pass.GRADIENTS or kind is Pass.IN_PLACE, kind in SUMMING,
        )  # fmt: skip
        if layer.sends_error:
            low, high, whole = self._accumulators[index][1]
            bound = int(held.bounds[index, 1]) * int(largest)
            if layer.narrow:  # Cauchy-Schwarz
                bound = min(bound, isqrt(int(held.bounds[index, 2]) * int(energy)) + 1)
            way, settle = way_of_summing(bound, low, high, whole=whole, narrow=self._narrow)
            self._send[way](
                work.memory, work.errors, plan.layers, index, plan.numbers, held.backward, plan.orders, work.block,
                work.gathered, work.nonzero, work.counts, work.error_log, samples, settle,
            )  # fmt: skip
        if kind is Pass.IN_PLACE or (kind is Pass.GRADIENTS and not layer.factored and not layer.scalar):
            self._collect(index, samples * self.layout.group)
        elif kind is Pass.ORDERED and not layer.scalar:
            self._add_weights(
                work.memory, plan.layers, index, plan.numbers, plan.orders, held.synapses, work.gathered, work.weight_sums,
                work.counts,
            )  # fmt: skip
        if kind is Pass.ORDERED or kind is Pass.IN_PLACE:
            self._add_neurons(
                work.memory,
                plan.layers,
                index,
                plan.numbers,
                work.group_sums,
                work.leak_sums,
                work.bias_sums,
                work.constants,
                work.counts,
                kind is Pass.ORDERED,
            )

    def _finish_statics(self, samples: int, *, in_order: bool) -> None:
        """`dW += g x^T` of layers with a scalar trace, after the last time step."""
        plan, work = self.layout.plan, self.work
        for index, layer in enumerate(self.layout.layers):
            if layer.scalar:
                self._add_static(
                    work.memory, plan.layers, index, plan.numbers, plan.orders, self.held.synapses, work.gathered,
                    work.static_sums, work.weight_sums, work.bounds, work.counts, samples, in_order,
                )  # fmt: skip

    def _collect(self, index: int, slots: int) -> None:
        """Add all slots to the layer's gradient panel, multiplying it whenever it is full."""
        plan, work, layer = self.layout.plan, self.work, self.layout.layers[index]
        slot = 0
        while slot < slots:
            filled = self._filled[index]
            count = min(slots - slot, layer.panel_slots - filled)
            if count == 0:
                self._multiply_panel(index)
                continue
            if layer.kernel:
                self._collect_maps(work.memory, work.panels, plan.layers, index, slot, count, filled)
            else:
                self._collect_rows(
                    work.memory, work.panels, plan.layers, index, plan.orders, slot, count, filled
                )
            slot += count
            self._filled[index] += count

    def _multiply_panel(self, index: int) -> None:
        """`dW += delta w~^T` over the panel, and empty it."""
        plan, work, slots = self.layout.plan, self.work, self._filled[index]
        if slots == 0:
            return
        self._filled[index] = 0
        largest = self._close(work.panels, work.transposed, plan.layers, index, slots)
        fits = self._narrow and int(largest) * int(work.largest[index]) < 1 << 31
        multiply = self._multiply[NARROW if fits else WIDE]
        multiply(work.panels, work.transposed, plan.layers, index, plan.orders, slots, work.weight_sums)

    @contextmanager
    def adding_to(self, sums: BatchSums) -> Iterator[None]:
        """Within the context, ordered sums go straight into `sums`."""
        own = self.work
        self.work = own._replace(
            weight_sums=sums.weights, group_sums=sums.groups, leak_sums=sums.leak, bias_sums=sums.biases
        )
        try:
            yield
        finally:
            self.work = own

    def forget(self) -> None:
        """Discard everything a pass has left for its owner."""
        work = self.work
        for array in (
            work.weight_sums,
            work.threshold_sums,
            work.group_sums,
            work.leak_sums,
            work.bias_sums,
            work.magnitudes,
        ):
            array[:] = 0
        for array in (work.bounds, work.largest, work.counts, work.tally):
            array[:] = 0
        self._filled = [0] * len(self._filled)
