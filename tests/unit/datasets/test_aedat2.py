from pathlib import Path

import numpy as np
import pytest
from original_files import Refusal, aedat2_bytes, dvs128_address

from nmsim.datasets.files.aedat2 import read_aedat2


def test_excerpt_equals_the_gesture_recording(shared_data: Path) -> None:
    events = read_aedat2(shared_data / "raw" / "aedat2" / "dvs128_sample.aedat")
    assert len(events) == 17206
    with np.load(shared_data / "dvs_gesture_10x1000ms.npz") as packed:
        part = slice(int(packed["offsets"][1]), int(packed["offsets"][1]) + 17206)
        assert packed["label"][1] == 2
        for column, name in ((events.x, "x"), (events.y, "y"), (events.p, "p")):
            np.testing.assert_array_equal(column, packed[f"ev_{name}"][part])
        t_us = packed["ev_t"][part].astype(np.int64)
        np.testing.assert_array_equal(events.t_us, t_us - t_us[0])


def test_orientation_and_special_events(tmp_path: Path) -> None:
    path = tmp_path / "a.aedat"
    path.write_bytes(
        aedat2_bytes([(dvs128_address(3, 90, 1), 70), (1 << 15, 71), (dvs128_address(127, 0, 0), 75)])
    )
    upright, transposed = read_aedat2(path), read_aedat2(path, "transposed")
    assert upright.x.tolist() == transposed.y.tolist() == [3, 127]
    assert upright.y.tolist() == transposed.x.tolist() == [90, 0]
    assert upright.p.tolist() == [1, 0]
    assert upright.t_us.tolist() == [0, 5]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            b"#!AER-DAT3.1\r\n",
            "byte 0: b'#!AER-DAT3.1' is not the header #!AER-DAT2 of AEDAT 2.0; give an original file",
        ),
        (b"#!AER-DAT2.0", "byte 0: the header line does not end; fetch the file again"),
        (
            aedat2_bytes([(0, 0)] * 2)[:-3],
            "byte 43: the last 8-byte event is truncated; fetch the file again",
        ),
        (aedat2_bytes([]), "the recording holds no events; remove it or fetch it again"),
        (
            aedat2_bytes([(0, 0), (1 << 16, 1)]),
            (
                "byte 43: event at x = 127, y = -129 lies off the 128 x 128 sensor; the file is corrupt or"
                " from another camera"
            ),
        ),
        (
            aedat2_bytes([(0, 9), (1 << 15, 9), (0, 8)]),
            (
                "byte 51: time -1 us follows 0 us, but times must not fall; sort the recording by time or"
                " fetch it again"
            ),
        ),
    ],
)
def test_wrong_content(tmp_path: Path, refusal: Refusal, content: bytes, fault: str) -> None:
    path = tmp_path / "a.aedat"
    path.write_bytes(content)
    assert refusal(lambda: read_aedat2(path)) == f"{path}: {fault}"
