import hashlib
import io
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import util
from pathlib import Path

import pytest
from original_files import Refusal, write_mnist

from nmsim.datasets import load
from nmsim.datasets.catalog import CATALOG, RemoteFile
from nmsim.datasets.download import data_dir, fetch, fetch_file

pytest.importorskip("pooch")

CONTENT = bytes(range(256)) * 4000


class Server:
    """A local web server of files in memory; `cut` sends only so many bytes of each and then hangs up."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: int | None = None
        self.ranges: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = outer.files.get(self.path)
                asked = self.headers.get("Range")
                outer.ranges.append(asked)
                if content is None:
                    self.send_error(404)
                    return
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
                self.send_response(206 if asked else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.wfile.write(content[start:][: outer.cut])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def remote(server: Server, content: bytes = CONTENT, *paths: str) -> RemoteFile:
    urls = tuple(server.url + path for path in paths or ("/file.gz",))
    return RemoteFile("file.gz", urls, f"md5:{hashlib.md5(content).hexdigest()}")  # noqa: S324 - a published hash


def test_file_is_fetched_once_with_progress(server: Server, tmp_path: Path) -> None:
    server.files["/file.gz"] = CONTENT
    seen: list[tuple[str, int, int | None]] = []
    for _ in range(2):
        path = fetch_file("mnist", remote(server), tmp_path, lambda *news: seen.append(news))
        assert path.read_bytes() == CONTENT
    assert len(server.ranges) == 1
    assert seen[-1] == ("file.gz", len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["file.gz"]


def test_broken_download_is_resumed(server: Server, tmp_path: Path, refusal: Refusal) -> None:
    server.files["/file.gz"], server.cut = CONTENT, 300_000
    assert refusal(lambda: fetch_file("mnist", remote(server), tmp_path)) == (
        f"mnist: {server.url}/file.gz could not be fetched (ChunkedEncodingError); run again to resume, or"
        " fetch it elsewhere and give its folder as `path:`"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["file.gz.part"]
    have = (tmp_path / "file.gz.part").stat().st_size
    assert 0 < have <= 300_000
    server.cut = None
    assert fetch_file("mnist", remote(server), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={have}-"]
    assert [path.name for path in tmp_path.iterdir()] == ["file.gz"]


def test_wrong_content_is_not_kept(server: Server, tmp_path: Path, refusal: Refusal) -> None:
    server.files["/file.gz"] = CONTENT[:-1] + b"!"
    known = remote(server).known_hash
    assert refusal(lambda: fetch_file("mnist", remote(server), tmp_path)) == (
        f"mnist: what {server.url}/file.gz sent does not have the published hash {known}, so nothing was"
        " kept; run again, or fetch it elsewhere and give its folder as `path:`"
    )
    assert list(tmp_path.iterdir()) == []


def test_second_mirror_answers_for_the_first(server: Server, tmp_path: Path) -> None:
    server.files["/good.gz"] = CONTENT
    assert (
        fetch_file("mnist", remote(server, CONTENT, "/gone.gz", "/good.gz"), tmp_path).read_bytes() == CONTENT
    )


def test_no_network(server: Server, tmp_path: Path, refusal: Refusal) -> None:
    server.http.server_close()
    assert refusal(lambda: fetch_file("mnist", remote(server), tmp_path)) == (
        f"mnist: {server.url}/file.gz could not be fetched (ConnectionError); run again to resume, or fetch"
        " it elsewhere and give its folder as `path:`"
    )
    assert list(tmp_path.iterdir()) == []


def test_load_without_path_downloads_into_the_data_folder(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in write_mnist(tmp_path / "origin").iterdir():
        server.files[f"/{path.name}"] = path.read_bytes()
    downloads = tuple(
        RemoteFile(name[1:], (server.url + name,), f"sha256:{hashlib.sha256(content).hexdigest()}")
        for name, content in server.files.items()
    )
    monkeypatch.setitem(CATALOG, "mnist", replace(CATALOG["mnist"], downloads=downloads))
    monkeypatch.setenv("NMSIM_DATA_DIR", str(tmp_path / "data"))
    dataset = load("mnist")
    assert (len(dataset.train), len(dataset.test)) == (20, 10)
    assert dataset.provenance.source == str(tmp_path / "data" / "mnist")
    assert len(server.ranges) == 4
    load("mnist")
    assert len(server.ranges) == 4


def test_archives_are_extracted_and_removed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("Train/3/00001.bin", bytes(5))
    server.files["/train.zip"] = stream.getvalue()
    known = f"sha256:{hashlib.sha256(stream.getvalue()).hexdigest()}"
    entry = replace(
        CATALOG["nmnist"], downloads=(RemoteFile("train.zip", (f"{server.url}/train.zip",), known),)
    )
    monkeypatch.setenv("NMSIM_DATA_DIR", str(tmp_path))
    folder = fetch(entry)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "train/Train/3/00001.bin"
    ]
    fetch(entry)
    assert len(server.ranges) == 1


def test_without_pooch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal) -> None:
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    assert refusal(lambda: load("mnist")) == (
        "mnist: no path is given and a download needs the package pooch; run `pip install pooch`,"
        " or give the folder of its files as `path:`"
    )
    monkeypatch.delenv("NMSIM_DATA_DIR", raising=False)
    assert refusal(data_dir) == (
        "NMSIM_DATA_DIR is not set and the package pooch, which knows the platform's cache folder, is not"
        " installed; set the variable to a folder, or run `pip install pooch`"
    )


def test_every_known_download_has_a_hash_and_a_secure_mirror() -> None:
    for entry in CATALOG.values():
        for file in entry.downloads:
            kind, _, digits = file.known_hash.partition(":")
            assert len(digits) == {"md5": 32, "sha256": 64}[kind]
            assert any(url.startswith("https://") for url in file.urls)


def test_importing_touches_no_network_package() -> None:
    packages = ("pooch", "requests", "mlxtend", "torch", "tonic")
    code = f"import sys, nmsim.datasets; print([name for name in {packages} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
