from pathlib import Path

import numpy as np
import pytest
from original_files import AEDAT31_HEAD, Refusal, aedat31_packet

from nmsim.datasets.files.aedat31 import index_packets, read_gestures, read_span

SPECIAL = bytes.fromhex(
    "0000 0100 08000000 04000000 00000000 01000000 01000000 01000000".replace(" ", "")
) + bytes(8)


def write(path: Path, *packets: bytes) -> Path:
    path.write_bytes(AEDAT31_HEAD + b"".join(packets))
    return path


def test_excerpt_equals_the_packed_recordings(shared_data: Path) -> None:
    folder = shared_data / "raw" / "dvs_gesture"
    index = index_packets(folder / "gestures.aedat")
    gestures = read_gestures(folder / "gestures_labels.csv", index, 11)
    assert [gesture.label for gesture in gestures] == list(range(1, 11))
    assert int(index.events.sum()) == 151_809
    with np.load(shared_data / "dvs_gesture_10x1000ms.npz") as packed:
        for row, gesture in enumerate(gestures):
            events = read_span(folder / "gestures.aedat", index, gesture.start_us, gesture.stop_us)
            start = int(packed["offsets"][row])
            part = slice(start, start + len(events))
            assert packed["ev_t"][start + len(events)] >= 200_000
            for column, name in ((events.x, "x"), (events.y, "y"), (events.p, "p"), (events.t_us, "t")):
                np.testing.assert_array_equal(column, packed[f"ev_{name}"][part])


def test_packets_of_other_kinds_and_unused_places_are_skipped(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a",
        aedat31_packet([(1, 2, 1, 10), (3, 4, 0, 11)], spare=2),
        SPECIAL,
        aedat31_packet([(5, 6, 1, 12)], valid=0),
        aedat31_packet([(127, 0, 1, 20)]),
    )
    events = read_span(path, index_packets(path), 10, 21)
    assert events.x.tolist() == [1, 3, 127]
    assert events.y.tolist() == [2, 4, 0]
    assert events.p.tolist() == [1, 0, 1]
    assert events.t_us.tolist() == [0, 1, 10]


def test_span_is_half_open(tmp_path: Path) -> None:
    path = write(tmp_path / "a", aedat31_packet([(0, 0, 0, t) for t in range(5)]))
    assert read_span(path, index_packets(path), 1, 4).t_us.tolist() == [0, 1, 2]


def test_overflow_extends_the_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a", aedat31_packet([(0, 0, 0, 5)]), aedat31_packet([(0, 0, 0, 1)], overflow=2))
    index = index_packets(path)
    assert index.last_us.tolist() == [5, (2 << 31) + 1]
    assert read_span(path, index, 0, 1 << 33).t_us.tolist() == [5, (2 << 31) + 1]


GOOD = aedat31_packet([(0, 0, 0, 1), (0, 0, 0, 2)])
START = len(AEDAT31_HEAD)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "byte 0: the file is empty; fetch it again"),
        (
            b"#!AER-DAT2.0\r\n",
            "byte 0: b'#!AER-DAT2.0' is not the header #!AER-DAT3 of AEDAT 3.1; give an original file",
        ),
        (b"#!AER-DAT3.1\r\n", "byte 14: no line #!END-HEADER in the file; fetch it again"),
        (AEDAT31_HEAD, "the file holds no polarity events; fetch it again"),
        (
            AEDAT31_HEAD + GOOD + GOOD[:20],
            f"byte {START + 44}: the 28-byte packet header is truncated; fetch the file again",
        ),
        (
            AEDAT31_HEAD + GOOD + GOOD[:-1],
            f"byte {START + 44}: packet of 16 bytes is truncated to 15; fetch the file again",
        ),
        (
            AEDAT31_HEAD + GOOD[:20] + (3).to_bytes(4, "little") + GOOD[24:],
            (
                f"byte {START}: packet header states 3 events of 8 bytes in a capacity of 2, which"
                " contradicts AEDAT 3.1; the file is corrupt, fetch it again"
            ),
        ),
        (
            AEDAT31_HEAD + GOOD[:16] + (-1).to_bytes(4, "little", signed=True) + GOOD[20:],
            (
                f"byte {START}: packet header states 2 events of 8 bytes in a capacity of -1, which"
                " contradicts AEDAT 3.1; the file is corrupt, fetch it again"
            ),
        ),
    ],
)
def test_broken_structure(tmp_path: Path, refusal: Refusal, content: bytes, fault: str) -> None:
    path = tmp_path / "a.aedat"
    path.write_bytes(content)
    assert refusal(lambda: index_packets(path)) == f"{path}: {fault}"


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        (
            [(0, 0, 0, 1), (128, 7, 0, 2)],
            (
                f"byte {START + 36}: event at x = 128, y = 7 lies off the 128 x 128 sensor; the file is"
                " corrupt or from another camera"
            ),
        ),
        (
            [(0, 0, 0, 3), (0, 0, 0, 2)],
            (
                f"byte {START + 36}: time 1 us follows 2 us, but times must not fall; sort the recording by"
                " time or fetch it again"
            ),
        ),
        (
            [(0, 0, 0, 99)],
            (
                "no valid events between 1 and 9 us, where the labels name a gesture; give the label file"
                " that belongs to the recording"
            ),
        ),
    ],
)
def test_broken_events(
    tmp_path: Path, refusal: Refusal, events: list[tuple[int, int, int, int]], fault: str
) -> None:
    path = write(tmp_path / "a.aedat", aedat31_packet(events))
    index = index_packets(path)
    assert refusal(lambda: read_span(path, index, 1, 9)) == f"{path}: {fault}"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (
            ["class,start,end"],
            ":1: the head line is not class,startTime_usec,endTime_usec; give an original label file",
        ),
        (["class,startTime_usec,endTime_usec"], ": the file names no gesture; give an original label file"),
        (["class,startTime_usec,endTime_usec", "1,0"], ":2: '1,0' is not three whole numbers; mend the line"),
        (
            ["class,startTime_usec,endTime_usec", "1,0,2", "", "12,0,2"],
            ":4: class 12 is outside 1..11; mend the line",
        ),
        (
            ["class,startTime_usec,endTime_usec", "1,2,2"],
            ":2: the gesture ends at 2 us, not after its start 2 us; mend the line",
        ),
        (
            ["class,startTime_usec,endTime_usec", "1,3,8"],
            (
                ":2: the gesture from 3 to 8 us lies outside its recording, which runs from 1 to 2 us; give"
                " the label file that belongs to it"
            ),
        ),
    ],
)
def test_wrong_labels(tmp_path: Path, refusal: Refusal, lines: list[str], fault: str) -> None:
    index = index_packets(write(tmp_path / "a.aedat", GOOD))
    path = tmp_path / "a_labels.csv"
    path.write_text("\n".join(lines))
    assert refusal(lambda: read_gestures(path, index, 11)) == f"{path}{fault}"
