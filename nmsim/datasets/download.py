"""Checked downloads of original files: resumed where the server can, atomic, never at import."""

import os
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

from nmsim.datasets.catalog import Entry, RemoteFile
from nmsim.datasets.files.archive import extract
from nmsim.errors import DataError

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes so far and the total if known."""

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 30
_ARCHIVES = (".zip", ".tar.gz")
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416


def data_dir() -> Path:
    """Folder of downloaded and extracted files: `NMSIM_DATA_DIR`, or the platform's cache folder.

    Raises:
        DataError: neither the variable nor the package that knows the platform's folder is there.
    """
    chosen = os.environ.get("NMSIM_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser()
    if util.find_spec("pooch") is None:
        raise DataError(
            "NMSIM_DATA_DIR is not set and the package pooch, which knows the platform's cache folder, is not"
            " installed; set the variable to a folder, or run `pip install pooch`"
        )
    import pooch

    return Path(pooch.os_cache("nmsim"))


def fetch(entry: Entry, on_progress: Progress | None = None) -> Path:
    """Folder with the original files of a data set, downloaded now unless it is there.

    Every file is checked against its published hash before it gets its name; archives are extracted whole
    and then removed. A broken download continues where it stopped.

    Raises:
        DataError: the data set has no download, pooch is not installed, the network fails, or a hash differs.
    """
    if not entry.downloads:
        raise DataError(f"{entry.name}: there is no download for it; give the folder of its files as `path:`")
    if util.find_spec("pooch") is None:
        raise DataError(
            f"{entry.name}: no path is given and a download needs the package pooch; run `pip install"
            " pooch`, or give the folder of its files as `path:`"
        )
    folder = data_dir() / entry.name
    for remote in entry.downloads:
        suffix = next((suffix for suffix in _ARCHIVES if remote.name.endswith(suffix)), None)
        if suffix is None:
            fetch_file(entry.name, remote, folder, on_progress)
            continue
        content = folder / remote.name.removesuffix(suffix)
        if not content.exists():
            archive = fetch_file(entry.name, remote, folder, on_progress)
            extract(archive, content)
            archive.unlink()
    return folder


def fetch_file(name: str, remote: RemoteFile, folder: Path, on_progress: Progress | None = None) -> Path:
    """One original file in a folder, from the first mirror that answers; `DataError` as `fetch`."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    failure: Exception | None = None
    for url in remote.urls:
        download = _Resumed(folder / f"{remote.name}.part", remote.name, on_progress)
        try:
            path = pooch.retrieve(url, remote.known_hash, remote.name, folder, downloader=download)
        except (requests.RequestException, ValueError) as error:
            failure = error
        except OSError as error:
            raise DataError(
                f"{folder}: {remote.name} cannot be written ({error.strerror}); free space, or set"
                " NMSIM_DATA_DIR"
            ) from error
        else:
            return Path(path)
    if isinstance(failure, requests.RequestException):
        raise DataError(
            f"{name}: {remote.urls[-1]} could not be fetched ({type(failure).__name__}); run again to resume,"
            " or fetch it elsewhere and give its folder as `path:`"
        ) from failure
    raise DataError(
        f"{name}: what {remote.urls[-1]} sent does not have the published hash {remote.known_hash}, so"
        " nothing was kept; run again, or fetch it elsewhere and give its folder as `path:`"
    ) from failure


class _Resumed:
    """A pooch downloader that keeps what arrived in a `.part` file and asks only for the rest."""

    def __init__(self, part: Path, name: str, on_progress: Progress | None) -> None:
        self.part, self.name, self.on_progress = part, name, on_progress

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:  # noqa: ARG002 - pooch's signature
        import requests

        self.part.parent.mkdir(parents=True, exist_ok=True)
        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
            if not (have and response.status_code == _RANGE_NOT_SATISFIABLE):
                response.raise_for_status()
                self._append(response, have if response.status_code == _PARTIAL_CONTENT else 0)
        self.part.replace(output_file)

    def _append(self, response: Any, have: int) -> None:
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with self.part.open("ab" if have else "wb") as file:
            for chunk in response.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                have += len(chunk)
                if self.on_progress:
                    self.on_progress(self.name, have, total)
