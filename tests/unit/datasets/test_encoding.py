from itertools import product

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nmsim.config import Record as ConfigRecord
from nmsim.config import build, parse_text
from nmsim.datasets import EncodingSpec, Split, encode, encoded_input
from nmsim.datasets.events import PackedRecordings, Sensor
from nmsim.datasets.spec import (
    DirectEncoding,
    EventCountEncoding,
    EventTimeEncoding,
    LatencyEncoding,
    RateEncoding,
)
from nmsim.errors import ConfigError
from nmsim.fixedpoint.lfsr import draw_table

RATE, LATENCY = RateEncoding(kind="rate"), LatencyEncoding(kind="latency")


def images(*pixels: int, side: int = 1) -> Split:
    x = np.repeat(np.array(pixels, np.uint8), side * side).reshape(len(pixels), 1, side, side)
    return Split("train", x, np.arange(len(pixels)))


def recordings() -> Split:
    """Two recordings on a 4 x 6 sensor."""
    x = np.array([0, 5, 5, 1, 2, 2, 2], np.uint8)
    y = np.array([0, 3, 3, 1, 2, 2, 2], np.uint8)
    p = np.array([0, 1, 1, 1, 0, 0, 1], np.uint8)
    t_us = np.array([0, 4, 5, 9, 0, 1, 2], np.uint32)
    return Split(
        "train", PackedRecordings(Sensor(4, 6), np.array([0, 4, 7]), x, y, p, t_us), np.array([3, 1])
    )


def spikes(raw: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(int(i) for i in place) for place in np.argwhere(raw)]


def test_direct_is_the_pixels_once() -> None:
    batch = encode(images(0, 7, 255), [2, 1], DirectEncoding(), 6)
    assert batch.raw.shape == (2, 1, 1, 1, 1)
    assert batch.raw.dtype == np.int32
    assert batch.raw.ravel().tolist() == [255, 7]
    assert (batch.format, batch.static, batch.labels.tolist()) == ("u8.8", True, [2, 1])


