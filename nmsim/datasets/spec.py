"""The data-set and encoding sections of a workload."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from nmsim.config import Record
from nmsim.fixedpoint.format import QFormat

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
"""`own`: samples of the user's, from files (`OwnDataset`) or given in Python (`nmsim.train(workload, data=...)`).
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


Axes = Literal["NCHW", "NHWC", "NTCHW", "NTHWC"]
_IMAGES_AND_FRAMES = {"value_range", "axes"}
_OPTIONS = {
    "image": _IMAGES_AND_FRAMES | {"resize", "colour"},
    "frames": _IMAGES_AND_FRAMES,
    "events": {"sensor", "sort_window_us", "clock_bits", "time_unit", "columns", "on_bad_recording"},
}
"""Options that mean something for one kind of samples only."""


class OwnDataset(DatasetSpec):
    """Samples of the user's own; what their files do not say is said here (docs/own-data.md)."""

    name: Literal["own"] = "own"
    kind: Literal["image", "events", "frames"] | None = None
    """Pictures, event recordings, or one array of frames per sample; required with `path`."""
    classes: int | None = Field(default=None, ge=1, le=1_000_000)
    """Number of classes; counted from the class folders or the labels if absent, compared with them if given."""
    test_share: float = Field(default=0.2, ge=0, lt=1)
    """Share of every class that is held out where the source has no test part; 0 holds nothing out."""
    split_seed: int = Field(default=1, ge=0)
    """Seed of the drawn split."""
    value_range: tuple[float, float] | None = None
    """Darkest and brightest value of pixels that are not uint8; they become 0..255, rounded to nearest."""
    axes: Axes | None = None
    """Order of the axes of arrays; inferred from the shape where only one order is possible."""
    resize: tuple[int, int] | None = None
    """Width and height that pictures are brought to by averaging; without it all must be equally large."""
    colour: Literal["grey", "rgb"] | None = None
    """Channels of pictures: 1 or 3; rgb if any picture has colours, if absent."""
    sensor: tuple[int, int] | None = None
    """Width and height of the camera in pixels; `[channels, 1]` of an audio recording."""
    sort_window_us: int = Field(default=0, ge=0)
    """Events that come late by at most this are sorted in; later ones make a recording bad."""
    clock_bits: int | None = Field(default=None, ge=8, le=63)
    """Width of a clock that wraps, where the file format does not define it; wraps are unwrapped."""
    time_unit: Literal["s", "ms", "us", "ns"] | None = None
    """Unit of times in CSV, `.npy`, `.npz` and HDF5 files; us if absent, s for HDF5."""
    columns: dict[Literal["t", "x", "y", "p"], str] | None = None
    """Names of the columns of CSV files, or fields of arrays, that hold time, column, row and polarity."""
    on_bad_recording: Literal["fail", "skip"] = "fail"
    """Whether a broken file ends the run or is left out and counted."""

    @model_validator(mode="after")
    def _options_belong_to_the_kind(self) -> "OwnDataset":
        if self.kind is None:
            if self.path is not None:
                raise ValueError("kind is missing; write kind: image, kind: events or kind: frames")
            return self
        foreign = sorted(set.union(*_OPTIONS.values()) - _OPTIONS[self.kind])
        given = [name for name in foreign if getattr(self, name) != OwnDataset.model_fields[name].default]
        if given:
            raise ValueError(
                f"{given[0]} says nothing about samples of kind '{self.kind}'; leave it out, or change the kind"
            )
        if self.kind == "events" and self.sensor is None:
            raise ValueError(
                "sensor is missing; write the camera's width and height, such as sensor: [128, 128]"
            )
        sides = [*(self.sensor or ()), *(self.resize or ())]
        if sides and min(sides) < 1:
            raise ValueError(f"a side of {min(sides)} pixels is below 1; give width and height in pixels")
        if self.value_range is not None and self.value_range[0] >= self.value_range[1]:
            raise ValueError(
                f"value_range {list(self.value_range)} does not rise; give the darkest value and then the brightest"
            )
        return self


def _which(value: Any) -> str:
    name = value.get("name") if isinstance(value, dict) else getattr(value, "name", None)
    return "own" if name == "own" else "known"


AnyDataset = Annotated[
    Annotated[OwnDataset, Tag("own")] | Annotated[DatasetSpec, Tag("known")], Discriminator(_which)
]
"""A data set as a workload names it."""


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


class StandardizedEncoding(_Encoding):
    """Intensities as float training takes them, the same at every time step: `(pixel / 255 - mean) / std` per channel.

    Rounded to nearest, halves away from zero, and saturated in `format`. The input is signed: the traces of the first
    layer's weights need a signed format too.
    """

    kind: Literal["standardized"] = "standardized"
    pooling: Literal["sum"] = "sum"
    mean: tuple[float, ...] = Field(min_length=1)
    """Mean intensity, 0 to 1, of each channel."""
    std: tuple[float, ...] = Field(min_length=1)
    """Standard deviation of the intensities of each channel."""
    format: QFormat = QFormat.parse("s8.5")
    """The default holds -4 to 3.97 in steps of 1/32."""

    @model_validator(mode="after")
    def _one_of_each_per_channel(self) -> "StandardizedEncoding":
        if len(self.mean) != len(self.std):
            raise ValueError(f"{len(self.mean)} means but {len(self.std)} std; give one of each per channel")
        if min(self.std) <= 0:
            raise ValueError(f"std {list(self.std)} must hold positive numbers; give one per channel")
        if not self.format.signed or self.format.total_bits > 16:
            raise ValueError(
                f"format {self.format} cannot hold standardized values; use a signed one of at most 16 bits"
            )
        return self


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


class FramesEncoding(_Encoding):
    """Samples that are frames already, one per time step: raw = value."""

    kind: Literal["frames"] = "frames"
    count_bits: int = Field(default=1, ge=1, le=16)
    """Width of a value; 1 for binary frames. Larger values saturate and are reported."""

    @model_validator(mode="after")
    def _or_needs_bits(self) -> "FramesEncoding":
        if self.downsample is not None and self.pooling == "or" and self.count_bits > 1:
            raise ValueError("pooling 'or' needs binary frames, count_bits: 1; use pooling: sum")
        return self


class RecordedEncoding(Record):
    """Nothing to encode: the network's input is part of the recording."""

    kind: Literal["recorded"] = "recorded"


ImageEncoding = DirectEncoding | StandardizedEncoding | RateEncoding | LatencyEncoding
EventEncoding = EventTimeEncoding | EventCountEncoding
SampleEncoding = ImageEncoding | EventEncoding | FramesEncoding
EncodingSpec = Annotated[SampleEncoding | RecordedEncoding, Field(discriminator="kind")]
"""How samples become the raw integers that a network is fed with."""
