import shutil
from pathlib import Path

import numpy as np
import pytest
from original_files import Refusal, idx_bytes, write_mnist

from nmsim.datasets.catalog import CATALOG
from nmsim.datasets.files.image_folder import read_image_folder

MNIST, CIFAR10, CIFAR100 = CATALOG["mnist"], CATALOG["cifar10"], CATALOG["cifar100"]


@pytest.mark.parametrize("below", ["", "raw", "MNIST/raw"])
def test_idx_files_are_found_below_the_folder(tmp_path: Path, below: str) -> None:
    write_mnist(tmp_path / below)
    parts = read_image_folder(tmp_path, MNIST)
    assert (len(parts.y_train), len(parts.y_test)) == (20, 10)
    assert [path.name for path in parts.files] == [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte.gz",
    ]


def test_two_candidates_are_not_guessed_between(tmp_path: Path, refusal: Refusal) -> None:
    write_mnist(tmp_path / "digits")
    write_mnist(tmp_path / "fashion")
    assert refusal(lambda: read_image_folder(tmp_path, MNIST)) == (
        f"{tmp_path}: two folders could be mnist: {tmp_path}/digits and {tmp_path}/fashion; give one of them"
        " as the path"
    )


def test_incomplete_idx_files(tmp_path: Path, refusal: Refusal) -> None:
    (write_mnist(tmp_path) / "t10k-labels-idx1-ubyte.gz").unlink()
    assert refusal(lambda: read_image_folder(tmp_path, MNIST)) == (
        f"{tmp_path}: the IDX files of mnist are incomplete (missing: test labels); put train- and"
        " t10k-images-idx3-ubyte and -labels-idx1-ubyte, plain or .gz, into one folder"
    )


def test_wrong_image_shape(tmp_path: Path, refusal: Refusal) -> None:
    write_mnist(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(np.zeros((10, 32, 28), np.uint8)))
    assert refusal(lambda: read_image_folder(tmp_path, MNIST)) == (
        f"{tmp_path}/t10k-images-idx3-ubyte: byte 8: images of shape (32, 28) instead of the (28, 28) of"
        " mnist; give that data set, or another name"
    )


def test_cifar_prefers_the_binary_form(shared_data: Path) -> None:
    parts = read_image_folder(shared_data / "raw", CIFAR10)
    assert parts.file_format == "CIFAR-10 binary"
    assert parts.split == "official files, 1 of 5 training files present"
    assert (len(parts.y_train), len(parts.y_test)) == (400, 100)
    assert parts.class_names[9] == "truck"


@pytest.mark.parametrize(
    ("folder", "entry"), [("cifar-10-batches-py", CIFAR10), ("cifar-100-python", CIFAR100)]
)
def test_cifar_python_form(shared_data: Path, folder: str, entry: object) -> None:
    parts = read_image_folder(shared_data / "raw" / folder, entry)  # type: ignore[arg-type]
    assert parts.file_format.endswith("python")
    assert (len(parts.y_train), len(parts.y_test)) == (100, 50)


def test_all_training_batches_are_joined_in_order(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "raw" / "cifar-10-batches-bin"
    shutil.copy(source / "test_batch.bin", tmp_path)
    for number in (2, 1):
        records = (source / "data_batch_1.bin").read_bytes()[: 3073 * number]
        (tmp_path / f"data_batch_{number}.bin").write_bytes(records)
    parts = read_image_folder(tmp_path, CIFAR10)
    assert len(parts.y_train) == 3
    assert parts.y_train[0] == parts.y_train[1]
    assert [path.name for path in parts.files] == ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"]


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [(CIFAR10, "data_batch_1.bin and test_batch.bin"), (CIFAR100, "train.bin and test.bin")],
)
def test_no_cifar_files(tmp_path: Path, refusal: Refusal, entry: object, wanted: str) -> None:
    name = entry.name  # type: ignore[attr-defined]
    assert refusal(lambda: read_image_folder(tmp_path, entry)) == (  # type: ignore[arg-type]
        f"{tmp_path}: no folder with {wanted} (or the python form) is here; give the folder of the {name}"
        " archive"
    )
