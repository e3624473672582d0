"""What a training run measured, epoch by epoch."""

from dataclasses import asdict, dataclass, field
from typing import Any

from nmsim.storage import typed


@dataclass(frozen=True)
class EpochRow:
    """One epoch; accuracies are fractions, `train_accuracy` is measured while learning, `seconds` is wall time.

    `test_accuracy` is None, and `test_samples` 0, where the data has no held-out part.
    """

    epoch: int
    train_accuracy: float
    train_loss: float
    train_samples: int
    test_accuracy: float | None
    test_samples: int
    rate_weight: float
    rate_threshold: float
    rate_leak: float
    seconds: float

    @property
    def accuracy_text(self) -> str:
        """`97.10% on 1,000 held-out samples`, or that there are none."""
        if self.test_accuracy is None:
            return "not measured, for the data has no held-out part"
        return f"{self.test_accuracy:.2%} on {self.test_samples:,} held-out samples"

    @property
    def samples_per_s(self) -> float:
        """Training samples per second of wall time, evaluation excluded."""
        return self.train_samples / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class TrainingHistory:
    """Every epoch so far, and the overflows counted by layer and tensor."""

    rows: tuple[EpochRow, ...] = ()
    overflow_counts: dict[str, int] = field(default_factory=dict)

    @property
    def test_accuracy(self) -> float | None:
        """Accuracy on the held-out samples after the last epoch; None before the first, and without such samples."""
        return self.rows[-1].test_accuracy if self.rows else None

    @property
    def test_samples(self) -> int:
        """Number of held-out samples behind `test_accuracy`."""
        return self.rows[-1].test_samples if self.rows else 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"rows": [asdict(row) for row in self.rows], "overflow_counts": dict(self.overflow_counts)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "TrainingHistory":
        """Inverse of `as_dict`; `ValueError` names what is missing, or of another type."""
        for part in ("rows", "overflow_counts"):
            if part not in data:
                raise ValueError(f"{part}: field required")
        return typed(cls, data)
