"""Dask distributed: a scheduler that is there already, or a cluster of processes on this machine."""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from nmsim.errors import ConfigError, RunError
from nmsim.explore.backends.backend import ATTEMPTS, Backend, Lost, R, T
from nmsim.explore.backends.garbage import seldom_collected

RECONNECT_SECONDS = 300.0
NO_WORKERS_SECONDS = 300.0
"""How long a scheduler without workers is waited for."""
LOCAL_SECONDS = 10.0
"""The same for a cluster of our own, which is then restarted."""
_POLL_SECONDS = 1.0
_CONNECT_SECONDS = 10.0
_GATHER_SECONDS = 2.0
_LEAST_IN_FLIGHT = 16
_PER_THREAD = 4


class Dask(Backend):
    """Workers of a Dask cluster; they must see the study's folder under the same path.

    `address` is a scheduler's (`tcp://host:8786`); None starts `workers` processes here. A scheduler that goes away
    is waited for up to five minutes; then every task without a result is submitted again.

    Raises:
        ConfigError: the extra `dask` is not installed.
        RunError: no scheduler answers at the address, at first or after it went away.
    """

    def __init__(self, workers: int, address: str | None = None) -> None:
        try:
            import distributed
        except ImportError as error:
            raise ConfigError(
                "--backend dask: Dask is not installed; run `pip install distributed`"
            ) from error
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._distributed: Any = distributed
        self._address, self.workers = address, workers
        self._cluster: Any = None
        self._client: Any = None
        self._connect(_CONNECT_SECONDS)

    def _connect(self, patience_s: float) -> None:
        if self._address is None and self._cluster is None:
            self._cluster = self._start_cluster()
        began = time.monotonic()
        while True:
            try:
                self._client = self._distributed.Client(
                    self._cluster or self._address, timeout=_CONNECT_SECONDS
                )
            except (OSError, TimeoutError) as error:
                if time.monotonic() - began > patience_s:
                    raise RunError(
                        f"--scheduler {self._address}: no Dask scheduler answers; start one with `dask scheduler`, and go on"
                        " with --resume"
                    ) from error
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _start_cluster(self) -> Any:
        """A cluster on this machine; `RunError` if its processes end while they start (killed, out of memory)."""
        try:
            return self._distributed.LocalCluster(
                n_workers=self.workers, threads_per_worker=1, processes=True, dashboard_address=None,
                silence_logs=logging.CRITICAL, env={"NUMBA_NUM_THREADS": "1"},
            )  # fmt: skip
        except (RuntimeError, OSError, TimeoutError) as error:
            why = (str(error) or type(error).__name__).splitlines()[0]
            raise RunError(
                f"--backend dask: {self.workers} workers did not come up ({why}); go on with --resume, with fewer --jobs if"
                " memory is short, or use --backend processes"
            ) from error

    def run(
        self, function: Callable[[T], R], tasks: Sequence[T], on_result: Callable[[T, R | Lost], Any]
    ) -> None:
        """See `Backend.run`.

        Dask blames a death on every task its worker had; those it blames too often are tried again one by one.
        """
        suspects = self._fly(function, dict(enumerate(tasks)), on_result, alone=False)
        for index, task in sorted(suspects.items()):
            self._fly(function, {index: task}, on_result, alone=True)

    def _fly(
        self,
        function: Callable[[T], R],
        left: dict[int, T],
        on_result: Callable[[T, R | Lost], Any],
        *,
        alone: bool,
    ) -> dict[int, T]:
        """Have tasks done, on a new scheduler if the old one goes; those whose workers died unless `alone`."""
        suspects: dict[int, T] = {}
        while left:
            patience_s = NO_WORKERS_SECONDS if self._address else LOCAL_SECONDS
            flight = _Flight(self._client, function, left, patience_s)
            try:
                while left:
                    index, outcome = flight.land()
                    task = left.pop(index)
                    if isinstance(outcome, Lost) and not alone:
                        suspects[index] = task
                    else:
                        on_result(task, outcome)
            except _SchedulerGoneError:
                self.close()
                self._connect(RECONNECT_SECONDS)
            finally:
                flight.abandon()
        return suspects

    def close(self) -> None:
        """Leave the scheduler; stop the cluster if it is our own."""
        with suppress(OSError, TimeoutError):
            self._client.close(timeout=_POLL_SECONDS)
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None


class _Flight:
    """Tasks given to one connection of a scheduler, a bounded number at a time."""

    def __init__(
        self, client: Any, function: Callable[[Any], Any], left: dict[int, Any], patience_s: float
    ) -> None:
        self._client, self._function, self._patience_s = client, function, patience_s
        self._staffed_at = time.monotonic()
        self._waiting = deque(sorted(left.items()))
        self._flying: dict[Any, int] = {}
        self._landed: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def land(self) -> tuple[int, Any]:
        """The next finished task and its outcome; raises what its function raised."""
        self._take_off()
        while True:
            try:
                future = self._landed.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                self._check_staff()
                continue
            index = self._flying.pop(future, None)
            if index is None:
                continue
            if future.status == "error":
                return index, _lost(future.exception(timeout=_CONNECT_SECONDS))
            if future.status != "finished":
                raise _SchedulerGoneError
            try:
                return index, future.result(timeout=_GATHER_SECONDS)
            except TimeoutError:  # its worker died with the result, and the scheduler has it computed again
                self._flying[future] = index
                future.add_done_callback(self._landed.put)

    def _check_staff(self) -> None:
        """Nothing came back for a while: is anybody there?"""
        if self._client.status != "running":
            raise _SchedulerGoneError
        try:
            workers = len(self._client.nthreads())
        except OSError as error:
            raise _SchedulerGoneError from error
        if workers:
            self._staffed_at = time.monotonic()
        elif time.monotonic() - self._staffed_at > self._patience_s:
            if self._client.cluster is not None:
                raise _SchedulerGoneError
            raise RunError(
                f"--scheduler {self._client.scheduler.address}: it has had no worker for {self._patience_s:.0f} s; start"
                " some with `dask worker`, and go on with --resume"
            )

    def _take_off(self) -> None:
        try:
            threads = sum(self._client.nthreads().values())
            while self._waiting and len(self._flying) < max(_LEAST_IN_FLIGHT, _PER_THREAD * threads):
                index, task = self._waiting.popleft()
                future = self._client.submit(_call, self._function, task, pure=False)
                self._flying[future] = index
                future.add_done_callback(self._landed.put)
        except (OSError, TimeoutError) as error:
            raise _SchedulerGoneError from error

    def abandon(self) -> None:
        """Forget what is still in flight."""
        if self._flying and self._client.status == "running":
            self._client.cancel(list(self._flying), force=True)
        self._flying.clear()


class _SchedulerGoneError(Exception):
    """The scheduler ended or restarted, and the futures with it."""


def _lost(error: BaseException) -> Lost:
    """The outcome of a task whose workers died; any other error is raised."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return Lost(f"its worker died {ATTEMPTS} times")
    raise error


def _call(function: Callable[[T], R], task: T) -> R:
    with seldom_collected():
        return function(task)
