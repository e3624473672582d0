"""Energy along learning: what a training sample costs at points of the training, and what an epoch and all of it cost.

A network that learns changes its activity, so a profile taken at the end does not stand for the training. Milestones
record the same training samples at several points; each is replayed and priced, and between them energy is a straight line
over the samples seen: the trapezoid rule.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.errors import CostError
from nmsim.evaluate import Estimate, Evaluation
from nmsim.statistics import Interval, mean_interval, ratio_of_means
from nmsim.units import J_PER_PJ

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LearningPoint:
    """One milestone under one rule on one chip.

    `accuracy` on `accuracy_samples` held-out samples, None without any. `spike_rate` and `delta_density` are fractions of
    all neurons and time steps. `energy_j (S,)`, `latency_s (S,)` of every sample; `band_low` and `band_high` are what the
    prices allow, over the mean energy.
    """

    updates: int
    samples_seen: int
    accuracy: float | None
    accuracy_samples: int
    spike_rate: float
    delta_density: float
    energy_j: FloatArray
    latency_s: FloatArray
    band_low: float
    band_high: float


@dataclass(frozen=True)
class LearningEnergy:
    """A whole training under one rule on one chip: its points from the start to the end, the same samples at each."""

    chip_name: str
    chip_hash: str
    costs_hash: str
    rule: str
    model: str
    samples_per_epoch: int
    epochs: int
    points: tuple[LearningPoint, ...]

    @property
    def samples(self) -> int:
        """Samples at every point, S."""
        return len(self.points[0].energy_j)

    def summed_energy_j(self, first_epoch: int = 0, last_epoch: int | None = None) -> FloatArray:
        """Energy `(S,)` of all training samples between two epochs, as each of the recorded samples alone would have it."""
        return self._weights(first_epoch, last_epoch) @ np.stack([point.energy_j for point in self.points])

    def energy_j(self, first_epoch: int = 0, last_epoch: int | None = None) -> Estimate:
        """Energy of all training samples from the start of epoch `first_epoch` to that of `last_epoch` (None: the end).

        Its interval is that of the mean over the recorded samples, which are the same at every milestone, so that each has
        an integral of its own.
        """
        found = mean_interval(self.summed_energy_j(first_epoch, last_epoch))
        means = np.array([point.energy_j.mean() for point in self.points])
        weights = self._weights(first_epoch, last_epoch)
        low = float(weights @ (means * [point.band_low for point in self.points]))
        high = float(weights @ (means * [point.band_high for point in self.points]))
        return Estimate(found.value, found.low, found.high, low, high)

    def time_s(self, first_epoch: int = 0, last_epoch: int | None = None) -> Estimate:
        """Time on the chip of the same samples, one after the other."""
        each = np.stack([point.latency_s for point in self.points])
        found = mean_interval(self._weights(first_epoch, last_epoch) @ each)
        return Estimate(found.value, found.low, found.high, found.value, found.value)

    def at_the_end_j(self) -> float:
        """Energy of all training samples if each cost what one does after the last epoch: all that one profile can tell."""
        return float(self.points[-1].energy_j.mean()) * self.samples_per_epoch * self.epochs

    def over(self, other: "LearningEnergy", first_epoch: int = 0, last_epoch: int | None = None) -> Interval:
        """Energy between two epochs over another rule's, with the interval of paired samples."""
        own = self.summed_energy_j(first_epoch, last_epoch)
        return ratio_of_means(own, other.summed_energy_j(first_epoch, last_epoch))

    def parts(self) -> dict[str, tuple[int, int]]:
        """What is summed up: first and last epoch, and the whole training; one row where there is one epoch only."""
        whole = {"whole training": (0, self.epochs)}
        if self.epochs == 1:
            return whole
        return {"first epoch": (0, 1), "last epoch": (self.epochs - 1, self.epochs), **whole}

    def _weights(self, first_epoch: int, last_epoch: int | None) -> FloatArray:
        last = self.epochs if last_epoch is None else last_epoch
        seen = np.array([point.samples_seen for point in self.points], np.float64)
        return trapezoid_weights(seen, first_epoch * self.samples_per_epoch, last * self.samples_per_epoch)


