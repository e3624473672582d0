import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from original_files import Refusal

from nmsim.datasets.catalog import CATALOG
from nmsim.datasets.files.npz import is_npz, read_npz

MNIST, GESTURE, NMNIST = CATALOG["mnist"], CATALOG["dvs-gesture"], CATALOG["nmnist"]


def images(**changes: Any) -> dict[str, Any]:
    arrays = {
        "x_train": np.zeros((3, 28, 28), np.uint8),
        "y_train": np.array([0, 1, 2], np.uint8),
        "x_test": np.zeros((2, 28, 28), np.uint8),
        "y_test": np.array([3, 4], np.uint8),
    }
    return {key: value for key, value in (arrays | changes).items() if value is not None}


def events(**changes: Any) -> dict[str, Any]:
    arrays = {
        "ev_x": np.array([0, 5, 127, 1], np.uint8),
        "ev_y": np.array([0, 6, 127, 1], np.uint8),
        "ev_p": np.array([0, 1, 1, 0], np.uint8),
        "ev_t": np.array([0, 7, 2, 9], np.uint32),
        "offsets": np.array([0, 2, 4]),
        "label": np.array([1, 11], np.uint8),
    }
    return {key: value for key, value in (arrays | changes).items() if value is not None}


def save(tmp_path: Path, arrays: dict[str, Any]) -> Path:
    path = tmp_path / "set.npz"
    np.savez(path, **arrays)
    return path


def test_images_of_any_whole_number_type_become_bytes(tmp_path: Path) -> None:
    pixels = np.full((3, 28, 28), 255.0)
    parts = read_npz(save(tmp_path, images(x_train=pixels)), MNIST)
    assert isinstance(parts.x_train, np.ndarray)
    assert parts.x_train.dtype == np.uint8
    assert parts.x_train.shape == (3, 1, 28, 28)
    assert (parts.x_train == 255).all()
    assert parts.y_train.tolist() == [0, 1, 2]


def test_colour_channels_come_before_rows(tmp_path: Path) -> None:
    pixels = np.zeros((1, 32, 32, 3), np.uint8)
    pixels[0, 4, 5, 2] = 9
    arrays = images(x_train=pixels, y_train=np.zeros(1), x_test=pixels, y_test=np.zeros(1))
    parts = read_npz(save(tmp_path, arrays), CATALOG["cifar10"])
    assert isinstance(parts.x_train, np.ndarray)
    assert parts.x_train[0, 2, 4, 5] == 9


def test_events_without_split_train_and_count_labels_from_0(tmp_path: Path) -> None:
    parts = read_npz(save(tmp_path, events()), GESTURE)
    assert parts.y_train.tolist() == [0, 10]
    assert len(parts.y_test) == len(parts.x_test) == 0
    assert parts.split == "the file has no split: all 2 recordings are the training part"


