"""Local worker processes, each with a pipe of its own, so that the task of a worker that dies is known."""

import pickle
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from multiprocessing.connection import wait
from typing import Any

from nmsim.explore.backends.backend import ATTEMPTS, Backend, Lost, R, T
from nmsim.explore.backends.worker import Worker


class Processes(Backend):
    """`workers` processes started by spawn, one thread each, kept for the whole `with` block."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: list[Worker] = []

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
            self._pool.append(Worker())

    def _ready(self) -> "list[Worker]":
        """Workers that answered or died; waits for the first."""
        by_handle = {handle: worker for worker in self._pool for handle in worker.handles}
        found = {id(by_handle[handle]): by_handle[handle] for handle in wait(list(by_handle))}  # type: ignore[index]
        return list(found.values())

    def _replace(self, worker: "Worker") -> None:
        worker.stop(at_once=True)
        self._pool[self._pool.index(worker)] = Worker()

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
