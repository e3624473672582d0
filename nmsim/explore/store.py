"""The store: an append-only SQLite file with one row per result, written by one process, safe against SIGKILL."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from nmsim.errors import RunError
from nmsim.explore.axis import Axis
from nmsim.explore.result import Result, Status
from nmsim.figures import METRICS

SCHEMA = "nmsim/study-2"
_FIXED = ("design", "model", "status", "reason", "numerics")


class Store:
    """Table `results` (columns: `design`, `model`, `status`, `reason`, `numerics`, the axes, the metrics) and `study`.

    A result is one transaction, safe against the end of the process when `add` returns; a power cut may cost the last
    few, never the file. Only a `lost` result is ever replaced. While the store is open, SQLite's write-ahead log lies
    beside it; `close` leaves one file.

    Raises:
        RunError: the file is another study's, is not a store, is open in another process, or the disk is full.
    """

    def __init__(self, path: Path, axes: tuple[Axis, ...], identity: Mapping[str, Any] | None = None) -> None:
        """Open, or create with `identity`, which must be the one the file was created with; None opens any."""
        self.path, self.axes = path, axes
        self._lock = _lock(path) if identity is not None else None
        try:
            with self._messages():
                self._database = self._open(identity)
        except BaseException:
            self._unlock()
            raise

    def _open(self, identity: Mapping[str, Any] | None) -> sqlite3.Connection:
        if identity is None and not self.path.exists():
            raise RunError(f"{self.path}: no study here; make one with `nmsim sweep` or `nmsim search`")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        address = self.path.resolve().as_uri() + ("?mode=ro" if identity is None else "")
        database = sqlite3.connect(address, uri=True, isolation_level=None)
        if identity is not None:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            self._create(database, identity)
        found = {key: json.loads(text) for key, text in database.execute("SELECT key, value FROM study")}
        if found.get("schema") != SCHEMA:
            raise RunError(f"{self.path}: schema {found.get('schema')!r} is not {SCHEMA}; give another --out")
        self.identity: dict[str, Any] = found["identity"]
        if identity is not None and self.identity != identity:
            differing = sorted(
                k for k in {*identity, *self.identity} if identity.get(k) != self.identity.get(k)
            )
            raise RunError(
                f"{self.path}: holds another study ({', '.join(differing)} differ); give another --out, or --overwrite"
            )
        return database

    def _create(self, database: sqlite3.Connection, identity: Mapping[str, Any]) -> None:
        columns = ", ".join(_quoted(name) for name in self._columns[len(_FIXED) :])
        database.execute("BEGIN")
        database.execute("CREATE TABLE IF NOT EXISTS study (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        database.execute(
            "CREATE TABLE IF NOT EXISTS results (design INTEGER, model TEXT, status TEXT, reason TEXT, numerics TEXT,"
            f" {columns}, PRIMARY KEY (design, model)) WITHOUT ROWID"
        )
        rows = (("schema", json.dumps(SCHEMA)), ("identity", json.dumps(identity, sort_keys=True)))
        database.executemany("INSERT OR IGNORE INTO study VALUES (?, ?)", rows)
        database.execute("COMMIT")

    @property
    def _columns(self) -> tuple[str, ...]:
        return (*_FIXED, *(axis.label for axis in self.axes), *METRICS)

    def add(self, result: Result) -> None:
        """Append one result; when this returns, no signal can undo it."""
        axes = [_stored(value) for value in result.values]
        row = [result.design, result.model, str(result.status), result.reason, result.numerics, *axes]
        row += [result.metrics.get(name) for name in METRICS]
        marks = ", ".join("?" * len(row))
        with self._messages():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.execute(
                    "DELETE FROM results WHERE design = ? AND model = ? AND status = ?",
                    (result.design, result.model, str(Status.LOST)),
                )
                self._database.execute(f"INSERT INTO results VALUES ({marks})", row)  # noqa: S608 - marks only
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def results(self, model: str | None = None) -> list[Result]:
        """Every result, or one model's, in order of design and model."""
        return [self._result(row) for row in self.table()[1] if model in {None, row[1]}]

    def done(self, model: str) -> set[int]:
        """Designs that need no further evaluation by a model."""
        query = "SELECT design FROM results WHERE model = ? AND status != ?"
        with self._messages():
            return {row[0] for row in self._database.execute(query, (model, str(Status.LOST)))}

    def _result(self, row: tuple[Any, ...]) -> Result:
        design, model, status, reason, numerics, *rest = row
        values = tuple(_level(axis, raw) for axis, raw in zip(self.axes, rest, strict=False))
        metrics = dict(zip(METRICS, rest[len(self.axes) :], strict=True))
        return Result(
            design, model, values, Status(status), reason, numerics, metrics if status == "ok" else {}
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names of the columns, and every row in order of design and model."""
        names = ", ".join(map(_quoted, self._columns))
        query = f"SELECT {names} FROM results ORDER BY design, model"  # noqa: S608 - quoted column names
        with self._messages():
            return self._columns, self._database.execute(query).fetchall()

    def digest(self) -> str:
        """SHA-256 of all rows in order of design and model: equal for equal tables, to the last bit."""
        columns, rows = self.table()
        return hashlib.sha256(repr((columns, rows)).encode()).hexdigest()

    def note(self, key: str, value: Any) -> None:
        """Store a note about the study with its results, such as versions; replaces an earlier note."""
        with self._messages():
            self._database.execute(
                "INSERT OR REPLACE INTO study VALUES (?, ?)", (key, json.dumps(value, sort_keys=True))
            )

    def noted(self, key: str) -> Any:
        """What was noted under a key, None if nothing was."""
        with self._messages():
            row = self._database.execute("SELECT value FROM study WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def close(self) -> None:
        """Fold the log into the file, unless somebody reads it just now, and let go of it."""
        try:
            with self._messages():
                if self._lock is not None:
                    self._fold()
        finally:
            self._database.close()
            self._unlock()

    def _fold(self) -> None:
        try:
            self._database.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            # a reader has the log open: the file and its log stay a whole store, which the next writer folds
            if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _messages(self) -> Iterator[None]:
        """SQLite's errors as one sentence."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "")
            if name in {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE"}:
                raise RunError(
                    f"{self.path}: the disk is full ({error}); every result so far is kept, so free space and --resume"
                ) from error
            raise RunError(
                f"{self.path}: not usable as a study's store ({error}); give another --out"
            ) from error


def _lock(path: Path) -> sqlite3.Connection:
    """An exclusive lock on the store, released when its process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(path.with_name(f".{path.name}.lock"), timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise RunError(
            f"{path}: another process writes this study; wait for it, or give another --out"
        ) from error
    return lock


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _stored(value: Any) -> Any:
    """Numbers and text as they are, anything else as JSON."""
    return value if type(value) in {int, float, str} else json.dumps(value, sort_keys=True)


def _level(axis: Axis, raw: Any) -> Any:
    """The value of an axis that was stored as `raw`."""
    if axis.kind == "continuous":
        return float(raw)
    return next(level for level in axis.levels() if _stored(level) == raw)
