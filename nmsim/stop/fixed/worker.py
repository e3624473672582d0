"""A worker: its memory, and passes of some samples through the whole network in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import Held
from nmsim.stop.fixed.pass_kernels import RUN_PASS, Loss, Pass
from nmsim.stop.fixed.samples import BatchSums
from nmsim.stop.fixed.workspace import make_work


class Worker:
    """Runs passes over up to `samples` samples in its own memory; what it leaves in `work` is for its owner to take.

    Workers share the plan and the parameters (`held`), which do not change during a pass, and nothing else: any number of
    them may run at a time, each in a thread. `weight_sums (P,)`: the worker's share of dW. `logs`: currents and error sums
    are to be watched.
    """

    def __init__(
        self, layout: Layout, held: Held, weight_sums: NDArray[Any], samples: int, loss: Loss, *, logs: bool
    ) -> None:
        self.layout, self.held, self.samples = layout, held, samples
        self.work = make_work(layout, weight_sums, samples, logs=logs)
        self.sums = BatchSums(
            weight_sums[None],
            self.work.threshold_sums,
            self.work.group_sums,
            self.work.leak_sums,
            self.work.bias_sums,
        )
        self._loss = loss
        self._run = self._bound()

    def _bound(self) -> Callable[..., None]:
        """A pass in this worker's memory."""
        layout = self.layout
        return RUN_PASS.bound(
            layout.plan, self.held, self.work, self._loss, interpreted=layout.storage is object
        )

    def run(
        self, inputs: NDArray[Any], labels: NDArray[np.int64], first: int, steps: range, kind: Pass
    ) -> None:
        """Time steps `steps` (whole groups) of the samples `inputs (S, T or 1, size)`, raw integers in C order.

        `first` is the index of sample 0 in the run, for random draws. States start at zero when `steps` starts at
        0 and go on from the memory otherwise.
        """
        self._run(inputs, labels, first, steps.start, steps.stop, int(kind))

    @contextmanager
    def adding_to(self, sums: BatchSums) -> Iterator[None]:
        """Within the context, ordered sums go straight into `sums`."""
        own, run = self.work, self._run
        self.work = own._replace(
            weight_sums=sums.weights[0], group_sums=sums.groups, leak_sums=sums.leak, bias_sums=sums.biases
        )
        self._run = self._bound()
        try:
            yield
        finally:
            self.work, self._run = own, run

    def forget(self) -> None:
        """Discard everything a pass has left for its owner."""
        work = self.work
        for array in (
            work.weight_sums,
            work.threshold_sums,
            work.group_sums,
            work.leak_sums,
            work.bias_sums,
            work.magnitudes,
        ):
            array[:] = 0
        for array in (work.bounds, work.largest, work.counts, work.tally, work.filled):
            array[:] = 0
