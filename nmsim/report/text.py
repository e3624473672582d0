"""Results as lines of text: for the terminal, and as Markdown."""

from collections.abc import Sequence

from nmsim.cost.idle import PHASE as IDLE
from nmsim.diagnosis import overflow_lines
from nmsim.evaluate import Deadlines, Evaluation
from nmsim.figures import EDP
from nmsim.report.compare import OTHER_MACHINE_NOTE, RATIO_NOTE, mixes_machines, side_by_side
from nmsim.report.extrapolate import ASSUMPTION, Extrapolation, extrapolate
from nmsim.report.learning_tables import sums_for_people
from nmsim.report.result import RunResult
from nmsim.report.tables import Cell, Column, Table, for_people
from nmsim.report.words import (
    MODEL_WORDS,
    NO_TOTAL,
    NOT_MODELLED,
    component_name,
    how_many,
    sample_kind,
    with_band,
    with_interval,
)
from nmsim.rules import BASELINE
from nmsim.units import BITS_PER_BYTE, scaled


def summary_lines(result: RunResult) -> list[str]:
    """The run in a dozen lines for a terminal."""
    lines = [result.described, *(f"WARNING: {text}" for text in result.diagnosis.warnings)]
    lines += _accuracy_lines(result)
    lines += evaluation_lines(result.evaluations)
    lines += [line for misfit in result.misfits for line in misfit.lines()]
    lines += learning_lines(result)
    lines += [extrapolation_text(item) for item in extrapolate(result) if item.evaluation is result.subject]
    lines += _memory_lines(result)
    return lines


def evaluation_lines(evaluations: Sequence[Evaluation]) -> list[str]:
    """Energy, latency, power and audit of each evaluation, two lines each."""
    lines = []
    for item in evaluations:
        each = sample_kind(item)
        lines.append(
            f"{item.rule} on {item.chip_name}, {MODEL_WORDS.get(item.model, item.model)}, per {each}:"
            f" energy {with_band(item.energy_j, 'J')}, latency {scaled(item.latency_s.mean, 's')}"
        )
        lines.append(
            f"  power {with_band(item.power_w, 'W')}, {scaled(item.throughput_per_s, 'sample/s')}, EDP"
            f" {for_people(EDP.of(item), EDP.unit)}; {audit_text(item)}"
        )
        if item.real_time is not None:
            lines.append(f"  {real_time_text(item, item.real_time)}")
    return lines


def real_time_text(item: Evaluation, deadlines: Deadlines) -> str:
    """How a chip lives with samples that arrive at a rate: its part of the period, what waiting costs, what is missed."""
    waiting_j = item.energy.select(phase=IDLE).mean_j
    missed = f"misses {deadlines.missed:.0%} of its deadlines" if deadlines.missed else "misses no deadline"
    return (
        f"a sample every {scaled(deadlines.period_s, 's')}: at work {deadlines.utilization:.2%} of the time, waiting takes"
        f" {scaled(waiting_j, 'J')} of the energy; {missed}"
    )


def audit_text(item: Evaluation) -> str:
    """`audit 9 of 9 passed`, or which checks failed."""
    failed = [check.name for check in item.audit if not check.passed]
    text = f"audit {len(item.audit) - len(failed)} of {len(item.audit)} passed"
    return f"{text}; FAILED: {', '.join(failed)}" if failed else text


def extrapolation_text(item: Extrapolation) -> str:
    """Energy and time of an epoch and of the whole training, named an extrapolation."""
    energy, latency = item.training_energy_j, item.training_latency_s
    return (
        "extrapolated from the last epoch's parameters:"
        f" one epoch of {item.samples_per_epoch:,} samples {scaled(item.epoch_energy_j.mean, 'J')} and"
        f" {scaled(item.epoch_latency_s.mean, 's')}; the whole training of"
        f" {how_many(item.epochs, 'epoch')} {with_band(energy, 'J')}, {with_interval(energy, 'J')},"
        f" and {scaled(latency.mean, 's')}"
    )


def learning_lines(result: RunResult) -> list[str]:
    """What the whole training costs under its own rule, integrated over its milestones."""
    own = result.own_learning
    if own is None:
        return []
    energy, seconds = own.energy_j(), own.time_s().mean
    text = (
        f"whole training of {how_many(own.epochs, 'epoch')} on {own.chip_name}, integrated over {len(own.points)}"
        f" milestones: {with_band(energy, 'J')}, {with_interval(energy, 'J')}, and {scaled(seconds, 's')};"
        f" {energy.mean / own.at_the_end_j():.2f} times what its last profile tells"
    )
    return [text]


