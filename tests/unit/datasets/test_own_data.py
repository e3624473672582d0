"""`dataset: {name: own}`: arrays, pictures, frames and recordings in folders, and their splits. All files are synthetic."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from original_files import Refusal, aedat4_bytes
from PIL import Image

from nmsim.datasets import Dataset, load
from nmsim.datasets.events import Recordings
from nmsim.datasets.load import load_described
from nmsim.datasets.spec import OwnDataset
from nmsim.datasets.split import held_out
from nmsim.errors import RecordError

h5py = pytest.importorskip("h5py", reason="own HDF5 files need the extra `data`")
RANDOM = np.random.default_rng(0)


def read(path: Path, kind: str, **options: Any) -> Dataset:
    return load_described(OwnDataset(path=str(path), kind=kind, **options))


def write_pictures(
    root: Path, classes: int, each: int, size: tuple[int, int] = (20, 20), mode: str = "L"
) -> None:
    for label in range(classes):
        folder = root / f"class{label}"
        folder.mkdir(parents=True)
        for number in range(each):
            shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
            pixels = RANDOM.integers(0, 256, shape, dtype=np.uint8)
            pixels.reshape(-1)[0] = label
            Image.fromarray(pixels).save(folder / f"picture{number}.png")


def test_class_folders_of_pictures_in_natural_order_and_a_drawn_split(tmp_path: Path) -> None:
    write_pictures(tmp_path, 47, 5)
    data = read(tmp_path, "image", classes=47)
    assert (data.classes, data.input_shape, len(data.train), len(data.test)) == (47, (1, 20, 20), 188, 47)
    assert data.class_names[9:11] == ("class9", "class10")
    assert np.bincount(data.y_test).tolist() == [1] * 47
    assert data.x_train[:, 0, 0, 0].tolist() == data.y_train.tolist()
    assert data.provenance.split == "drawn: 0.2 of every class held out, seed 1"


def test_another_seed_draws_another_split_and_the_same_seed_the_same() -> None:
    labels = np.arange(300) % 3
    drawn = [held_out(labels, 0.2, seed) for seed in (1, 1, 2)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert [np.bincount(labels[chosen]).tolist() for chosen in drawn] == [[20] * 3] * 3


def test_folders_train_and_test_are_the_split(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", 3, 2)
    write_pictures(tmp_path / "Test", 3, 1)
    data = read(tmp_path, "image")
    assert (len(data.train), len(data.test), data.provenance.split) == (6, 3, "as in the source")


def test_pictures_in_colours_are_three_channels_and_grey_on_request(tmp_path: Path) -> None:
    write_pictures(tmp_path, 2, 2, (8, 6), "RGB")
    assert read(tmp_path, "image").input_shape == (3, 6, 8)
    assert read(tmp_path, "image", colour="grey").input_shape == (1, 6, 8)
    assert read(tmp_path, "image", resize=[4, 3]).input_shape == (3, 3, 4)


def test_resized_pictures_hold_the_mean_of_their_pixels(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.fromarray(np.array([[0, 100], [50, 50]], np.uint8)).save(tmp_path / name / "1.png")
    assert read(tmp_path, "image", resize=[1, 1], test_share=0).x_train.tolist() == [[[[50]]], [[[50]]]]


def test_transparent_pixels_are_black(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.fromarray(np.array([[[200, 200, 200, 0]]], np.uint8)).save(tmp_path / name / "1.png")
    assert read(tmp_path, "image", colour="grey", test_share=0).x_train.ravel().tolist() == [0, 0]


@pytest.mark.parametrize("form", ["npz", "npy"])
def test_arrays_of_floats_with_a_stated_range(tmp_path: Path, form: str) -> None:
    x = np.array([0.0, 0.25, 0.5, 1.0]).reshape(2, 1, 2)
    if form == "npz":
        np.savez(tmp_path / "own.npz", x=x, y=np.array([0, 1]))
    else:
        np.save(tmp_path / "x.npy", x)
        np.save(tmp_path / "y.npy", np.array([0, 1]))
    path = tmp_path / "own.npz" if form == "npz" else tmp_path
    data = read(path, "image", value_range=[0, 1], test_share=0)
    assert data.x_train.tolist() == [[[[0, 64]]], [[[128, 255]]]]


def test_arrays_with_parts_keep_them_and_channels_may_come_last(tmp_path: Path) -> None:
    arrays = {f"{axis}_{part}": np.zeros((n, 6, 5, 3) if axis == "x" else n, np.uint8) for axis in "xy" for part, n in
              (("train", 4), ("test", 2))}  # fmt: skip
    np.savez(tmp_path / "own.npz", **arrays)
    data = read(tmp_path / "own.npz", "image", classes=7)
    assert (len(data.train), len(data.test), data.input_shape, data.classes) == (4, 2, (3, 6, 5), 7)


def test_binary_frames_are_one_frame_per_time_step(tmp_path: Path) -> None:
    frames = RANDOM.random((6, 5, 2, 8, 8)) < 0.5
    np.savez(tmp_path / "own.npz", frames=frames, labels=np.arange(6) % 2)
    data = read(tmp_path / "own.npz", "frames", test_share=0)
    assert data.kind == "frames"
    assert np.array_equal(data.x_train, frames)


def test_the_frames_layout_of_spikingjelly(tmp_path: Path) -> None:
    for part, count in (("train", 2), ("test", 1)):
        for label in range(3):
            folder = tmp_path / "frames_number_4_split_by_number" / part / str(label)
            folder.mkdir(parents=True)
            for number in range(count):
                np.savez(folder / f"{number}.npz", frames=np.full((4, 2, 8, 8), label + 34, np.float32))
    data = read(tmp_path, "frames")
    assert data.x_train.shape == (6, 4, 2, 8, 8)
    assert data.x_test[:, 0, 0, 0, 0].tolist() == [34, 35, 36]


def test_the_events_layout_of_spikingjelly(tmp_path: Path) -> None:
    for label in range(3):
        folder = tmp_path / "events_np" / "train" / str(label)
        folder.mkdir(parents=True)
        for number in range(3):
            np.savez(folder / f"{number}.npz", t=[5, 9], x=[label, 1], y=[0, 1], p=[1, 0])
    data = read(tmp_path, "events", sensor=[128, 128])
    assert isinstance(data.x_train, Recordings)
    assert [int(data.x_train.events(i).x[0]) for i in range(len(data.train))] == data.y_train.tolist()


def test_cifar10_dvs_as_tonic_ships_it_is_the_known_data_set(tmp_path: Path) -> None:
    """Synthetic events in the published layout: CIFAR10DVS/<class>/cifar10_<class>_<number>.aedat4."""
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    for label, name in enumerate(names):
        folder = tmp_path / "CIFAR10DVS" / name
        folder.mkdir(parents=True)
        for number in range(10):
            (folder / f"cifar10_{name}_{number}.aedat4").write_bytes(
                aedat4_bytes([(label, number, 1, 10**9), (1, 1, 0, 10**9 + 7)])
            )
    known = load("dvs-cifar10", tmp_path)
    assert (len(known.train), len(known.test), known.provenance.file_format) == (90, 10, "AEDAT 4")
    own = read(tmp_path / "CIFAR10DVS", "events", sensor=[128, 128], classes=10)
    assert own.class_names == names
    for data in (known, own):
        assert isinstance(data.x_train, Recordings)
        assert [
            int(data.x_train.events(i).x[0]) for i in range(90 if data is known else 80)
        ] == data.y_train.tolist()


def write_shd(path: Path, labels: list[int]) -> None:
    with h5py.File(path, "w") as file:
        for name, dtype, value in (("times", np.float16, 0.25), ("units", np.uint16, 699)):
            spikes = file.create_dataset(f"spikes/{name}", (len(labels),), h5py.vlen_dtype(dtype))
            for row in range(len(labels)):
                spikes[row] = np.array([0, value], dtype)
        file["labels"] = np.array(labels, np.uint16)
        file["extra/keys"] = np.array([b"zero", b"one"])


def test_the_layout_of_the_spiking_heidelberg_digits(tmp_path: Path) -> None:
    write_shd(tmp_path / "shd_train.h5", [0, 1, 1])
    write_shd(tmp_path / "shd_test.h5", [1])
    data = read(tmp_path, "events", sensor=[700, 1])
    assert (data.class_names, data.input_shape, len(data.train), len(data.test)) == (
        ("zero", "one"),
        (2, 1, 700),
        3,
        1,
    )
    assert isinstance(data.x_train, Recordings)
    events = data.x_train.events(0)
    assert (events.x.tolist(), events.t_us.tolist()) == ([0, 699], [0, 250_000])


def test_broken_recordings_end_the_run_or_are_counted(tmp_path: Path, refusal: Refusal) -> None:
    for label in range(2):
        (tmp_path / str(label)).mkdir()
        for number in range(4):
            (tmp_path / str(label) / f"{number}.csv").write_text("t,x,y\n1,1,1\n")
    (tmp_path / "1" / "2.csv").write_text("t,x,y\n1,99,1\n")
    assert "1/2.csv: event 0: event at x = 99" in refusal(lambda: read(tmp_path, "events", sensor=[8, 8]))
    data = read(tmp_path, "events", sensor=[8, 8], on_bad_recording="skip", test_share=0)
    assert (len(data.train), data.provenance.skipped) == (7, 1)
    assert "1/2.csv: event 0" in data.provenance.first_skipped


@pytest.mark.parametrize(
    ("arrays", "options", "said"),
    [
        ({"a": [1]}, {}, "holds a; name the samples x_train and the labels y_train"),
        ({"x": np.zeros((2, 4)), "y": [0, 1]}, {}, "pixels that are not uint8 need their range"),
        ({"x": np.full((2, 4), 2.0), "y": [0, 1]}, {"value_range": [0, 1]}, "value 2 at [0, 0, 0, 0] is outside"),
        ({"x": np.zeros((2, 4), np.uint8), "y": [0]}, {}, "2 samples in x but 1 labels in y"),
        ({"x": np.zeros((2, 4), np.uint8), "y": [0, 9]}, {"classes": 5}, "a label is 9, but there are 5 classes"),
        ({"x": np.zeros((2, 3, 4, 3), np.uint8), "y": [0, 1]}, {}, "could be the channels; state axes: NCHW or NHWC"),
        ({"x": np.zeros((2, 3, 4, 5, 6), np.uint8), "y": [0, 1]}, {}, "shape [2, 3, 4, 5, 6] is none of (N, F), (N, H, W)"),
        ({"x": np.array(["a", "b"]), "y": [0, 1]}, {}, "holds <U1 instead of numbers"),
        ({"x": np.full((2, 4), np.nan), "y": [0, 1]}, {"value_range": [0, 1]}, "value nan at [0, 0, 0, 0]"),
    ],
)  # fmt: skip
def test_wrong_arrays_are_one_sentence(
    tmp_path: Path, refusal: Refusal, arrays: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    np.savez(tmp_path / "own.npz", **{name: np.asarray(value) for name, value in arrays.items()})
    sentence = refusal(lambda: read(tmp_path / "own.npz", "image", **options))
    assert said in sentence
    assert "\n" not in sentence


def test_wrong_folders_are_one_sentence(tmp_path: Path, refusal: Refusal) -> None:
    assert "no folders in it" in refusal(lambda: read(tmp_path, "image"))
    write_pictures(tmp_path, 2, 1)
    assert "2 class folders (class0 to class1), but dataset.classes is 47" in refusal(
        lambda: read(tmp_path, "image", classes=47)
    )
    Image.fromarray(np.zeros((3, 9), np.uint8)).save(tmp_path / "class1" / "z.png")
    assert "9 x 3 pixels, but" in refusal(lambda: read(tmp_path, "image"))
    (tmp_path / "class1" / "z.png").write_bytes(b"no picture")
    assert "z.png: no picture that Pillow can read" in refusal(lambda: read(tmp_path, "image"))
    (tmp_path / "class2").mkdir()
    assert "class2: no files that end in .png" in refusal(lambda: read(tmp_path, "image"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": "x"}, "kind is missing"),
        ({"path": "x", "kind": "events"}, "sensor is missing"),
        (
            {"path": "x", "kind": "image", "sensor": [4, 4]},
            "sensor says nothing about samples of kind 'image'",
        ),
        (
            {"path": "x", "kind": "frames", "sort_window_us": 4},
            "sort_window_us says nothing about samples of kind 'frames'",
        ),
        ({"path": "x", "kind": "image", "value_range": [1, 1]}, "does not rise"),
        ({"path": "x", "kind": "image", "resize": [0, 1]}, "a side of 0 pixels is below 1"),
    ],
)
def test_a_description_that_contradicts_itself_is_one_sentence(options: dict[str, Any], said: str) -> None:
    with pytest.raises(RecordError, match=said.replace("[", r"\[")) as caught:
        OwnDataset(**options)
    assert "\n" not in str(caught.value)
