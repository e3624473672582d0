"""A worker whose passes over whole samples run on a device; all others, and those not shown to be exact, in kernels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.stop.device.device_pass import DevicePass, PassResult
from nmsim.stop.device.requantizer import OrderMattersError
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import Held
from nmsim.stop.fixed.pass_kernels import Loss, Pass
from nmsim.stop.fixed.worker import Worker


class DeviceWorker(Worker):
    """A `Worker` to the bit, for up to `samples` samples at a time on a device such as cuda.

    Samples that a saturating accumulator has to see in order, time steps one by one (in place, observed) and activity are
    left to the kernels, so a device may change how long a training takes and nothing else.
    """

    def __init__(
        self, layout: Layout, held: Held, weight_sums: NDArray[Any], samples: int, loss: Loss, device: str
    ) -> None:
        super().__init__(layout, held, weight_sums, samples, loss, logs=False)
        self._device = DevicePass(layout, held, loss, device)

    def run(
        self, inputs: NDArray[Any], labels: NDArray[np.int64], first: int, steps: range, kind: Pass
    ) -> None:
        """As `Worker.run`."""
        training = kind is Pass.GRADIENTS
        if (training or kind is Pass.INFERENCE) and len(steps) == self.layout.layers[0].time_steps:
            try:
                found = self._device.run(inputs, labels, first, training=training)
            except OrderMattersError:
                pass
            else:
                self._take(found, training=training)
                return
        super().run(inputs, labels, first, steps, kind)

    def _take(self, found: PassResult, *, training: bool) -> None:
        """Put a result where the owner of the worker looks for it; neurons are stored channels last there."""
        work, last = self.work, self.layout.layers[-1]
        spikes = found.spikes.cpu().numpy()
        by_channel = spikes.reshape(len(spikes), last.channels, -1)
        work.spikes[: len(spikes)] = by_channel.transpose(0, 2, 1).reshape(len(spikes), -1)
        if not training:
            return
        work.counts[:] += found.counts.cpu().numpy()
        work.tally[:] += found.tally.cpu().numpy()
        for index, (layer, sums) in enumerate(zip(self.layout.layers, found.sums, strict=True)):
            weights = work.weight_sums[layer.weight : layer.weight + layer.channels * layer.fan_in]
            weights += sums.weights.cpu().numpy().ravel()
            if layer.learns_thresholds:
                thresholds = sums.thresholds.cpu().numpy().reshape(layer.channels, -1)
                work.threshold_sums[layer.theta : layer.theta + layer.neurons] += thresholds.T.ravel()
            if layer.learns_leak:
                work.leak_sums[index] += int(sums.leak)
            if layer.biased:
                work.bias_sums[layer.rows : layer.rows + layer.channels] += sums.biases.cpu().numpy()
            work.bounds[index] += sums.bounds
