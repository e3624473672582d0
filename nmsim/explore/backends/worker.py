"""A worker: another process of this program that does tasks one by one, and leaves when this one does."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from nmsim.explore.backends.backend import ATTEMPTS, Lost
from nmsim.explore.backends.garbage import seldom_collected

_SINGLE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_LEAVE_SECONDS = 2.0


class Worker:
    """One process and this end of its pipe."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _single_threaded():
            self.process.start()
        theirs.close()
        self.task: int | None = None

    @property
    def handles(self) -> tuple[Connection, int]:
        """What becomes ready when it answers or dies."""
        return self._pipe, self.process.sentinel

    def give(self, index: int, code: bytes, tasks: Sequence[Any]) -> None:
        """Send a task; that it has died meanwhile shows in `take`."""
        self.task = index
        try:
            self._pipe.send((code, tasks[index]))
        except OSError:
            return

    def take(self) -> tuple[int | None, Any]:
        """Its task and the answer, `Lost` if it died; raises what the function raised."""
        index, self.task = self.task, None
        answer: tuple[bool, Any] | None = None
        with suppress(EOFError, ConnectionError):
            answer = self._pipe.recv() if index is not None and self._pipe.poll() else None
        if answer is not None:
            succeeded, value = answer
            if succeeded:
                return index, value
            raise value
        self.process.join(_LEAVE_SECONDS)
        code = self.process.exitcode
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        return index, Lost(f"its worker died {ATTEMPTS} times ({how})")

    def stop(self, *, at_once: bool) -> None:
        """End the process: by closing its pipe, or by a signal."""
        self._pipe.close()
        if not at_once:
            self.process.join(_LEAVE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


@contextmanager
def _single_threaded() -> Iterator[None]:
    """The environment in which a worker starts: compiled kernels and BLAS use one thread each."""
    before = {name: os.environ.get(name) for name in _SINGLE_THREAD}
    os.environ.update(dict.fromkeys(_SINGLE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection) -> None:
    """Life of a worker, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    with seldom_collected():
        _work(pipe)


def _work(pipe: Connection) -> None:
    """Tasks in, answers out."""
    functions: dict[bytes, Callable[[Any], Any]] = {}
    while True:
        try:
            code, task = pipe.recv()
        except (EOFError, OSError):
            return
        if code not in functions:
            functions = {code: pickle.loads(code)}  # noqa: S301 - sent by the process that started this one
        try:
            answer = (True, functions[code](task))
        except KeyboardInterrupt:
            return
        except Exception as error:  # noqa: BLE001 - raised again by the coordinator
            answer = (False, _sendable(error))
        try:
            pipe.send(answer)
        except OSError:
            return


def _sendable(error: Exception) -> Exception:
    """The error, or one of the same text if it does not survive the pipe."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - own bytes
    except Exception:  # noqa: BLE001 - any failure means the same
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _leave_with_parent() -> None:
    """A coordinator that was killed leaves no worker behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
