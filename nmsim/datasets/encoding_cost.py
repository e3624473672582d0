"""What an encoding costs in hardware: operations and memory per sample, to be priced like any other count.

The circuits assumed are described in docs/datasets.md; nothing here knows energies.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import prod

from nmsim.datasets.encoding import Shape, encoded_input
from nmsim.datasets.spec import (
    DirectEncoding,
    EventCountEncoding,
    EventEncoding,
    FramesEncoding,
    LatencyEncoding,
    RateEncoding,
    SampleEncoding,
    StandardizedEncoding,
)


@dataclass(frozen=True, slots=True)
class EncodingCost:
    """Work of the encoder for one sample of T time steps, and the memory it needs."""

    random_draws: int
    """16-bit LFSR draws (one leap-ahead step each)."""
    comparisons: int
    additions: int
    multiplications: int
    memory_bits: int
    """Buffers of the encoder, without the sample's source."""
    note: str
    """The circuit, and what it does to the first layer."""


def encoding_cost(
    encoding: SampleEncoding, input_shape: Shape, time_steps: int, events: int = 0
) -> EncodingCost:
    """Cost of encoding one sample (C, H, W), for recordings of `events` events."""
    pooled = _pooling_additions(encoding, input_shape, time_steps, events)
    pixels = prod(input_shape)
    if isinstance(encoding, EventEncoding):
        return _event_cost(encoding, input_shape, events, pooled)
    if isinstance(encoding, DirectEncoding):
        note = (
            "the sample is held and shown unchanged; the first layer multiplies 8-bit intensities instead of"
            " adding weights, but its static input makes one pass per sample enough"
        )
        return EncodingCost(0, 0, pooled, 0, 8 * pixels, note)
    if isinstance(encoding, StandardizedEncoding):
        bits = encoding.format.total_bits
        note = (
            "one multiplication by 1 / std and one addition per pixel, once a sample; the first layer multiplies signed"
            f" {bits}-bit values, and its static input makes one pass per sample enough"
        )
        return EncodingCost(0, 0, pooled + pixels, pixels, bits * pixels, note)
    if isinstance(encoding, FramesEncoding):
        note = "two banks of frames, one filled by the source while the other is read"
        return EncodingCost(0, 0, pooled, 0, 2 * encoding.count_bits * pixels, note)
    if isinstance(encoding, RateEncoding):
        note = "one draw and one 16-bit comparison per pixel and step, with the pixel repeated in both bytes"
        return EncodingCost(pixels * time_steps, pixels * time_steps, pooled, 0, 8 * pixels + 16, note)
    assert isinstance(encoding, LatencyEncoding)
    note = "each pixel's step is formed once by a multiplication with T and kept; every step compares all"
    step_bits = time_steps.bit_length()
    return EncodingCost(0, pixels * (time_steps + 1), pooled, pixels, step_bits * pixels, note)


def _event_cost(encoding: EventEncoding, input_shape: Shape, events: int, pooled: int) -> EncodingCost:
    _, height, width = input_shape
    channels = 1 if encoding.polarities == "merged" else 2
    if encoding.downsample is not None and encoding.pooling == "or":
        _, height, width = encoded_input(encoding.model_copy(update={"size": None}), input_shape).shape
    value_bits = encoding.count_bits if encoding.value == "count" else 1
    memory_bits = 2 * channels * height * width * value_bits
    additions = pooled + (events if encoding.value == "count" else 0)
    note = "two banks of frames, one filled while the other is read; one comparison per event ends a step"
    if isinstance(encoding, EventCountEncoding):
        memory_bits += events * (prod(input_shape) - 1).bit_length()
        additions += events
        note += "; the number of events must be known first, so the recording's addresses are buffered"
    return EncodingCost(0, events, additions, 0, memory_bits, note)


def _pooling_additions(encoding: SampleEncoding, input_shape: Shape, time_steps: int, events: int) -> int:
    """Sums: one addition per pixel of a distinct frame. `or`: shifted addresses; 3/n adds per coordinate."""
    if encoding.downsample is None:
        return 0
    if encoding.pooling == "sum":
        frames = 1 if isinstance(encoding, DirectEncoding | StandardizedEncoding) else time_steps
        channels = input_shape[0]
        if isinstance(encoding, EventEncoding):
            channels = 1 if encoding.polarities == "merged" else 2
        return frames * channels * input_shape[1] * input_shape[2]
    return 2 * events if Fraction(encoding.downsample).numerator == 3 else 0
