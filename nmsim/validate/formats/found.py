"""The records of a search for the narrowest formats that keep the accuracy (docs/validation.md)."""

from dataclasses import dataclass
from enum import StrEnum

from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.validate.numerics.measured import SeedAccuracy


class SearchStage(StrEnum):
    """Stages of the search, in order."""

    START = "start"
    """The workload's widths, binary points placed by the calibrated ranges."""
    ALONE = "alone"
    """One setting narrowed in all layers, the others as at the start: its sensitivity."""
    TOGETHER = "together"
    """All settings as narrow as each may be alone, or a little wider."""
    REFINE = "refine"
    """One bit less in one setting of one layer."""
    CONFIRM = "confirm"
    """What was found, or a bit wider, in whole training runs on other seeds."""


@dataclass(frozen=True)
class WidthTrial:
    """One candidate: `bits` the width tried (None where several are), held-out accuracy as the mean over seeds.

    `problem` says why a candidate could not be trained at all.
    """

    stage: SearchStage
    what: str
    setting: str
    bits: int | None
    accuracy: float
    passes: bool
    memory_bits: int
    problem: str = ""


@dataclass(frozen=True)
class FoundFormat:
    """One setting of one layer: its range over the float64 runs, the format it had and the one that was found."""

    layer: int
    setting: str
    low: float
    high: float
    given: QFormat
    found: QFormat


@dataclass(frozen=True)
class FormatSearchResult:
    """A finished or exhausted search; accuracies are means over seeds, on `samples` held-out samples.

    `confirmed` are whole training runs on seeds that the search did not see, with the formats found; empty without such
    seeds. Descriptions say how long the runs of the search and of the confirmation were.
    `memory` bits are everything that training one sample at a time keeps, with the formats given and found.
    """

    workload: str
    workload_hash: str
    description: str
    seeds: tuple[int, ...]
    samples: int
    tolerance: float
    guard_bits: int
    reference_accuracy: float
    given_accuracy: float
    accuracy: float
    layers: tuple[str, ...]
    slots: tuple[FoundFormat, ...]
    trials: tuple[WidthTrial, ...]
    precision: Precision
    given_memory_bits: int
    memory_bits: int
    confirmed: tuple[SeedAccuracy, ...]
    exhausted: bool
    confirmed_description: str = ""

    @property
    def target(self) -> float:
        """Lowest accuracy that passes."""
        return self.reference_accuracy - self.tolerance

    @property
    def confirmed_gap(self) -> float | None:
        """Mean of fixed minus float64 accuracy on the seeds that the search did not see."""
        if not self.confirmed:
            return None
        return sum(item.fixed - item.real for item in self.confirmed) / len(self.confirmed)
