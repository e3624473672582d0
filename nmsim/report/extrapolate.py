"""Extrapolation: from the profiled samples to an epoch and a full training run; always named as such."""

from dataclasses import dataclass, replace

from nmsim.evaluate import Estimate, Evaluation
from nmsim.report.result import RunResult

ASSUMPTION = (
    "every training sample costs what the mean profiled sample costs (the chapter on activity says which samples those"
    " are); the profile was recorded with the parameters after the last epoch, and a network that has learned spikes less:"
    " over a whole training a sample costs more than this, in measured runs by 10 to 15 % (the first samples 1.4 to 1.8"
    " times as much), and with test samples in the profile the figure is of another kind of sample; where milestones were"
    " recorded, the chapter on energy along learning integrates over them instead; samples follow one another without"
    " overlap; energy and time of the held-out evaluation are left out"
)


ASSUMED_OF_SHORT_TRAINING = (
    "Every training sample is taken to cost what the mean profiled sample costs. The profile was recorded after the"
    " short training stated above, so spike rates of a longer training, which may be lower or higher, are not"
    " represented. Samples follow one another without overlap; measuring the accuracy is left out. The confidence"
    " interval is that of the mean over the profiled samples (95 %, Student's t), multiplied up: it holds the spread over"
    " samples, not the assumption."
)
"""Of the reference report, whose profiles come from shorter trainings."""


@dataclass(frozen=True)
class Extrapolation:
    """An evaluation's mean per training sample times `samples_per_epoch`, and times all epochs.

    The confidence intervals are those of the mean over the profiled samples, scaled alike; bands likewise.
    """

    evaluation: Evaluation
    samples_per_epoch: int
    epochs: int
    epoch_energy_j: Estimate
    epoch_latency_s: Estimate
    training_energy_j: Estimate
    training_latency_s: Estimate


def times(estimate: Estimate, factor: float) -> Estimate:
    """The estimate of `factor` equal parts."""
    return replace(
        estimate,
        mean=estimate.mean * factor,
        ci_low=None if estimate.ci_low is None else estimate.ci_low * factor,
        ci_high=None if estimate.ci_high is None else estimate.ci_high * factor,
        band_low=estimate.band_low * factor,
        band_high=estimate.band_high * factor,
    )


def extrapolation(item: Evaluation, samples_per_epoch: int, epochs: int) -> Extrapolation | None:
    """An epoch and a whole training of a training rule's evaluation; None for inference, and without a total."""
    if not item.training or item.energy_j is None:
        return None
    return Extrapolation(
        item, samples_per_epoch, epochs, times(item.energy_j, samples_per_epoch), times(item.latency_s, samples_per_epoch),
        times(item.energy_j, samples_per_epoch * epochs), times(item.latency_s, samples_per_epoch * epochs),
    )  # fmt: skip


def extrapolate(result: RunResult) -> tuple[Extrapolation, ...]:
    """One extrapolation per evaluation of a training rule; empty if nothing was trained."""
    if not result.history.rows:
        return ()
    samples, epochs = result.history.rows[-1].train_samples, result.workload.training.epochs
    found = (extrapolation(item, samples, epochs) for item in result.subject_first)
    return tuple(item for item in found if item is not None)
