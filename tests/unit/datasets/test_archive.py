import io
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from original_files import Refusal

from nmsim.datasets.files.archive import extract, extracted, is_archive


def write_tar(path: Path, name: str = "inside/a.txt", content: bytes = b"hello" * 1000) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return path


def test_tar_and_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inside/a.txt", "hello")
    write_tar(tmp_path / "a.tar.gz")
    for name in ("a.zip", "a.tar.gz"):
        assert is_archive(tmp_path / name)
        folder = extract(tmp_path / name, tmp_path / f"{name}.content")
        assert (folder / "inside" / "a.txt").read_text().startswith("hello")


def test_a_finished_folder_is_kept(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar.gz")
    folder = extracted(archive, tmp_path / "cache")
    (folder / "mine").write_text("x")
    assert extracted(archive, tmp_path / "cache") == folder
    assert (folder / "mine").exists()


def test_another_content_gets_another_folder(tmp_path: Path) -> None:
    first = extracted(write_tar(tmp_path / "a.tar.gz"), tmp_path / "cache")
    assert extracted(write_tar(tmp_path / "a.tar.gz", content=b"other"), tmp_path / "cache") != first


def test_a_cut_archive_leaves_nothing(tmp_path: Path, refusal: Refusal) -> None:
    archive = write_tar(tmp_path / "a.tar.gz", content=bytes(range(256)) * 999)
    archive.write_bytes(archive.read_bytes()[:-200])
    sentence = refusal(lambda: extract(archive, tmp_path / "cache" / "a"))
    assert re.fullmatch(
        rf"{re.escape(str(archive))}: the archive cannot be extracted \(.+\); fetch it again", sentence
    )
    assert list((tmp_path / "cache").iterdir()) == []


def test_members_outside_the_folder_are_refused(tmp_path: Path, refusal: Refusal) -> None:
    archive = write_tar(tmp_path / "a.tar.gz", name="../../outside.txt")
    sentence = refusal(lambda: extract(archive, tmp_path / "cache" / "a"))
    assert "outside the destination" in sentence
    assert not (tmp_path / "outside.txt").exists()
    assert list((tmp_path / "cache").iterdir()) == []


def test_older_pythons_refuse_what_does_not_belong_too(
    tmp_path: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11 knows filters of archives only from 3.11.4 on."""
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    folder = extract(write_tar(tmp_path / "good.tar.gz"), tmp_path / "cache" / "good")
    assert (folder / "inside" / "a.txt").read_text().startswith("hello")
    outside = write_tar(tmp_path / "outside.tar.gz", name="../../outside.txt")
    with tarfile.open(tmp_path / "link.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/"
        archive.addfile(link)
    for path in (outside, tmp_path / "link.tar.gz"):
        assert "outside the destination" in refusal(lambda path=path: extract(path, tmp_path / "cache" / "a"))
    assert not (tmp_path / "outside.txt").exists()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["good"]
