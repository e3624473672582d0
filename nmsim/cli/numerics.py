"""What `nmsim validate` shows of a comparison of fixed point with float64."""

from pathlib import Path

from nmsim.cli.console import Screen, table
from nmsim.cli.output import show_json
from nmsim.cli.progress import counted
from nmsim.pipeline.folder import package_versions
from nmsim.pipeline.numerics import NumericsListener, NumericsPlan, validate_numerics
from nmsim.pipeline.subject import Subject
from nmsim.report.numerics.data import validation_data
from nmsim.report.numerics.numerics_page import UNTRAINED
from nmsim.report.tables import for_people
from nmsim.stop.train import Progress
from nmsim.validate.formats.widths import PRECISION_FILE
from nmsim.validate.numerics.measured import ComparedWith, NumericsResult, TensorNumerics

FINDINGS_SHOWN = 12
ROWS_SHOWN = 40
"""Beyond so many tensors the weakest ones of every layer stand for all."""
WEAKEST = 3
WIDE = 110
"""Columns of a terminal that has room for errors in LSBs."""


def validate_subject(
    subject: Subject, out: Path, plan: NumericsPlan, screen: Screen, *, as_json: bool
) -> None:
    """Compare, write the files, show the essence."""
    screen.say(f"Fixed point against float64: {subject.workload.name}, {subject.source}, into {out}")
    with counted(screen) as count:

        def training(name: str, step: Progress) -> None:
            done, total = step.epoch * step.batches + step.batch, step.epochs * step.batches
            if step.row is None:
                count(f"train {name}", done, total, f"accuracy {step.train_accuracy:.1%}")

        listener = NumericsListener(
            lambda done, total: count("compare samples", done, total, ""),
            lambda done, total: count("convergence, widths", done, total, ""),
            training,
        )
        result, files = validate_numerics(subject, out, plan, listener)
    if as_json:
        show_json(validation_data(result, package_versions()))
        return
    _show(screen, result, len(subject.prepared.test))
    screen.say(f"{len(files)} files in {out}; open {out / 'validation.html'}")
    if result.findings:
        screen.say(f"All of these changes: --precision {out / PRECISION_FILE}")


def _show(screen: Screen, result: NumericsResult, held_out: int) -> None:
    shown = result.tensors if len(result.tensors) <= ROWS_SHOWN else _weakest(result)
    which = "all tensors" if shown is result.tensors else f"the {WEAKEST} weakest tensors of every layer"
    columns = ["tensor", "format", "own", "forced", "free", "sat.", "to 0", "spare"]
    wide = screen.out.width >= WIDE
    if wide:
        columns += ["largest LSB", "mean LSB"]
    title = f"SQNR in dB against three references, {which}; to 0: underflow; spare: unused integer bits"
    screen.show(table(title, columns, [_row(item, wide=wide) for item in shown], numeric_from=2))
    columns = ["layer", "free", "own", "cos dW", "cos dTheta", "err dAlpha"]
    title = "Spikes that differ, free running and by own rounding; gradients, free running"
    screen.show(table(title, columns, _layer_rows(result)))
    if result.inference is not None:
        own = result.inference
        part = f"{own.samples:,} of {held_out:,}" if own.samples < held_out else f"all {held_out:,}"
        screen.say(
            f"Same parameters, {part} held-out samples: fixed point {own.fixed_correct / own.samples:.2%}, float64"
            f" {own.real_correct / own.samples:.2%} correct; same prediction for {own.same_prediction / own.samples:.2%}"
        )
        if own.samples < held_out:
            screen.say(
                f"  the report's accuracy is that of all of them: --test-samples {held_out} compares these"
            )
    if result.gap is not None:
        gap = result.gap
        screen.say(f"Trained, {gap.description}, {gap.seeds[0].samples:,} held-out: {gap.sentence}")
    else:
        screen.say("No training runs were compared; --seeds 3 measures the accuracy gap over seeds")
    _show_findings(screen, result)


def _show_findings(screen: Screen, result: NumericsResult) -> None:
    if result.untrained:
        screen.say(UNTRAINED)
    screen.say("What to change:" if result.findings else "Nothing to change: every format fits its values")
    for finding in result.findings[:FINDINGS_SHOWN]:
        screen.say(f"  [{finding.kind}] {finding.sentence}")
    rest = len(result.findings) - FINDINGS_SHOWN
    if rest > 0:
        screen.say(f"  and {rest} more in findings.csv")


def _weakest(result: NumericsResult) -> tuple[TensorNumerics, ...]:
    found: list[TensorNumerics] = []
    for layer in range(len(result.layers)):
        own = [item for item in result.tensors if item.layer == layer]
        found += sorted(own, key=lambda item: _number(item.errors[ComparedWith.OWN].sqnr_db()))[:WEAKEST]
    return tuple(found)


def _number(value: float | None) -> float:
    return float("inf") if value is None else value


def _row(item: TensorNumerics, *, wide: bool) -> list[str]:
    own = item.errors[ComparedWith.OWN]
    decibels = [_decibels(item, reference) for reference in ComparedWith]
    return [
        f"{item.layer} {item.tensor.replace('_', ' ')}", str(item.format), *decibels,
        for_people(item.spread.saturation_rate, "fraction"),
        for_people(item.spread.underflow_rate, "fraction"), for_people(item.unused_bits),
        *([f"{own.worst_lsb:.2f}", f"{own.mean_lsb:.2f}"] if wide else []),
    ]  # fmt: skip


def _decibels(item: TensorNumerics, reference: ComparedWith) -> str:
    sums = item.errors.get(reference)
    value = None if sums is None else sums.sqnr_db()
    return "" if value is None else "exact" if value == float("inf") else f"{value:.1f}"


def _layer_rows(result: NumericsResult) -> list[list[str]]:
    rows = []
    for spikes, name in zip(result.spikes, result.layers, strict=True):
        found = {item.parameter: item for item in result.gradients if item.layer == spikes.layer}
        cosines = [
            f"{value:.5f}"
            if kind in found and (value := found[kind].cosine[ComparedWith.FREE]) is not None
            else ""
            for kind in ("weight", "threshold")
        ]
        leak = found["leak_factor"].relative_error[ComparedWith.FREE] if "leak_factor" in found else None
        rates = [
            for_people(spikes.rate(reference), "fraction")
            for reference in (ComparedWith.FREE, ComparedWith.FORCED)
        ]
        rows.append([name, *rates, *cosines, "" if leak is None else for_people(leak, "fraction")])
    return rows
