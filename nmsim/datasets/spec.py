"""The data-set and encoding sections of a workload."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nmsim.config import Record

DatasetName = Literal[
    "mnist-subset",
    "mnist",
    "fashion-mnist",
    "cifar10",
    "cifar100",
    "nmnist",
    "dvs-gesture",
    "dvs-cifar10",
    "own",
    "recorded",
]
"""`own`: arrays given in Python, `nmsim.train(workload, data=nmsim.from_arrays(...))`.
`recorded`: no samples, but spikes that another tool recorded; only `nmsim import-activity` makes such workloads."""
Downsampling = Literal["1/2", "1/4", "1/8", "3/4", "3/8"]


Subset = Literal["stratified", "first"]


class DatasetSpec(Record):
    """Which samples a workload uses."""

    name: DatasetName
    path: str | None = None
    """Folder of the original files, one of their archives, or an `.npz` file; downloaded if absent."""
    train_samples: int | None = Field(default=None, ge=1)
    """Keep so many samples of the training part; all if absent."""
    test_samples: int | None = Field(default=None, ge=1)
    """Keep so many samples of the test part; all if absent."""
    subset: Subset = "stratified"
    """Which samples are kept: of every class its share, or simply the first of the file."""


class Augmentation(Record):
    """Random changes of training samples, new each time a sample is seen; held-out samples are never changed."""

    shift_pixels: int = Field(default=0, ge=0, le=4096)
    """Largest shift, in either direction of both axes; zeros move in."""
    flip: bool = False
    """Mirror left and right with probability 1/2."""


class _Encoding(Record):
    """What every encoding can do in space, in this order, after the values of all pixels are formed."""

    downsample: Downsampling | None = None
    """Scale of both axes: pixel i goes to i * numerator // denominator; incomplete windows are dropped."""
    pooling: Literal["or", "sum"] = "or"
    """Value of a window: 1 if any pixel spiked, or the exact sum read as the average (powers of two only)."""
    size: tuple[int, int] | None = None
    """Height and width after a centred crop, or centred zero padding, of each axis."""

    @model_validator(mode="after")
    def _spatial(self) -> "_Encoding":
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"size {list(self.size)} has an axis below 1; give height and width in pixels")
        if self.pooling == "sum" and self.downsample is not None and self.downsample.startswith("3"):
            raise ValueError(
                f"downsample '{self.downsample}' has unequal windows, whose sums are no averages; use"
                " pooling: or, or a scale of 1/2, 1/4 or 1/8"
            )
        return self


class DirectEncoding(_Encoding):
    """The intensities themselves at every time step: raw = pixel, format u8.8."""

    kind: Literal["direct"] = "direct"
    pooling: Literal["sum"] = "sum"


class RateEncoding(_Encoding):
    """Bernoulli spikes: a pixel spikes at a time step if its 16-bit LFSR draw is at most 257 * pixel."""

    kind: Literal["rate"] = "rate"


class LatencyEncoding(_Encoding):
    """One spike a pixel, the earlier the brighter: at step (255 - pixel) * T // 256."""

    kind: Literal["latency"] = "latency"
    threshold: int = Field(default=1, ge=1, le=255)
    """Darker pixels never spike."""


class _EventEncoding(_Encoding):
    """What encodings of recordings share: what a pixel holds at a time step."""

    value: Literal["binary", "count"] = "binary"
    """Whether an event fell into the step, or how many."""
    count_bits: int = Field(default=4, ge=1, le=16)
    """Width of a count; larger counts saturate and are reported."""
    polarities: Literal["separate", "merged"] = "separate"
    """OFF and ON as channels 0 and 1, or both in one channel."""

    @model_validator(mode="after")
    def _or_needs_bits(self) -> "_EventEncoding":
        if self.downsample is not None and self.pooling == "or" and self.value == "count":
            raise ValueError("pooling 'or' needs value 'binary', not 'count'; use pooling: sum")
        return self


class EventTimeEncoding(_EventEncoding):
    """T time steps of equal duration: an event at time t falls into step t * T // duration."""

    kind: Literal["event_time_bins"] = "event_time_bins"
    duration_us: int | None = Field(default=None, ge=1)
    """Later events are dropped; the recording's own duration (its last time + 1 us) if absent."""


class EventCountEncoding(_EventEncoding):
    """T time steps of equally many events: event i of E falls into step i * T // E."""

    kind: Literal["event_count_bins"] = "event_count_bins"


class RecordedEncoding(Record):
    """Nothing to encode: the network's input is part of the recording."""

    kind: Literal["recorded"] = "recorded"


ImageEncoding = DirectEncoding | RateEncoding | LatencyEncoding
EventEncoding = EventTimeEncoding | EventCountEncoding
SampleEncoding = ImageEncoding | EventEncoding
EncodingSpec = Annotated[SampleEncoding | RecordedEncoding, Field(discriminator="kind")]
"""How samples become the raw integers that a network is fed with."""
