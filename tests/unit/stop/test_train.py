"""The training loop: order, checkpoints, resume and interruption give the same bits."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nmsim.errors import DataError, RunError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.layers import Dense
from nmsim.network.spec import NetworkSpec
from nmsim.stop.checkpoint import Checkpoint
from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.history import TrainingHistory
from nmsim.stop.protocol import Batch
from nmsim.stop.spec import LearningRates, Rate, RateSchedule, TrainingSpec
from nmsim.stop.train import Progress, epoch_order, epoch_rates, train

NETWORK = NetworkSpec(
    input_shape=(12,), time_steps=3, layers=(Dense(kind="dense", units=8), Dense(kind="dense", units=4))
)
TRAINING = TrainingSpec(
    arithmetic="float64", epochs=3, batch_size=4, learning_rates=LearningRates(weight=1.0)
)


@dataclass(frozen=True)
class Blobs:
    """Samples whose class is written in their pixels."""

    count: int

    def __len__(self) -> int:
        return self.count

    def batch(self, indices: np.ndarray, first_sample: int) -> Batch:
        labels = indices % 4
        noise = np.array([np.random.default_rng(int(i)).integers(0, 90, 12) for i in indices])
        inputs = noise + 160 * (np.arange(12)[None] // 3 == labels[:, None])
        return Batch(inputs.reshape(len(indices), 1, 12), QFormat.parse("u8.8"), labels, first_sample)


def engine() -> FloatEngine:
    return FloatEngine(NETWORK, TRAINING, seed=3)


def weights(one: FloatEngine) -> bytes:
    return b"".join(array.tobytes() for array in one.parameters.weights)


def run(one: FloatEngine, **options: object) -> object:
    return train(one, Blobs(40), Blobs(20), seed=5, run_hash="hash", **options)  # type: ignore[arg-type]


def test_it_learns_and_reports_every_epoch() -> None:
    history = run(engine())
    assert [row.epoch for row in history.rows] == [0, 1, 2]
    assert history.test_samples == 20
    assert history.rows[-1].train_samples == 40
    assert history.test_accuracy > 0.5


def test_orders_are_permutations_that_differ_by_epoch() -> None:
    assert sorted(epoch_order(50, 1, 0)) == list(range(50))
    assert not np.array_equal(epoch_order(50, 1, 0), epoch_order(50, 1, 1))
    assert np.array_equal(epoch_order(50, 1, 1), epoch_order(50, 1, 1))


@pytest.mark.parametrize("stop_after", [1, 9, 10, 17, 29])
def test_resume_from_any_batch_gives_the_same_bits(tmp_path: Path, stop_after: int) -> None:
    whole = engine()
    expected = run(whole)
    seen = 0

    def interrupt(step: Progress) -> None:
        nonlocal seen
        seen += step.row is None
        if seen == stop_after and step.row is None:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(engine(), checkpoint_path=tmp_path / "c.npz", listen=interrupt)
    resumed = engine()
    history = run(resumed, checkpoint_path=tmp_path / "c.npz", resume=True)
    assert weights(resumed) == weights(whole)
    assert [row.test_accuracy for row in history.rows] == [row.test_accuracy for row in expected.rows]
    assert [row.train_loss for row in history.rows] == [row.train_loss for row in expected.rows]


def test_the_end_of_every_epoch_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []
    monkeypatch.setattr(Checkpoint, "save", lambda self, _: found.append(self.epoch))
    run(engine(), checkpoint_path=tmp_path / "c.npz")
    assert found == [1, 2, 3]


def test_checkpoint_of_another_configuration_is_refused(tmp_path: Path) -> None:
    run(engine(), checkpoint_path=tmp_path / "c.npz")
    with pytest.raises(
        RunError, match="was written for configuration hash, this run is other; resume with the same"
    ):
        train(
            engine(),
            Blobs(40),
            Blobs(20),
            seed=5,
            run_hash="other",
            checkpoint_path=tmp_path / "c.npz",
            resume=True,
        )


def test_too_few_samples() -> None:
    with pytest.raises(DataError, match="training split: 3 samples are fewer than one batch of 4; lower"):
        train(engine(), Blobs(3), Blobs(20), seed=5, run_hash="hash")


def test_without_held_out_samples_no_accuracy_is_measured() -> None:
    history = train(engine(), Blobs(40), Blobs(0), seed=5, run_hash="hash")
    assert history.test_accuracy is None
    assert history.rows[-1].accuracy_text == "not measured, for the data has no held-out part"
    assert TrainingHistory.from_dict(history.as_dict()) == history


def test_schedules() -> None:
    cosine = TRAINING.model_copy(update={"schedule": RateSchedule(kind="cosine"), "epochs": 4})
    assert epoch_rates(cosine, 0).weight == TRAINING.learning_rates.weight
    assert epoch_rates(cosine, 2).weight == pytest.approx(TRAINING.learning_rates.weight / 2)
    step = TRAINING.model_copy(update={"schedule": RateSchedule(kind="step", step_epochs=2, step_factor=0.1)})
    assert [epoch_rates(step, epoch).leak for epoch in range(4)] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])


@pytest.mark.parametrize(
    ("value", "mantissa", "shift"),
    [(0.1, 205, 11), (1.0, 128, 7), (255.0, 255, 0), (0.0, 0, 0), (2.0**-60, 8, 63)],
)
def test_rates_are_the_nearest_that_a_chip_holds(value: float, mantissa: int, shift: int) -> None:
    assert Rate.nearest(value) == Rate(mantissa=mantissa, shift=shift)