def markdown(result: RunResult) -> str:
    """The run as one page of Markdown."""
    subject = result.subject
    each = sample_kind(subject)
    chapters = {
        f"# {result.workload.name} on {subject.chip_name}": [
            result.described,
            *(f"**Warning:** {text}." for text in result.diagnosis.warnings),
            *_accuracy_lines(result),
        ],
        "## Evaluations": [
            f"Modelled. Per sample; {RATIO_NOTE}.",
            side_by_side(result.subject_first, result.misfits, result.diagnosis).markdown(),
            *([f"{OTHER_MACHINE_NOTE}."] if mixes_machines(result.evaluations) else []),
            *("\n".join(f"- {line.strip()}" for line in misfit.lines()) for misfit in result.misfits),
        ],
        f"## Energy of {subject.rule} per {each} by phase": [
            f"Modelled; {with_band(subject.energy_j, 'J')} in all, {with_interval(subject.energy_j, 'J')}.",
            energy_by(subject, "phase").markdown(),
        ],
        "## Energy along learning": [
            *learning_lines(result),
            sums_for_people(result.learning, str(result.workload.training.rule)).markdown(),
        ],
        "## Extrapolation": [
            *(f"{_which(item.evaluation)}: {extrapolation_text(item)}" for item in extrapolate(result)),
            f"Assumed: {ASSUMPTION}.",
        ],
        "## Memory of the network": [
            "Counted from the number formats, one sample in flight.",
            memory_rule_table(result).markdown(),
        ],
        "## Audit": [f"{_which(item)}: {audit_text(item)}" for item in result.evaluations],
        "## What is not modelled": ["\n".join(f"- {line}" for line in NOT_MODELLED)],
    }
    if not result.learning:
        del chapters["## Energy along learning"]
    if not extrapolate(result):
        del chapters["## Extrapolation"]
    return "\n".join(f"{title}\n\n" + "\n\n".join(parts) + "\n" for title, parts in chapters.items())


def _which(item: Evaluation) -> str:
    return f"{item.rule} on {item.chip_name}, {item.model} model"


def memory_rule_table(result: RunResult) -> Table:
    """Memory of the network by rule in both conventions, with the ratio of STBP to each."""
    columns = (
        Column("rule", "Rule"),
        Column("state_only_bits", "Neuron state only", "bit"),
        Column("stbp_over_state_only", "STBP needs", "ratio"),
        Column("everything_bits", "Everything", "bit"),
        Column("stbp_over_everything", "STBP needs", "ratio"),
    )
    baseline = next(entry for entry in result.memory if entry.rule == BASELINE.name)
    rows: list[tuple[Cell, ...]] = []
    for entry in result.memory:
        state, everything = entry.bits("state_only"), entry.bits("everything")
        rows.append(
            (
                entry.rule,
                state,
                baseline.bits("state_only") / state,
                everything,
                baseline.bits("everything") / everything,
            )
        )
    return Table("memory-by-rule", columns, tuple(rows))


def energy_by(item: Evaluation, column: str) -> Table:
    """Mean energy per sample by one column of the energy table, each part with the band of its own prices."""
    columns = (
        Column(column, column.capitalize()),
        Column("energy_j", "Energy", "J"),
        Column("low", "Band, low", "J"),
        Column("high", "Band, high", "J"),
        Column("share", "Share", "fraction"),
    )
    total = item.energy.mean_j
    rows = [
        (component_name(str(key[0])), part.mean_j, *part.band_j, part.mean_j / total if total else 0.0)
        for key, part in item.energy.by(column).items()
        if part.mean_j > 0
    ]
    rows.sort(key=lambda row: -float(row[1]))
    return Table(f"energy-by-{column}", columns, tuple(rows))


def energy_total(item: Evaluation) -> tuple[Cell, ...]:
    """The sum row of `energy_by`: the band of the total is narrower than the sum of its parts' bands."""
    if item.energy_j is None:
        return ("total", NO_TOTAL, None, None, None)
    return ("total", item.energy.mean_j, *item.energy.band_j, 1.0)


def _accuracy_lines(result: RunResult) -> list[str]:
    if not result.history.rows:
        return []
    last = result.history.rows[-1]
    lines = [f"accuracy, measured in this run: {last.accuracy_text}"]
    if overflows := overflow_lines(result.history.overflow_counts, result.diagnosis.saturated_shares):
        others = f"; {len(overflows) - 1} more tensors, on the page" if len(overflows) > 1 else ""
        lines.append(f"  overflows in training: {overflows[0]}{others}")
    return lines


def _memory_lines(result: RunResult) -> list[str]:
    by_rule = {entry.rule: entry for entry in result.memory}
    own, baseline = by_rule.get(str(result.workload.training.rule)), by_rule[BASELINE.name]
    if own is None or own is baseline or result.workload.recorded:
        return []
    texts = []
    for convention, words in (("state_only", "neuron state only"), ("everything", "everything")):
        bits, other = own.bits(convention), baseline.bits(convention)  # type: ignore[arg-type]
        texts.append(f"{scaled(bits / BITS_PER_BYTE, 'B', 4)} {words} (STBP {other / bits:.2f}x)")
    return [f"memory: {', '.join(texts)}"]
