"""From a run's result to its summary record."""

from dataclasses import asdict

from nmsim.diagnosis import Diagnosis
from nmsim.evaluate import Estimate, Evaluation
from nmsim.misfit import Misfit
from nmsim.network.memory_table import NetworkMemory
from nmsim.report.extrapolate import ASSUMPTION, Extrapolation, extrapolate
from nmsim.report.learning_energy import LearningEnergy, LearningSum, learning_sums
from nmsim.report.plots.density import densities
from nmsim.report.result import RunResult
from nmsim.report.summary import (
    SCHEMA,
    AccuracySummary,
    ActivitySummary,
    CheckSummary,
    DiagnosisSummary,
    EvaluationSummary,
    ExtrapolationSummary,
    Interval,
    LearningSummary,
    MemorySummary,
    MisfitSummary,
    Summary,
    TrainingSummary,
    UnpricedSummary,
    figure_values,
    interval,
)
from nmsim.report.times import latency_by_phase_s
from nmsim.report.words import NOT_MODELLED, layer_label, sample_kind


def summarise(result: RunResult) -> Summary:
    """The summary of a run."""
    workload = result.workload
    return Summary(
        schema_name=SCHEMA,
        workload=workload.name,
        seed=result.seed,
        run_hash=workload.run_hash(result.seed),
        workload_hash=workload.content_hash(),
        network_hash=workload.network.content_hash(),
        versions=dict(result.provenance.get("versions", {})),
        dataset=dict(result.provenance.get("dataset", {})),
        subject=next(i for i, item in enumerate(result.evaluations) if item is result.subject),
        diagnosis=_diagnosis(result.diagnosis),
        accuracy=_accuracy(result),
        training=_training(result),
        activity=_activity(result),
        evaluations=[_evaluation(item, result.layers) for item in result.evaluations],
        misfits=[_misfit(item) for item in result.misfits],
        memory=[_memory(entry) for entry in result.memory],
        extrapolation=[_extrapolation(item) for item in extrapolate(result)],
        learning=[
            _learning(item, found)
            for item in result.learning
            for found in learning_sums(item, result.learning, result.workload.training.rule.name)
        ],
        notes=list(result.notes),
        not_modelled=list(NOT_MODELLED),
    )


def _accuracy(result: RunResult) -> AccuracySummary | None:
    if not result.history.rows:
        return None
    last = result.history.rows[-1]
    return AccuracySummary(
        held_out_fraction=last.test_accuracy,
        held_out_samples=last.test_samples,
        train_fraction=last.train_accuracy,
        epochs=len(result.history.rows),
    )


def _training(result: RunResult) -> TrainingSummary | None:
    if not result.history.rows:
        return None
    last, training = result.history.rows[-1], result.workload.training
    return TrainingSummary(
        rule=training.rule.name,
        arithmetic=training.arithmetic,
        batch_size=training.batch_size,
        train_samples_per_epoch=last.train_samples,
        final_loss_per_sample_and_time_step=last.train_loss,
        overflow_counts=dict(result.history.overflow_counts),
    )


def _activity(result: RunResult) -> ActivitySummary:
    activity, density = result.activity, densities(result.activity)
    return ActivitySummary(
        hash=activity.content_hash,
        origin=activity.origin,
        rule=activity.rule,
        samples=activity.samples,
        time_steps=activity.time_steps,
        input_density=density["inputs"],
        spike_rate=density["spikes"],
        trace_density=density["traces"],
        delta_density=density["deltas"],
    )


def _evaluation(item: Evaluation, layers: tuple[str, ...]) -> EvaluationSummary:
    energy = item.energy
    return EvaluationSummary(
        chip=item.chip_name,
        rule=item.rule,
        model=item.model,
        sample_is=sample_kind(item),
        samples=item.samples,
        time_steps=item.time_steps,
        batch_size=item.batch_size,
        hashes={
            "chip": item.chip_hash,
            "network": item.network_hash,
            "activity": item.activity_hash,
            "mapping": item.mapping_hash,
            "costs": item.costs_hash,
        },
        costs=item.costs_name,
        **figure_values(item),
        energy_by_component_j={str(key[0]): part.mean_j for key, part in energy.by("component").items()},
        energy_by_phase_j={str(key[0]): part.mean_j for key, part in energy.by("phase").items()},
        energy_by_layer_j={
            layer_label(key[0], layers): part.mean_j for key, part in sorted(energy.by("layer").items())
        },
        latency_by_phase_s=latency_by_phase_s(item),
        unavailable=dict(item.unavailable),
        unpriced=[UnpricedSummary(**asdict(entry)) for entry in item.unpriced],
        notes=list(item.notes),
        audit_passed=item.audit_passed,
        audit=[CheckSummary(**asdict(check)) for check in item.audit],
    )


def _diagnosis(found: Diagnosis) -> DiagnosisSummary:
    return DiagnosisSummary(
        stamp=found.stamp,
        warnings=list(found.warnings),
        silent_output_fraction=found.silent_output_fraction,
        saturated_fraction=dict(found.saturated_shares),
        classes=dict(found.classes),
    )


def _misfit(item: Misfit) -> MisfitSummary:
    return MisfitSummary(
        chip=item.chip_name,
        chip_hash=item.chip_hash,
        rule=item.rule,
        kind=item.kind,
        reasons=list(item.reasons),
        remedies=list(item.remedies),
    )


def _memory(entry: NetworkMemory) -> MemorySummary:
    return MemorySummary(
        rule=entry.rule,
        state_only_bits=entry.bits("state_only"),
        everything_bits=entry.bits("everything"),
        everything_by_kind_bits={kind.value: bits for kind, bits in entry.by_kind("everything").items()},
    )


def _extrapolation(item: Extrapolation) -> ExtrapolationSummary:
    return ExtrapolationSummary(
        chip=item.evaluation.chip_name,
        rule=item.evaluation.rule,
        model=item.evaluation.model,
        samples_per_epoch=item.samples_per_epoch,
        epochs=item.epochs,
        energy_per_epoch_j=item.epoch_energy_j.mean,
        energy_per_epoch_ci95_j=interval(item.epoch_energy_j),
        energy_per_epoch_band_j=_band(item.epoch_energy_j),
        latency_per_epoch_s=item.epoch_latency_s.mean,
        latency_per_epoch_ci95_s=interval(item.epoch_latency_s),
        energy_full_training_j=item.training_energy_j.mean,
        energy_full_training_ci95_j=interval(item.training_energy_j),
        energy_full_training_band_j=_band(item.training_energy_j),
        latency_full_training_s=item.training_latency_s.mean,
        latency_full_training_ci95_s=interval(item.training_latency_s),
        assumption=ASSUMPTION,
    )


def _learning(item: LearningEnergy, found: LearningSum) -> LearningSummary:
    over = found.over_trained
    return LearningSummary(
        chip=item.chip_name,
        rule=item.rule,
        of=found.of,
        training_samples=found.training_samples,
        milestones=len(item.points),
        milestone_samples=item.samples,
        energy_j=found.energy_j.mean,
        energy_ci95_j=interval(found.energy_j),
        energy_band_j=_band(found.energy_j),
        time_s=found.time_s.mean,
        energy_to_trained_ratio=None if over is None else over.value,
        energy_to_trained_ratio_ci95=None
        if over is None or over.low is None or over.high is None
        else (over.low, over.high),
        energy_to_end_ratio=found.over_end,
    )


def _band(estimate: Estimate) -> Interval:
    return estimate.band_low, estimate.band_high
