"""Samples cut into chunks that fit a cache, and how their values lie in memory: channels last, C order outside."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import DataError
from nmsim.network.spec import NetworkSpec, Shape
from nmsim.stop.protocol import Batch, FloatArray, IntArray


def internal_shape(shape: Shape) -> Shape:
    """Shape of a value inside the engines: `(H, W, C)` of a map `(C, H, W)`, else one axis."""
    return (*shape[1:], shape[0]) if len(shape) == 3 else (prod(shape),)


def to_internal(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """`(B, *shape)` or `(B, n)` in C-order to `(B, *internal_shape(shape))`, contiguous."""
    if len(shape) != 3:
        return values.reshape(len(values), -1)
    return np.ascontiguousarray(np.moveaxis(values.reshape(-1, *shape), 1, -1))


def to_c_order(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """`(B, ...)` in internal order to `(B, n)` in C-order of `shape`."""
    if len(shape) == 3:
        values = np.moveaxis(values.reshape(-1, *internal_shape(shape)), -1, 1)
    return values.reshape(len(values), -1)


@dataclass(frozen=True)
class Chunk:
    """Consecutive samples of a batch; `raw` `(B, T or 1, *shape)`, `places` their rows in the batch.

    `columns` `(B,)` are the output neurons of the labels in internal order.
    """

    raw: IntArray
    lsb: float
    shape: Shape
    columns: IntArray
    places: slice
    static: bool
    """Whether the engines may take the input, the same at every step, as constant."""

    @property
    def samples(self) -> int:
        """Samples B."""
        return len(self.raw)

    def values(self, t: int, dtype: type[np.floating[Any]]) -> FloatArray:
        """Input of time step t, `(B, *internal shape)`."""
        raw = self.raw[:, min(t, self.raw.shape[1] - 1)]
        return to_internal(raw.astype(dtype) * dtype(self.lsb), self.shape)


def chunks(batch: Batch, network: NetworkSpec, size: int) -> Iterator[Chunk]:
    """The batch in parts of at most `size` samples.

    Raises:
        DataError: the inputs or the labels do not fit the network.
    """
    _check(batch, network)
    output = network.synaptic_layers[-1].out_shape
    c_order = np.arange(network.classes)[np.newaxis]
    internal = np.argsort(to_internal(c_order, output).ravel())
    for first in range(0, len(batch.labels), size):
        places = slice(first, min(first + size, len(batch.labels)))
        raw, columns = batch.inputs[places], internal[batch.labels[places]]
        yield Chunk(raw, batch.format.lsb, network.input_shape, columns, places, static=raw.shape[1] == 1)


def _check(batch: Batch, network: NetworkSpec) -> None:
    count, steps, *shape = batch.inputs.shape
    if tuple(shape) != tuple(network.input_shape) or steps not in {1, network.time_steps}:
        raise DataError(
            f"network '{network.name}': a batch has inputs {list(batch.inputs.shape)}, but the network takes"
            f" [samples, 1 or {network.time_steps}, {', '.join(map(str, network.input_shape))}];"
            " match input_shape and time_steps to the data set"
        )
    if len(batch.labels) != count:
        raise DataError(
            f"network '{network.name}': a batch has {count} inputs but {len(batch.labels)} labels;"
            " give each input one label"
        )
    if count and not 0 <= int(batch.labels.min()) <= int(batch.labels.max()) < network.classes:
        raise DataError(
            f"network '{network.name}': labels {batch.labels.min()}..{batch.labels.max()} are not all in"
            f" 0..{network.classes - 1}; give the output layer one neuron per class"
        )
