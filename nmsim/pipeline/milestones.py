"""Milestones: activity of training samples, recorded at points of a training while the network learns."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.datasets.split import stratified
from nmsim.errors import RunError
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.profile import recorded_activities
from nmsim.stop.history import TrainingHistory
from nmsim.stop.protocol import Batch, Engine
from nmsim.stop.train import accuracy
from nmsim.workload import EncodedSplit, Prepared, WorkloadSpec

MASK_BYTES = 1 << 26
"""Memory that the masks of a milestone may take while they are recorded, a byte per value."""
FEWEST, MOST = 24, 256
"""Samples of a milestone where nothing else is asked for."""
ACCURACY_SAMPLES = 1000
"""Held-out samples on which the accuracy at a milestone is measured: enough for a curve, quick between two updates."""


def planned_updates(workload: WorkloadSpec, updates: int) -> tuple[int, ...]:
    """After how many of all `updates` of a training a milestone is recorded, rising; empty if none is wanted.

    A count n stands for the start, the end, and between them each at twice the updates of the one before, for a network
    changes most in its first epoch: total/2^(n-2), ..., total/2, total.
    """
    wanted, epochs = workload.profile.milestones, workload.training.epochs
    if isinstance(wanted, int):
        if wanted == 0:
            return ()
        between = [updates >> back for back in range(wanted - 2, -1, -1)]
    else:
        between = [round(epoch * updates / epochs) for epoch in wanted]
    return tuple(sorted({0, *between, updates}))


def milestone_samples(workload: WorkloadSpec) -> int:
    """How many training samples a milestone records: as the workload says, or as many as `MASK_BYTES` hold."""
    if workload.profile.milestone_samples is not None:
        return workload.profile.milestone_samples
    return max(FEWEST, min(MOST, MASK_BYTES // _mask_bytes(workload.network) // 8 * 8))


def _mask_bytes(network: NetworkSpec) -> int:
    """Bytes of the four masks of one sample before they are packed."""
    return network.time_steps * sum(
        2 * (prod(layer.in_shape) + prod(layer.out_shape)) for layer in network.synaptic_layers
    )


@dataclass
class MilestoneRecorder:
    """What `nmsim.stop.train.train` visits after every update: records where the workload wants a milestone.

    A milestone that is there already, from before an interruption, is left as it is: its bits would be the same.
    """

    folder: RunFolder
    engine: Engine
    prepared: Prepared

    def __post_init__(self) -> None:
        training, samples = self.prepared.workload.training, self.prepared.training_samples
        per_epoch = len(samples) // training.batch_size
        self.wanted = frozenset(planned_updates(self.prepared.workload, per_epoch * training.epochs))
        self.chosen = stratified(
            samples.split.y, min(milestone_samples(self.prepared.workload), len(samples))
        )
        self.judged = _judged(self.prepared.test)

    def __call__(self, updates: int) -> None:
        """Record if this is a milestone; no parameter is changed."""
        profile = self.prepared.workload.training.rule.profile
        if updates not in self.wanted or self.folder.milestone_file(updates, profile).exists():
            return
        seen = updates * self.prepared.workload.training.batch_size
        meta: dict[str, Any] = {"updates": updates, "samples_seen": seen}
        if self.judged is not None:
            fraction, count = accuracy(self.engine, self.judged)
            meta |= {"accuracy": fraction, "accuracy_samples": count}
        found = recorded_activities(self.engine, self.prepared, "train", self.chosen, meta)
        # the workload's own rule last: its file says that the milestone is complete
        for name in sorted(found, key=lambda name: name == profile):
            found[name].save(self.folder.milestone_file(updates, name), self.folder.run_hash)


@dataclass(frozen=True)
class _Judged:
    """Some of the held-out samples, of every class its share."""

    split: EncodedSplit
    chosen: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.chosen)

    def batch(self, indices: NDArray[np.int64], first_sample: int) -> Batch:
        """Some of them, as `EncodedSplit` gives them."""
        return self.split.batch(self.chosen[indices], first_sample)


def _judged(test: EncodedSplit) -> _Judged | None:
    if not len(test):
        return None
    return _Judged(test, stratified(test.split.y, min(ACCURACY_SAMPLES, len(test))))


def read_milestones(folder: RunFolder, profile: str) -> tuple[Activity, ...]:
    """The milestones of a finished training under STOP (`stop`) or STBP (`stbp`), from its start to its end.

    Raises:
        RunError: the workload asks for none, training has not finished, or one is missing or another run's.
    """
    workload, history = folder.workload(), folder.history()
    wanted = planned_updates(workload, total_updates(workload, history))
    if not wanted or not history.rows:
        raise RunError(
            f"{folder.path}: no milestones were recorded; train again with --set profile.milestones=8 and --overwrite"
        )
    files = {updates: folder.milestone_file(updates, profile) for updates in wanted}
    missing = [updates for updates, file in files.items() if not file.exists()]
    if missing:
        raise RunError(
            f"{files[missing[0]]}: the milestone after {missing[0]:,} updates is missing, and a training's energy cannot be"
            " integrated over a gap; train again with --overwrite"
        )
    return tuple(Activity.load(file, folder.run_hash) for file in files.values())


def total_updates(workload: WorkloadSpec, history: TrainingHistory) -> int:
    """Updates of a whole training."""
    return sum(row.train_samples for row in history.rows) // workload.training.batch_size
