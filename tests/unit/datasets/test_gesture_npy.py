import re
from pathlib import Path

import numpy as np
import pytest
from original_files import Refusal

from nmsim.datasets.files.gesture_npy import read_gesture_npy


def test_columns_and_milliseconds(tmp_path: Path) -> None:
    np.save(tmp_path / "3.npy", np.array([[1, 2, 0, 50], [3, 4, 1, 52]], np.float32))
    events = read_gesture_npy(tmp_path / "3.npy")
    assert events.x.tolist() == [1, 3]
    assert events.y.tolist() == [2, 4]
    assert events.p.tolist() == [0, 1]
    assert events.t_us.tolist() == [0, 2000]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (np.zeros((2, 3)), "an array of shape (2, 3) is no list of finite (x, y, p, t) rows; fetch it again"),
        (
            np.array([[0, 0, 0, np.nan]]),
            "an array of shape (1, 4) is no list of finite (x, y, p, t) rows; fetch it again",
        ),
        (
            np.array([[0, 0, 0, 0], [0, 128, 0, 0]]),
            (
                "row 1: event at x = 0, y = 128 lies off the 128 x 128 sensor; the file is corrupt or from"
                " another camera"
            ),
        ),
    ],
)
def test_wrong_content(tmp_path: Path, refusal: Refusal, rows: np.ndarray, fault: str) -> None:
    path = tmp_path / "0.npy"
    np.save(path, rows)
    assert refusal(lambda: read_gesture_npy(path)) == f"{path}: {fault}"


def test_pickles_and_cut_files_are_refused(tmp_path: Path, refusal: Refusal) -> None:
    for name, array, keep in (("0.npy", np.array([{}]), None), ("1.npy", np.zeros((9, 4)), -9)):
        np.save(tmp_path / name, array)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:keep])
        sentence = refusal(lambda name=name: read_gesture_npy(tmp_path / name))  # type: ignore[misc]
        assert re.fullmatch(
            rf"{re.escape(str(tmp_path / name))}: not a readable npy file without pickles \((?s:.+)\); fetch"
            rf" it again",
            sentence,
        )
