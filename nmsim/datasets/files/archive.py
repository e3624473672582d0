"""Archives (.tar.gz, .tar, .zip) of original files, extracted whole or not at all."""

import os
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path

from nmsim.datasets.file import file_sha256
from nmsim.errors import DataError


def is_archive(path: Path) -> bool:
    """Whether a file is a tar (also compressed) or zip archive, by content; an npz file counts as zip."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def extract(archive: Path, folder: Path) -> Path:
    """Extract into a folder that exists afterwards only if everything is in it; an existing one is kept.

    Members that would land outside the folder are refused.

    Raises:
        DataError: the archive is corrupt, truncated or unsafe, or the disk is full.
    """
    if folder.exists():
        return folder
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as members:
                _check_room(archive, partial, sum(info.file_size for info in members.infolist()))
                members.extractall(partial)  # noqa: S202 - zipfile drops absolute and .. parts
        else:
            with tarfile.open(archive) as members:
                _check_room(archive, partial, sum(info.size for info in members))
                _extract(members, partial)
        partial.replace(folder)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
    ) as error:
        raise DataError(f"{archive}: the archive cannot be extracted ({error}); fetch it again") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _check_room(archive: Path, folder: Path, need_bytes: int) -> None:
    """`DataError` if the content of an archive is larger than the disk has room for."""
    free = shutil.disk_usage(folder).free
    if need_bytes > free:
        raise DataError(
            f"{archive}: unpacks to {need_bytes:,} bytes, and {free:,} are free in {folder.parent}; free some space, or"
            " give the original archive"
        )


def extracted(archive: Path, cache: Path) -> Path:
    """Folder with the content of a user's archive, under a cache, named by the archive and its hash."""
    name = archive.name.split(".")[0]
    return extract(archive, cache / f"{name}-{file_sha256(archive)[:16]}")


def _extract(members: tarfile.TarFile, folder: Path) -> None:
    """Files and folders of a tar archive; one with anything else in it, or with a place outside, is refused."""
    if hasattr(tarfile, "data_filter"):
        members.extractall(folder, filter="data")
        return
    for info in members:  # before Python 3.11.4 tarfile looks at nothing itself
        inside = (folder / info.name).resolve().is_relative_to(folder.resolve())
        if not (inside and (info.isfile() or info.isdir())):
            raise tarfile.TarError(f"'{info.name}' is outside the destination, or no file")
    members.extractall(folder)  # noqa: S202 - looked at above
