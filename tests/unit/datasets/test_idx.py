import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from original_files import Refusal, idx_bytes

from nmsim.datasets.files.idx import read_idx, read_images


def test_official_excerpt_equals_the_npz(shared_data: Path) -> None:
    folder = shared_data / "raw" / "mnist"
    x, y = read_images(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz", 10)
    with np.load(shared_data / "mnist.npz") as mnist:
        assert x.shape == (4000, 1, 28, 28)
        assert x.dtype == np.uint8
        np.testing.assert_array_equal(x[:, 0], mnist["x_train"][:4000])
        np.testing.assert_array_equal(y, mnist["y_train"][:4000])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_plain_and_gzip_read_the_same(tmp_path: Path, pack: type[bytes]) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a").write_bytes(pack(idx_bytes(array)))
    np.testing.assert_array_equal(read_idx(tmp_path / "a", 3), array)


def test_missing_file(tmp_path: Path, refusal: Refusal) -> None:
    assert refusal(lambda: read_idx(tmp_path / "a", 1)) == f"{tmp_path}/a: no such file; check the path"


def test_truncated_header(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes([0, 0, 8, 3, 0, 0]))
    assert (
        refusal(lambda: read_idx(path, 3))
        == f"{path}: byte 6: the file ends within its 16-byte IDX header; fetch it again"
    )


def test_wrong_magic(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a"
    path.write_bytes(idx_bytes(np.zeros(20, np.uint8)))
    assert refusal(lambda: read_idx(path, 3)) == (
        f"{path}: byte 0: magic number 0x00000801 is not 0x00000803 (IDX of unsigned bytes in 3 dimensions);"
        " give the original file"
    )


@pytest.mark.parametrize(("change", "fault", "length"), [(-1, "truncated", 31), (2, "too long", 34)])
def test_other_length_than_stated(
    tmp_path: Path, refusal: Refusal, change: int, fault: str, length: int
) -> None:
    path = tmp_path / "a"
    content = idx_bytes(np.zeros((2, 2, 4), np.uint8))
    path.write_bytes(content[:change] if change < 0 else content + bytes(change))
    assert refusal(lambda: read_idx(path, 3)) == (
        f"{path}: byte {length}: the file is {fault}: its shape (2, 2, 4) needs 32 bytes; fetch it again"
    )


def test_empty_data_set(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "a"
    path.write_bytes(idx_bytes(np.zeros((0, 28, 28), np.uint8)))
    assert refusal(lambda: read_idx(path, 3)) == (
        f"{path}: byte 4: the header states the shape (0, 28, 28), which is empty; fetch the file again"
    )


@pytest.mark.parametrize("damage", ["cut", "flipped", "no gzip inside"])
def test_corrupt_gzip(tmp_path: Path, refusal: Refusal, damage: str) -> None:
    path = tmp_path / "a.gz"
    content = bytearray(gzip.compress(np.random.default_rng(0).bytes(400_000)))
    if damage == "cut":
        content = content[:200_000]
    elif damage == "flipped":
        content[-5] ^= 1  # in the checksum
    else:
        content[2:] = bytes(len(content) - 2)
    path.write_bytes(content)
    sentence = refusal(lambda: read_idx(path, 3))
    assert re.fullmatch(
        rf"{re.escape(str(path))}: gzip stream is corrupt or truncated after at least (\d+) decompressed"
        r" bytes \(.+\); fetch the file again",
        sentence,
    )


def test_label_out_of_range(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "x").write_bytes(idx_bytes(np.zeros((3, 2, 2), np.uint8)))
    (tmp_path / "y").write_bytes(idx_bytes(np.array([0, 9, 10], np.uint8)))
    assert refusal(lambda: read_images(tmp_path / "x", tmp_path / "y", 10)) == (
        f"{tmp_path}/y: byte 10: label 10 is outside 0..9; the file is corrupt or belongs to another data set"
    )


def test_counts_differ(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "x").write_bytes(idx_bytes(np.zeros((3, 2, 2), np.uint8)))
    (tmp_path / "y").write_bytes(idx_bytes(np.zeros(4, np.uint8)))
    assert refusal(lambda: read_images(tmp_path / "x", tmp_path / "y", 10)) == (
        f"{tmp_path}/y: byte 4: 4 labels for the 3 images of x; give two files that belong together"
    )
