"""A worker: its memory, and a pass of some samples through the whole network, forward and, in training, backward."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.quantize import HIGH, LOW, WHOLE, WRAP
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import INPUT, Held
from nmsim.stop.fixed.pass_kernels import Loss, pass_kernels
from nmsim.stop.fixed.samples import BatchSums
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
    """Runs passes over up to `samples` samples in its own memory; what it leaves in `work` is for its owner to take.

    Workers share the plan and the parameters (`held`), which do not change during a pass, and nothing else: any number of
    them may run at a time, each in a thread. `logs`: currents and error sums are to be watched.
    """

    def __init__(self, layout: Layout, held: Held, samples: int, loss: Loss, *, logs: bool) -> None:
        self.layout, self.held, self.samples = layout, held, samples
        self.work = make_work(layout, samples, logs=logs)
        self.sums = BatchSums(
            self.work.weight_sums,
            self.work.threshold_sums,
            self.work.group_sums,
            self.work.leak_sums,
            self.work.bias_sums,
        )
        self._loss = loss
        self._kernels = pass_kernels(layout, held, self.work, loss)
        self._narrow = layout.storage is np.int16
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
            self._kernels.bound_gradients()

    def _forward_group(
        self, inputs: NDArray[Any], samples: int, first: int, step: int, *, static: bool, kind: Pass
    ) -> None:
        kernels, bounds = self._kernels, self.held.weight_bounds
        keeps = static and kind is not Pass.IN_PLACE  # weights that change in a sample change its currents
        for number, node in enumerate(self.layout.nodes):
            if node.layer >= 0:
                index, layer = node.layer, self.layout.layers[node.layer]
                low, high, whole = self._accumulators[index][0]
                bound = int(bounds[index, 0]) * layer.largest_input + int(bounds[index, 3])
                way, settles = way_of_summing(bound, low, high, whole=whole, narrow=self._narrow)
                kernels.forward[way](index, samples, step, first, kind is not Pass.INFERENCE, keeps, settles)
            elif static and node.static and step > 0:
                continue
            elif node.kind == INPUT:
                kernels.load_inputs(inputs, samples, step)
            else:
                kernels.between[node.kind](number, samples)
        kernels.count_spikes(samples)

    def _backward_group(
        self, labels: NDArray[np.int64], samples: int, first: int, step: int, kind: Pass
    ) -> None:
        kernels = self._kernels
        kernels.output_errors(labels, samples)
        for number in range(len(self.layout.nodes) - 1, 0, -1):
            node = self.layout.nodes[number]
            if node.layer >= 0:
                self._backward_layer(node.layer, samples, first, step, kind)
            elif node.needs_error:
                kernels.back[node.kind](number, samples)

    def _backward_layer(self, index: int, samples: int, first: int, step: int, kind: Pass) -> None:
        kernels, layer, bounds = self._kernels, self.layout.layers[index], self.held.weight_bounds
        exact = kind is Pass.GRADIENTS
        largest, energy = kernels.layer_deltas(
            index, samples, step, first, exact, exact or kind is Pass.IN_PLACE, kind in SUMMING
        )
        if layer.sends_error:
            low, high, whole = self._accumulators[index][1]
            bound = int(bounds[index, 1]) * int(largest)
            if layer.narrow:  # Cauchy-Schwarz
                bound = min(bound, isqrt(int(bounds[index, 2]) * int(energy)) + 1)
            way, settles = way_of_summing(bound, low, high, whole=whole, narrow=self._narrow)
            kernels.send_errors[way](index, samples, settles)
        if kind is Pass.IN_PLACE or (exact and not layer.factored and not layer.scalar):
            self._collect(index, samples * self.layout.group)
        elif kind is Pass.ORDERED and not layer.scalar:
            kernels.add_weight_gradient(index)
        if kind is Pass.ORDERED or kind is Pass.IN_PLACE:
            kernels.add_neuron_gradients(index, kind is Pass.ORDERED)

    def _finish_statics(self, samples: int, *, in_order: bool) -> None:
        """`dW += g x^T` of layers with a scalar trace, after the last time step."""
        for index, layer in enumerate(self.layout.layers):
            if layer.scalar:
                self._kernels.add_static_gradient(index, samples, in_order)

    def _collect(self, index: int, slots: int) -> None:
        """Add all slots to the layer's gradient panel, multiplying it whenever it is full."""
        layer, kernels = self.layout.layers[index], self._kernels
        collect = kernels.collect_maps if layer.kernel else kernels.collect_rows
        slot = 0
        while slot < slots:
            filled = self._filled[index]
            count = min(slots - slot, layer.panel_slots - filled)
            if count == 0:
                self._multiply_panel(index)
                continue
            collect(index, slot, count, filled)
            slot += count
            self._filled[index] += count

    def _multiply_panel(self, index: int) -> None:
        """`dW += delta w~^T` over the panel, and empty it."""
        slots = self._filled[index]
        if slots == 0:
            return
        self._filled[index] = 0
        largest = self._kernels.close_panel(index, slots)
        fits = self._narrow and int(largest) * int(self.work.largest[index]) < 1 << 31
        self._kernels.multiply[NARROW if fits else WIDE](index, slots)

    @contextmanager
    def adding_to(self, sums: BatchSums) -> Iterator[None]:
        """Within the context, ordered sums go straight into `sums`."""
        own, kernels = self.work, self._kernels
        self.work = own._replace(
            weight_sums=sums.weights, group_sums=sums.groups, leak_sums=sums.leak, bias_sums=sums.biases
        )
        self._kernels = pass_kernels(self.layout, self.held, self.work, self._loss)
        try:
            yield
        finally:
            self.work, self._kernels = own, kernels

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
