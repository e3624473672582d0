"""A second process: it gets ready while this one trains, and then does its share of what can be done in any order.

Getting ready means to run the machine code that a simulation needs, and to import what draws. Where the code of the
event-driven model is not on disk yet, it is compiled beside the training engine that way: numba compiles one function at a
time in a process, and what one process compiled, any other finds on disk.
"""

import logging
import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import wait
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, Self

from nmsim.capacity import available_bytes
from nmsim.evaluate import evaluate
from nmsim.perf.event.loop import RUN
from nmsim.pipeline.simulate import DEFAULT_CHIP, mapped, read_chip
from nmsim.pipeline.train import read_workload
from nmsim.sharing import R
from nmsim.stop.fixed.sizing import available_workers
from nmsim.validate.synthetic import synthetic_activity

if TYPE_CHECKING:  # a run waits for studies only where it starts a second process
    from nmsim.explore.backends.worker import Worker
LOG = logging.getLogger("nmsim")
ANY_WORKLOAD = "mnist-dense"
"""Every job runs the same machine code, so that any may have it made."""
ROOM_BYTES = 4 << 30
"""Free memory that a second process asks for: evaluations of the deepest shipped networks take up to 3.1 GB."""


class Beside:
    """A second process, for the whole `with` block; none on a single processor, or where memory is short.

    Use it around a training and what follows: `shared` gives the other process its share once it is ready, and no result
    depends on whether it is. It ends with the block, and with this process, however that ends.
    """

    def __init__(self, jobs: int | None = None) -> None:
        processors = min(available_workers(), jobs or available_workers())
        self._worker = _started() if processors > 1 and available_bytes() > ROOM_BYTES else None
        self._compiles, self._sharing = not RUN.on_disk, Thread()
        self._state: Literal["starting", "ready", "gone"] = "starting"
        if self._worker is not None:
            self._worker.give(0, _CALL, [get_ready])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._worker is not None:
            self._worker.process.kill()
            self._end_sharing()
            self._worker.stop(at_once=True)

    def compiled(self) -> None:
        """Wait for machine code that was missing; if the other process fails, this one compiles when it comes to it."""
        if (
            self._compiles
            and self._worker is not None
            and not self._is_ready(0)
            and self._state == "starting"
        ):
            LOG.info("waiting for the event-driven model, which is compiled beside this, once")
            self._is_ready(None)

    def shared(self, calls: Sequence[Callable[[], R]]) -> Iterator[R]:
        """What calls give, in order: this process makes them from the first on, the other from the last, until they meet.

        The first is always made here. What a process that died was about to do is done here, too. See `nmsim.sharing.Share`.
        """
        waiting, answers, done = deque(range(1, len(calls))), dict[int, Future[R]](), 0
        self._end_sharing()
        if self._is_ready(0):
            self._sharing = Thread(target=self._do_last, args=(calls, waiting, answers), daemon=True)
            self._sharing.start()
        place = 0 if calls else None
        try:
            while place is not None:
                yield calls[place]()
                done, place = place + 1, _next(waiting.popleft)
        finally:
            waiting.clear()
        self._end_sharing()
        for place in range(done, len(calls)):
            yield answers[place].result() if place in answers else calls[place]()

    def _do_last(
        self, calls: Sequence[Callable[[], R]], waiting: deque[int], answers: dict[int, Future[R]]
    ) -> None:
        while (place := _next(waiting.pop)) is not None:
            assert self._worker is not None
            self._worker.give(place, _CALL, calls)
            answer = _answer(self._worker)
            if answer is None:
                self._state = "gone"
                return
            answers[place] = answer

    def _end_sharing(self) -> None:
        if self._sharing.is_alive():
            self._sharing.join()

    def _is_ready(self, timeout_s: float | None) -> bool:
        """Whether it can be given a call; one that failed or died while it got ready never can."""
        if self._state == "starting" and self._worker is not None and wait(self._worker.handles, timeout_s):
            answer = _answer(self._worker)
            self._state = "gone" if answer is None or answer.exception() else "ready"
        return self._state == "ready"


def _started() -> "Worker":
    from nmsim.explore.backends.worker import Worker

    return Worker()


def _next(take: Callable[[], int]) -> int | None:
    """A place from an end of those that wait, or none: two threads may ask, and none gets what the other got."""
    with suppress(IndexError):
        return take()
    return None


def _answer(worker: "Worker") -> Future[Any] | None:
    """What a worker's call gave or raised, waited for; `None` if it died."""
    from nmsim.explore.backends.backend import Lost

    wait(worker.handles)
    answer = Future[Any]()
    try:
        _, value = worker.take()
    except Exception as error:  # noqa: BLE001 - raised where the answer is asked for
        answer.set_exception(error)
        return answer
    answer.set_result(value)
    return None if isinstance(value, Lost) else answer


def _made(call: Callable[[], Any]) -> Any:
    return call()


_CALL = pickle.dumps(_made)


def get_ready() -> None:
    """Run what a simulation runs, on a drawn sample of a small job on the default chip, and import what draws."""
    workload, chip = read_workload(ANY_WORKLOAD), read_chip(DEFAULT_CHIP)
    rule = workload.training.rule.name
    activity = synthetic_activity(workload.network, 1, rule=rule)
    evaluate(mapped(workload, rule, activity, chip), activity, model="event")
    import_module("nmsim.report.write")
