"""The summary: totals of a run as a versioned record, `summary.json`; SI units, each in its key."""

import json
from typing import Any

from pydantic import ConfigDict, Field, create_model

from nmsim.config import Record, json_schema
from nmsim.evaluate import Estimate, Evaluation
from nmsim.figures import FIGURES

SCHEMA = "nmsim/summary-2"
Interval = tuple[float, float]


class AccuracySummary(Record):
    """What this run measured on samples it had not trained on."""

    held_out_fraction: float | None
    """None where the data has no held-out part."""
    held_out_samples: int
    train_fraction: float
    """Of the last epoch, while weights changed."""
    epochs: int
    how: str = "measured in this run"


class TrainingSummary(Record):
    """How it was trained, and what overflowed."""

    rule: str
    arithmetic: str
    batch_size: int
    train_samples_per_epoch: int
    final_loss_per_sample_and_time_step: float
    overflow_counts: dict[str, int]
    """By `layer<i>.<tensor>`; empty for float arithmetic."""


class ActivitySummary(Record):
    """The profile that the chip models replay; densities are fractions of non-zero values by synaptic layer."""

    hash: str
    origin: str
    rule: str
    samples: int
    time_steps: int
    input_density: list[float]
    spike_rate: list[float]
    """Spikes per neuron and time step."""
    trace_density: list[float]
    delta_density: list[float]


class CheckSummary(Record):
    """One line of the audit; `group` is "adds up" or "plausible"."""

    name: str
    group: str
    passed: bool
    expected: float
    found: float
    unit: str
    detail: str


class UnpricedSummary(Record):
    """An action that happened and could not be priced."""

    component: str
    action: str
    count_per_sample: float
    reason: str


class _Described(Record):
    """What was evaluated."""

    chip: str
    rule: str
    model: str
    sample_is: str
    """`training sample` or `inference`."""
    samples: int
    time_steps: int
    batch_size: int
    hashes: dict[str, str]
    costs: str


def _figure_fields() -> dict[str, Any]:
    """A key per figure, and one each for its confidence interval and its band where it has them."""
    fields: dict[str, Any] = {}
    for figure in FIGURES.values():
        fields[figure.name] = (float | int | None, ...)
        if figure.interval:
            fields[figure.part("ci95")] = (Interval | None, ...)
        if figure.banded:
            fields[figure.part("band")] = (Interval | None, ...)
    return fields


def figure_values(item: Evaluation) -> dict[str, Any]:
    """The keys of `_figure_fields` with the values of an evaluation."""
    values: dict[str, Any] = {}
    for figure in FIGURES.values():
        values[figure.name], found = figure.of(item), figure.estimate(item)
        if figure.interval:
            values[figure.part("ci95")] = interval(found)
        if figure.banded:
            values[figure.part("band")] = None if found is None else (found.band_low, found.band_high)
    return values


def interval(estimate: Estimate | None) -> Interval | None:
    """Confidence interval of the mean, None for one sample."""
    if estimate is None or estimate.ci_low is None or estimate.ci_high is None:
        return None
    return estimate.ci_low, estimate.ci_high


_Figures: Any = create_model("_Figures", __base__=_Described, **_figure_fields())


class EvaluationSummary(_Figures):
    """One chip, rule and model. `_ci95` is the interval of the mean over samples, `_band` what the prices allow."""

    energy_by_component_j: dict[str, float]
    energy_by_phase_j: dict[str, float]
    energy_by_layer_j: dict[str, float]
    latency_by_phase_s: dict[str, float]
    unavailable: dict[str, str]
    unpriced: list[UnpricedSummary]
    notes: list[str]
    audit_passed: bool
    audit: list[CheckSummary]


class DiagnosisSummary(Record):
    """What the run says about itself: whether its figures mean anything."""

    stamp: str
    """`dead`, `untrained`, `partly trained`, `trained`, or `imported`."""
    warnings: list[str]
    silent_output_fraction: float
    saturated_fraction: dict[str, float]
    classes: dict[str, int]
    """Classes present in the parts `train`, `test`, `profile`."""


class MisfitSummary(Record):
    """A rule on a chip that has no evaluation: it does not fit, its clock is too fast, or it has no price."""

    chip: str
    chip_hash: str
    rule: str
    kind: str
    reasons: list[str]
    remedies: list[str]


class MemorySummary(Record):
    """Memory of the network under one rule, whatever the chip, in both conventions."""

    rule: str
    state_only_bits: int
    everything_bits: int
    everything_by_kind_bits: dict[str, int]


class ExtrapolationSummary(Record):
    """The profile's mean times a number of samples; an extrapolation, never a measurement."""

    chip: str
    rule: str
    model: str
    samples_per_epoch: int
    epochs: int
    energy_per_epoch_j: float
    energy_per_epoch_ci95_j: Interval | None
    energy_per_epoch_band_j: Interval
    latency_per_epoch_s: float
    latency_per_epoch_ci95_s: Interval | None
    energy_full_training_j: float
    energy_full_training_ci95_j: Interval | None
    energy_full_training_band_j: Interval
    latency_full_training_s: float
    latency_full_training_ci95_s: Interval | None
    assumption: str


class LearningSummary(Record):
    """Energy and time of training samples between two epochs, integrated over the milestones of the training."""

    chip: str
    rule: str
    of: str
    """`first epoch`, `last epoch` or `whole training`."""
    training_samples: int
    milestones: int
    milestone_samples: int
    energy_j: float
    energy_ci95_j: Interval | None
    energy_band_j: Interval
    time_s: float
    energy_to_trained_ratio: float | None
    """Over the rule that was trained, by paired samples; None where that was not followed on the same chip."""
    energy_to_trained_ratio_ci95: Interval | None
    energy_to_end_ratio: float
    """Over what the profile after the last epoch tells of as many samples."""


class Summary(Record):
    """Totals of one run."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    schema_name: str = Field(default=SCHEMA, alias="schema")
    workload: str
    seed: int
    run_hash: str
    """Identity of everything that decides the bits of the training run."""
    workload_hash: str
    network_hash: str
    versions: dict[str, str]
    dataset: dict[str, Any]
    subject: int
    """Index of the evaluation that the report is about."""
    diagnosis: DiagnosisSummary
    accuracy: AccuracySummary | None
    training: TrainingSummary | None
    activity: ActivitySummary
    evaluations: list[EvaluationSummary]
    misfits: list[MisfitSummary]
    memory: list[MemorySummary]
    extrapolation: list[ExtrapolationSummary]
    learning: list[LearningSummary]
    """Empty where no milestones were recorded and replayed."""
    notes: list[str]
    not_modelled: list[str]


def summary_text(summary: Summary) -> str:
    """The summary as JSON, the same bytes for the same run."""
    return json.dumps(summary.model_dump(mode="json"), indent=2, allow_nan=False) + "\n"


def summary_schema() -> dict[str, Any]:
    """JSON Schema of `summary.json`."""
    return json_schema(Summary)
