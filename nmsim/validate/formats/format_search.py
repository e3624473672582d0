"""The search: every setting narrowed alone, then all together, then bit by bit, each step judged by training runs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from nmsim.errors import CheckFailedError, FormatError
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_table import network_memory
from nmsim.network.precision import Precision
from nmsim.validate.formats.found import SearchStage, WidthTrial
from nmsim.validate.formats.trials import UNTRAINABLE, Trainer
from nmsim.validate.formats.widths import End, Place, PrecisionTemplate, Widths, least_bits
from nmsim.validate.numerics.measured import SeedAccuracy

EXTRA_BITS = (0, 2, 4, 8)
"""Tried in turn at the start, if the given widths miss the target."""
SLACK = 8
"""Bits added at most to the widths that settings may have alone, when they are put together."""
Move = tuple[Place, End]


class BudgetExhaustedError(Exception):
    """No candidate may be tried any more; what was found so far is the result."""


@dataclass
class Found:
    """Where a search stands: the narrowest widths that passed, their accuracy, and every trial in order."""

    widths: Widths
    accuracy: float = 0.0
    trials: list[WidthTrial] = field(default_factory=list)
    exhausted: bool = False


class FormatSearch:
    """One search; `budget` bounds the candidates that are tried.

    The same workload, seeds and options give the same result, however often the search was stopped and resumed.
    """

    def __init__(
        self,
        layout: PrecisionTemplate,
        needs: TrainingNeeds,
        trainer: Trainer,
        target: float,
        budget: int,
        listen: Callable[[Found, int], None] = lambda _, __: None,
    ) -> None:
        self.layout, self.needs, self.trainer = layout, needs, trainer
        self.target, self.budget, self.listen = target, budget, listen
        self.start = layout.start()
        self.found = Found(self.start)

    def run(self) -> Found:
        """Search until nothing can be narrowed, or the budget is used up.

        Raises:
            CheckFailedError: even much wider formats miss the target.
        """
        self._start()
        try:
            alone = self._alone()
            self._together(alone)
            self._refine()
        except BudgetExhaustedError:
            self.found.exhausted = True
        return self.found

    def memory_bits(self, widths: Widths) -> int:
        """Everything that training one sample at a time keeps."""
        return self.memory_of(self.layout.precision(widths, final=True))

    def memory_of(self, precision: Precision) -> int:
        """The same for a precision section."""
        return network_memory(self.layout.network, precision, self.needs).bits()

    def _try(
        self, widths: Widths, stage: SearchStage, what: str, setting: str = "", bits: int | None = None
    ) -> bool:
        """Train a candidate; whether it reaches the target."""
        if len(self.found.trials) >= self.budget:
            raise BudgetExhaustedError
        precision = self.layout.precision(widths)
        problem = ""
        try:
            accuracy = self.trainer.accuracy(precision, what)
        except FormatError as error:
            accuracy, problem = UNTRAINABLE, str(error)
        passes = accuracy >= self.target
        if passes and stage is not SearchStage.ALONE:
            self.found.widths, self.found.accuracy = widths, accuracy
        self.tell(WidthTrial(stage, what, setting, bits, accuracy, passes, self.memory_bits(widths), problem))
        return passes

    def tell(self, trial: WidthTrial) -> None:
        """Keep a trial, and tell the listener."""
        self.found.trials.append(trial)
        self.listen(self.found, self.budget)

    def _start(self) -> None:
        for extra in EXTRA_BITS:
            self.start = self.layout.start(extra)
            name = "the given widths" + f" and {extra} bits more" * bool(extra)
            if self._try(self.start, SearchStage.START, name):
                return
        best = max(trial.accuracy for trial in self.found.trials)
        raise CheckFailedError(
            f"formats: no start reaches the target accuracy {self.target:.2%}: the widths given and {EXTRA_BITS[-1]} bits"
            f" more reach {best:.2%}; allow a larger --tolerance, more --seeds, or longer training"
        )

    def _alone(self) -> dict[str, int]:
        """Least width of every setting, narrowed by bisection in all layers at once, largest saving first."""
        found: dict[str, int] = {}
        for setting in sorted(self.layout.settings(), key=lambda name: -self._saving(name)):
            formats = [fmt for place, fmt in self.start.formats.items() if place[1] == setting]
            fails, passes = least_bits(formats[0]) - 1, max(fmt.total_bits for fmt in formats)
            while passes - fails > 1:
                bits = (passes + fails) // 2
                name = f"{setting.replace('_', ' ')} of {bits} bits"
                ok = self._try(self.start.with_bits(setting, bits), SearchStage.ALONE, name, setting, bits)
                passes, fails = (bits, fails) if ok else (passes, bits)
            found[setting] = passes
        return found

    def _saving(self, setting: str) -> int:
        """Memory that the narrowest format of a setting would save."""
        narrow = self.start.with_bits(setting, 1)
        return self.memory_bits(self.start) - self.memory_bits(narrow)

    def _together(self, alone: dict[str, int]) -> None:
        for slack in range(SLACK + 1):
            widths = self.start
            for setting, bits in alone.items():
                widths = widths.with_bits(setting, bits + slack)
            if widths == self.start:
                return
            name = "all as narrow as alone" if slack == 0 else f"all as narrow as alone and {slack} bits"
            if self._try(widths, SearchStage.TOGETHER, name):
                return

    def _refine(self) -> None:
        """Take single bits, the largest saving first; a move that failed once is not tried again."""
        moves = self._moves()
        while moves:
            place, end = moves[0]
            widths = self.found.widths.narrowed(place, end, self.layout.needed(place))
            if widths is None:
                moves.pop(0)
                continue
            fmt = widths.formats[place]
            name = f"{place[1].replace('_', ' ')} of layer {place[0]}, {fmt}"
            if not self._try(widths, SearchStage.REFINE, name, place[1], fmt.total_bits):
                moves.pop(0)

    def _moves(self) -> list[Move]:
        """Every end of every format, the largest saving of memory per bit first."""
        ends: tuple[End, End] = ("fraction", "integer")
        now, savings = self.memory_bits(self.start), dict[Move, int]()
        for place in self.start.formats:
            for end in ends:
                narrower = self.start.narrowed(place, end)
                if narrower is not None:
                    savings[place, end] = now - self.memory_bits(narrower)
        return sorted(savings, key=lambda move: -savings[move])


def confirm(
    search: FormatSearch, judge: Trainer, tolerance: float
) -> tuple[Widths, tuple[SeedAccuracy, ...]]:
    """The widths found, with their final accumulators, against float64 in the runs and on the seeds of `judge`.

    While they miss the tolerance there, or the target in the runs of the search, every format gets one bit more, up to
    those of the start.
    """
    candidate, more = search.found.widths, 0
    while True:
        precision = search.layout.precision(candidate, final=True)
        name = "the formats found" + f" and {more} bits more" * bool(more)
        found = tuple(
            SeedAccuracy(
                seed, judge.fixed(seed, precision, name), judge.real(seed)[0], len(judge.prepared(seed).test)
            )
            for seed in judge.seeds
        )
        gap = float(np.mean([item.fixed - item.real for item in found])) if found else 0.0
        passes = gap >= -tolerance and search.trainer.accuracy(precision, name) >= search.target
        if found:
            accuracy = float(np.mean([item.fixed for item in found]))
            search.tell(
                WidthTrial(SearchStage.CONFIRM, name, "", None, accuracy, passes, search.memory_of(precision))
            )
        if passes or candidate == search.start:
            return candidate, found
        candidate, more = candidate.widened(1, search.start), more + 1
