"""The reference: what was found for every data set, learning rule and chip; everything its report needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nmsim.activity import Activity
from nmsim.diagnosis import Diagnosis, diagnose
from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.network.memory_table import NetworkMemory
from nmsim.report.extrapolate import Extrapolation, extrapolation
from nmsim.report.learning_energy import LearningEnergy
from nmsim.report.network_columns import network_cells, network_text
from nmsim.report.tables import Cell
from nmsim.report.words import layer_names
from nmsim.rules import BASELINE, DEFAULT, FORWARD_PROFILE, RULES
from nmsim.stop.history import TrainingHistory
from nmsim.workload import WorkloadSpec


@dataclass(frozen=True)
class Case:
    """A row of the report's tables: a learning rule, with the chip options that go with it."""

    name: str
    rule: str
    chip_settings: Mapping[str, Any]


STORED, RECOMPUTED = f"{BASELINE}-stored", f"{BASELINE}-recomputed"
"""Cases of the baseline, by where its history lives."""
CASES = (
    *(Case(rule.name, rule.name, {}) for rule in RULES.values() if not rule.through_time),
    Case(STORED, BASELINE.name, {"options.stbp_history": "stored"}),
    Case(RECOMPUTED, BASELINE.name, {"options.stbp_history": "recompute"}),
)
SUBJECT = DEFAULT.name
"""The case that pictures of a single evaluation show."""


@dataclass(frozen=True)
class Outcome:
    """One case on one chip: an evaluation, or the reason why there is none."""

    case: str
    chip: str
    evaluation: Evaluation | None
    problem: str = ""
    time_multiplexed: bool = False


@dataclass(frozen=True)
class DatasetResult:
    """One data set.

    `workload` is what the figures are for, `prepared` the shorter training after which the profile was recorded.
    `activities` holds the records `stop` and `stbp`, `memory` the network's memory by case. `stand_in` says which
    other recordings took the place of the data set's own; empty where its own were used. `learning` follows the energy of
    STOP-WTL and STBP along the preparation, on every chip that holds both; empty where no milestones were recorded.
    """

    title: str
    workload: WorkloadSpec
    prepared: WorkloadSpec
    provenance: Mapping[str, Any]
    history: TrainingHistory
    activities: Mapping[str, Activity]
    memory: Mapping[str, NetworkMemory]
    outcomes: tuple[Outcome, ...]
    epoch_samples: int
    epoch_source: str
    stand_in: str = ""
    learning: tuple[LearningEnergy, ...] = ()

    @property
    def name(self) -> str:
        """File stem of its page."""
        return self.workload.name

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What the prepared network says about itself."""
        return diagnose(self.prepared, self.history, self.profile, self.provenance)

    @property
    def network_cells(self) -> tuple[Cell, ...]:
        """Which network a row of a table is of, under `NETWORK_COLUMNS`."""
        return network_cells(self.diagnosis, stand_in=bool(self.stand_in))

    @property
    def network_text(self) -> str:
        """The same for people: `stand-in, untrained, 9.40% of 128`."""
        return network_text(self.diagnosis, stand_in=bool(self.stand_in))

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """A short name per synaptic layer."""
        return layer_names(self.workload.network)

    @property
    def prepared_samples(self) -> int:
        """Training samples, repeats included, that the profiled parameters have learned from."""
        return sum(row.train_samples for row in self.history.rows)

    def on_chip(self, chip: str) -> tuple[Outcome, ...]:
        """The outcomes on one chip, in order of cases."""
        return tuple(outcome for outcome in self.outcomes if outcome.chip == chip)

    @property
    def profile(self) -> Activity:
        """The activity recorded under STOP."""
        return self.activities[FORWARD_PROFILE]

    def extrapolation(self, outcome: Outcome) -> Extrapolation | None:
        """An epoch of the whole data set and a full training; None for inference and where nothing fits."""
        if outcome.evaluation is None:
            return None
        return extrapolation(outcome.evaluation, self.epoch_samples, self.workload.training.epochs)

    def subject(self) -> Evaluation | None:
        """STOP-WTL on the first chip that holds it."""
        found = (item.evaluation for item in self.outcomes if item.case == SUBJECT and item.evaluation)
        return next(found, None)


@dataclass(frozen=True)
class Absent:
    """A data set of the plan whose files were not there, and the command that makes its part."""

    title: str
    reason: str


@dataclass(frozen=True)
class Reference:
    """The whole report: data sets, chips, and what would have to be the same for the same figures."""

    name: str
    description: str
    plan_hash: str
    seed: int
    command: str
    versions: Mapping[str, str]
    chips: tuple[ChipConfig, ...]
    datasets: tuple[DatasetResult, ...]
    absent: tuple[Absent, ...] = ()

    def outcomes(self) -> Iterator[tuple[DatasetResult, Outcome]]:
        """Every outcome with its data set."""
        for dataset in self.datasets:
            for outcome in dataset.outcomes:
                yield dataset, outcome
