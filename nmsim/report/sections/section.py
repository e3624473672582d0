"""A chapter of the page: its anchor, title and body; and the words that say what kind of figure one reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from nmsim.report.markup import Markup, tag


class Evidence(StrEnum):
    """How a figure was obtained; shown as a badge next to it."""

    MEASURED = "measured"
    COUNTED = "counted"
    MODELLED = "modelled"
    EXTRAPOLATED = "extrapolated"
    ASSUMED = "assumed"


MEANINGS = {
    Evidence.MEASURED: "What this run did, on the stated number of samples: accuracy, loss, spikes, overflows.",
    Evidence.COUNTED: "Follows exactly from the network, its number formats and the mapping: memory, and the audit's sums.",
    Evidence.MODELLED: "Computed by a chip model that replays the measured activity: cycles, energy, power, area. Its"
    " band is what the uncertainty of the prices allows; a confidence interval (CI), where given, is the spread over"
    " samples.",
    Evidence.EXTRAPOLATED: "A modelled mean per sample, multiplied up to an epoch or a whole training.",
    Evidence.ASSUMED: "Put in by hand because nobody has published it, with its reason; see the prices and the chip file.",
}


@dataclass(frozen=True)
class Section:
    """A chapter."""

    anchor: str
    title: str
    body: Markup


def badge(kind: Evidence) -> Markup:
    """The kind as a small label."""
    return tag("span", kind.value, class_=f"kind {kind.value}")


def bullets(lines: Iterable[str]) -> Markup:
    """A list of short sentences."""
    return tag("ul", *(tag("li", line) for line in lines), class_="plain")
