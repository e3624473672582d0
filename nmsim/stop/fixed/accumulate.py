"""Gradient sums of one batch: split over workers, shown to be free of overflow on the way, or repeated in order."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.quantize import HIGH, LOW, SAFE_BITS, UNLIMITED_BITS, WRAP, magnitude
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import Work
from nmsim.stop.fixed.pass_kernels import Pass
from nmsim.stop.fixed.pass_results import TAKE_BOUNDS, TAKE_RESULTS
from nmsim.stop.fixed.samples import BatchSums, RawBatch
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.fixed.threads import Threads, share_of
from nmsim.stop.fixed.worker import Worker


class Observer(Protocol):
    """Watches a pass; what it is shown is only valid during the call.

    A sample whose sums had to be repeated in order is shown twice, with the same states.
    """

    def steps(self, start: int, step: int, samples: int, work: Work) -> None:
        """A group of time steps from `step` on, of `samples` samples from sample `start` of the batch on, lies in `work`."""
        ...

    def sample(self, index: int, sums: BatchSums) -> None:
        """Sample `index` of the batch is complete; `sums` are those of the batch so far."""
        ...


MINIMUM_MACS = 2_000_000
"""Least work worth a second thread."""
PATIENCE = 64
"""Batches without a discarded pass after which larger passes are tried again."""


class Accumulator:
    """Runs passes of one network over samples, on as many workers as it is given.

    Samples have no memory and draws are indexed by sample, so a pass may be split, discarded and repeated at will.
    Results and overflow counts are taken over only when a pass is final. `weight_sums (workers, P)`: the workers' shares
    of dW.

    A pass is tried with exact sums first. If the bounds cannot rule out that an accumulator would have overflowed on the
    way, the pass is discarded and tried with half as many samples; a single sample is then summed in the order of the
    definition (docs/decisions/0005).
    """

    def __init__(
        self, layout: Layout, workers: list[Worker], weight_sums: NDArray[Any], threads: Threads
    ) -> None:
        self.layout, self.workers, self._weight_sums, self._threads = layout, workers, weight_sums, threads
        self.in_flight = sum(worker.samples for worker in workers)
        self.counts = np.zeros((len(layout.layers), len(Tensor)), np.int64)
        self.tally = np.zeros_like(workers[0].work.tally)
        self._limits = self._gradient_limits()
        self._nothing = np.zeros_like(self._limits)
        self._take_bounds = TAKE_BOUNDS.form(interpreted=layout.storage is object)
        self._ran: list[Worker] = []
        self._totals: BatchSums | None = None
        self._all_steps = range(layout.layers[0].time_steps)
        self._together, self._calm = self.in_flight, 0
        self._macs = layout.layers[0].time_steps * sum(
            layer.channels * layer.fan_in * layer.positions for layer in layout.layers
        )

    def _gradient_limits(self) -> NDArray[Any]:
        """Largest absolute sums that cannot overflow, `(L, 4)`; wrapping accumulators have no order to keep."""
        numbers = self.layout.plan.numbers
        rows = numbers[
            :, [Tensor.WEIGHT_GRADIENT, Tensor.THRESHOLD_GRADIENT, Tensor.LEAK_GRADIENT, Tensor.BIAS_GRADIENT]
        ]
        limits = np.minimum(rows[..., HIGH], -rows[..., LOW])
        unlimited = 1 << (UNLIMITED_BITS if numbers.dtype == object else SAFE_BITS)
        return np.where(rows[..., WRAP] != 0, unlimited, limits)

    def totals(self) -> BatchSums:
        """Sums across the passes of a batch, allocated when a batch first needs more than one pass."""
        if self._totals is None:
            self._totals = self.workers[0].sums.empty_like()
        return self._totals

    def observe(self, samples: RawBatch, kind: Pass, observer: Observer) -> None:
        """A pass without gradients, group by group of time steps; no overflow is counted."""
        worker = self.workers[0]
        for start in range(0, len(samples), worker.samples):
            part = samples.part(start, min(start + worker.samples, len(samples)))
            self._run_observed(worker, part, kind, start, observer)
        worker.forget()

    def infer(self, samples: RawBatch) -> NDArray[np.int64]:
        """Output spikes `(B, C)` as stored; no overflow is counted."""
        spikes = np.zeros((len(samples), self.workers[0].work.spikes.shape[1]), np.int64)
        for start in range(0, len(samples), self.in_flight):
            part = samples.part(start, min(start + self.in_flight, len(samples)))
            for begin, stop, worker in self._spread(part, Pass.INFERENCE):
                spikes[start + begin : start + stop] = worker.work.spikes[: stop - begin]
                worker.work.counts[:] = 0
        return spikes

    def gradients(
        self, samples: RawBatch, observer: Observer | None = None
    ) -> tuple[BatchSums, NDArray[np.int64]]:
        """Gradient sums of a batch and its output spikes `(B, C)` as stored; whoever uses the sums empties them.

        An observer sees samples one at a time.
        """
        spikes = np.zeros((len(samples), self.workers[0].work.spikes.shape[1]), np.int64)
        prior = self._nothing
        size = 1 if observer else self._pass_size()
        if len(samples) <= size and (bound := self._try(samples, 0, prior, spikes, observer)) is not None:
            sums = self._sums_of_pass(bound)
            if observer is not None:
                observer.sample(0, sums)
            return sums, spikes
        if len(samples) == 1:
            # A second try could not end otherwise, and a layer that is updated from factors has its sums in no try.
            self._ordered(samples, self.totals(), spikes)
            if observer is not None:
                observer.sample(0, self.totals())
            return self.totals(), spikes
        if len(samples) <= size:
            size = self._halve(len(samples))
        for start in range(0, len(samples), size):
            prior = self._commit(samples, start, min(start + size, len(samples)), prior, spikes, observer)
            if observer is not None:
                observer.sample(start, self.totals())
        return self.totals(), spikes

    def _sums_of_pass(self, bound: NDArray[Any]) -> BatchSums:
        """Sums of the pass that made a whole batch: dW in a share of each worker, the others all in the first one's."""
        first, *others = self._ran
        own = first.sums
        sums = BatchSums(
            self._weight_sums[: len(self._ran)], own.thresholds, own.groups, own.leak, own.biases,
            first.work.memory, bound[:, 0].tolist(),
        )  # fmt: skip
        for worker in others:
            sums.take_neurons(worker.sums)
        return sums

    def _pass_size(self) -> int:
        """Samples of a pass: as many as are in flight, fewer while larger passes have lately been discarded."""
        if self._together < self.in_flight:
            self._calm += 1
            if self._calm > PATIENCE:
                self._together, self._calm = min(2 * self._together, self.in_flight), 0
        return self._together

    def _halve(self, samples: int) -> int:
        """A pass of so many samples had to be discarded: half of them, now and in the next batches."""
        self._together, self._calm = (samples + 1) // 2, 0
        return self._together

    def in_place_step(self, sample: RawBatch, step: int) -> tuple[BatchSums, NDArray[np.int64]]:
        """One time step of one sample: its dW, with dTheta and dAlpha so far; and its output spikes so far."""
        worker = self.workers[0]
        worker.run(sample.inputs, sample.labels, sample.first, range(step, step + 1), Pass.IN_PLACE)
        spikes = np.empty_like(worker.work.spikes[:1])
        self._take_results(worker, spikes, 0, 1)
        return worker.sums, spikes

    def _commit(
        self,
        samples: RawBatch,
        start: int,
        stop: int,
        prior: NDArray[Any],
        spikes: NDArray[np.int64],
        observer: Observer | None,
    ) -> NDArray[Any]:
        """Add samples `start..stop-1` to the totals: at once if no partial sum can overflow, else in halves, else in order.

        `prior` bounds the sums so far; the new bound is returned.
        """
        totals = self.totals()
        bound = self._try(samples.part(start, stop), start, prior, spikes, observer)
        if bound is not None:
            for worker in self._ran:
                totals.take(worker.sums)
            return bound
        if stop - start > 1:
            middle = start + self._halve(stop - start)
            prior = self._commit(samples, start, middle, prior, spikes, observer)
            return self._commit(samples, middle, stop, prior, spikes, observer)
        self._ordered(samples.part(start, stop), totals, spikes[start:stop])
        return self._measured(totals)

    def _try(
        self,
        part: RawBatch,
        start: int,
        prior: NDArray[Any],
        spikes: NDArray[np.int64],
        observer: Observer | None,
    ) -> NDArray[Any] | None:
        """One exact pass; its sums stay with the workers if none can have overflowed on the way, else they are discarded.

        `prior` bounds the sums so far, which are looked at where it does not suffice. The new bound, None if discarded.
        """
        if observer is None:
            ran = self._spread(part, Pass.GRADIENTS)
        else:
            self._run_observed(self.workers[0], part, Pass.GRADIENTS, start, observer)
            ran = [(0, len(part), self.workers[0])]
        self._ran = [worker for _, _, worker in ran]
        bound, within = prior.copy(), True
        for worker in self._ran:
            within = self._take_bounds(bound, worker.work.bounds, self._limits)
        if start and not within:
            bound = bound - prior + self._measured(self.totals())
            within = not (bound > self._limits).any()
        if not within:
            for _, _, worker in ran:
                worker.forget()
            return None
        for begin, stop, worker in ran:
            self._take_results(worker, spikes, start + begin, start + stop)
        return bound

    def _run_observed(
        self, worker: Worker, part: RawBatch, kind: Pass, start: int, observer: Observer
    ) -> None:
        group = self.layout.group
        for step in range(0, self._all_steps.stop, group):
            worker.run(part.inputs, part.labels, part.first, range(step, step + group), kind)
            observer.steps(start, step, len(part), worker.work)

    def _ordered(self, sample: RawBatch, totals: BatchSums, spikes: NDArray[np.int64]) -> None:
        """One sample in the order of the definition, straight into the totals."""
        for layer in self.layout.layers:
            sums = totals.thresholds[layer.theta : layer.theta + layer.neurons]
            in_order = sums.reshape(layer.positions, layer.channels).T.reshape(layer.thresholds, -1)
            totals.groups[layer.threshold : layer.threshold + layer.thresholds] += in_order.sum(axis=1)
            sums[:] = 0
        worker = self.workers[0]
        with worker.adding_to(totals):
            worker.run(sample.inputs, sample.labels, sample.first, self._all_steps, Pass.ORDERED)
        self._take_results(worker, spikes, 0, 1)
        worker.forget()  # what it found of magnitudes would be added to the bounds of the next sample

    def _measured(self, totals: BatchSums) -> NDArray[Any]:
        """Largest absolute sums so far, `(L, 4)`; dTheta bounded by its neurons' sums."""
        found = np.zeros_like(self._limits)
        for index, layer in enumerate(self.layout.layers):
            weights = totals.weights[:, layer.weight : layer.weight + layer.channels * layer.fan_in]
            found[index, 0] = max(int(weights.max()), -int(weights.min()))
            neurons = totals.thresholds[layer.theta : layer.theta + layer.neurons]
            groups = totals.groups[layer.threshold : layer.threshold + layer.thresholds]
            found[index, 1] = np.maximum(neurons, -neurons).sum() + max(groups.max(), -groups.min())
            found[index, 2] = magnitude(totals.leak[index])
            biases = totals.biases[layer.rows : layer.rows + layer.channels]
            found[index, 3] = max(biases.max(), -biases.min())
        return found

    def _spread(self, samples: RawBatch, kind: Pass) -> list[tuple[int, int, Worker]]:
        """Run samples on the workers; (start, stop, worker) of each part."""
        worthwhile = len(samples) * self._macs // MINIMUM_MACS
        needed = -(-len(samples) // self.workers[0].samples)
        workers = max(needed, min(len(self.workers), len(samples), worthwhile), 1)
        if workers == 1:
            worker = self.workers[0]
            worker.run(samples.inputs, samples.labels, samples.first, self._all_steps, kind)
            return [(0, len(samples), worker)]

        def run_part(number: int) -> tuple[int, int, Worker]:
            begin, end = share_of(len(samples), number, workers)
            own, worker = samples.part(begin, end), self.workers[number]
            worker.run(own.inputs, own.labels, own.first, self._all_steps, kind)
            return begin, end, worker

        return self._threads.run(run_part, workers)

    def _take_results(self, worker: Worker, spikes: NDArray[np.int64], start: int, stop: int) -> None:
        """Output spikes of samples `start..stop-1`, overflows and the tally of a final pass."""
        work = worker.work
        TAKE_RESULTS.machine(
            spikes, self.counts, self.tally, start, stop, work.spikes, work.counts, work.tally
        )

    def discard(self) -> None:
        """Forget every sum that is not yet part of an update, after an interruption."""
        for worker in self.workers:
            worker.forget()
        self._totals = None
