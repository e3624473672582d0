"""One published figure beside the model's."""

from dataclasses import dataclass

CALIBRATED, HELD_OUT, NOT_COMPARED = "calibrated", "held out", "not compared"


@dataclass(frozen=True)
class SiliconPoint:
    """One published figure and the model's.

    `role` is `calibrated` (the model was made to meet it), `held out`, or `not compared`: then there is no figure of
    the model, and `note` says why. `note` otherwise says what differs.
    """

    what: str
    condition: str
    published: float
    model: float | None
    unit: str
    role: str
    source: str
    note: str = ""

    @property
    def relative_error(self) -> float | None:
        """Model over published, less one; None where there is nothing to compare."""
        return None if self.model is None else self.model / self.published - 1
