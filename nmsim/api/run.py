"""Run: a trained workload as a value: parameters, history, activity; a folder is one way to keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.errors import RunError
from nmsim.pipeline.folder import RunFolder
from nmsim.report.looks import Look, look_of, picture_of
from nmsim.report.picture import Picture
from nmsim.report.plots.training_curve import training_curve
from nmsim.report.tables import Column, Table
from nmsim.rules import PROFILES, rule_named
from nmsim.shown import Shown
from nmsim.stop.history import TrainingHistory
from nmsim.workload import WorkloadSpec

COLUMNS = (
    Column("epoch", "epoch"), Column("train_loss", "loss"),
    Column("train_accuracy_fraction", "while learning", "fraction"),
    Column("test_accuracy_fraction", "held out", "fraction"), Column("train_samples", "samples"),
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Run(Shown):
    """What `nmsim.train` gives, and `nmsim.load` reads from a run folder.

    `parameters` are the engine's arrays by name (raw integers in fixed point), `history` what every epoch measured,
    `activities` the recorded profiles by name: `activity` is the one of the workload's own rule, the one to replay on
    chips. `folder` is where the run is kept, None if it is not. `provenance` says which data, versions and settings it came
    from. Printed, it shows the last epochs; `to_frame()` gives all of them, `plot()` draws the training curve.

    Parameters are `weights` (all layers in turn, each in C order), `thresholds`, `leak`, `velocity`, `synapses`; a network
    with biases has `bias` and `bias_velocity`. A raw integer `r` in format `s16.13` means `r * 2**-13`.
    """

    workload: WorkloadSpec
    seed: int
    parameters: Mapping[str, NDArray[Any]]
    history: TrainingHistory
    activities: Mapping[str, Activity]
    provenance: Mapping[str, Any]
    folder: Path | None = field(default=None, compare=False)

    @property
    def activity(self) -> Activity:
        """The profile of the workload's own rule."""
        return self.activity_for(self.workload.training.rule.name)

    @property
    def accuracy(self) -> float | None:
        """Fraction of held-out samples classified correctly after the last epoch; None without such samples."""
        return self.history.test_accuracy

    def activity_for(self, rule: str) -> Activity:
        """The profile that stands for a learning rule, or for inference.

        Raises:
            ConfigError: there is no such rule.
            RunError: the run recorded no such profile.
        """
        profile, artificial = rule_named(rule).profile, rule_named(rule).artificial
        if profile not in self.activities:
            known = ", ".join(self.activities)
            raise RunError(
                f"run {self.workload.name}: no activity was recorded for rule '{rule}', only {known}; train again"
            )
        found = self.activities[profile]
        return found.as_artificial(self.workload.network) if artificial else found

    def save(self, folder: Path | str, *, overwrite: bool = False) -> Path:
        """Write a run folder that `nmsim simulate`, `nmsim report` and `nmsim.load` read; returns its path.

        What the folder held moves to `earlier/` in it.

        Raises:
            RunError: the folder holds another run.
        """
        target = RunFolder(Path(folder))
        kept = {
            key: value
            for key, value in self.provenance.items()
            if key not in {"schema", "run_hash", "seed", "numerics"}
        }
        with target.claim(self.workload, self.seed, kept, overwrite=overwrite):
            if self.parameters:
                target.save_parameters(self.parameters)
            for profile, activity in self.activities.items():
                target.save_activity(profile, activity)
            target.save_history(self.history)
        return target.path

    @classmethod
    def load(cls, folder: Path | str) -> "Run":
        """Read a run folder.

        Raises:
            RunError: there is no run, or its training has not finished.
        """
        source = RunFolder(Path(folder))
        provenance, history = source.provenance(), source.history()
        parameters = {} if source.workload().recorded else source.parameters()
        activities = {p: source.activity(p) for p in PROFILES if source.activity_file(p).exists()}
        return cls(
            source.workload(),
            int(provenance["seed"]),
            parameters,
            history,
            activities,
            provenance,
            source.path,
        )


@look_of.register
def _(value: Run) -> Look:
    rows = tuple(
        (row.epoch + 1, f"{row.train_loss:.4f}", row.train_accuracy, row.test_accuracy, row.train_samples)
        for row in value.history.rows
    )
    training = value.workload.training
    table, kept = Table("training", COLUMNS, rows), value.activity
    shown = Table("training", COLUMNS, rows[-10:])
    return Look(
        f"{value.workload.name}: {training.rule}, {training.arithmetic}, seed {value.seed}",
        (shown,) if rows else (),
        table,
        (
            f"activity: {kept.samples} samples, {kept.time_steps} steps, recorded under {', '.join(value.activities)}",
            f"kept in {value.folder}" if value.folder else "not saved: run.save(folder) keeps it",
        ),
    )


@picture_of.register
def _(value: Run) -> Picture:
    training = value.workload.training
    return training_curve(value.history, f"{value.workload.name} · {training.rule} · {training.arithmetic}")