def learning_point(item: Evaluation, milestone: Activity) -> LearningPoint:
    """A point from its evaluation and the milestone that was replayed.

    Raises:
        CostError: the chip's energy has no total, because a source is missing.
    """
    if item.energy_j is None:
        raise CostError(f"{item.chip_name}: its energy has no total ({'; '.join(item.unavailable.values())})")
    mean, meta = item.energy_j.mean, milestone.meta
    return LearningPoint(
        meta["updates"],
        meta["samples_seen"],
        meta.get("accuracy"),
        meta.get("accuracy_samples", 0),
        _density(milestone, "spikes"),
        _density(milestone, "deltas"),
        np.asarray(item.energy.total_pj) * J_PER_PJ,
        np.asarray(item.perf.latency_s),
        item.energy_j.band_low / mean if mean else 1.0,
        item.energy_j.band_high / mean if mean else 1.0,
    )


def _density(activity: Activity, mask: str) -> float:
    """Fraction of ones of a mask over the neurons of all layers."""
    sizes = [prod(layer.neurons_shape) for layer in activity.layers]
    parts = (layer.density(mask) * size for layer, size in zip(activity.layers, sizes, strict=True))
    return sum(parts) / sum(sizes)


def trapezoid_weights(at: FloatArray, start: float, end: float) -> FloatArray:
    """Weight `(K,)` of each of the points `at (K,)` in the integral from `start` to `end` of the straight lines between.

    The integral of values `y (K,)` is `weights @ y`: every weight is the integral of the point's own hat function, so an
    end may lie between two points.

    >>> trapezoid_weights(np.array([0.0, 2.0, 4.0]), 0.0, 4.0).tolist()
    [1.0, 2.0, 1.0]
    >>> trapezoid_weights(np.array([0.0, 2.0, 4.0]), 3.0, 4.0).tolist()
    [0.0, 0.25, 0.75]

    Raises:
        ValueError: the points do not rise, or do not reach from `start` to `end`.
    """
    if not np.all(np.diff(at) > 0) or at[0] > start or at[-1] < end:
        raise ValueError(f"points {at.tolist()} must rise, and reach from {start:g} to {end:g}")
    left, right = at[:-1], at[1:]
    low, high = np.clip(start, left, right), np.clip(end, left, right)
    width = right - left
    weights = np.zeros(len(at))
    weights[:-1] += ((right - low) ** 2 - (right - high) ** 2) / (2 * width)
    weights[1:] += ((high - left) ** 2 - (low - left) ** 2) / (2 * width)
    return weights


def against(own: LearningEnergy, every: Sequence[LearningEnergy], rule: str) -> LearningEnergy | None:
    """The same training under `rule`, on the same chip at the same prices; None if that was not asked for."""
    same = (own.chip_hash, own.costs_hash, rule)
    return next((item for item in every if (item.chip_hash, item.costs_hash, item.rule) == same), None)


@dataclass(frozen=True)
class LearningSum:
    """A part of a training under one rule on one chip: `of` is first epoch, last epoch or whole training.

    `over_trained`: its energy over that of the rule that was trained, by paired samples; None where that was not followed
    on this chip. `over_end`: over what the profile after the last epoch tells of as many samples.
    """

    of: str
    training_samples: int
    energy_j: Estimate
    time_s: Estimate
    over_trained: Interval | None
    over_end: float


def learning_sums(
    item: LearningEnergy, every: Sequence[LearningEnergy], trained: str
) -> Iterator[LearningSum]:
    """The first and the last epoch and the whole training; `trained` is the rule of the run, sought among `every`."""
    own = against(item, every, trained)
    for of, (first, last) in item.parts().items():
        samples, energy = (last - first) * item.samples_per_epoch, item.energy_j(first, last)
        over = None if own is None else item.over(own, first, last)
        at_the_end = float(item.points[-1].energy_j.mean()) * samples
        yield LearningSum(of, samples, energy, item.time_s(first, last), over, energy.mean / at_the_end)
