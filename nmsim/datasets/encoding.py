"""Samples to raw integers with a stated format: what a network's input is, and a batch of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.dataset import Labels, Split
from nmsim.datasets.event_encoding import event_frames
from nmsim.datasets.events import Recordings
from nmsim.datasets.image_encoding import latency_spikes, rate_spikes, standardized
from nmsim.datasets.spatial import downsampled, fitted, scaled_side
from nmsim.datasets.spec import (
    DirectEncoding,
    EventEncoding,
    FramesEncoding,
    ImageEncoding,
    RateEncoding,
    SampleEncoding,
    StandardizedEncoding,
)
from nmsim.errors import ConfigError
from nmsim.fixedpoint.format import QFormat

Shape = tuple[int, int, int]
Indices = Sequence[int] | NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class EncodedInput:
    """What an encoding feeds a network with, known before any sample is read."""

    shape: Shape
    """(C, H, W) at every time step."""
    format: str
    """Fixed-point format of the raw integers, e.g. `u1.0`."""
    static: bool
    """Whether all time steps are the same."""


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """Raw integers int32 (B, T, C, H, W), or (B, 1, C, H, W) if static; their value is `raw * 2**-F`."""

    raw: NDArray[np.int32]
    format: str
    static: bool
    labels: Labels
    saturated: int = 0
    """Event counts that did not fit their width and hold its largest value."""


def encoded_format(encoding: SampleEncoding) -> tuple[QFormat, bool]:
    """Format of the raw integers of an encoding, and whether all time steps are the same."""
    bits, fraction_bits, signed = 1, 0, False
    if isinstance(encoding, StandardizedEncoding):
        bits, fraction_bits, signed = encoding.format.total_bits, encoding.format.fraction_bits, True
    elif isinstance(encoding, DirectEncoding):
        bits, fraction_bits = 8, 8
    elif isinstance(encoding, EventEncoding):
        bits = encoding.count_bits if encoding.value == "count" else 1
    elif isinstance(encoding, FramesEncoding):
        bits = encoding.count_bits
    if encoding.downsample is not None and encoding.pooling == "sum":
        growth = 2 * (Fraction(encoding.downsample).denominator.bit_length() - 1)
        bits, fraction_bits = bits + growth, fraction_bits + growth
    return QFormat(signed, bits, fraction_bits), isinstance(encoding, DirectEncoding | StandardizedEncoding)


def encoded_input(encoding: SampleEncoding, input_shape: Shape) -> EncodedInput:
    """Shape and format after an encoding of samples (C, H, W).

    Raises:
        ConfigError: the down-sampling leaves no pixel, or means are given for another number of channels.
    """
    channels, height, width = input_shape
    if isinstance(encoding, StandardizedEncoding) and len(encoding.mean) != channels:
        raise ConfigError(
            f"encoding.mean: {len(encoding.mean)} numbers, but the samples have {channels} channels; give one mean and one"
            " std per channel"
        )
    if isinstance(encoding, EventEncoding):
        channels = 1 if encoding.polarities == "merged" else 2
    if encoding.downsample is not None:
        scale = Fraction(encoding.downsample)
        height, width = scaled_side(height, scale), scaled_side(width, scale)
        if min(height, width) < 1:
            raise ConfigError(
                f"encoding.downsample: scale {encoding.downsample} leaves no pixel of {input_shape}; use a"
                " larger one"
            )
    if encoding.size is not None:
        height, width = encoding.size
    fmt, static = encoded_format(encoding)
    return EncodedInput((channels, height, width), str(fmt), static)


def encode(
    split: Split,
    indices: Indices,
    encoding: SampleEncoding,
    time_steps: int,
    seed: int = 0,
    *,
    draw_index: Indices | None = None,
) -> EncodedBatch:
    """A batch of encoded samples; a sample's integers do not depend on the batch it is in.

    Args:
        split: training or test part.
        indices: samples (B,), counted in the split.
        encoding: how.
        time_steps: T.
        seed: of the random draws (rate encoding only).
        draw_index: number (B,) that selects a sample's draws, e.g. how many samples training has seen before
            it; the sample's index in the split if left out, which repeats its spikes in every epoch.

    Raises:
        ConfigError: an encoding of another kind of samples, or another number of frames than time steps.
        DataError: the file of a recording is broken.
    """
    chosen = np.asarray(indices, dtype=np.int64)
    draws = chosen if draw_index is None else np.asarray(draw_index, dtype=np.int64)
    saturated = 0
    check_encoding(split, encoding, time_steps)
    if isinstance(split.x, Recordings):
        assert isinstance(encoding, EventEncoding)
        raw, saturated = _event_batch(split.x, chosen, encoding, time_steps)
        input_shape = split.x.shape
    else:
        channels, height, width = split.x.shape[-3:]
        input_shape = channels, height, width
        if isinstance(encoding, FramesEncoding):
            raw, saturated = _frame_batch(split.x[chosen], encoding)
        else:
            assert not isinstance(encoding, EventEncoding)
            raw = _image_batch(split.x[chosen], encoding, time_steps, seed, draws)
    if encoding.downsample is not None:
        raw = downsampled(raw, Fraction(encoding.downsample), encoding.pooling)
    if encoding.size is not None:
        raw = fitted(raw, encoding.size)
    about = encoded_input(encoding, input_shape)
    return EncodedBatch(raw, about.format, about.static, split.y[chosen], saturated)


def check_encoding(split: Split, encoding: SampleEncoding, time_steps: int) -> None:
    """`ConfigError` if an encoding is for another kind of samples, or frames are not as many as time steps."""
    fits: Any
    if isinstance(split.x, Recordings):
        held, needed, fits = "event recordings", "event_time_bins or event_count_bins", EventEncoding
    elif split.x.ndim == 5:
        held, needed, fits = "frames", "frames", FramesEncoding
    else:
        held, needed, fits = "images", "direct, standardized, rate or latency", ImageEncoding
    if not isinstance(encoding, fits):
        raise ConfigError(f"encoding.kind: '{encoding.kind}' cannot encode {held}; use {needed}")
    if isinstance(encoding, FramesEncoding):
        frames = int(split.x.shape[1])
        if frames != time_steps:
            raise ConfigError(
                f"network.time_steps: {time_steps}, but the samples have {frames} frames each; set it to {frames}"
            )


def _frame_batch(x: NDArray[np.uint8], encoding: FramesEncoding) -> tuple[NDArray[np.int32], int]:
    largest = (1 << encoding.count_bits) - 1
    return np.minimum(x, largest).astype(np.int32), int((x > largest).sum())


def _image_batch(
    x: NDArray[np.uint8], encoding: ImageEncoding, time_steps: int, seed: int, draw_index: NDArray[np.int64]
) -> NDArray[np.int32]:
    if isinstance(encoding, DirectEncoding):
        return x[:, None].astype(np.int32)
    if isinstance(encoding, StandardizedEncoding):
        return standardized(x, encoding)[:, None]
    if isinstance(encoding, RateEncoding):
        return rate_spikes(x, draw_index, time_steps, seed)
    return latency_spikes(x, time_steps, encoding.threshold)


def _event_batch(
    recordings: Recordings, indices: NDArray[np.int64], encoding: EventEncoding, time_steps: int
) -> tuple[NDArray[np.int32], int]:
    sensor = recordings.sensor
    channels = 1 if encoding.polarities == "merged" else 2
    raw = np.zeros((len(indices), time_steps, channels, sensor.height, sensor.width), np.int32)
    saturated = 0
    for row, index in enumerate(indices):
        raw[row], count = event_frames(recordings.events(int(index)), sensor, encoding, time_steps)
        saturated += count
    return raw, saturated
