"""A batch as kernels read it, and its gradient sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class RawBatch:
    """A batch as kernels read it: `inputs (B, T or 1, size)` C order, `labels (B,)`, index of sample 0 in the run."""

    inputs: NDArray[Any]
    labels: NDArray[np.int64]
    first: int

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, start: int, stop: int) -> "RawBatch":
        """Samples `start..stop-1`."""
        return RawBatch(self.inputs[start:stop], self.labels[start:stop], self.first + start)


@dataclass(slots=True)
class BatchSums:
    """Gradient sums of the samples of a batch so far, as in `Work` (`nmsim.stop.fixed.memory_plan`).

    `weights (shares, P)`: dW is the sum over the shares, of which every worker has one. `slots`: the memory with the
    factors of dW of the layers that are updated from them (`factored`), None if dW is complete; `factor_bounds (L,)`:
    bounds on the magnitudes of their dW.
    """

    weights: NDArray[Any]
    thresholds: NDArray[Any]
    groups: NDArray[Any]
    leak: NDArray[Any]
    biases: NDArray[Any]
    slots: NDArray[Any] | None = None
    factor_bounds: Sequence[int] = ()

    def weight_gradient(self, at: slice) -> NDArray[Any]:
        """Exact dW of the synapses `at`, int64 or Python integers."""
        numbers: Any = object if self.weights.dtype == object else np.int64
        return np.asarray(self.weights[:, at].sum(axis=0, dtype=numbers))

    def empty_like(self) -> "BatchSums":
        """Sums of the same sizes in one share, zero."""
        return BatchSums(
            np.zeros_like(self.weights[:1]), np.zeros_like(self.thresholds), np.zeros_like(self.groups),
            np.zeros_like(self.leak), np.zeros_like(self.biases),
        )  # fmt: skip

    def take(self, other: "BatchSums") -> None:
        """Add the sums of a worker to the first share, and empty them."""
        _move(self.weights[0], other.weights[0])
        self.take_neurons(other)

    def take_neurons(self, other: "BatchSums") -> None:
        """`take` of all but the weights."""
        _move(self.thresholds, other.thresholds)
        _move(self.groups, other.groups)
        _move(self.leak, other.leak)
        _move(self.biases, other.biases)


def _move(own: NDArray[Any], added: NDArray[Any]) -> None:
    """Add and empty."""
    own += added
    added[:] = 0
