"""Whatever the system does to a command, its user reads a sentence."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nmsim.cli.failure import DEFECT, describe, printable
from nmsim.cli.verbs import VERBS, app

NMSIM = [sys.executable, "-m", "nmsim.cli.main"]


def nmsim(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NMSIM, *arguments], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def run_and_show_modules(verb: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that says at its end which of the slow packages it has imported."""
    code = (
        f"import sys; sys.argv = ['nmsim', {verb!r}]\n"
        "from nmsim.cli.main import main\n"
        "try: main()\n"
        "finally: print(sorted({'numba', 'scipy', 'matplotlib'} & set(sys.modules)), file=sys.stderr)\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "runs/a"), "runs/a: the disk is full: free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "/x: no permission: give another folder"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "/x: the file system is read-only"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files are open at once: raise the limit"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), "a/b: a part of this path is a file"),
        (MemoryError("Unable to allocate 9.2 GiB"), "the memory of this machine does not suffice (Unable to"),
        (RecursionError(), "the input is nested too deeply"),
        (OverflowError("int too large to convert to float"), "a number is too large to be computed with"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_the_system_refuses_is_one_sentence_of_bad_input(error: Exception, words: str) -> None:
    code, _, sentences = describe(error)
    assert code == 2
    assert len(sentences) == 1
    assert sentences[0].startswith(words)


def test_an_import_that_ctrl_c_cut_short_is_an_interruption() -> None:
    wrapped = ImportError("numpy could not be imported")
    wrapped.__cause__ = KeyboardInterrupt()
    assert describe(wrapped)[:2] == (130, "Interrupted")


def test_a_defect_has_its_own_code_and_leaves_its_traceback_in_a_file() -> None:
    code, kind, (sentence,) = describe(TypeError("impossible"))
    file = Path(sentence.rpartition(" ")[2])
    assert (code, kind) == (DEFECT, "Defect")
    assert "TypeError: impossible" in file.read_text()
    file.unlink()


def test_messages_cut_what_is_long_and_escape_what_is_not_printable() -> None:
    shown = printable("chip '\x1b[31m" + "x" * 100_000 + "' is unknown")
    assert "\x1b" not in shown
    assert "\\x1b[31m" in shown
    assert len(shown) < 300
    assert shown.endswith("is unknown")


def test_a_closed_pipe_does_not_stop_a_command(tmp_path: Path) -> None:
    out = tmp_path / "vocabulary.json"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([*NMSIM, "list"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
    assert nmsim("schema", "chip", "--out", str(out)).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_is_lost_is_said_with_exit_code_2() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*NMSIM, "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "nmsim: output was lost" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_while_starting_is_one_line() -> None:
    code = (
        "import builtins, os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whatever the shell of the tests did with it
        "real = builtins.__import__\n"
        "def interrupted(name, *rest, **more):\n"
        "    if name == 'pydantic': os.kill(os.getpid(), signal.SIGINT)\n"
        "    return real(name, *rest, **more)\n"
        "builtins.__import__ = interrupted\n"
        "sys.argv = ['nmsim', 'costs']\n"
        "from nmsim.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "nmsim: interrupted; what was finished is kept, go on with --resume\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space are Linux's")
@pytest.mark.parametrize("megabytes", [100, 300, 360])
def test_too_little_memory_to_start_is_one_sentence(megabytes: int) -> None:
    limited = ["sh", "-c", f'ulimit -v {megabytes * 1024}; exec "$@"', "sh", *NMSIM, "train", "mnist-dense"]
    done = subprocess.run(limited, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert re.match("nmsim: the memory of this (machine|process) does not suffice", done.stderr), done.stderr
    assert "Traceback" not in done.stderr


def test_out_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = nmsim("train", "mnist-dense", "--out", str(tmp_path / "file"), "--set", "training.epochs=1")
    assert done.returncode == 2
    assert done.stderr.startswith("nmsim: ")
    assert done.stderr.count("\n") == 1


def test_mistakes_are_json_too_where_json_is_asked_for() -> None:
    done = nmsim("map", "no-such-workload", "--json")
    content = json.loads(done.stdout)
    assert content["schema"] == "nmsim/error-1"
    assert content["error"]["exit_code"] == done.returncode == 2
    assert content["error"]["sentences"][0].startswith("no-such-workload: no shipped file of that name")


def test_a_mistyped_verb_names_the_nearest_without_loading_any() -> None:
    done = run_and_show_modules("lits")
    assert done.returncode == 2
    assert done.stderr == "nmsim: no verb 'lits'; did you mean 'list'?; see --help\n[]\n"


@pytest.mark.parametrize("verb", ["--help", "list"])
def test_help_and_list_load_no_compiler(verb: str) -> None:
    done = run_and_show_modules(verb)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"


def test_every_verb_is_where_the_list_says() -> None:
    from typer.main import get_command

    group = get_command(app)
    for verb in VERBS:
        assert group.get_command(None, verb) is not None, verb  # type: ignore[attr-defined]