def test_is_npz_goes_by_content(tmp_path: Path) -> None:
    path = save(tmp_path, events())
    assert is_npz(path.rename(tmp_path / "data"))
    (tmp_path / "text").write_text("no")
    assert not is_npz(tmp_path / "text")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"x_test": None}, "array x_test is missing; the keys are listed in docs/datasets.md"),
        (
            {"x_train": np.zeros((3, 27, 28), np.uint8)},
            (
                "array x_train: images of shape (27, 28) instead of the (28, 28) of mnist; give that data"
                " set, or another name"
            ),
        ),
        (
            {"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0)},
            "array x_train holds no images; give a file with at least one",
        ),
        ({"y_train": np.array([0, 1])}, "3 images in x_train but 2 labels in y_train; mend the file"),
        (
            {"y_test": np.array([0, 10])},
            (
                "array y_test, row 1: label 10 is outside 0..9; the file is corrupt or belongs to another"
                " data set"
            ),
        ),
        (
            {"y_test": np.array([-1, 0])},
            (
                "array y_test, row 0: label -1 is outside 0..9; the file is corrupt or belongs to another"
                " data set"
            ),
        ),
        (
            {"x_train": np.where(np.arange(3 * 784).reshape(3, 28, 28) == 784 + 29, np.nan, 0)},
            "array x_train: value nan at [1, 1, 1] is not finite; mend the file",
        ),
        (
            {"y_train": np.array([0.0, np.inf, 1.0])},
            "array y_train: value inf at [1] is not finite; mend the file",
        ),
        (
            {"x_train": np.full((3, 28, 28), 0.5)},
            "array x_train: value 0.5 at [0, 0, 0] is not whole; store the original integers, unscaled",
        ),
        (
            {"x_train": np.full((3, 28, 28), 256)},
            "array x_train: value 256 at [0, 0, 0] is outside 0..255; store the original pixels",
        ),
        (
            {"x_train": np.full((3, 28, 28), "a")},
            "array x_train holds <U1 instead of whole numbers; mend the file",
        ),
        (
            {"class_names": np.array(["a", "b"])},
            (
                "array class_names has 2 entries instead of the 10 names of mnist; give that data set, or"
                " another name"
            ),
        ),
    ],
)
def test_wrong_images(tmp_path: Path, refusal: Refusal, changes: dict[str, Any], fault: str) -> None:
    path = save(tmp_path, images(**changes))
    assert refusal(lambda: read_npz(path, MNIST)) == f"{path}: {fault}"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"ev_x": np.array([0, 5, 128, 1])},
            (
                "array ev_t, recording 1, event 0: event at x = 128, y = 127 lies off the 128 x 128 sensor;"
                " the file is corrupt or from another camera"
            ),
        ),
        (
            {"ev_y": np.array([0, -1, 0, 0])},
            (
                "array ev_t, recording 0, event 1: event at x = 5, y = -1 lies off the 128 x 128 sensor; the"
                " file is corrupt or from another camera"
            ),
        ),
        (
            {"ev_p": np.array([0, 1, 2, 0])},
            "array ev_t, recording 1, event 0: polarity 2 is neither 0 (OFF) nor 1 (ON); mend the file",
        ),
        (
            {"ev_t": np.array([0, 1, 9, 8], np.uint32)},
            (
                "array ev_t, recording 1, event 1: time 8 us follows 9 us, but times must not fall; sort the"
                " recording by time or fetch it again"
            ),
        ),
        (
            {"offsets": np.array([0, 0, 4])},
            "the recording holds no events; remove it or fetch it again",
        ),
        (
            {"offsets": np.array([0, 2, 5])},
            (
                "array offsets must rise from 0 to the 4 events of ev_x, and the four ev_ arrays must be"
                " equally long; mend the file"
            ),
        ),
        ({"label": np.array([1])}, "2 recordings but 1 in label; mend the file"),
        (
            {"label": np.array([0, 1])},
            (
                "array label, row 0: label 0 is outside 1..11; the file is corrupt or belongs to another data"
                " set"
            ),
        ),
        (
            {key: np.zeros(0, np.uint8) for key in ("ev_x", "ev_y", "ev_p", "ev_t", "label")}
            | {"offsets": np.array([0])},
            "array label is empty: no recordings; give a file with at least one",
        ),
    ],
)
def test_wrong_events(tmp_path: Path, refusal: Refusal, changes: dict[str, Any], fault: str) -> None:
    path = save(tmp_path, events(**changes))
    assert refusal(lambda: read_npz(path, GESTURE)) == f"{path}: {fault}"


def test_pickled_objects_are_refused(tmp_path: Path, refusal: Refusal) -> None:
    path = save(tmp_path, images(x_train=np.array([{}, 1, 2], dtype=object)))
    sentence = refusal(lambda: read_npz(path, MNIST))
    assert re.fullmatch(
        rf"{re.escape(str(path))}: array x_train is no plain array \(Object arrays cannot be loaded .*\);"
        rf" save it as numbers",
        sentence,
    )


def test_truncated_file(tmp_path: Path, refusal: Refusal) -> None:
    path = save(tmp_path, images())
    path.write_bytes(path.read_bytes()[:-100])
    sentence = refusal(lambda: read_npz(path, MNIST))
    assert re.fullmatch(
        rf"{re.escape(str(path))}: not a readable npz file without pickles \(.+\); fetch the file again",
        sentence,
    )


def test_damaged_member(tmp_path: Path, refusal: Refusal) -> None:
    path = save(tmp_path, images())
    content = bytearray(path.read_bytes())
    content[1000] ^= 255
    path.write_bytes(content)
    sentence = refusal(lambda: read_npz(path, MNIST))
    assert re.fullmatch(
        rf"{re.escape(str(path))}: array x_train is corrupt \(Bad CRC-32 for file 'x_train.npy'\); fetch the"
        rf" file again",
        sentence,
    )


def test_single_array(tmp_path: Path, refusal: Refusal) -> None:
    path, stream = tmp_path / "set.npz", io.BytesIO()
    np.save(stream, np.zeros(3))
    path.write_bytes(stream.getvalue())
    assert (
        refusal(lambda: read_npz(path, MNIST))
        == f"{path}: a single array, not an npz file of several; give the npz file"
    )


def test_split_events_keep_their_parts(shared_data: Path) -> None:
    parts = read_npz(shared_data / "nmnist.npz", NMNIST)
    assert (len(parts.x_train), len(parts.x_test)) == (800, 52)
    assert np.bincount(parts.y_train).min() == 67
    assert np.bincount(parts.y_train).max() == 97
