"""Atomic writes: whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nmsim.storage import atomic_write, sweep, write_text


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail() -> None:
        with atomic_write(path) as stream:
            stream.write(b"new")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "text"


def write_and_die(path: Path) -> None:
    """A process that a SIGKILL ends inside a write."""
    code = (
        "import os, signal, sys; from pathlib import Path; from nmsim.storage import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as stream: stream.write(b'x'); stream.flush();"
        " os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)


def test_a_sweep_takes_what_killed_writers_left_anywhere_below(tmp_path: Path) -> None:
    write_and_die(tmp_path / "simulations" / "never-written-again.npz")
    (left,) = (tmp_path / "simulations").iterdir()
    living = tmp_path / f".run.json.{os.getpid()}.abc.partial"  # another writer at work
    living.touch()
    sweep(tmp_path)
    assert not left.exists()
    assert living.exists()


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    write_and_die(path)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".checkpoint.npz.")
    living = tmp_path / f".checkpoint.npz.{os.getpid()}.abc.partial"  # another writer at work
    living.touch()
    write_text(path, "whole")
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted([path.name, living.name])
