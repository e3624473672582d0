"""A pass of samples through the network on a device: the integers of the compiled kernels, whole tensors at a time.

State is int64; maps lie in C order, one time step at a time. Sums of products are float64 matrix products and no
convolution routine, for those may transform their operands: a product of integers is exact, whatever the order of
additions, while its absolute terms add up to less than 2**53. Bounds on weights, inputs, deltas and traces show that
before a product is formed; where they do not, or where an accumulator may saturate on the way to its sum,
`OrderMattersError` leaves the pass to the kernels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.stop.device.layer_pass import LayerPass, LayerSums
from nmsim.stop.device.pool_windows import pool_errors, pooled
from nmsim.stop.device.requantizer import Requantizer
from nmsim.stop.device.torch_device import Tensor, TorchDevice
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import ADD, INPUT, Held
from nmsim.stop.fixed.pass_kernels import Loss
from nmsim.stop.fixed.tensor import Tensor as Counted


@dataclass(frozen=True)
class PassResult:
    """What a pass found: output `spikes (S, C)` in C order; `counts (L, tensors)` of overflows; gradient sums by layer.

    `tally (2, C + 1)`: of the loss, as in `Work`. Only `spikes` mean anything after an inference.
    """

    spikes: Tensor
    counts: Tensor
    tally: Tensor
    sums: list[LayerSums]


class DevicePass:
    """One network on one device.

    Args:
        layout, held: plan and parameters of the engine; `held` is read anew at every pass.
        loss: how errors of the output are formed.
        device: name of a device of PyTorch, such as cuda.
    """

    def __init__(self, layout: Layout, held: Held, loss: Loss, device: str) -> None:
        self._layout, self._held, self._one = layout, held, loss.one
        self._on = TorchDevice(device)
        self._steps = layout.layers[0].time_steps
        self._quantizer = Requantizer(self._on, self._steps)
        self._surrogates = self._on.put(layout.plan.surrogates)
        self._probabilities = None if loss.squared else self._on.put(layout.plan.probabilities)

    def run(
        self, inputs: NDArray[Any], labels: NDArray[np.int64], first: int, *, training: bool
    ) -> PassResult:
        """All time steps of samples `inputs (S, T or 1, size)`, the first of which has index `first` in the run.

        Raises:
            OrderMattersError: the kernels have to do it.
        """
        on, layout = self._on, self._layout
        static = inputs.shape[1] == 1
        self._quantizer.begin(len(inputs), first)
        counts = on.zeros(len(layout.layers), len(Counted))
        layers = [
            LayerPass(
                on, self._quantizer, layout, self._held, index, self._surrogates[index], counts[index], training=training
            )
            for index in range(len(layout.layers))
        ]  # fmt: skip
        given, outputs = on.put(inputs), layout.layers[-1].neurons
        right = on.zeros(len(inputs), outputs).scatter_(1, on.put(labels)[:, None], 1)
        spikes, tally = on.zeros(len(inputs), outputs), on.zeros(2, outputs + 1)
        for step in range(self._steps):
            self._quantizer.step = step
            values = self._forward(layers, given[:, 0 if static else step], constant=static and step > 0)
            spikes += layers[-1].spikes
            if training:
                tally += self._tallied(layers[-1].spikes, right)
                self._backward(layers, values, right)
        return PassResult(spikes, counts, tally, [layer.sums() for layer in layers] if training else [])

    def _forward(self, layers: list[LayerPass], given: Tensor, *, constant: bool) -> list[Tensor]:
        """One time step; the output of every node, `(S, size)`. `constant`: the input is that of the step before."""
        values: list[Tensor] = []
        nodes = self._layout.nodes
        for node in nodes:
            if node.layer >= 0:
                layer = layers[node.layer]
                layer.forward(values[node.first], constant=constant and bool(layer.layer.static))
                values.append(layer.spikes)
            elif node.kind == INPUT:
                values.append(given)
            elif node.kind == ADD:
                values.append(
                    (values[node.first] << node.left_first) + (values[node.second] << node.left_second)
                )
            else:
                values.append(pooled(values[node.first], node, nodes[node.first]))
        return values

    def _tallied(self, spikes: Tensor, right: Tensor) -> Tensor:
        """Time steps by spike of the label's output and by number of spikes, `(2, C + 1)`."""
        width = spikes.shape[1] + 1
        place = (spikes * right).sum(1) * width + spikes.sum(1)
        return self._on.torch.bincount(place, minlength=2 * width).reshape(2, width)

    def _backward(self, layers: list[LayerPass], values: list[Tensor], right: Tensor) -> None:
        """Errors of one time step backward in space."""
        nodes = self._layout.nodes
        errors: list[Tensor] = [None] * len(nodes)

        def send(target: int, error: Tensor) -> None:
            errors[target] = error if errors[target] is None else errors[target] + error

        for number in range(len(nodes) - 1, 0, -1):
            node = nodes[number]
            if node.layer >= 0:
                layer = layers[node.layer]
                if layer.layer.output:
                    error = layer.output_error(right, self._probabilities, self._one)
                else:
                    error = layer.hidden_error(errors[number])
                deltas = layer.backward(error)
                if layer.layer.sends_error:
                    send(node.first, layer.error_sums(deltas))
            elif not node.needs_error:
                continue
            elif node.kind == ADD:
                branches = ((node.first, node.error_left_first), (node.second, node.error_left_second))
                for source, left in branches:
                    if nodes[source].needs_error:
                        send(source, errors[number] << left)
            else:
                error = pool_errors(errors[number], values[node.first], node, nodes[node.first])
                send(node.first, error << node.error_left_first)
