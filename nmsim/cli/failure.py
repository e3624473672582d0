"""Whatever ends a command as one sentence with an exit code: mistakes in the input, and what the system refuses."""

import errno
import os
import re
import sys
import tempfile
import traceback
from pathlib import Path

from nmsim.cli.output import PrintedAnswer, show_json
from nmsim.errors import NmsimError

BAD_INPUT = 2
DEFECT = 70
INTERRUPTED = 130
ERROR_SCHEMA = "nmsim/error-1"
LONGEST_WORD = 160
LONGEST_LINE = 1200

_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space; what was finished is kept, go on with --resume",
    errno.EDQUOT: "your quota of this disk is used up: free some space, then go on with --resume",
    errno.EACCES: "no permission: give another folder with --out, or change the permissions",
    errno.EPERM: "no permission: give another folder with --out, or change the permissions",
    errno.EROFS: "the file system is read-only: give another folder with --out",
    errno.ENOTDIR: "a part of this path is a file, not a folder: give another path",
    errno.EEXIST: "this is a file where a folder is needed: give another --out",
    errno.EISDIR: "this is a folder where a file is needed: give a file",
    errno.ENOENT: "there is no such file or folder: check the path",
    errno.ENAMETOOLONG: "the name is too long for this file system: give a shorter one",
    errno.ELOOP: "the symbolic links go round in a circle: give the real path",
    errno.EMFILE: "too many files are open at once: raise the limit (ulimit -n 1024), or use fewer --workers",
    errno.ENFILE: "this machine has too many open files: close some programs",
    errno.ENOMEM: "the memory is used up: use fewer samples, a smaller batch or network, or fewer --workers",
    errno.EAGAIN: "no further process or thread can be started: use fewer --workers or --jobs",
    errno.EIO: "the disk or its connection failed: try again, or give another folder",
}


def report(error: BaseException, *, as_json: bool) -> int:
    """Say what ended the command, on standard error; its exit code.

    With `--json` also as JSON on standard output, unless the command's answer stands there already: a check that failed
    after it is told by the exit code.
    """
    code, kind, sentences = describe(error)
    for line in sentences:
        print(f"nmsim: {printable(line)}", file=sys.stderr)
    if as_json and not PrintedAnswer.given:
        content = {"kind": kind, "exit_code": code, "sentences": [printable(line) for line in sentences]}
        show_json({"schema": ERROR_SCHEMA, "error": content})
    return code


def describe(error: BaseException) -> tuple[int, str, list[str]]:  # noqa: PLR0911 - one return per kind of error
    """Exit code, kind and sentences of an error."""
    kind = type(error).__name__
    if _interrupted(error):
        return INTERRUPTED, "Interrupted", ["interrupted; what was finished is kept, go on with --resume"]
    if isinstance(error, NmsimError):
        return error.exit_code, kind, str(error).splitlines() or [kind]
    if isinstance(error, OSError) and error.errno is not None:
        return BAD_INPUT, "SystemError", [_of_system(error)]
    if isinstance(error, MemoryError):
        what = f" ({error})" if str(error) else ""
        remedy = "use fewer samples, a smaller batch, network or chip, or fewer --workers"
        return BAD_INPUT, kind, [f"the memory of this machine does not suffice{what}; {remedy}"]
    if isinstance(error, RecursionError):
        return BAD_INPUT, kind, ["the input is nested too deeply to be read; write it flatter"]
    if isinstance(error, OverflowError):
        return BAD_INPUT, kind, [f"a number is too large to be computed with ({error}); use a smaller one"]
    return DEFECT, "Defect", [_defect(error)]


def printable(text: str) -> str:
    """A sentence that is safe on a terminal: control characters escaped, long words and lines cut."""
    escaped = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    cut = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", _cut_word, escaped)
    if len(cut) <= LONGEST_LINE:
        return cut
    half = LONGEST_LINE // 2
    return f"{cut[:half]} ... ({len(text):,} characters) ... {cut[-half:]}"


def _cut_word(match: re.Match[str]) -> str:
    word = match[0]
    return f"{word[: LONGEST_WORD // 2]}...({len(word):,} characters)...{word[-LONGEST_WORD // 4 :]}"


def _of_system(error: OSError) -> str:
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    remedy = _REMEDIES.get(error.errno or 0)
    what = remedy or f"{error.strerror or error}: check the path and the machine"
    return f"{names[0]}: {what}" if names else what


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is at the bottom of it; an import that it cuts short may end in an error of another kind."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _defect(error: BaseException) -> str:
    """A defect of nmsim itself: its traceback goes to a file for the report, not to the user's screen."""
    text = "".join(traceback.format_exception(error))
    said = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
    try:
        handle, name = tempfile.mkstemp(prefix="nmsim-defect-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError:
        return f"defect of nmsim ({said}); please report it with the command that led here"
    return f"defect of nmsim ({said}); please report it with the command and the file {Path(name)}"
