"""Checkpoints: everything a run needs to go on to the same bits, written atomically."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge
from numpy.typing import NDArray

from nmsim.errors import RunError
from nmsim.fixedpoint.version import KEY, NUMERICS, check_numerics
from nmsim.stop.history import TrainingHistory
from nmsim.storage import DAMAGED, read_arrays, typed, write_arrays

SCHEMA = "nmsim/checkpoint-1"


Count = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class _CheckpointHeader:
    """What a checkpoint says besides the engine's state."""

    run_hash: str
    epoch: Count
    batch: Count
    correct: Count
    loss_sum: float
    seconds: float
    history: TrainingHistory


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands: `epoch` and `batch` to do next, sums of the unfinished epoch, and the engine's state."""

    run_hash: str
    epoch: int
    batch: int
    correct: int
    loss_sum: float
    seconds: float
    history: TrainingHistory
    engine_state: dict[str, NDArray[Any]]

    def save(self, path: Path) -> None:
        """Write as one `.npz`, atomically."""
        header = {
            KEY: NUMERICS, "run_hash": self.run_hash, "epoch": self.epoch, "batch": self.batch, "correct": self.correct,
            "loss_sum": self.loss_sum, "seconds": self.seconds, "history": self.history.as_dict(),
        }  # fmt: skip
        write_arrays(path, SCHEMA, header, self.engine_state, compress=False)

    @classmethod
    def load(cls, path: Path, run_hash: str) -> "Checkpoint":
        """Read back; `RunError` if it is unreadable, of another configuration or of another version of the arithmetic."""
        content, state = read_arrays(path, SCHEMA, "delete it and train again")
        check_numerics(content, path, "run again without --resume")
        try:
            header = typed(_CheckpointHeader, content)
            if len(header.history.rows) != header.epoch:
                raise ValueError(f"history: {len(header.history.rows)} epochs, where {header.epoch} are done")
        except DAMAGED as error:
            raise RunError(f"{path}: not a checkpoint ({error}); delete it and train again") from error
        if header.run_hash != run_hash:
            raise RunError(
                f"{path}: was written for configuration {header.run_hash}, this run is {run_hash}; resume with the"
                " same workload and seed, or give another --out"
            )
        return cls(
            run_hash, header.epoch, header.batch, header.correct, header.loss_sum, header.seconds, header.history, state
        )  # fmt: skip
