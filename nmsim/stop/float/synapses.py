"""The synapses of one layer: its weights as one matrix that acts on the columns of its input."""

import numpy as np

from nmsim.network.spec import Shape, SynapticLayer
from nmsim.stop.float.convolution import Windows
from nmsim.stop.float.layout import to_c_order, to_internal
from nmsim.stop.protocol import FloatArray

_BLAS_FLAGS = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""Vector kernels of BLAS may raise floating-point flags in lanes whose results they throw away."""


class Synapses:
    """Products of one layer, dense or convolution, in the channel-last order of the float engines.

    The matrix is `(n_out, F)`: F inputs of a neuron, n_out neurons (dense) or channels (convolution).
    An input `(B, ...)` becomes columns `(B * positions, F)`, one row per neuron position.
    """

    def __init__(self, layer: SynapticLayer, source_shape: Shape) -> None:
        self.layer = layer
        self.source_shape = source_shape
        self._windows: Windows | None = None
        self._column_shape = source_shape
        if layer.kind == "conv":
            self._column_shape = layer.weight_shape[1:]
            self._windows = Windows(source_shape, layer.weight_shape[-1], layer.stride, layer.padding)

    def pack(self, weights: FloatArray) -> FloatArray:
        """Weights `(n_out, n_in)` or `(C_out, C_in, k, k)` as the matrix `(n_out, F)`."""
        return to_internal(weights, self._column_shape).reshape(len(weights), -1)

    def unpack(self, matrix: FloatArray) -> FloatArray:
        """Inverse of `pack`."""
        return to_c_order(matrix, self._column_shape).reshape(self.layer.weight_shape)

    @_BLAS_FLAGS
    def current(self, values: FloatArray, matrix: FloatArray) -> FloatArray:
        """Input currents W x, `(B, N)` in internal order."""
        return (self._columns(values) @ matrix.T).reshape(len(values), -1)

    @_BLAS_FLAGS
    def error_below(self, delta: FloatArray, matrix: FloatArray) -> FloatArray:
        """Error W^T delta of the layer's input, `(B, ...)`; delta `(B, N)`."""
        columns = delta.reshape(-1, len(matrix)) @ matrix
        return columns if self._windows is None else self._windows.scatter(columns, len(delta))

    @_BLAS_FLAGS
    def weight_gradient(self, delta: FloatArray, traces: FloatArray) -> FloatArray:
        """Sum over samples and positions of delta `(B, N)` times trace `(B, ...)`, `(n_out, F)`."""
        rows, columns = delta.reshape(-1, self.layer.weight_shape[0]), self._columns(traces)
        # BLAS is slow at products of one column with one row
        return rows.T * columns if len(rows) == 1 else rows.T @ columns

    def expand_thresholds(self, thresholds: FloatArray) -> FloatArray:
        """One threshold per neuron, `(N,)` in internal order, from the shared ones `(threshold_count,)`."""
        if self.layer.threshold_count == self.layer.neurons:
            return to_internal(thresholds[np.newaxis], self.layer.out_shape).ravel()
        return np.tile(thresholds, self.layer.neurons_per_threshold)

    def reduce_thresholds(self, gradient: FloatArray) -> FloatArray:
        """Adjoint of `expand_thresholds`: sum over the neurons that share one, `(threshold_count,)`."""
        if self.layer.threshold_count == self.layer.neurons:
            return to_c_order(gradient[np.newaxis], self.layer.out_shape).ravel()
        shared: FloatArray = gradient.reshape(-1, self.layer.threshold_count).sum(axis=0)
        return shared

    def _columns(self, values: FloatArray) -> FloatArray:
        return values.reshape(len(values), -1) if self._windows is None else self._windows.gather(values)