def test_rate_follows_the_specified_draws() -> None:
    """Against plain integers, written from the arithmetic page."""
    seed, time_steps, split = 5, 4, images(1, 90, 200, side=3)
    table = draw_table()
    offset = (40503 * (seed + 1) + 7919 * 12) % 65535
    batch = encode(split, [0, 1, 2], RATE, time_steps, seed)
    for sample, t, e in product(range(3), range(time_steps), range(9)):
        draw = int(table[(offset + (sample * time_steps + t << 4) + e) % 65535])
        pixel = (1, 90, 200)[sample]
        assert batch.raw[sample, t, 0, e // 3, e % 3] == (draw <= 257 * pixel)
    assert (batch.format, batch.static) == ("u1.0", False)


def test_rate_over_a_whole_period_is_the_pixel() -> None:
    batch = encode(images(0, 1, 100, 254, 255), range(5), RATE, 65535)
    assert batch.raw.sum(axis=(1, 2, 3, 4)).tolist() == [0, 257, 25700, 65278, 65535]


def test_rate_draws_can_change_with_every_presentation() -> None:
    split = images(128, 128, side=8)
    again = encode(split, [0, 0], RATE, 4, draw_index=[0, 7]).raw
    np.testing.assert_array_equal(again[0], encode(split, [0], RATE, 4).raw[0])
    assert (again[0] != again[1]).any()


def test_latency_is_earlier_for_brighter_pixels() -> None:
    batch = encode(images(255, 213, 212, 128, 43, 42, 1, 0), range(8), LATENCY, 6)
    assert batch.format == "u1.0"
    # step (255 - pixel) * 6 >> 8 of each
    assert [place[:2] for place in spikes(batch.raw)] == [
        (0, 0),
        (1, 0),
        (2, 1),
        (3, 2),
        (4, 4),
        (5, 4),
        (6, 5),
    ]


def test_latency_threshold() -> None:
    batch = encode(images(9, 10), range(2), LatencyEncoding(kind="latency", threshold=10), 3)
    assert batch.raw.sum(axis=(1, 2, 3, 4)).tolist() == [0, 1]


def test_time_bins_of_a_whole_recording() -> None:
    batch = encode(recordings(), [0], EventTimeEncoding(kind="event_time_bins"), 5)
    # duration 10 us: bins of 2 us; (step, polarity, row, column)
    assert [place[1:] for place in spikes(batch.raw)] == [(0, 0, 0, 0), (2, 1, 3, 5), (4, 1, 1, 1)]
    assert (batch.format, batch.static, batch.raw.shape) == ("u1.0", False, (1, 5, 2, 4, 6))


def test_time_bins_of_a_duration_drop_what_is_later() -> None:
    batch = encode(recordings(), [1, 0], EventTimeEncoding(kind="event_time_bins", duration_us=6), 2)
    assert spikes(batch.raw) == [(0, 0, 0, 2, 2), (0, 0, 1, 2, 2), (1, 0, 0, 0, 0), (1, 1, 1, 3, 5)]
    assert batch.labels.tolist() == [1, 3]


def test_count_bins_hold_equally_many_events() -> None:
    encoding = EventCountEncoding(kind="event_count_bins", value="count", count_bits=3)
    batch = encode(recordings(), [0, 1], encoding, 2)
    assert batch.raw.sum(axis=(2, 3, 4)).tolist() == [[2, 2], [2, 1]]
    assert batch.raw[1, 0, 0, 2, 2] == 2
    assert (batch.format, batch.saturated) == ("u3.0", 0)


def test_counts_saturate_and_say_so() -> None:
    encoding = EventTimeEncoding(kind="event_time_bins", value="count", count_bits=1)
    batch = encode(recordings(), [0, 1], encoding, 1)
    assert batch.raw.max() == 1
    assert batch.saturated == 2


def test_merged_polarities_share_a_channel() -> None:
    encoding = EventTimeEncoding(kind="event_time_bins", value="count", polarities="merged")
    batch = encode(recordings(), [1], encoding, 1)
    assert batch.raw.shape == (1, 1, 1, 4, 6)
    assert batch.raw[0, 0, 0, 2, 2] == 3


@pytest.mark.parametrize(
    ("encoding", "shape", "text"),
    [
        (DirectEncoding(), (1, 28, 28), "u8.8"),
        (DirectEncoding(downsample="1/2"), (1, 14, 14), "u10.10"),
        (DirectEncoding(downsample="1/8", size=(5, 4)), (1, 5, 4), "u14.14"),
        (RateEncoding(kind="rate", downsample="1/4", pooling="sum"), (1, 7, 7), "u5.4"),
        (RateEncoding(kind="rate", downsample="3/4"), (1, 21, 21), "u1.0"),
        (LatencyEncoding(kind="latency", size=(32, 32)), (1, 32, 32), "u1.0"),
    ],
)
def test_shape_and_format_of_images(encoding: DirectEncoding, shape: tuple[int, int, int], text: str) -> None:
    about = encoded_input(encoding, (1, 28, 28))
    assert (about.shape, about.format) == (shape, text)
    batch = encode(images(255, 200, side=28), [0, 1], encoding, 3)
    assert batch.raw.shape[2:] == shape
    assert batch.raw.max() <= 2 ** int(text[1:].partition(".")[0]) - 1


@pytest.mark.parametrize(
    ("options", "shape", "text"),
    [
        ({}, (2, 128, 128), "u1.0"),
        ({"downsample": "3/8"}, (2, 48, 48), "u1.0"),
        ({"downsample": "1/2", "size": (48, 48)}, (2, 48, 48), "u1.0"),
        ({"downsample": "1/4", "pooling": "sum"}, (2, 32, 32), "u5.4"),
        ({"value": "count", "count_bits": 4, "downsample": "1/2", "pooling": "sum"}, (2, 64, 64), "u6.2"),
        ({"polarities": "merged"}, (1, 128, 128), "u1.0"),
    ],
)
def test_shape_and_format_of_events(
    options: dict[str, object], shape: tuple[int, int, int], text: str
) -> None:
    about = encoded_input(EventTimeEncoding(kind="event_time_bins", **options), (2, 128, 128))  # type: ignore[arg-type]
    assert (about.shape, about.format, about.static) == (shape, text, False)


def test_scale_that_leaves_nothing() -> None:
    with pytest.raises(ConfigError) as caught:
        encoded_input(EventTimeEncoding(kind="event_time_bins", downsample="1/8"), (2, 4, 6))
    assert (
        str(caught.value) == "encoding.downsample: scale 1/8 leaves no pixel of (2, 4, 6); use a larger one"
    )


@pytest.mark.parametrize(
    ("split", "encoding", "fault"),
    [
        (
            recordings(),
            RATE,
            "encoding.kind: 'rate' cannot encode event recordings; use event_time_bins or event_count_bins",
        ),
        (
            images(1),
            EventCountEncoding(kind="event_count_bins"),
            "encoding.kind: 'event_count_bins' cannot encode images; use direct, standardized, rate or latency",
        ),
    ],
)
def test_encoding_of_the_other_kind(split: Split, encoding: RateEncoding, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        encode(split, [0], encoding, 2)
    assert str(caught.value) == fault


class Section(ConfigRecord):
    encoding: EncodingSpec = DirectEncoding()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "encoding: {kind: rate, downsample: 3/4, pooling: sum}",
            (
                "a.yaml:1: encoding: downsample '3/4' has unequal windows, whose sums are no averages; use"
                " pooling: or, or a scale of 1/2, 1/4 or 1/8"
            ),
        ),
        (
            "encoding: {kind: event_count_bins, value: count, downsample: 1/2}",
            "a.yaml:1: encoding: pooling 'or' needs value 'binary', not 'count'; use pooling: sum",
        ),
        (
            "encoding: {kind: latency, size: [0, 4]}",
            "a.yaml:1: encoding: size [0, 4] has an axis below 1; give height and width in pixels",
        ),
        (
            "encoding: {kind: latency, treshold: 4}",
            "a.yaml:1: encoding.treshold: unknown key 'treshold'; did you mean 'threshold'?",
        ),
    ],
)
def test_wrong_section(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(Section, parse_text(text, "a.yaml"))
    assert str(caught.value) == fault


def test_section_by_kind() -> None:
    section = build(Section, parse_text("encoding: {kind: event_time_bins, duration_us: 300000}", "a.yaml"))
    assert section.encoding == EventTimeEncoding(kind="event_time_bins", duration_us=300000)
    assert build(Section, parse_text("encoding: {kind: direct}", "a.yaml")).encoding == DirectEncoding()
    with pytest.raises(ValidationError):
        TypeAdapter(EncodingSpec).validate_python({"kind": "poisson"})
