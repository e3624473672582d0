"""When the structure changes, counted in updates, and how far each step goes."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from nmsim.structure.spec import StructureSpec

POWER = {"cubic": 3, "linear": 1, "one_shot": 1}


@dataclass(frozen=True)
class StructureSchedule:
    """A structure section with the number of updates in an epoch; all its numbers are exact.

    >>> spec = StructureSpec(method="prune", sparsity=0.5, begin_epoch=1, end_epoch=2, every_updates=5, schedule="linear")
    >>> plan = StructureSchedule(spec, updates_per_epoch=10)
    >>> [(n, str(plan.sparsity(n))) for n in range(30) if plan.due(n)]
    [(10, '0'), (15, '1/4'), (20, '1/2')]
    """

    spec: StructureSpec
    updates_per_epoch: int

    def _updates(self, epochs: float) -> int:
        return floor(Fraction(str(epochs)) * self.updates_per_epoch)

    @property
    def first(self) -> int:
        """Updates before the first step: at least 1 where it looks at a gradient or exchanges synapses."""
        spec = self.spec
        needed = spec.needs_gradient or spec.method != "prune"
        return max(self._updates(spec.begin_epoch), 1 if needed else 0)

    @property
    def last(self) -> int:
        """Updates before the last step: the last that is a whole number of periods after the first."""
        spec = self.spec
        if spec.schedule == "one_shot" or spec.end_epoch is None:
            return self.first
        span = max(self._updates(spec.end_epoch) - self.first, 0)
        return self.first + span // spec.every_updates * spec.every_updates

    def due(self, updates: int) -> bool:
        """Whether a step follows so many updates."""
        return self.first <= updates <= self.last and (updates - self.first) % self.spec.every_updates == 0

    def _left(self, updates: int) -> Fraction:
        """What is left to go, from 1 at the first step to 0 at the last (0 where there is only one)."""
        if self.last == self.first:
            return Fraction(0)
        return Fraction(self.last - updates, self.last - self.first) ** POWER[self.spec.schedule]

    def sparsity(self, updates: int) -> Fraction:
        """Fraction of synapses absent after a step."""
        spec = self.spec
        return spec.target + (spec.start - spec.target) * self._left(updates)

    def exchanged(self, updates: int) -> Fraction:
        """Fraction of present synapses that a step of `prune_and_grow` exchanges."""
        left = Fraction(1) if self.last == self.first else self._left(updates)
        return Fraction(str(self.spec.exchange)) * left
