"""NeuroBench's complexity metrics of a network and its recorded activity, under the names and definitions of that suite.

J. Yik et al., "The NeuroBench framework for benchmarking neuromorphic computing algorithms and systems", Nature
Communications 16, 2025; definitions as in the package neurobench 2.3. They are about the network, not about a chip: every
layer is executed at every time step, zero weights and zero inputs are no operations, and padding and biases are none
either. What a chip serves is in `nmsim.operations`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.units import BITS_PER_BYTE


@dataclass(frozen=True)
class NeuroBench:
    """Metrics of one network; operations are means per sample over its T time steps.

    `footprint_bytes`: weights, biases, thresholds and leak factors at their stored widths. Sparsities are shares of zeros:
    of all weights, and of all neurons' outputs over samples and time steps. Operations of layers that receive spikes are
    accumulations, of others multiply-accumulations; `dense` counts every synapse, whatever it carries.
    """

    footprint_bytes: float
    parameter_count: int
    connection_sparsity: float
    activation_sparsity: float
    effective_macs: float
    effective_acs: float
    dense: float


def neurobench_of(
    network: NetworkSpec,
    weights: Sequence[NDArray[np.floating]],
    activity: Activity,
    precision: Precision,
    value_bits: int | None = None,
) -> NeuroBench:
    """Metrics of trained weights, `(n_out, n_in)` or `(C_out, C_in, k, k)` by layer, on recorded samples.

    `value_bits`: width of every parameter where they are no fixed-point numbers, such as 32.
    """
    operations = {"acs": 0, "macs": 0}
    dense = 0
    for layer, array, record in zip(network.synaptic_layers, weights, activity.layers, strict=True):
        counts = record.mask("inputs").sum(axis=(0, 1), dtype=np.int64).reshape(layer.in_shape)
        kind = "acs" if record.input_bits == 1 else "macs"
        operations[kind] += int((counts * synapses_by_input(layer, np.asarray(array) != 0)).sum())
        dense += int(synapses_by_input(layer, np.ones(layer.weight_shape, np.bool_)).sum())
    spikes = [
        (record.mask("spikes").sum(dtype=np.int64), record.mask("spikes").size) for record in activity.layers
    ]
    silent = 1 - sum(count for count, _ in spikes) / sum(size for _, size in spikes)
    zeros = sum(int((np.asarray(array) == 0).sum()) for array in weights)
    return NeuroBench(
        footprint_bytes=_footprint_bits(network, precision, value_bits) / BITS_PER_BYTE,
        parameter_count=sum(layer.weights + layer.biases for layer in network.synaptic_layers),
        connection_sparsity=zeros / sum(layer.weights for layer in network.synaptic_layers),
        activation_sparsity=float(silent),
        effective_macs=operations["macs"] / activity.samples,
        effective_acs=operations["acs"] / activity.samples,
        dense=float(dense * network.time_steps),
    )


def synapses_by_input(layer: SynapticLayer, there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many synapses an input reaches, `in_shape`, if only those weights count that are `there`.

    A convolution's input reaches one neuron per tap and channel whose position lies in the map.
    """
    if len(layer.weight_shape) == 2:
        by_input: NDArray[np.int64] = there.sum(axis=0, dtype=np.int64)
        return by_input.reshape(layer.in_shape)
    taps = there.sum(axis=0, dtype=np.int64)
    _, height, width = layer.out_shape
    reached = np.zeros(layer.in_shape, np.int64)
    _, rows, columns = layer.in_shape
    for row, column in np.ndindex(*layer.weight_shape[2:]):
        y, x = (
            np.arange(count) * layer.stride + tap - layer.padding
            for count, tap in ((height, row), (width, column))
        )
        y, x = y[(y >= 0) & (y < rows)], x[(x >= 0) & (x < columns)]
        reached[:, y[:, None], x[None, :]] += taps[:, row, column][:, None, None]
    return reached


def _footprint_bits(network: NetworkSpec, precision: Precision, value_bits: int | None) -> int:
    bits = 0
    for layer in network.synaptic_layers:
        own = precision.resolve(layer.index)
        weight, threshold, leak = (
            value_bits or tensor.format.total_bits for tensor in (own.weight, own.membrane, own.leak_factor)
        )
        bits += (layer.weights + layer.biases) * weight + layer.threshold_count * threshold + leak
    return bits
