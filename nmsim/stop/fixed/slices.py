"""Where the parameters of a layer lie in flat arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.stop.fixed.layout import Layout


@dataclass(frozen=True)
class ParameterSlices:
    """Where one layer's parameters lie in the flat arrays of `RawParameters` and `Held`.

    `used`, `backward` are empty where a layer has no such copy of its weights. `order (fan_in,)` are the stored places of
    a neuron's terms in the order of addition.
    """

    weights: slice
    thresholds: slice
    neurons: slice
    used: slice
    backward: slice
    rows: slice
    order: NDArray[np.int64]


def layer_slices(layout: Layout) -> list[ParameterSlices]:
    """Slices of every layer."""

    def run(start: int, size: int) -> slice:
        return slice(start, start + size)

    found = []
    for layer in layout.layers:
        rows = layer.input_channels if layer.kernel else layer.inputs
        rows *= layer.factored or layout.nodes[layer.source].needs_error
        found.append(
            ParameterSlices(
                run(layer.weight, layer.channels * layer.fan_in),
                run(layer.threshold, layer.thresholds),
                run(layer.theta, layer.neurons),
                run(layer.used, 0 if layer.factored else layer.channels * layer.depth),
                run(layer.backward, rows * layer.error_depth),
                run(layer.rows, layer.channels),
                layout.plan.orders[run(layer.order, layer.fan_in)],
            )
        )
    return found
