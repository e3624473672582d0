"""A published figure and the model's value for it, and how close the model comes over many of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

CALIBRATED, HELD_OUT, NOT_COMPARED = "calibrated", "held out", "not compared"


@dataclass(frozen=True)
class SiliconPoint:
    """One published figure and the model's.

    `what` and `condition` name it, `what` in few words. `role` is `calibrated` (the model was made to meet it), `held
    out`, or `not compared`: then there is no figure of the model, and `note` says why. `note` otherwise says what
    differs. `frame_published`: what the model needs to know of the chip and its task is published; otherwise a part of
    it is assumed, and the point tests the assumption as much as the model.
    """

    what: str
    condition: str
    published: float
    model: float | None
    unit: str
    role: str
    source: str
    note: str = ""
    frame_published: bool = True

    @property
    def relative_error(self) -> float | None:
        """Model over published, less one; None where there is nothing to compare."""
        return None if self.model is None else self.model / self.published - 1


@dataclass(frozen=True)
class Closeness:
    """How near some points are: shares within 10 and 25 %, and the median distance."""

    points: int
    within_10: float
    within_25: float
    median: float

    @classmethod
    def of(cls, points: Sequence[SiliconPoint]) -> "Closeness | None":
        """Of the points that compare something; None if there are none."""
        errors = [abs(point.relative_error) for point in points if point.relative_error is not None]
        if not errors:
            return None
        within = {bound: sum(error <= bound for error in errors) / len(errors) for bound in (0.10, 0.25)}
        return cls(len(errors), within[0.10], within[0.25], median(errors))


def overall(points: Sequence[SiliconPoint]) -> dict[str, Closeness]:
    """Closeness of the points that test the model, of those it was made to meet, and of all; the two never mixed."""
    held_out = [point for point in points if point.role == HELD_OUT]
    groups = {
        "held out, frame published": [point for point in held_out if point.frame_published],
        "held out, frame partly assumed": [point for point in held_out if not point.frame_published],
        "held out, all": held_out,
        "calibrated": [point for point in points if point.role == CALIBRATED],
    }
    found = {name: Closeness.of(group) for name, group in groups.items()}
    return {name: closeness for name, closeness in found.items() if closeness is not None}
