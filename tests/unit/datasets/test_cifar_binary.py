from pathlib import Path

import numpy as np
import pytest
from original_files import Refusal

from nmsim.datasets.files.cifar_binary import read_cifar_binary, read_label_names


def test_cifar10_excerpt_equals_the_npz(shared_data: Path) -> None:
    folder = shared_data / "raw" / "cifar-10-batches-bin"
    x, y = read_cifar_binary([folder / "data_batch_1.bin", folder / "test_batch.bin"], 10)
    with np.load(shared_data / "cifar10.npz") as cifar:
        np.testing.assert_array_equal(x[:400].transpose(0, 2, 3, 1), cifar["x_train"][:400])
        np.testing.assert_array_equal(x[400:].transpose(0, 2, 3, 1), cifar["x_test"][:100])
        np.testing.assert_array_equal(y, [*cifar["y_train"][:400], *cifar["y_test"][:100]])
    names = read_label_names(folder / "batches.meta.txt", 10)
    assert (names[0], names[9]) == ("airplane", "truck")


def test_cifar100_excerpt_takes_the_fine_labels(shared_data: Path) -> None:
    folder = shared_data / "raw" / "cifar-100-binary"
    x, y = read_cifar_binary([folder / "train.bin"], 100)
    with np.load(shared_data / "cifar100.npz") as cifar:
        np.testing.assert_array_equal(x.transpose(0, 2, 3, 1), cifar["x_train"][:200])
        np.testing.assert_array_equal(y, cifar["y_train"][:200])
        assert read_label_names(folder / "fine_label_names.txt", 100) == tuple(cifar["class_names"])


def test_truncated_record(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(3073 + 100))
    assert refusal(lambda: read_cifar_binary([path], 10)) == (
        f"{path}: byte 3073: 3173 bytes are no multiple of the 3073-byte record of CIFAR-10, so the last"
        " record is truncated or the file is of another kind; fetch it again"
    )


def test_empty_file(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "a.bin").write_bytes(b"")
    assert (
        refusal(lambda: read_cifar_binary([tmp_path / "a.bin"], 10))
        == f"{tmp_path}/a.bin: byte 0: the file is empty; fetch it again"
    )


@pytest.mark.parametrize(("classes", "at", "byte"), [(10, 3073, 3073), (100, 3074 + 1, 3075)])
def test_label_out_of_range(tmp_path: Path, refusal: Refusal, classes: int, at: int, byte: int) -> None:
    content = bytearray(2 * (3073 + (classes == 100)))
    content[at] = 200
    (tmp_path / "a.bin").write_bytes(content)
    assert refusal(lambda: read_cifar_binary([tmp_path / "a.bin"], classes)) == (  # type: ignore[arg-type]
        f"{tmp_path}/a.bin: byte {byte}: label 200 is outside 0..{classes - 1}; the file is corrupt or"
        " belongs to another data set"
    )


def test_wrong_number_of_names(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "names").write_text("a\nb\n")
    assert (
        refusal(lambda: read_label_names(tmp_path / "names", 10))
        == f"{tmp_path}/names: 2 class names instead of 10; give the original file"
    )
