"""Columns that say which network an energy is of: its stamp, its accuracy, and on how many samples."""

from nmsim.diagnosis import Diagnosis
from nmsim.report.tables import Cell, Column
from nmsim.rules import rule_named

STAND_IN = "stand-in"
NETWORK_COLUMNS = (
    Column("stamp", "Network"), Column("accuracy", "Accuracy", "fraction"), Column("accuracy_samples", "on samples"),
)  # fmt: skip
"""At the end of every table whose rows carry an energy: a figure of a network that has not learned says so itself."""


def network_cells(found: Diagnosis | None, *, stand_in: bool = False) -> tuple[Cell, ...]:
    """The cells under `NETWORK_COLUMNS`; empty where nobody looked at the run."""
    if found is None:
        return (None,) * len(NETWORK_COLUMNS)
    return stamp_of(found, stand_in=stand_in), found.accuracy, found.accuracy_samples or None


def of_rule(found: Diagnosis | None, rule: str) -> Diagnosis | None:
    """The network of an evaluation: none for an artificial one, which nobody trained and whose accuracy nobody knows."""
    return None if rule_named(rule).artificial else found


def stamp_of(found: Diagnosis, *, stand_in: bool = False) -> str:
    """`trained`, or `stand-in, trained` where samples of another data set took the place of its own."""
    return f"{STAND_IN}, {found.stamp}" if stand_in else found.stamp


def network_text(found: Diagnosis, *, stand_in: bool = False, between: str = ", ") -> str:
    """`trained, 97.10% of 1,000`: for a cell or a caption."""
    return between.join(text for text in (stamp_of(found, stand_in=stand_in), found.accuracy_text) if text)
