"""Diagnosis: what a run finds when it looks at itself, so that no figure of a network that does nothing goes unmarked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmsim.activity import Activity
from nmsim.network.spec import SynapticLayer
from nmsim.stop.history import TrainingHistory
from nmsim.workload import WorkloadSpec

DEAD, UNTRAINED, PARTLY_TRAINED, TRAINED, IMPORTED = (
    "dead", "untrained", "partly trained", "trained", "imported",
)  # fmt: skip
MEANINGLESS = frozenset({DEAD, UNTRAINED})
"""Stamps of networks whose figures say nothing of a network that works."""
TRAINED_FROM = 0.5
"""Part of the way from guessing to a faultless network from which it counts as trained, below it as partly trained."""
STAMP_RULE = (
    "dead: nine tenths of the profiled samples draw no output spike, or a layer never spikes; untrained: guessing would"
    " reach the accuracy (binomial test, 1 %); partly trained: better than guessing, but less than half of the way from"
    " there to a faultless network; trained: at least half of it; imported: spikes of another tool, of unknown accuracy;"
    " stand-in: samples of another data set"
)
"""How a network gets its stamp, in words for pages."""
HELD_OUT = "held-out"
SILENT_SHARE = 0.05
"""Share of samples without an output spike from which it is a warning."""
DEAD_SHARE = 0.9
"""Share of samples without an output spike from which a network is called dead."""
ALWAYS_SHARE = 0.98
"""Spike rate from which a layer is called always firing."""
SATURATED_SHARE = 0.01
"""Share of a tensor's values that saturate from which it is a warning."""
LOST_SHARE = 0.05
"""Share of events that the encoding drops from which it is a warning."""
CHANCE_LEVEL = 0.01
"""An accuracy is better than guessing if guessing would reach it less often than this (one-sided binomial test)."""
PER_STEP = {
    "neurons": ("current", "residual", "leak_trace", "membrane", "error", "delta"),
    "inputs": ("weight_trace", "error_sum"),
    "thresholds": ("threshold_trace",),
}
"""Tensors that are formed at every time step of every training sample, by what they have one value of."""


@dataclass(frozen=True)
class Diagnosis:
    """What a run says about itself.

    `stamp` is `dead`, `untrained`, `partly trained`, `trained` or `imported` (`STAMP_RULE` says when), and stands with
    `accuracy`, measured on `accuracy_samples` samples of `accuracy_part` (`held-out` or `training`), at every row that a
    table has of the run. `warnings` are sentences for people, worst first; `silent_output_fraction` the share of profiled
    samples without an output spike, `saturated_shares` the share of a tensor's values that saturated in training, by
    `layer<i>.<tensor>`, as far as it is known how many there were; `classes` the number of classes present by part: `train`,
    `test`, `profile`.
    """

    stamp: str
    warnings: tuple[str, ...]
    silent_output_fraction: float
    saturated_shares: Mapping[str, float]
    classes: Mapping[str, int]
    accuracy: float | None
    accuracy_samples: int
    accuracy_part: str

    @property
    def mark(self) -> str:
        """`, untrained` behind a name."""
        return f", {self.stamp}"

    @property
    def meaningless(self) -> bool:
        """Whether figures of this network say nothing of one that works."""
        return self.stamp in MEANINGLESS

    @property
    def accuracy_text(self) -> str:
        """`97.10% of 1,000`, of training samples where there are no others; nothing where none was measured."""
        if self.accuracy is None:
            return ""
        part = "" if self.accuracy_part == HELD_OUT else f" {self.accuracy_part}"
        return f"{self.accuracy:.2%} of {self.accuracy_samples:,}{part}"


def diagnose(
    workload: WorkloadSpec, history: TrainingHistory, activity: Activity, provenance: Mapping[str, Any]
) -> Diagnosis:
    """Look at a run: at what its profile did, what it learned, what saturated, and which classes it saw.

    `provenance` is the run's own: its sections `dataset` (`train_per_class`, `test_per_class`) and `encoding`
    (`events`, `lost_events` of the profile) are used where they are there.
    """
    data, encoding = provenance.get("dataset", {}), provenance.get("encoding", {})
    silent = float((activity.spike_counts.sum(axis=1) == 0).mean())
    shares = saturated_shares(workload, history, static_input=activity.static_input)
    classes = _classes(data, activity)
    stuck = _stuck_layers(workload, activity)
    measured = None if workload.recorded or not history.rows else _measured(history)
    guess = _guess(workload, data, measured)
    guessing = "" if measured is None else _no_better_than_guessing(measured, guess)
    warnings = [
        *_silence(silent, activity.samples), *stuck, *([guessing] if guessing else []),
        *_input(activity, encoding, recorded=workload.recorded), *_saturation(shares),
        *_missing_classes(workload, classes),
    ]  # fmt: skip
    dead = silent >= DEAD_SHARE or any("never spikes" in text for text in stuck)
    stamp = DEAD if dead else UNTRAINED if guessing else _stamp(measured, guess)
    found = measured or _Measured(None, 0, "")
    return Diagnosis(
        stamp, tuple(warnings), silent, shares, classes, found.accuracy, found.samples, found.part
    )


@dataclass(frozen=True)
class _Measured:
    """An accuracy, on how many samples of which part."""

    accuracy: float | None
    samples: int
    part: str


def _measured(history: TrainingHistory) -> _Measured:
    """The held-out accuracy after the last epoch; without held-out samples that of the last epoch while learning."""
    last = history.rows[-1]
    if last.test_accuracy is not None:
        return _Measured(last.test_accuracy, last.test_samples, HELD_OUT)
    return _Measured(last.train_accuracy, last.train_samples, "training")


