"""Work is bounded before it begins: need and have in one sentence."""

import gzip
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nmsim import capacity, config
from nmsim.datasets import file as files
from nmsim.datasets.file import read_unpacked
from nmsim.datasets.files.cifar_pickle import read_pickle
from nmsim.datasets.files.idx import read_idx
from nmsim.errors import ConfigError, DataError, RunError
from nmsim.storage import read_arrays
from nmsim.workload import WorkloadSpec, prepare


def test_a_header_that_claims_a_terabyte_is_refused_by_what_the_file_holds(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as members:
        members.writestr("header.npy", header.getvalue() + b"few")
    with pytest.raises(RunError, match=r"array header claims 1,000,000,000,000 bytes but holds \d+\); again"):
        read_arrays(tmp_path / "a.npz", "any", "again")


def test_a_zip_bomb_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("header.npy", bytes(10_000_000))
    monkeypatch.setattr(capacity, "available_bytes", lambda: 1_000_000)
    with pytest.raises(RunError, match=r"unpacked it needs 0\.0 GB of memory"):
        read_arrays(tmp_path / "a.npz", "any", "again")


def test_a_gzip_bomb_stops_at_half_of_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    monkeypatch.setattr(files, "available_bytes", lambda: 2_000_000)
    with pytest.raises(DataError, match="unpacks to more than 1,000,000 bytes"):
        read_unpacked(tmp_path / "a.gz")


def test_what_is_longer_than_its_header_says_is_not_unpacked_to_its_end(tmp_path: Path) -> None:
    header = b"\0\0\x08\x01" + (100).to_bytes(4, "big")
    (tmp_path / "a.gz").write_bytes(gzip.compress(header + bytes(50_000_000)))
    with pytest.raises(
        DataError, match=r"byte \d{3,6}: the file is too long: its shape \(100,\) needs 108 bytes"
    ):
        read_idx(tmp_path / "a.gz", 1)


def test_a_pickle_cannot_ask_for_a_memo_longer_than_itself(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"]r\xff\xff\xff\x7f.")
    with pytest.raises(DataError, match="truncated or corrupt"):
        read_pickle(tmp_path / "a")


def test_bytes_that_python_3_wrote_with_protocol_2_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(pickle.dumps({b"data": bytes(range(256)), b"labels": [1]}, protocol=2))
    assert read_pickle(tmp_path / "a") == {b"data": bytes(range(256)), b"labels": [1]}


@pytest.mark.parametrize(
    "assignment",
    ["network.layers.0.units=1000000000", "network.layers.0.units=120000", "network.time_steps=1000000"],
)
def test_a_network_larger_than_memory_is_refused_from_its_shapes(
    assignment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "available_bytes", lambda: 4_000_000_000)
    workload = config.read(WorkloadSpec, config.find("workloads", "mnist-dense"), (assignment,))
    with pytest.raises(
        ConfigError, match=r"needs [\d,.]+ GB of memory, and 4\.0 GB are free; use fewer units"
    ):
        prepare(workload, 1)
