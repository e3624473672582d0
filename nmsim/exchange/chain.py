"""What every file format is read into: the parts of a feed-forward network, in the order in which spikes pass them."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import DataError

FloatArray = NDArray[np.float64]
Reset = Literal["subtract", "zero"]


def finite(values: FloatArray, where: str) -> FloatArray:
    """The same values.

    Raises:
        DataError: one of them is no finite number, as a training that diverged or a damaged file leaves it.
    """
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        value, place = values[tuple(wrong[0])], ", ".join(map(str, wrong[0]))
        raise DataError(
            f"{where}: the value at [{place}] is {value}, {len(wrong):,} of {values.size:,} are no finite numbers; export"
            " the network from a training that did not diverge"
        )
    return values


@dataclass(frozen=True)
class LayerWeights:
    """Weights `(n_out, n_in)` or `(C_out, C_in, k, k)` in real numbers, and a bias `(n_out,)` or `(C_out,)` if there is one.

    `where` names the part in its file, for messages.
    """

    where: str
    weight: FloatArray
    bias: FloatArray | None = None
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        outputs = self.weight.shape[:1]
        if self.weight.ndim not in {2, 4} or not self.weight.size:
            raise DataError(
                f"{self.where}: a weight of shape {list(self.weight.shape)} is neither (outputs, inputs) of a dense layer"
                " nor (channels, channels below, kernel, kernel) of a 2-D convolution; nmsim runs these two"
            )
        finite(self.weight, self.where)
        if self.bias is not None:
            if self.bias.shape != outputs:
                raise DataError(
                    f"{self.where}: a bias of shape {list(self.bias.shape)} for {outputs[0]} outputs; give one each"
                )
            finite(self.bias, f"{self.where}, bias")

    @property
    def outputs(self) -> int:
        """Neurons of a dense layer, channels of a convolution."""
        return int(self.weight.shape[0])

    @property
    def largest_bias(self) -> float:
        """Largest magnitude of a bias, 0 without one."""
        return 0.0 if self.bias is None else float(np.abs(self.bias).max())

    def scaled(self, factor: FloatArray) -> "LayerWeights":
        """The same synapses with the current of every output multiplied, `factor` `(n_out,)` or one number."""
        column = np.broadcast_to(factor, (self.weight.shape[0],))
        weight = self.weight * column.reshape(-1, *[1] * (self.weight.ndim - 1))
        bias = None if self.bias is None else self.bias * column
        return LayerWeights(self.where, weight, bias, self.stride, self.padding)

    def with_bias(self, added: FloatArray) -> "LayerWeights":
        """The same synapses with a current added at every time step, `(n_out,)`."""
        bias = added if self.bias is None else self.bias + added
        return LayerWeights(self.where, self.weight, bias, self.stride, self.padding)


@dataclass(frozen=True)
class Neurons:
    """Spiking neurons: `leak` alpha of one time step, `threshold` in the shape in which the file gives it."""

    where: str
    leak: float
    threshold: FloatArray
    reset: Reset

    def __post_init__(self) -> None:
        finite(np.asarray(self.threshold), f"{self.where}, threshold")
        finite(np.asarray(self.leak), f"{self.where}, leak")


@dataclass(frozen=True)
class Pool:
    """A pool over `size` x `size` windows that do not overlap."""

    where: str
    kind: Literal["sum_pool", "avg_pool", "max_pool"]
    size: int


Part = LayerWeights | Neurons | Pool


@dataclass(frozen=True)
class Chain:
    """A network as a file gives it; `input_shape` `(n,)` or `(C, H, W)`, None where the file does not say.

    `notes` are sentences that a user has to know: what the file leaves open and how it was read.
    """

    source: str
    parts: tuple[Part, ...]
    input_shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()


def same_in_both(value: Any, where: str, what: str) -> int:
    """The one number of a pair (rows, columns); `DataError` where they differ."""
    pair = np.atleast_1d(np.asarray(value)).astype(int)
    if len(set(pair.tolist())) != 1:
        raise DataError(
            f"{where}: {what} {pair.tolist()} differs between rows and columns; nmsim has one number for both,"
            " so use a square one"
        )
    return int(pair[0])


def one_value(values: Any, where: str, what: str) -> float:
    """The value that all elements have; `DataError` where they differ."""
    array = np.asarray(values, np.float64)
    if array.size == 0:
        raise DataError(f"{where}: {what} holds no value; give one")
    if not np.allclose(array, array.flat[0], rtol=1e-6, atol=0):
        raise DataError(
            f"{where}: {what} differs between neurons ({array.min():g} to {array.max():g}); nmsim has one per layer,"
            " so train the network with one"
        )
    return float(array.flat[0])
