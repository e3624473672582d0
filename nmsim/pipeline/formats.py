"""The narrowest formats of a workload: search, then write a precision file, tables and a page."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmsim.errors import ConfigError
from nmsim.network.memory import TrainingNeeds
from nmsim.pipeline.folder import package_versions
from nmsim.pipeline.numerics import ShortTraining
from nmsim.report.formats import write_formats
from nmsim.report.words import how_many, layer_names
from nmsim.stop.train import Progress
from nmsim.storage import write_text
from nmsim.validate.formats.calibrate import Ranges
from nmsim.validate.formats.format_search import FormatSearch, Found, confirm
from nmsim.validate.formats.found import FormatSearchResult, FoundFormat
from nmsim.validate.formats.trials import Journal, Trainer
from nmsim.validate.formats.widths import PRECISION_FILE, PrecisionTemplate, precision_text
from nmsim.workload import Prepared, WorkloadSpec, prepare

JOURNAL = "trials.jsonl"


@dataclass(frozen=True)
class FormatsPlan:
    """How the search judges: `tolerance` of accuracy (a fraction), training runs, candidates at most, guard bits.

    `saturating`: formats may become narrower than the ranges that were seen.
    """

    training: ShortTraining
    tolerance: float = 0.01
    budget: int = 100
    guard_bits: int = 1
    confirm_seeds: int = 1
    saturating: bool = False
    seed: int = 1

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the search."""
        return tuple(range(self.seed, self.seed + self.training.seeds))

    @property
    def other_seeds(self) -> tuple[int, ...]:
        """Seeds of the confirmation."""
        first = self.seed + self.training.seeds
        return tuple(range(first, first + self.confirm_seeds))


@dataclass(frozen=True)
class FormatsListener:
    """Whom to tell: where the search stands, and how far a training run is."""

    search: Callable[[Found, int], None] = lambda _, __: None
    training: Callable[[str, Progress], None] = lambda _, __: None


def search_formats(
    workload: WorkloadSpec,
    out: Path,
    plan: FormatsPlan,
    *,
    resume: bool = False,
    overwrite: bool = False,
    listener: FormatsListener | None = None,
) -> tuple[FormatSearchResult, list[Path]]:
    """Find formats and write them into `out`; `precision.yaml` there is always the best so far.

    Raises:
        ConfigError, DataError: the workload or its data are wrong, or it has nothing to search.
        CheckFailedError: even wider formats than the given ones miss the target.
        RunError: an earlier search is in `out`.
    """
    tell = listener or FormatsListener()
    base = _trained_fixed(plan.training.workload(workload))
    with Journal.open(out / JOURNAL, resume=resume, overwrite=overwrite) as journal:
        trainer = Trainer(lambda seed: prepare(base, seed), plan.seeds, journal, tell.training)
        if not len(trainer.prepared(plan.seed).test):
            raise ConfigError(
                f"workload {workload.name}: no held-out samples, so no accuracy to keep; give other data"
            )
        real = [trainer.real(seed) for seed in plan.seeds]
        ranges = Ranges()
        for _, own in real:
            ranges.merge(own)
        reference = float(np.mean([accuracy for accuracy, _ in real]))
        prepared = trainer.prepared(plan.seed)
        layout = PrecisionTemplate(
            base.network, base.training, base.precision, prepared.input_format, ranges, plan.guard_bits,
            plan.saturating,
        )  # fmt: skip

        def keep(found: Found, budget: int) -> None:
            if found.accuracy > 0:
                write_text(
                    out / PRECISION_FILE,
                    precision_text(
                        layout.precision(found.widths, final=True),
                        workload.name,
                        "Best so far, not confirmed.",
                    ),
                )
            tell.search(found, budget)

        given = trainer.accuracy(base.precision, "the given formats")
        search = FormatSearch(
            layout, _needs(prepared), trainer, reference - plan.tolerance, plan.budget, keep
        )
        search.run()
        whole = _trained_fixed(workload)
        judge = Trainer(lambda seed: prepare(whole, seed), plan.other_seeds, journal, tell.training)
        result = _result(workload, plan, search, judge, reference, given)
    note = _note(result)
    write_text(out / PRECISION_FILE, precision_text(result.precision, workload.name, note))
    return result, [out / PRECISION_FILE, out / JOURNAL, *write_formats(result, out, package_versions())]


def _trained_fixed(workload: WorkloadSpec) -> WorkloadSpec:
    training = workload.training.model_copy(update={"arithmetic": "fixed"})
    if training.rule.through_time:
        raise ConfigError(
            f"workload {workload.name}: rule {training.rule} has no fixed-point training, so no formats to search;"
            " use --set training.rule=stop-wtl"
        )
    return workload.model_copy(update={"training": training})


def _needs(prepared: Prepared) -> TrainingNeeds:
    workload = prepared.workload
    return workload.needs(
        str(workload.training.rule),
        sample_bits=prepared.input_format.total_bits,
        static_input=prepared.encoded.static,
    )


def _result(
    workload: WorkloadSpec,
    plan: FormatsPlan,
    search: FormatSearch,
    judge: Trainer,
    reference: float,
    given: float,
) -> FormatSearchResult:
    """The record of a finished search, confirmed by whole training runs on other seeds."""
    layout, trainer, found = search.layout, search.trainer, search.found
    prepared = trainer.prepared(plan.seed)
    widths, confirmed = confirm(search, judge, plan.tolerance)
    precision = layout.precision(widths, final=True)
    slots = tuple(
        FoundFormat(
            layer, setting, *layout.ranges.ends.get((layer, setting), (0.0, 0.0)),
            getattr(layout.given.resolve(layer), setting).format, fmt,
        )
        for (layer, setting), fmt in widths.formats.items()
    )  # fmt: skip
    accuracy = trainer.accuracy(precision, "the formats found")
    whole = _described(judge.prepared(confirmed[0].seed)) if confirmed else ""
    return FormatSearchResult(
        workload.name, workload.content_hash(), _described(prepared), plan.seeds,
        len(prepared.test), plan.tolerance, plan.guard_bits, reference, given, accuracy,
        layer_names(workload.network), slots, tuple(found.trials), precision, search.memory_of(layout.given),
        search.memory_of(precision), confirmed, found.exhausted, whole,
    )  # fmt: skip


def _described(prepared: Prepared) -> str:
    """How long a training run is."""
    epochs = prepared.workload.training.epochs
    return f"{how_many(epochs, 'epoch')} of {len(prepared.train):,} samples"


def _note(result: FormatSearchResult) -> str:
    """What a reader of the precision file has to know."""
    seeds = ", ".join(map(str, result.seeds))
    others = f"float64 {result.reference_accuracy:.2%}, formats given {result.given_accuracy:.2%}"
    lines = [
        f"Found by nmsim formats for workload {result.workload} ({result.workload_hash}).",
        f"Training runs: {result.description}, seeds {seeds}, {result.samples:,} held-out samples.",
        f"Accuracy {result.accuracy:.2%}; {others}; tolerance {result.tolerance:.2%}.",
        f"{len(result.trials)} candidates" + ("; the budget was used up." if result.exhausted else "."),
    ]
    if result.confirmed_gap is not None:
        other = ", ".join(str(item.seed) for item in result.confirmed)
        lines.append(
            f"Whole training on seeds the search did not see ({other}), {result.confirmed_description}:"
            f" {result.confirmed_gap:+.2%} against float64."
        )
    return "\n".join(lines)
