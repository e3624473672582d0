from pathlib import Path

import numpy as np
from original_files import Refusal, nmnist_bytes

from nmsim.datasets.files.nmnist_bin import read_nmnist


def test_fields_of_an_event(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(nmnist_bytes([(3, 33, 1, 0x123456), (33, 0, 0, 0x7FFFFF)]))
    events = read_nmnist(path)
    assert events.x.tolist() == [3, 33]
    assert events.y.tolist() == [33, 0]
    assert events.p.tolist() == [1, 0]
    assert events.t_us.tolist() == [0x123456, 0x7FFFFF]


def test_original_files(shared_data: Path) -> None:
    assert len(read_nmnist(shared_data / "raw" / "nmnist" / "sample_nmnist.bin")) == 4325
    events = read_nmnist(shared_data / "raw" / "nmnist" / "Train" / "5" / "00001.bin")
    with np.load(shared_data / "nmnist.npz") as packed:
        recording = int(np.flatnonzero(packed["mnist_index_train"] == 0)[0])
        part = slice(*packed["offsets_train"][recording : recording + 2])
        assert packed["label_train"][recording] == 5
        for column, name in ((events.x, "x"), (events.y, "y"), (events.p, "p"), (events.t_us, "t")):
            np.testing.assert_array_equal(column, packed[f"ev_{name}_train"][part])


def test_truncated(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(nmnist_bytes([(1, 1, 1, 1)] * 3)[:-1])
    assert refusal(lambda: read_nmnist(path)) == (
        f"{path}: byte 10: 14 bytes are no positive multiple of the 5-byte event, so the file is empty or"
        " truncated; fetch it again"
    )


def test_empty(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"")
    assert refusal(lambda: read_nmnist(path)) == (
        f"{path}: byte 0: 0 bytes are no positive multiple of the 5-byte event, so the file is empty or"
        " truncated; fetch it again"
    )


def test_off_the_sensor(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(nmnist_bytes([(1, 1, 1, 1), (1, 34, 0, 2)]))
    assert refusal(lambda: read_nmnist(path)) == (
        f"{path}: byte 5: event at x = 1, y = 34 lies off the 34 x 34 sensor; the file is corrupt or from"
        " another camera"
    )


def test_falling_times(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(nmnist_bytes([(1, 1, 1, 5), (1, 1, 0, 5), (1, 1, 0, 4)]))
    assert refusal(lambda: read_nmnist(path)) == (
        f"{path}: byte 10: time 4 us follows 5 us, but times must not fall; sort the recording by time or"
        " fetch it again"
    )
