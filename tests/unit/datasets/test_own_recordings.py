"""Recordings of event cameras in every format that `dataset: {name: own}` reads; all synthetic, unless said otherwise."""

from pathlib import Path

import numpy as np
import pytest
from original_files import (
    AEDAT31_HEAD,
    Refusal,
    aedat2_bytes,
    aedat4_bytes,
    aedat31_packet,
    dvs128_address,
    nmnist_bytes,
)

from nmsim.datasets.event_clock import unwrapped
from nmsim.datasets.own.recordings import read_recording
from nmsim.datasets.spec import OwnDataset

pytest.importorskip("aedat", reason="AEDAT 4 needs the extra `data`")

SHOT = [(3, 5, 1, 0), (127, 0, 0, 40), (0, 127, 1, 90)]
"""Events of (x, y, p, t)."""
LATER = 5_000_000


def described(width: int = 128, height: int = 128, **options: object) -> OwnDataset:
    return OwnDataset(kind="events", path="somewhere", sensor=(width, height), **options)


def columns(path: Path, spec: OwnDataset | None = None) -> list[tuple[int, int, int, int]]:
    events = read_recording(path, spec or described())
    return list(zip(*(array.tolist() for array in (events.x, events.y, events.p, events.t_us)), strict=True))


def davis_address(x: int, y: int, p: int, height: int) -> int:
    return (height - 1 - y) << 22 | x << 12 | p << 11


def shot_at(start: int) -> list[tuple[int, int, int, int]]:
    return [(x, y, p, t + start) for x, y, p, t in SHOT]


def test_every_format_gives_the_same_events(tmp_path: Path) -> None:
    x, y, p, t = np.array(shot_at(LATER)).T
    np.savez(tmp_path / "spikingjelly.npz", t=t, x=x, y=y, p=p)
    named = np.zeros(3, [("t", np.int64), ("x", np.int16), ("y", np.int16), ("p", bool)])
    named["t"], named["x"], named["y"], named["p"] = t, x, y, p
    np.save(tmp_path / "tonic.npy", named)
    rows = "\n".join(f"{a},{b},{c},{d}" for a, b, c, d in zip(t, x, y, p, strict=True))
    (tmp_path / "table.csv").write_text(f"timestamp,x,y,polarity\n{rows}\n")
    addresses = [(dvs128_address(*event[:3]), event[3]) for event in shot_at(LATER)]
    (tmp_path / "two.aedat").write_bytes(aedat2_bytes(addresses))
    (tmp_path / "three.aedat").write_bytes(AEDAT31_HEAD + aedat31_packet(shot_at(LATER)))
    (tmp_path / "four.aedat4").write_bytes(aedat4_bytes(shot_at(LATER)))
    (tmp_path / "atis.bin").write_bytes(nmnist_bytes(shot_at(LATER)))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 7
    assert {name: columns(tmp_path / name) for name in names} == dict.fromkeys(names, SHOT)


def test_a_file_of_dv_processing_is_read_as_it_was_written() -> None:
    """`dv_processing_lz4.aedat4` was written by iniVation's dv-processing 2.0.4 (LZ4) from these drawn events."""
    random = np.random.default_rng(0)
    t = np.sort(random.integers(0, 5000, 300))
    x, y, p = random.integers(0, 128, 300), random.integers(0, 128, 300), random.integers(0, 2, 300)
    events = read_recording(Path(__file__).with_name("dv_processing_lz4.aedat4"), described())
    for column, expected in ((events.x, x), (events.y, y), (events.p, p), (events.t_us, t - t[0])):
        np.testing.assert_array_equal(column, expected)


def test_a_davis_of_346_x_260_pixels_in_aedat_2(tmp_path: Path) -> None:
    events = [(0, 0, 1, 10), (345, 259, 0, 12)]
    frame, gyro = 1 << 31, 1 << 10
    words = [(frame, 9), *((davis_address(x, y, p, 260), t) for x, y, p, t in events), (gyro, 13)]
    (tmp_path / "a.aedat").write_bytes(aedat2_bytes(words))
    assert columns(tmp_path / "a.aedat", described(346, 260)) == [(0, 0, 1, 0), (345, 259, 0, 2)]


@pytest.mark.parametrize("wrap", [0, 1, 2])
def test_a_clock_of_32_bits_that_wraps_goes_on(tmp_path: Path, wrap: int) -> None:
    times = [(1 << 32) - 5 + step for step in (0, 3, 6, 1_000_000)]
    words = [(dvs128_address(1, 1, 1), time % (1 << 32)) for time in times]
    (tmp_path / "a.aedat").write_bytes(aedat2_bytes(words))
    assert [event[3] for event in columns(tmp_path / "a.aedat")] == [0, 3, 6, 1_000_000]
    long = np.array([0, 3 << 30, (4 << 30) + 7, 7 << 30, (8 << 30) + 100]) + wrap
    np.testing.assert_array_equal(unwrapped(long % (1 << 32), 32), long)


