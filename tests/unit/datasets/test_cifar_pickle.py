import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from original_files import Refusal

from nmsim.datasets.files.cifar_pickle import read_cifar_pickle, read_pickle, read_pickled_names


def test_cifar10_excerpt_equals_the_npz(shared_data: Path) -> None:
    folder = shared_data / "raw" / "cifar-10-batches-py"
    x, y = read_cifar_pickle([folder / "data_batch_1"], 10)
    with np.load(shared_data / "cifar10.npz") as cifar:
        np.testing.assert_array_equal(x.transpose(0, 2, 3, 1), cifar["x_train"][:100])
        np.testing.assert_array_equal(y, cifar["y_train"][:100])
        assert read_pickled_names(folder / "batches.meta", 10) == tuple(cifar["class_names"])


def test_cifar100_excerpt_equals_the_npz(shared_data: Path) -> None:
    folder = shared_data / "raw" / "cifar-100-python"
    x, y = read_cifar_pickle([folder / "test"], 100)
    with np.load(shared_data / "cifar100.npz") as cifar:
        np.testing.assert_array_equal(x.transpose(0, 2, 3, 1), cifar["x_test"][:50])
        np.testing.assert_array_equal(y, cifar["y_test"][:50])
        assert read_pickled_names(folder / "meta", 100) == tuple(cifar["class_names"])


def write(path: Path, content: Any) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=2))
    return path


class Command:
    """Unpickled by the standard unpickler, it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def test_a_command_is_refused_and_not_run(tmp_path: Path, refusal: Refusal) -> None:
    path = write(tmp_path / "a", {"data": Command(tmp_path / "harm")})
    sentence = refusal(lambda: read_pickle(path))
    name = f"{os.system.__module__}.system"
    assert sentence.startswith(f"{path}: byte ")
    assert sentence.partition(": byte ")[2].partition(": ")[2] == (
        f"the pickle asks for {name}, which no CIFAR file needs and which could run code; do not open it"
        " elsewhere, and give the binary archive instead"
    )
    assert not (tmp_path / "harm").exists()
    pickle.loads(path.read_bytes())  # noqa: S301 - shows that the file is dangerous
    assert (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "name",
    ["builtins\neval", "numpy\nload", "numpy\nsave", "numpy.core.multiarray\nscalar", "subprocess\nPopen"],
)
def test_every_other_name_is_refused(tmp_path: Path, refusal: Refusal, name: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\x80\x02c" + name.encode() + b"\n.")
    assert f"the pickle asks for {name.replace(chr(10), '.')}, which" in refusal(lambda: read_pickle(path))


def test_persistent_objects_are_refused(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\x80\x02P42\n.")
    assert "the pickle asks for persistent object '42', which" in refusal(lambda: read_pickle(path))


def test_truncated_pickle(shared_data: Path, tmp_path: Path, refusal: Refusal) -> None:
    content = (shared_data / "raw" / "cifar-10-batches-py" / "test_batch").read_bytes()
    path = tmp_path / "a"
    path.write_bytes(content[:100_000])
    assert refusal(lambda: read_pickle(path)) == (
        f"{path}: byte 100000: the pickle is truncated or corrupt (UnpicklingError); fetch the file again, or"
        " give the binary archive"
    )


GOOD = np.zeros((2, 3072), np.uint8)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([], "the pickle holds no dictionary; give an original CIFAR python file"),
        (
            {b"labels": [0]},
            "key data is missing; give an original file of CIFAR-10, python version",
        ),
        (
            {b"data": GOOD},
            "key labels is missing; give an original file of CIFAR-10, python version",
        ),
        ({b"data": [1], b"labels": [0]}, "key data is no numpy array; give an original file"),
        (
            {b"data": np.zeros((2, 3072)), b"labels": [0, 1]},
            "key data is no array of unsigned bytes in C order; give an original file",
        ),
        (
            {b"data": np.zeros((2, 784), np.uint8), b"labels": [0, 1]},
            "key data has the shape (2, 784) instead of (images, 3072); give an original file",
        ),
        (
            {b"data": GOOD, b"labels": [0, 10]},
            "row 1: label 10 is outside 0..9; the file is corrupt or belongs to another data set",
        ),
        ({b"data": GOOD, b"labels": [0]}, "1 labels for 2 images; fetch the file again"),
        ({b"data": GOOD, b"labels": [0, 0.5]}, "key labels is no list of integers; give an original file"),
    ],
)
def test_wrong_content(tmp_path: Path, refusal: Refusal, content: Any, fault: str) -> None:
    path = tmp_path / "a"
    # Python 3 pickles bytes through _codecs.encode, which CIFAR's Python 2 files do not use
    text = pickle.dumps(decoded(content), protocol=2)
    path.write_bytes(as_python2(text))
    assert refusal(lambda: read_cifar_pickle([path], 10)) == f"{path}: {fault}"


def decoded(content: Any) -> Any:
    """Byte keys as text, which protocol 2 writes as unicode."""
    if not isinstance(content, dict):
        return content
    return {
        key.decode(): Array(value) if isinstance(value, np.ndarray) else value
        for key, value in content.items()
    }


class Array:
    """Pickled as numpy pickles an array, its bytes as text that `as_python2` turns into a byte string."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Any, ...]:
        kind = "u1" if self.array.dtype == np.uint8 else "f8"
        state = (1, self.array.shape, Type(kind), False, "\0" * self.array.nbytes)
        return np._core.multiarray._reconstruct, (np.ndarray, (0,), "b"), state


class Type:
    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __reduce__(self) -> tuple[Any, ...]:
        return np.dtype, (self.kind, 0, 1)


def as_python2(text: bytes) -> bytes:
    """Unicode opcodes X (4-byte length) as the byte-string opcodes T of Python 2."""
    return text.replace(b"X", b"T")
