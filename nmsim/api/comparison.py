"""Comparison: evaluations side by side, every figure with its ratio to the first."""

from collections.abc import Iterator
from dataclasses import dataclass

from nmsim.errors import ConfigError
from nmsim.evaluate import Evaluation
from nmsim.figures import FIGURES
from nmsim.report.looks import Look, evaluations_look, evaluations_picture, look_of, picture_of
from nmsim.report.picture import Picture
from nmsim.shown import Shown


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """What `nmsim.compare` gives: `print` it, take it as a data frame (`to_frame()`), or draw it (`plot()`).

    Ratios are safer than the figures themselves: most of a price's error is common to both. It is a sequence of its
    evaluations, in the order in which they were given.
    """

    evaluations: tuple[Evaluation, ...]

    def __iter__(self) -> Iterator[Evaluation]:
        return iter(self.evaluations)

    def __len__(self) -> int:
        return len(self.evaluations)

    def ratio(self, figure: str, row: int = 1) -> float | None:
        """A figure of a row over the first row's, by its name in `nmsim.FIGURES`; None where one of them has none.

        Rows count from 0. Above 1 says that the row needs more energy, time or area, or has more throughput.

        Raises:
            ConfigError: there is no such figure.
        """
        if figure not in FIGURES:
            raise ConfigError(f"figure '{figure}' is not known; use one of {', '.join(FIGURES)}")
        value, first = (FIGURES[figure].of(self.evaluations[index]) for index in (row, 0))
        return value / first if value is not None and first else None


@look_of.register
def _(value: Comparison) -> Look:
    return evaluations_look(value.evaluations)


@picture_of.register
def _(value: Comparison) -> Picture:
    return evaluations_picture(value.evaluations)
