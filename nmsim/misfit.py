"""Misfit: a rule that a chip cannot serve, as a result with its reason and remedies rather than an end of everything."""

from dataclasses import dataclass

from nmsim.errors import CostError, DoesNotFitError, NmsimError, NotModelledError, TooFastError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.fit import FitReport

DOES_NOT_FIT, TOO_FAST, NO_PRICE, NOT_MODELLED = (
    "does not fit", "clock too fast", "cannot be priced", "not modelled",
)  # fmt: skip
KINDS: dict[type[NmsimError], str] = {
    DoesNotFitError: DOES_NOT_FIT, TooFastError: TOO_FAST, CostError: NO_PRICE, NotModelledError: NOT_MODELLED,
}  # fmt: skip
ERRORS = tuple(KINDS)
"""What a chip may answer to a rule without being wrong: caught where many chips and rules are tried."""


@dataclass(frozen=True)
class Misfit:
    """A rule on a chip that has no evaluation.

    `kind` says in a few words what is wrong, `reasons` what is short, a sentence each, `remedies` what would help, each
    shown by mapping again. `chip_name` is the chip's label, `chip_hash` its identity.
    """

    chip_name: str
    chip_hash: str
    rule: str
    kind: str
    reasons: tuple[str, ...]
    remedies: tuple[str, ...]

    @classmethod
    def of(cls, chip: ChipConfig, rule: str, error: NmsimError) -> "Misfit":
        """What an error of `ERRORS` says of a rule on a chip."""
        kind = next(name for known, name in KINDS.items() if isinstance(error, known))
        report = getattr(error, "report", None)
        if isinstance(report, FitReport):
            reasons = tuple(shortfall.text() for shortfall in report.shortfalls)
            remedies = tuple(f"{remedy.text}: {', '.join(remedy.assignments)}" for remedy in report.remedies)
        else:
            reasons, remedies = tuple(line.strip() for line in str(error).splitlines()), ()
        return cls(chip.label, chip.content_hash(), rule, kind, reasons, remedies)

    @property
    def text(self) -> str:
        """Kind and reasons in one line, for a cell."""
        return f"{self.kind}: {'; '.join(self.reasons)}"

    def lines(self) -> list[str]:
        """For a terminal: what does not fit, what is short, what would make it fit."""
        lines = [f"{self.rule} on {self.chip_name}: {self.kind}"]
        lines += [f"  {reason}" for reason in self.reasons]
        if self.remedies:
            lines.append("  any one of these makes it fit:")
            lines += [f"    {remedy}" for remedy in self.remedies]
        return lines
