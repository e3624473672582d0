import hashlib
import sys
import tarfile
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from original_files import Refusal, nmnist_bytes, write_mnist

from nmsim.datasets import load
from nmsim.datasets.catalog import CATALOG
from nmsim.datasets.events import FileRecordings, PackedRecordings
from nmsim.datasets.spec import DatasetName, DatasetSpec

load_module = sys.modules["nmsim.datasets.load"]


def test_mnist_has_the_published_counts_and_moments(shared_data: Path) -> None:
    mnist = load("mnist", shared_data / "mnist.npz")
    assert mnist.x_train.shape == (60000, 1, 28, 28)
    assert np.bincount(mnist.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert isinstance(mnist.x_train, np.ndarray)
    assert round(float(mnist.x_train.mean()) / 255, 5) == 0.13066
    assert round(float(mnist.x_train.std()) / 255, 5) == 0.30811
    assert len(mnist.test) == 5000


def test_fashion_mnist_counts(shared_data: Path) -> None:
    fashion = load("fashion-mnist", shared_data / "fashion_mnist.npz")
    counts = np.bincount(fashion.y_train)
    assert (counts.min(), counts.max(), counts.sum()) == (1935, 2068, 20000)
    assert fashion.class_names[9] == "Ankle boot"


@pytest.mark.parametrize(
    ("name", "train", "test", "mean"),
    [
        # the excerpt's own mean; the published one of the whole set, to the excerpt's sampling error
        ("cifar10", 15000, 5000, (0.4918, 0.4816, 0.4459)),
        ("cifar100", 10000, 2500, (0.5071, 0.4865, 0.4409)),
    ],
)
def test_cifar_counts_and_means(
    shared_data: Path, name: str, train: int, test: int, mean: tuple[float, float, float]
) -> None:
    cifar = load(name, shared_data / f"{name}.npz")
    assert np.unique(np.bincount(cifar.y_train)).tolist() == [train // cifar.classes]
    assert np.unique(np.bincount(cifar.y_test)).tolist() == [test // cifar.classes]
    assert isinstance(cifar.x_train, np.ndarray)
    measured = cifar.x_train.mean(axis=(0, 2, 3)) / 255
    np.testing.assert_allclose(measured, mean, atol=5e-5 if name == "cifar10" else 5e-3)


def test_event_sets(shared_data: Path) -> None:
    nmnist = load("nmnist", shared_data / "nmnist.npz")
    assert (len(nmnist.train), len(nmnist.test), nmnist.input_shape) == (800, 52, (2, 34, 34))
    gesture = load("dvs-gesture", shared_data / "dvs_gesture_10x1000ms.npz")
    assert isinstance(gesture.x_train, PackedRecordings)
    assert np.diff(gesture.x_train.offsets).tolist() == [
        44482, 57415, 82592, 107879, 122265, 76519, 103566, 71645, 97260, 58400,
    ]  # fmt: skip
    assert gesture.y_train.tolist() == list(range(10))
    assert len(gesture.test) == 0


def test_provenance_names_the_file(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path / "mnist")
    provenance = load("mnist", folder).provenance
    lines = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())
    )
    assert provenance.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert provenance.sha256_covers == "contents"
    assert (provenance.files, provenance.file_format, provenance.split) == (4, "IDX", "official files")
    assert provenance.size_bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_a_single_file_is_its_own_hash(shared_data: Path) -> None:
    path = shared_data / "dvs_gesture_10x1000ms.npz"
    assert load("dvs-gesture", path).provenance.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_archive_is_extracted_into_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NMSIM_DATA_DIR", str(tmp_path / "data"))
    write_mnist(tmp_path / "raw")
    with tarfile.open(tmp_path / "mnist.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "raw", "MNIST/raw")
    dataset = load("mnist", tmp_path / "mnist.tar.gz")
    assert len(dataset.train) == 20
    assert dataset.provenance.source == str(tmp_path / "mnist.tar.gz")
    (folder,) = (tmp_path / "data" / "mnist").iterdir()
    assert folder.name.startswith("mnist-")


def test_limits_keep_the_first(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path)
    whole, part = load("mnist", folder), load("mnist", folder, train_samples=7, test_samples=2)
    assert (len(part.train), len(part.test)) == (7, 2)
    np.testing.assert_array_equal(part.x_train, whole.x_train[:7])  # type: ignore[index]
    assert part.y_train.tolist() == list(range(7))


def test_limits_of_recordings(shared_data: Path) -> None:
    part = load("dvs-gesture", shared_data / "dvs_gesture_10x1000ms.npz", train_samples=3)
    assert len(part.x_train) == len(part.y_train) == 3
    assert len(part.x_train.events(2)) == 82592  # type: ignore[union-attr]


def test_large_event_sets_stay_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    (tmp_path / "Train" / "3").mkdir(parents=True)
    path = tmp_path / "Train" / "3" / "00001.bin"
    path.write_bytes(nmnist_bytes([(1, 2, 1, 3)]))
    assert isinstance(load("nmnist", tmp_path).x_train, PackedRecordings)
    monkeypatch.setattr(load_module, "IN_MEMORY_BYTES", 4)
    monkeypatch.setattr(load_module, "HASHED_BYTES", 4)
    dataset = load("nmnist", tmp_path)
    assert isinstance(dataset.x_train, FileRecordings)
    assert dataset.x_train.events(0).x.tolist() == [1]
    assert dataset.provenance.sha256_covers == "sizes and names"
    assert dataset.provenance.sha256 == hashlib.sha256(b"5  00001.bin\n").hexdigest()
    path.write_bytes(nmnist_bytes([(99, 2, 1, 3)]))
    assert "event at x = 99, y = 2 lies off the 34 x 34 sensor" in refusal(lambda: dataset.x_train.events(0))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("mnits", "data set 'mnits' is not known; did you mean 'mnist'?"),
        (
            "imagenet22",
            (
                "data set 'imagenet22' is not known; known are mnist-subset, mnist, fashion-mnist, cifar10,"
                " cifar100, nmnist, dvs-gesture, dvs-cifar10"
            ),
        ),
    ],
)
def test_unknown_name(refusal: Refusal, name: str, fault: str) -> None:
    assert refusal(lambda: load(name)) == fault


def test_missing_path(tmp_path: Path, refusal: Refusal) -> None:
    assert (
        refusal(lambda: load("mnist", tmp_path / "no"))
        == f"{tmp_path}/no: no such file or folder; check the path of mnist"
    )


def test_a_file_of_no_known_kind(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "a").write_text("hello")
    assert refusal(lambda: load("mnist", tmp_path / "a")) == (
        f"{tmp_path}/a: neither an .npz file nor an archive; give one of these, or the folder of the original"
        " files of mnist"
    )


@pytest.mark.parametrize(
    ("limits", "part", "has"), [({"train_samples": 21}, "train", 20), ({"test_samples": 11}, "test", 10)]
)
def test_more_samples_than_there_are(
    tmp_path: Path, refusal: Refusal, limits: dict[str, int], part: str, has: int
) -> None:
    folder = write_mnist(tmp_path)
    assert refusal(lambda: load("mnist", folder, **limits)) == (
        f"data set mnist: {part}_samples {has + 1} is outside 1..{has}, the {part} samples it has; lower the"
        " number or leave it out"
    )


def test_every_name_of_a_workload_is_in_the_catalog() -> None:
    assert [name for name in get_args(DatasetName) if name not in {"recorded", "own"}] == list(CATALOG)
    assert DatasetSpec(name="cifar10").path is None
