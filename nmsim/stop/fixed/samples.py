"""A batch as kernels read it, and its gradient sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RawBatch:
    """A batch as kernels read it: `inputs (B, T or 1, size)` C order, `labels (B,)`, index of sample 0 in the run."""

    inputs: NDArray[Any]
    labels: NDArray[np.int64]
    first: int

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    def part(self, start: int, stop: int) -> "RawBatch":
        """Samples `start..stop-1`."""
        return RawBatch(self.inputs[start:stop], self.labels[start:stop], self.first + start)


@dataclass
class BatchSums:
    """Gradient sums of the samples of a batch so far, as in `Work` (`nmsim.stop.fixed.memory_plan`).

    `slots`: the memory with the factors of dW of the layers that are updated from them (`factored`), None if dW is complete;
    `factor_bounds (L,)`: bounds on the magnitudes of their dW.
    """

    weights: NDArray[Any]
    thresholds: NDArray[Any]
    groups: NDArray[Any]
    leak: NDArray[Any]
    biases: NDArray[Any]
    slots: NDArray[Any] | None = None
    factor_bounds: Sequence[int] = ()

    def empty_like(self) -> "BatchSums":
        """Sums of the same sizes, zero."""
        weights, thresholds = np.zeros_like(self.weights), np.zeros_like(self.thresholds)
        return BatchSums(
            weights,
            thresholds,
            np.zeros_like(self.groups),
            np.zeros_like(self.leak),
            np.zeros_like(self.biases),
        )

    def take(self, other: "BatchSums") -> None:
        """Add other sums and empty them."""
        for own, added in (
            (self.weights, other.weights), (self.thresholds, other.thresholds), (self.groups, other.groups),
            (self.leak, other.leak), (self.biases, other.biases),
        ):  # fmt: skip
            np.add(own, added, out=own)
            added[:] = 0
