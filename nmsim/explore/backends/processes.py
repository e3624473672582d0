"""Local worker processes, each with a pipe of its own, so that the task of a worker that dies is known."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from nmsim.explore.backends.backend import ATTEMPTS, Backend, Lost, R, T
from nmsim.explore.backends.garbage import seldom_collected

_SINGLE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_LEAVE_SECONDS = 2.0


class Processes(Backend):
    """`workers` processes started by spawn, one thread each, kept for the whole `with` block."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: list[_Worker] = []

    def run(
        self, function: Callable[[T], R], tasks: Sequence[T], on_result: Callable[[T, R | Lost], Any]
    ) -> None:
        """See `Backend.run`."""
        code = pickle.dumps(function)
        deaths, left = [0] * len(tasks), len(tasks)
        self._start(min(self.workers, left))
        waiting = Runs(len(tasks), max(len(self._pool), 1))
        try:
            while left:
                for place, worker in enumerate(self._pool):
                    if worker.task is None and waiting:
                        worker.give(waiting.next_of(place), code, tasks)
                for worker in self._ready():
                    place = self._pool.index(worker)
                    index, outcome = worker.take()
                    if (
                        not isinstance(outcome, Lost) and waiting
                    ):  # before on_result, so that it does not wait
                        worker.give(waiting.next_of(place), code, tasks)
                    if isinstance(outcome, Lost):
                        self._replace(worker)
                        if index is not None and (again := deaths[index] + 1) < ATTEMPTS:
                            deaths[index] = again
                            waiting.again(place, index)
                            continue
                    if index is not None:
                        left -= 1
                        on_result(tasks[index], outcome)
        except BaseException:
            self._stop(at_once=True)
            raise

    def _start(self, workers: int) -> None:
        while len(self._pool) < workers:
            self._pool.append(_Worker())

    def _ready(self) -> "list[_Worker]":
        """Workers that answered or died; waits for the first."""
        by_handle = {handle: worker for worker in self._pool for handle in worker.handles}
        found = {id(by_handle[handle]): by_handle[handle] for handle in wait(list(by_handle))}  # type: ignore[index]
        return list(found.values())

    def _replace(self, worker: "_Worker") -> None:
        worker.stop(at_once=True)
        self._pool[self._pool.index(worker)] = _Worker()

    def close(self) -> None:
        """Stop the workers; idle ones leave by themselves."""
        self._stop(at_once=False)

    def _stop(self, *, at_once: bool) -> None:
        for worker in self._pool:
            worker.stop(at_once=at_once)
        self._pool.clear()


class Runs:
    """Tasks that wait, a run of neighbours for each worker: neighbours share most, and a worker keeps what they share.

    A worker that is through with its run takes the later half of the longest one.

    >>> waiting = Runs(6, workers=2)
    >>> [waiting.next_of(worker) for worker in (0, 1, 0, 0, 0, 1)], bool(waiting)
    ([0, 3, 1, 2, 5, 4], False)
    """

    def __init__(self, tasks: int, workers: int) -> None:
        ends = [tasks * worker // workers for worker in range(workers + 1)]
        self._runs = [deque(range(*run)) for run in pairwise(ends)]

    def __bool__(self) -> bool:
        return any(self._runs)

    def next_of(self, worker: int) -> int:
        """The next task of a worker; there is one."""
        run, longest = self._runs[worker], max(self._runs, key=len)
        if not run:
            run.extendleft([longest.pop() for _ in range((len(longest) + 1) // 2)])
        return run.popleft()

    def again(self, worker: int, task: int) -> None:
        """A task comes back, and is the next of a worker."""
        self._runs[worker].appendleft(task)


class _Worker:
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
