"""What the page of a study says, in plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nmsim.report.plots.disagreement import Pair
from nmsim.report.plots.scatter import Measure
from nmsim.report.tables import Column


@dataclass(frozen=True)
class FeasibleDesign:
    """A feasible design: `values` as text per axis, `places` 0 to 1 per axis, `figures` per objective, best first.

    `report` is the path of its full report relative to the page, empty if none was written; `model` the one that its
    figures are from; `command` evaluates it alone.
    """

    design: int
    rank: int
    values: tuple[str, ...]
    places: tuple[float, ...]
    figures: tuple[float, ...]
    extra: tuple[float | None, ...]
    model: str
    report: str = ""


@dataclass(frozen=True)
class Influence:
    """What one axis does to one objective; see `nmsim.explore.sensitivity.Effect`."""

    axis: str
    measure: int
    share: float
    factor: float
    together: float
    designs: int
    best_level: str
    levels: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class AxisView:
    """An axis: its name, the key paths it moves, its levels in words, and marks from 0 to 1 for plots."""

    name: str
    keys: str
    levels: str
    marks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Disagreed:
    """Both models on one objective: pairs by design, and the median and spread of simulation over estimate."""

    measure: int
    pairs: tuple[Pair, ...]
    bias: float
    margin: float


@dataclass(frozen=True)
class StudyResult:
    """All that the page says, in plain values; `entries` are ranked.

    `history` is the hypervolume relative to its last value; empty for a grid, whose order of designs means nothing.
    """

    name: str
    question: str
    described: str
    byline: str
    axes: tuple[AxisView, ...]
    measures: tuple[Measure, ...]
    extras: tuple[Column, ...]
    demands: tuple[str, ...]
    entries: tuple[FeasibleDesign, ...]
    evaluated: int
    refused: Mapping[str, int]
    reasons: Mapping[str, int]
    traits: tuple[str, ...]
    influences: tuple[Influence, ...]
    history: tuple[float, ...]
    disagreed: tuple[Disagreed, ...]
    corrected: bool
    space_text: str
    provenance: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    edges: tuple[str, ...] = ()
    """Sentences on axes at whose ends designs of the front sit."""
    stability: tuple[str, ...] = ()
    """Sentences on designs that stay on the front when prices move within their bands."""

    @property
    def front(self) -> tuple[FeasibleDesign, ...]:
        """Entries that no other dominates."""
        return tuple(entry for entry in self.entries if entry.rank == 1)
