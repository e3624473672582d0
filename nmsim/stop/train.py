"""The training loop: epochs, batches, metrics, checkpoints; the same for every engine."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import DataError
from nmsim.stop.checkpoint import Checkpoint
from nmsim.stop.history import EpochRow, TrainingHistory
from nmsim.stop.protocol import Batch, Engine, UpdateRates
from nmsim.stop.spec import TrainingSpec

EVALUATION_CHUNK = 256
CHECKPOINT_SECONDS = 20.0
"""Time after which the middle of an epoch is kept."""


class Samples(Protocol):
    """Encoded samples of one split, fetched by index."""

    def __len__(self) -> int: ...

    def batch(self, indices: NDArray[np.int64], first_sample: int) -> Batch:
        """The samples of these indices as an engine takes them."""
        ...


@dataclass(frozen=True)
class Progress:
    """Reported to a listener after every batch; `total` is the number of batches in the whole run."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    samples: int
    train_accuracy: float
    row: EpochRow | None = None
    """The finished epoch, once per epoch."""


def epoch_order(samples: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Order of the training samples in an epoch: a PCG64 permutation of stream `(seed, 1, epoch)`.

    >>> epoch_order(5, seed=1, epoch=0).tolist() == epoch_order(5, seed=1, epoch=0).tolist()
    True
    """
    return np.random.Generator(np.random.PCG64([seed, 1, epoch])).permutation(samples)


def accuracy(engine: Engine, samples: Samples) -> tuple[float, int]:
    """Fraction of correctly classified samples, and their number."""
    correct = 0
    for start in range(0, len(samples), EVALUATION_CHUNK):
        batch = samples.batch(np.arange(start, min(start + EVALUATION_CHUNK, len(samples))), start)
        correct += int((engine.infer(batch).argmax(axis=1) == batch.labels).sum())
    return correct / len(samples), len(samples)


def epoch_rates(training: TrainingSpec, epoch: int) -> UpdateRates:
    """Learning rates of an epoch: the float64 numbers nearest to the exact products."""
    factor = training.schedule.factor(epoch, training.epochs)
    base = training.learning_rates
    weight, threshold, leak = (
        float(Fraction(rate) * factor) for rate in (base.weight, base.threshold, base.leak)
    )
    return UpdateRates(weight, threshold, leak)


def train(
    engine: Engine,
    train_samples: Samples,
    test_samples: Samples,
    *,
    seed: int,
    run_hash: str,
    checkpoint_path: Path | None = None,
    resume: bool = False,
    listen: Callable[[Progress], None] = lambda _: None,
    visit: Callable[[int], None] = lambda _: None,
) -> TrainingHistory:
    """Train to the last epoch, or go on from a checkpoint to the same bits.

    Without held-out samples no accuracy is measured. A checkpoint is written at the end of every epoch, every 20 s
    inside one, and on Ctrl-C.
    `visit` is called with the number of updates done: where training begins or goes on, and after every update, before
    a checkpoint can be written. It may look at the engine and must leave its parameters as they are.

    Raises:
        DataError: fewer training samples than one batch.
        RunError: the checkpoint is unreadable or belongs to another configuration.
    """
    spec = engine.training
    batches = len(train_samples) // spec.batch_size
    if batches == 0:
        raise DataError(
            f"training split: {len(train_samples)} samples are fewer than one batch of {spec.batch_size}; lower"
            " training.batch_size or give more samples"
        )
    start = Checkpoint(run_hash, 0, 0, 0, 0.0, 0.0, TrainingHistory(), {})
    if resume and checkpoint_path is not None and checkpoint_path.exists():
        start = Checkpoint.load(checkpoint_path, run_hash)
        engine.restore(start.engine_state)
    run = _Run(engine, train_samples, test_samples, seed, batches, checkpoint_path, listen, start, visit)
    return run.finish()


@contextmanager
def _deferred_interrupt() -> Iterator[threading.Event]:
    """Ctrl-C sets an event, looked at between batches, so that an update is never cut in two; twice stops at once."""
    interrupt = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        if interrupt.is_set():
            signal.default_int_handler(number, frame)
        interrupt.set()

    previous = signal.signal(signal.SIGINT, on_signal)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, previous)


class _Run:
    """The mutable state of a training run."""

    def __init__(
        self,
        engine: Engine,
        train_samples: Samples,
        test_samples: Samples,
        seed: int,
        batches: int,
        checkpoint_path: Path | None,
        listen: Callable[[Progress], None],
        start: Checkpoint,
        visit: Callable[[int], None],
    ) -> None:
        self.engine, self.train_samples, self.test_samples = engine, train_samples, test_samples
        self.seed, self.batches, self.checkpoint_path, self.listen = seed, batches, checkpoint_path, listen
        self.run_hash, self.history = start.run_hash, start.history
        self.epoch, self.batch = start.epoch, start.batch
        self.correct, self.loss_sum, self.seconds = start.correct, start.loss_sum, start.seconds
        self.saved_at = time.monotonic()
        self.visit = visit

    def finish(self) -> TrainingHistory:
        with _deferred_interrupt() as interrupt:
            self._visit()
            while self.epoch < self.engine.training.epochs:
                self._epoch(interrupt)
        return self.history

    def _epoch(self, interrupt: threading.Event) -> None:
        spec = self.engine.training
        order = epoch_order(len(self.train_samples), self.seed, self.epoch)
        rates = epoch_rates(spec, self.epoch)
        while self.batch < self.batches:
            began = time.perf_counter()
            position = self.batch * spec.batch_size
            first_sample = (self.epoch * self.batches) * spec.batch_size + position
            batch = self.train_samples.batch(order[position : position + spec.batch_size], first_sample)
            result = self.engine.train_batch(batch, rates)
            self.batch += 1
            self.correct += result.correct
            self.loss_sum += result.loss_sum
            self.seconds += time.perf_counter() - began
            self._tell(None)
            self._visit()
            if interrupt.is_set():
                self._save()
                raise KeyboardInterrupt
            if time.monotonic() - self.saved_at > CHECKPOINT_SECONDS:
                self._save()
        self._close_epoch(rates)

    def _close_epoch(self, rates: UpdateRates) -> None:
        spec = self.engine.training
        trained = self.batches * spec.batch_size
        measured = accuracy(self.engine, self.test_samples) if len(self.test_samples) else (None, 0)
        test_accuracy, test_count = measured
        row = EpochRow(
            self.epoch, self.correct / trained, self.loss_sum / (trained * self.engine.network.time_steps), trained,
            test_accuracy, test_count, rates.weight, rates.threshold, rates.leak, self.seconds,
        )  # fmt: skip
        self.history = TrainingHistory((*self.history.rows, row), self.engine.overflow_counts())
        self.epoch, self.batch, self.correct, self.loss_sum, self.seconds = self.epoch + 1, 0, 0, 0.0, 0.0
        self._save()
        self._tell(row)

    def _visit(self) -> None:
        self.visit(self.epoch * self.batches + self.batch)

    def _tell(self, row: EpochRow | None) -> None:
        spec = self.engine.training
        seen = self.batch * spec.batch_size
        running = self.correct / seen if seen else 0.0
        self.listen(Progress(self.epoch, spec.epochs, self.batch, self.batches, seen, running, row))

    def _save(self) -> None:
        self.saved_at = time.monotonic()
        if self.checkpoint_path is not None:
            Checkpoint(
                self.run_hash,
                self.epoch,
                self.batch,
                self.correct,
                self.loss_sum,
                self.seconds,
                self.history,
                self.engine.state(),
            ).save(self.checkpoint_path)