def _guess(workload: WorkloadSpec, data: Mapping[str, Any], measured: _Measured | None) -> float:
    """Accuracy of always naming the largest class."""
    part = "test" if measured is not None and measured.part == HELD_OUT else "train"
    counts = data.get(f"{part}_per_class") or []
    return max(1 / workload.network.classes, max(counts) / sum(counts) if sum(counts) else 0.0)


def _stamp(measured: _Measured | None, guess: float) -> str:
    """The stamp of a network that spikes and is better than guessing."""
    if measured is None:
        return IMPORTED
    way = ((measured.accuracy or 0.0) - guess) / (1 - guess) if guess < 1 else 1.0
    return TRAINED if way >= TRAINED_FROM else PARTLY_TRAINED


def _silence(share: float, samples: int) -> Iterator[str]:
    if share > SILENT_SHARE:
        yield (
            f"the output is silent in {share:.0%} of the {samples} profiled samples: thresholds are too high, or weights too"
            " small, for spikes to arrive"
        )


def _stuck_layers(workload: WorkloadSpec, activity: Activity) -> list[str]:
    """Layers that do nothing, or the same at every step."""
    found = []
    for layer, record in zip(workload.network.synaptic_layers, activity.layers, strict=True):
        rate = record.density("spikes")
        if rate == 0:
            found.append(f"layer {layer.index} never spikes: nothing behind it can learn")
        elif rate >= ALWAYS_SHARE:
            found.append(f"layer {layer.index} fires at {rate:.1%} of all steps: it carries no information")
    return found


def _no_better_than_guessing(measured: _Measured, guess: float) -> str:
    """A sentence if the accuracy could have been guessed, else nothing."""
    from scipy.special import bdtrc  # takes as long as a seventh of all other imports

    accuracy, samples = measured.accuracy or 0.0, measured.samples
    # so many right or more among so many guesses
    if float(bdtrc(round(accuracy * samples) - 1, samples, guess)) <= CHANCE_LEVEL:
        return ""
    return (
        f"untrained: {accuracy:.2%} on {samples:,} {measured.part} samples is no better than always naming the largest class"
        f" ({guess:.2%})"
    )


def saturated_shares(
    workload: WorkloadSpec, history: TrainingHistory, *, static_input: bool = False
) -> dict[str, float]:
    """Share of the values of every tensor that did not fit its format during training, where that is not zero.

    The values are those of all training samples and time steps; a current of a static input is formed once a sample.
    Tensors of updates have no share: how often they are formed depends on the update.
    """
    samples = sum(row.train_samples for row in history.rows)
    found = {}
    for layer in workload.network.synaptic_layers:
        for per, tensors in PER_STEP.items():
            values = samples * workload.network.time_steps * _size(layer, per)
            for tensor in tensors:
                count = history.overflow_counts.get(f"layer{layer.index}.{tensor}", 0)
                once = static_input and layer.index == 0 and tensor == "current"
                formed = values // workload.network.time_steps if once else values
                if count and formed:
                    found[f"layer{layer.index}.{tensor}"] = count / formed
    return found


def overflow_lines(counts: Mapping[str, int], shares: Mapping[str, float]) -> list[str]:
    """A line for every tensor that overflowed, largest share of its values first; how often, where no share is known.

    Examples:
        >>> overflow_lines({"layer1.membrane": 4521, "layer0.current": 0}, {"layer1.membrane": 0.00094})
        ['layer1.membrane: 4,521 times, 0.094% of its values']
    """
    return [
        f"{name}: {count:,} times" + (f", {100 * shares[name]:.2g}% of its values" if name in shares else "")
        for name, count in sorted(counts.items(), key=lambda item: (-shares.get(item[0], 0.0), -item[1]))
        if count
    ]


def _size(layer: SynapticLayer, per: str) -> int:
    return {
        "neurons": layer.neurons,
        "inputs": layer.inputs,
        "thresholds": layer.threshold_count,
    }[per]


def _saturation(shares: Mapping[str, float]) -> Iterator[str]:
    large = {name: share for name, share in shares.items() if share >= SATURATED_SHARE}
    if large:
        texts = [f"{name} {share:.1%}" for name, share in sorted(large.items(), key=lambda item: -item[1])]
        yield f"values saturated in training: {', '.join(texts)}; widen these formats (`nmsim validate` says to what)"


def _classes(data: Mapping[str, Any], activity: Activity) -> dict[str, int]:
    found = {
        part: int(np.count_nonzero(data[f"{part}_per_class"]))
        for part in ("train", "test")
        if data.get(f"{part}_per_class")
    }
    return {**found, "profile": len(np.unique(activity.labels))}


def _missing_classes(workload: WorkloadSpec, classes: Mapping[str, int]) -> Iterator[str]:
    known = workload.network.classes
    for part in ("train", "test"):
        if 0 < classes.get(part, known) < known:
            yield f"the {part} samples hold {classes[part]} of {known} classes"


def _input(activity: Activity, encoding: Mapping[str, Any], *, recorded: bool) -> Iterator[str]:
    """What the encoding left of the samples."""
    events, lost = encoding.get("events", 0), encoding.get("lost_events", 0)
    if events and lost / events > LOST_SHARE:
        yield f"the encoding drops {lost / events:.0%} of the events of the profiled samples"
    masks = activity.layers[0].mask("inputs")
    empty = np.flatnonzero(~masks.any(axis=(0, 2)))
    if recorded and len(empty) == masks.shape[1]:  # said to be silent: biases drive the first layer
        return
    if len(empty):
        steps = ", ".join(str(step) for step in empty[:8]) + (" and more" if len(empty) > 8 else "")
        yield (
            f"{len(empty)} of {masks.shape[1]} time steps are empty in every profiled sample (step {steps}): check event"
            " times and the encoding's duration"
        )
