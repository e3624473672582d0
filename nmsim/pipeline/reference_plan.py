"""The plan of a reference report: which workload on which data, after which preparation, on which chips."""

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from nmsim import config
from nmsim.config import Record
from nmsim.workload import WorkloadSpec

PLANS = "workloads/reference"
DEFAULT_PLAN = "five-data-sets"


class StandIn(Record):
    """Other samples that take the place of a data set's own where those are absent."""

    paths: tuple[str, ...] = Field(min_length=1)
    """Below the data root; the first that exists is read."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Keys of the workload that the other samples need, e.g. `dataset.name`."""
    note: str
    """A sentence that stands wherever their figures do."""


class PlannedDataset(Record):
    """One data set of the report."""

    title: str
    """Name in the report."""
    workload: str
    """Shipped name or path; its training section is what figures and extrapolations are for."""
    paths: tuple[str, ...] = Field(min_length=1)
    """Below the data root; the first that exists is read."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Keys of the workload that figures and preparation have set otherwise, e.g. `training.momentum`."""
    preparation: dict[str, Any] = Field(default_factory=dict)
    """Keys of the workload that the training before the profile has set otherwise, e.g. `training.epochs`."""
    kept: str | None = None
    """Kept run (`nmsim restore`) that takes the place of the preparation's training: its workload is the entry's too."""
    profile_samples: int | None = Field(default=None, ge=1)
    """Samples whose activity a kept run records; its own profile's number if absent."""
    epoch_samples: int = Field(ge=1)
    """Training samples of the whole data set: the size of an epoch."""
    epoch_source: str
    """Who says so."""
    stand_in: StandIn | None = None


class ReferencePlan(Record):
    """A reference report."""

    name: str
    description: str
    seed: int = Field(default=1, ge=0)
    chips: tuple[str, ...] = Field(min_length=1)
    """Shipped names or paths."""
    datasets: tuple[PlannedDataset, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> "ReferencePlan":
        for key in ("title", "workload"):
            values = [getattr(dataset, key) for dataset in self.datasets]
            if len(set(values)) < len(values):
                raise ValueError(f"datasets: the {key}s {values} repeat; give each data set its own {key}")
        return self


def read_plan(name: str) -> ReferencePlan:
    """A plan by shipped name or path."""
    return config.read(ReferencePlan, config.find(PLANS, name))


def find_data(root: Path, paths: tuple[str, ...]) -> Path | None:
    """The first of the paths that exists below the data root."""
    return next((root / path for path in paths if (root / path).exists()), None)


def planned_workload(
    dataset: PlannedDataset, settings: dict[str, Any], data: Path | None, place: str
) -> WorkloadSpec:
    """The workload of an entry with some keys set, reading its samples from a path."""
    document = config.load(config.find("workloads", dataset.workload))
    if isinstance(document.data.get("dataset"), str):
        document = document.with_values({"dataset": {"name": document.data["dataset"]}}, place)
    workload = config.build(WorkloadSpec, document.with_values(settings, place))
    return workload.with_data(None if data is None else str(data))
