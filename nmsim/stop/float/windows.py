"""The synapses of one layer: its weights as one matrix that acts on the columns (the windows) of its input."""

from typing import Any

import numpy as np
from numba import njit

from nmsim.network.spec import Shape, SynapticLayer
from nmsim.stop.float.chunk import to_c_order, to_internal
from nmsim.stop.protocol import FloatArray


class Windows:
    """The k x k windows of a zero-padded channel-last map `(B, H, W, C)`.

    `gather` writes one row per position, so that a convolution is a matrix product; `scatter` is its adjoint.
    """

    def __init__(self, shape: Shape, kernel: int, stride: int, padding: int) -> None:
        self.channels, self.height, self.width = shape
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.rows = (self.height + 2 * padding - kernel) // stride + 1
        self.columns = (self.width + 2 * padding - kernel) // stride + 1

    @property
    def _pointwise(self) -> bool:
        return self.kernel == 1 and self.stride == 1 and self.padding == 0

    def gather(self, maps: FloatArray) -> FloatArray:
        """Maps `(B, H, W, C)` to windows `(B * rows * columns, k * k * C)`."""
        if self._pointwise:
            return maps.reshape(-1, self.channels)
        padded, p = np.ascontiguousarray(maps), self.padding
        if p > 0:
            padded = self._blank(len(maps), maps.dtype)
            padded[:, p : p + self.height, p : p + self.width] = maps
        sample, row, column, channel = padded.strides
        run = self.kernel * self.channels
        windows = np.lib.stride_tricks.as_strided(
            padded,
            (*self._grid(len(maps)), self.kernel, run),
            (sample, row * self.stride, column * self.stride, row, channel),
            writeable=False,
        )
        return windows.reshape(-1, self.kernel * run)

    def scatter(self, windows: FloatArray, samples: int) -> FloatArray:
        """Sum of windows `(B * rows * columns, k * k * C)` at their places, `(B, H, W, C)`."""
        if self._pointwise:
            return windows.reshape(samples, self.height, self.width, self.channels)
        parts = windows.reshape(*self._grid(samples), self.kernel, self.kernel * self.channels)
        padded, p = self._blank(samples, windows.dtype), self.padding
        _add(padded.reshape(*padded.shape[:2], -1), parts, self.stride, self.stride * self.channels)
        return np.ascontiguousarray(padded[:, p : p + self.height, p : p + self.width])

    def _grid(self, samples: int) -> tuple[int, int, int]:
        return samples, self.rows, self.columns

    def _blank(self, samples: int, dtype: np.dtype[np.floating[Any]]) -> FloatArray:
        p = 2 * self.padding
        return np.zeros((samples, self.height + p, self.width + p, self.channels), dtype)


@njit(cache=True, nogil=True)
def _add(padded: FloatArray, windows: FloatArray, row_step: int, run_step: int) -> None:
    """Add windows `(B, rows, columns, k, k * C)` to padded maps `(B, H, W * C)`: k runs of memory each."""
    samples, rows, columns, kernel, run = windows.shape
    for sample in range(samples):
        for row in range(rows):
            for column in range(columns):
                for k in range(kernel):
                    for i in range(run):
                        padded[sample, row * row_step + k, column * run_step + i] += windows[
                            sample, row, column, k, i
                        ]


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
    def current(self, values: FloatArray, matrix: FloatArray, bias: FloatArray | None = None) -> FloatArray:
        """Input currents W x + b, `(B, N)` in internal order."""
        current = self._columns(values) @ matrix.T
        if bias is not None:
            current += bias
        return current.reshape(len(values), -1)

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
