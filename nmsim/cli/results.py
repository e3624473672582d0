"""What verbs show of evaluations: tables, what does not fit, what a run finds about itself, and the errors that follow."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from nmsim.cli.console import Screen, table
from nmsim.cli.fitted import FittedTable
from nmsim.diagnosis import Diagnosis
from nmsim.errors import CheckFailedError, DoesNotFitError
from nmsim.evaluate import Evaluation
from nmsim.misfit import Misfit
from nmsim.pipeline import report as report_stage
from nmsim.pipeline import simulate as simulate_stage
from nmsim.report.compare import OTHER_MACHINE_NOTE, RATIO_NOTE, mixes_machines, side_by_side
from nmsim.report.levels import level_lines, words_filled

LARGER_CHIP = "mesh-16nm"


def show(screen: Screen, found: simulate_stage.Simulated, network: Diagnosis, *, chosen: bool) -> None:
    """The table, then what does not fit and why; an error only if nothing fits."""
    if found.evaluations:
        screen.show(results_table(found.evaluations, found.misfits, network))
        if len(found.evaluations) > 1:
            screen.say(RATIO_NOTE.capitalize())
        if mixes_machines(found.evaluations):
            screen.say(OTHER_MACHINE_NOTE)
    say_misfits(screen, found.misfits, anything=bool(found.evaluations), chosen=chosen)


def say_levels(screen: Screen, evaluations: Sequence[Evaluation]) -> None:
    """How well the memories of one evaluation are used: of a training rule if there is one."""
    shown = next((item for item in evaluations if item.training), next(iter(evaluations), None))
    if shown is None or not (lines := level_lines(shown)):
        return
    screen.say(f"Operations per word of every memory, {shown.rule} on {shown.chip_name}:")
    for line in lines:
        screen.say(f"  {line}")
    filled = words_filled(shown).items()
    screen.say("Words filled: " + ", ".join(f"{memory} {share:.0%}" for memory, share in filled))


def say_misfits(screen: Screen, misfits: Sequence[Misfit], *, anything: bool, chosen: bool) -> None:
    """What does not fit, with its remedies; whoever chose no chip learns that there are larger ones.

    Raises:
        DoesNotFitError: nothing that was asked for fits.
    """
    lines = [line for misfit in misfits for line in misfit.lines()]
    if misfits and not chosen:
        lines.append(
            f"    a larger chip than {simulate_stage.DEFAULT_CHIP}, which nobody chose: --chip {LARGER_CHIP}"
        )
    if misfits and not anything:
        raise DoesNotFitError("\n".join(lines), misfits)
    for line in lines:
        screen.say(line)


def results_table(
    evaluations: Sequence[Evaluation], misfits: Sequence[Misfit] = (), network: Diagnosis | None = None
) -> FittedTable:
    """Energy, latency, power and ratios of several evaluations."""
    shown = side_by_side(evaluations, misfits, network)
    headings = [column.heading for column in shown.columns]
    return table("Side by side", headings, shown.texts(), numeric_from=3, keys=3)


def check_audits(evaluations: Iterable[Evaluation]) -> None:
    """Raise `CheckFailedError` if a check of an audit fails, after everything was written and shown."""
    texts = [
        f"{item.rule} on {item.chip_name}, {item.model} model: the audit fails, do not use its figures: {check.text}"
        for item in evaluations
        for check in item.failed_checks
    ]
    if texts:
        raise CheckFailedError("\n".join(texts))


def examine(screen: Screen, folder: Path, *, strict: bool, misfits: Sequence[Misfit] = ()) -> None:
    """Say what the run finds about itself."""
    found = report_stage.diagnose_run(folder)
    for text in found.warnings:
        screen.say(f"WARNING: {text}")
    be_strict(found.warnings, misfits, strict=strict)


def be_strict(warnings: Sequence[str], misfits: Sequence[Misfit], *, strict: bool) -> None:
    """Raise `CheckFailedError` if warnings count and there are any."""
    texts = [*warnings, *(f"{misfit.rule} on {misfit.chip_name}: {misfit.kind}" for misfit in misfits)]
    if strict and texts:
        raise CheckFailedError("\n".join(f"--strict: {text}" for text in texts))
