"""The kinds of layer a network file may list, in the field's usual vocabulary."""

from typing import Annotated, Literal

from pydantic import Field

from nmsim.config import Record

ThresholdSharing = Literal["neuron", "channel", "layer"]


MOST = 2**31
"""Neurons or channels of a layer; far above what fits a machine."""


class Dense(Record):
    """Fully connected layer of spiking neurons; weights `(n_out, n_in)`; flattens its input in C order.

    Every neuron has a threshold of its own unless `threshold_sharing` says otherwise, and one leak factor is learned per
    layer.

    >>> Dense(units=10).kind
    'dense'
    """

    kind: Literal["dense"] = "dense"
    units: int = Field(ge=1, le=MOST)
    """Number of neurons."""
    threshold_sharing: ThresholdSharing = "neuron"
    """Which neurons share one threshold (`channel` means the same as `neuron` here)."""
    weight_scale: float | None = Field(default=None, gt=0)
    """Factor on this layer's initial weights; the neuron's `weight_scale` if absent."""
    bias: bool = False
    """Whether every neuron has a bias: the weight of one more input that is 1 at every time step."""
    recurrent: Literal[False] = False
    """Reserved: only feed-forward networks are supported."""


class Conv(Record):
    """Convolution of spiking neurons; weights `(C_out, C_in, k, k)`; zero padding, no dilation.

    A map of H x W becomes one of `(H + 2 padding - kernel) // stride + 1` rows, and columns likewise. Neurons of an output
    channel share their threshold unless `threshold_sharing` says otherwise.

    >>> conv = Conv(channels=8, kernel=3, padding=1)
    >>> conv.stride
    1
    """

    kind: Literal["conv"] = "conv"
    channels: int = Field(ge=1, le=MOST)
    """Number of output channels."""
    kernel: int = Field(ge=1, le=4096)
    """Side of the square kernel."""
    stride: int = Field(default=1, ge=1, le=4096)
    """Step between positions, the same in both directions."""
    padding: int = Field(default=0, ge=0, le=4096)
    """Zeros added at each border."""
    bias: bool = False
    """Whether every channel has a bias: the weight of one more input that is 1 at every time step."""
    threshold_sharing: ThresholdSharing = "channel"
    """Which neurons share one threshold."""
    weight_scale: float | None = Field(default=None, gt=0)
    """Factor on this layer's initial weights; the neuron's `weight_scale` if absent."""


class AvgPool(Record):
    """Average over non-overlapping p x p windows; rows and columns that do not fill a window are dropped.

    It does not spike: the layer behind it sums averages of spikes, which are values of `2 log2(size)` fraction bits.

    >>> AvgPool(size=2).size
    2
    """

    kind: Literal["avg_pool"] = "avg_pool"
    size: int = Field(ge=2)
    """Window side. Networks that learn need a power of two, with which the average is exact."""


class SumPool(Record):
    """Sum over non-overlapping p x p windows, no division; its error goes to every input of the window unscaled."""

    kind: Literal["sum_pool"]
    size: int = Field(ge=2)
    """Window side, any number."""


class MaxPool(Record):
    """Maximum over non-overlapping p x p windows; the error goes to the first maximal input in row-major order.

    Of spikes the maximum is a logical or, so what leaves it is one bit wide.

    >>> MaxPool(size=2).kind
    'max_pool'
    """

    kind: Literal["max_pool"] = "max_pool"
    size: int = Field(ge=2)
    """Window side."""


class GlobalAvgPool(Record):
    """Average over all positions of a map: `(C, H, W)` becomes `(C, 1, 1)`, as before the last layer of deep networks.

    Networks that learn need H*W to be a power of two, with which the average is exact.
    """

    kind: Literal["global_avg_pool"] = "global_avg_pool"


class Flatten(Record):
    """Maps to a vector in C order; allowed for clarity, implied before a dense layer."""

    kind: Literal["flatten"] = "flatten"


class Residual(Record):
    """Sum of the spikes of a body and of a shortcut (empty shortcut: identity); its error goes to both.

    Both branches must end in the same shape. The sum is a value of up to as many spikes as branches meet; it is the input
    of the next layer, and no neuron of its own.

    >>> block = Residual(body=(Conv(channels=4, kernel=3, padding=1),))
    >>> block.shortcut
    ()
    """

    kind: Literal["residual"] = "residual"
    body: tuple["Layer", ...] = Field(min_length=1)
    """Layers of the main branch."""
    shortcut: tuple["Layer", ...] = ()
    """Layers of the short branch, e.g. one 1x1 convolution where the shape changes."""


WindowPool = AvgPool | SumPool | MaxPool
"""Pools over square windows of a stated size."""
Layer = Annotated[
    Dense | Conv | AvgPool | SumPool | MaxPool | GlobalAvgPool | Flatten | Residual,
    Field(discriminator="kind"),
]
Residual.model_rebuild()