def test_a_clock_that_a_format_does_not_define_is_stated(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "a.csv").write_text("t,x,y,p\n4294967290,1,1,1\n4,1,1,0\n")
    assert [event[3] for event in columns(tmp_path / "a.csv", described(clock_bits=32))] == [0, 10]
    assert refusal(lambda: columns(tmp_path / "a.csv")) == (
        f"{tmp_path}/a.csv: event 1: time -4294967286 us follows 0 us, but times must not fall; sort the recording by"
        " time or fetch it again"
    )


def test_the_overflow_of_a_packet_of_aedat_3_is_honoured(tmp_path: Path) -> None:
    early, late = [(1, 1, 1, (1 << 31) - 10)], [(2, 2, 0, 5)]
    content = AEDAT31_HEAD + aedat31_packet(early) + aedat31_packet(late, overflow=1)
    (tmp_path / "a.aedat").write_bytes(content)
    assert columns(tmp_path / "a.aedat") == [(1, 1, 1, 0), (2, 2, 0, 15)]


def test_events_that_aedat_3_marks_as_not_valid_are_left_out(tmp_path: Path) -> None:
    content = AEDAT31_HEAD + aedat31_packet([(9, 9, 1, 3)], valid=0) + aedat31_packet([(1, 1, 1, 5)])
    (tmp_path / "a.aedat").write_bytes(content)
    assert columns(tmp_path / "a.aedat") == [(1, 1, 1, 0)]


def test_marks_of_overflow_of_an_atis_add_8192_us(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(nmnist_bytes([(1, 1, 1, 90), (0, 240, 0, 0), (2, 2, 0, 100)]))
    assert columns(tmp_path / "a.bin", described(34, 34)) == [(1, 1, 1, 90), (2, 2, 0, 8292)]


def test_late_events_are_sorted_within_the_window_and_refused_beyond(
    tmp_path: Path, refusal: Refusal
) -> None:
    (tmp_path / "a.csv").write_text("t,x,y,p\n100,1,1,1\n130,2,2,0\n110,3,3,1\n140,4,4,1\n")
    sorted_in = columns(tmp_path / "a.csv", described(sort_window_us=20))
    assert sorted_in == [(1, 1, 1, 0), (3, 3, 1, 10), (2, 2, 0, 30), (4, 4, 1, 40)]
    assert refusal(lambda: columns(tmp_path / "a.csv", described(sort_window_us=19))) == (
        f"{tmp_path}/a.csv: event 2: time 10 us follows 30 us, more than the sort window of 19 us; sort the recording by"
        " time or fetch it again"
    )


def test_a_late_event_at_the_wrap_of_a_clock_is_put_before_it(tmp_path: Path) -> None:
    words = [(dvs128_address(1, 1, 1), time % (1 << 32)) for time in (-9, -4, 2, -1, 6)]
    (tmp_path / "a.aedat").write_bytes(aedat2_bytes(words))
    assert [event[3] for event in columns(tmp_path / "a.aedat", described(sort_window_us=50))] == [
        0,
        5,
        8,
        11,
        15,
    ]


def test_columns_are_named_and_units_stated(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("when,u,v,sign\n0.5,7,8,-1\n0.75,9,8,1\n")
    spec = described(time_unit="ms", columns={"t": "when", "x": "u", "y": "v", "p": "sign"})
    assert columns(tmp_path / "a.csv", spec) == [(7, 8, 0, 0), (9, 8, 1, 250)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.aedat4", b"hello", "byte 0: not the header #!AER-DAT4 of AEDAT 4; give an original file"),
        (
            "a.aedat4",
            aedat4_bytes(SHOT)[:-9],
            "a packet cannot be decoded (failed to fill whole buffer); fetch the file again",
        ),
        (
            "a.aedat4",
            aedat4_bytes(SHOT, 346, 260),
            "recorded by a camera of 346 x 260 pixels instead of 128 x 128; state that as the sensor",
        ),
        (
            "a.aedat",
            b"#!AER-DAT1.0\r\n",
            "byte 0: b'#!AER-DAT1' is no header of AEDAT 2, 3 or 4; give an original file",
        ),
        ("a.csv", b"a,b\n1,2\n", "no column 't' among a, b; state its name as dataset.columns: {t: NAME}"),
        ("a.csv", b"t,x,y\n1,2\n", "2: not 3 cells, as the head line has; mend the line"),
        ("a.csv", b"t,x,y\n1,2.5,1\n", "event 0: x = 2.5 is no whole number; state pixels, not lengths"),
        ("a.csv", b"t,x,y\n1,200,1\n", "event 0: event at x = 200, y = 1 lies off the 128 x 128 sensor"),
        ("a.csv", b"", "1: the file is empty; give one with a head line such as t,x,y,p"),
    ],
)
def test_every_broken_file_is_one_sentence(
    tmp_path: Path, refusal: Refusal, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    sentence = refusal(lambda: columns(tmp_path / name))
    assert sentence.startswith(f"{tmp_path}/{name}")
    assert said in sentence
    assert "\n" not in sentence
