"""Windows of a convolution as the rows of a matrix (im2col), and back."""

from typing import Any

import numpy as np
from numba import njit

from nmsim.network.spec import Shape
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
