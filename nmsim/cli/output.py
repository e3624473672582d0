"""Standard output and error that outlive their reader: a closed pipe or a full disk does not stop a run."""

import errno
import io
import json
import sys
from typing import Any


class PrintedAnswer:
    """The answer in JSON of the command that runs: `given` once it was printed, for there is one document at most."""

    given = False


def show_json(content: Any) -> None:
    """Print plain data as the command's answer."""
    PrintedAnswer.given = True
    print(json.dumps(content, indent=2))


class PatientFile(io.FileIO):
    """A file descriptor whose first failed write is remembered and whose later ones are dropped."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, or drop what nobody can receive any more."""
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as error:
                self.failure = error
        return len(data)

    @property
    def lost(self) -> bool:
        """Whether output was lost that somebody wanted: a reader that closed its pipe has read enough."""
        return self.failure is not None and self.failure.errno != errno.EPIPE


def make_patient() -> list[PatientFile]:
    """Replace standard output and error by patient ones, where they are real files; returns these files."""
    files = []
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or stream is not getattr(sys, f"__{name}__"):
            continue
        try:
            file = PatientFile(stream.fileno(), "wb", closefd=False)
        except (OSError, ValueError):
            continue
        files.append(file)
        patient = io.TextIOWrapper(
            io.BufferedWriter(file), stream.encoding, "backslashreplace", line_buffering=True
        )
        setattr(sys, name, patient)
    return files
