"""Atomic writes: a file appears whole under its name, or not at all; arrays with a described header."""

import glob
import hashlib
import json
import os
import re
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from nmsim.capacity import check_npz_claims
from nmsim.errors import RunError

Arrays = Mapping[str, NDArray[Any]]
T = TypeVar("T")
_HEADER = "header"
DAMAGED = (
    OSError, ValueError, TypeError, AttributeError, LookupError, EOFError, OverflowError, RecursionError, MemoryError,
    NotImplementedError, SyntaxError, struct.error, zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What readers of the standard library and of numpy raise for bytes that were damaged."""
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST_NAME = 60
PARTIAL = ".partial"
"""End of the name of a file that is being written."""


def file_name(text: str) -> str:
    """What a user named, as the name of a file or folder: itself where that is safe, else a slug and a hash.

    Names are not paths: `28nm / 0.9 V` or `../../x` must neither make folders nor leave the one they are put into.

    >>> file_name("edge-28nm"), file_name("28nm / 0.9 V"), file_name("../../x")
    ('edge-28nm', '28nm-0.9-V-cc0bf300', 'x-9cdf6a50')
    """
    if SAFE_NAME.fullmatch(text) and len(text) <= LONGEST_NAME and not text.endswith("."):
        return text
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:LONGEST_NAME].rstrip("-._")
    return f"{slug or 'unnamed'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A binary stream whose content replaces `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.{os.getpid()}.", suffix=PARTIAL
    )
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _remove_abandoned(path: Path) -> None:
    """Remove what writers of the same file left that were killed."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL}"):
        _remove_if_abandoned(left)


def sweep(folder: Path) -> None:
    """Remove what killed writers left anywhere in a folder, also of files that nobody writes again."""
    for left in folder.rglob(f".*{PARTIAL}"):
        _remove_if_abandoned(left)


def _remove_if_abandoned(left: Path) -> None:
    """Remove a file that was being written if its writer is gone: the name holds the writer's process number."""
    writer = left.name.removesuffix(PARTIAL).split(".")[-2:-1]
    if writer and writer[0].isdigit() and not _runs(int(writer[0])):
        left.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Whether a process of this machine is alive; on Windows, where asking could end it, it is taken to be."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_write(path) as stream:
        stream.write(text.encode())


def write_arrays(
    path: Path, schema: str, header: Mapping[str, Any], arrays: Arrays, *, compress: bool = True
) -> None:
    """Write arrays and a JSON header, marked with a schema, as one `.npz`, atomically."""
    text = json.dumps({"schema": schema, **header}, sort_keys=True)
    save = np.savez_compressed if compress else np.savez
    with atomic_write(path) as stream:
        save(stream, **{_HEADER: np.frombuffer(text.encode(), np.uint8), **arrays})  # type: ignore[arg-type]


def read_arrays(path: Path, schema: str, remedy: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and arrays that `write_arrays` wrote; no code in the file is ever executed.

    Raises:
        RunError: the file is missing, unreadable, or of another schema.
    """
    try:
        with path.open("rb") as stream:
            check_npz_claims(stream)
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop(_HEADER).tobytes())
    except FileNotFoundError as error:
        raise RunError(f"{path}: no such file; {remedy}") from error
    except DAMAGED as error:
        raise RunError(f"{path}: not readable ({str(error) or type(error).__name__}); {remedy}") from error
    if not isinstance(header, dict) or header.get("schema") != schema:
        found = header.get("schema") if isinstance(header, dict) else type(header).__name__
        raise RunError(f"{path}: schema {found!r} is not {schema}; {remedy}")
    return header, arrays


def typed(kind: type[T], content: Any) -> T:
    """Plain data out of a file as a dataclass, every value of the type that it is declared with.

    A file can be damaged, or edited by hand: what reads it must not find a list where a number is used.

    Raises:
        ValueError: in one line, which value is wrong and how; one of `DAMAGED`, for the reader to name its file.
    """
    try:
        adapter: TypeAdapter[T] = _adapter(cast(Any, kind))
        return adapter.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the top level"
        raise ValueError(f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}") from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """The mapping that a JSON file holds; `RunError` if the file is missing, damaged, or holds anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: no such file; {remedy}") from error
    except DAMAGED as error:
        raise RunError(f"{path}: not readable ({error}); {remedy}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: holds a {type(content).__name__}, not a mapping; {remedy}")
    return content
