"""Compiled kernels have a folder wherever nmsim runs: also in a read-only installation without a home."""

import os
from pathlib import Path

import pytest

from nmsim import kernel_cache


@pytest.fixture
def _nothing_writable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(kernel_cache.ASKED, "")  # so that what the test sets is taken back
    monkeypatch.delenv(kernel_cache.ASKED)
    monkeypatch.setattr(kernel_cache, "_writable", lambda _: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.usefixtures("_nothing_writable")
def test_a_read_only_installation_keeps_kernels_in_a_folder_of_its_user(tmp_path: Path) -> None:
    kernel_cache.use_writable_folder()
    folder = Path(os.environ[kernel_cache.ASKED])
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (
        "temporary, since neither the package nor a cache folder is writable" in kernel_cache.folder_in_use()
    )


@pytest.mark.usefixtures("_nothing_writable")
def test_a_folder_that_others_can_write_is_not_taken(tmp_path: Path) -> None:
    kernel_cache.use_writable_folder()
    known = Path(os.environ.pop(kernel_cache.ASKED))
    known.chmod(0o777)
    kernel_cache.use_writable_folder()
    assert os.environ[kernel_cache.ASKED] != str(known)


def test_what_a_user_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kernel_cache.ASKED, "/somewhere")
    kernel_cache.use_writable_folder()
    assert os.environ[kernel_cache.ASKED] == "/somewhere"
    assert kernel_cache.folder_in_use() == "/somewhere (NUMBA_CACHE_DIR)"
