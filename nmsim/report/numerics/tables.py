"""A comparison with float64 as tables; `validation.json` is made of the same rows."""

from collections.abc import Iterator
from math import isinf

from nmsim.report.tables import Cell, Column, Table
from nmsim.validate.numerics.error_sums import FIRST_EXPONENT
from nmsim.validate.numerics.measured import ComparedWith, NumericsResult, TensorNumerics

WHERE = (Column("layer", "Layer"), Column("tensor", "Tensor"), Column("format", "Format"))
STEP = Column("time_step", "Time step")
ALL_STEPS = "all"


def tables(result: NumericsResult) -> tuple[Table, ...]:
    """Every table that is written as a CSV file."""
    found = [
        tensor_table(result), step_table(result), histogram_table(result), spike_table(result), gradient_table(result),
        surrogate_table(result), finding_table(result), overflow_table(result),
    ]  # fmt: skip
    if result.gap is not None:
        found.append(accuracy_table(result))
    if result.convergence:
        found.append(convergence_table(result))
    return tuple(found)


def _decibels(value: float | None) -> Cell:
    """SQNR; empty without signal, `exact` without error."""
    return "exact" if value is not None and isinf(value) else value


def tensor_table(result: NumericsResult) -> Table:
    """Every tensor over all samples and time steps: errors against its references, range, and what was lost."""
    columns = (
        *WHERE, Column("setting", "Setting"), Column("rounding", "Rounding"), Column("elements", "Values"),
        Column("own_sqnr_db", "Own SQNR (dB)"), Column("forced_sqnr_db", "Forced SQNR (dB)"),
        Column("free_sqnr_db", "Free SQNR (dB)"), Column("own_largest_lsb", "Own, largest (LSB)"),
        Column("own_mean_lsb", "Own, mean (LSB)"), Column("own_bias_lsb", "Own, bias (LSB)"),
        Column("forced_largest_lsb", "Forced, largest (LSB)"), Column("forced_mean_lsb", "Forced, mean (LSB)"),
        Column("free_largest_lsb", "Free, largest (LSB)"), Column("free_mean_lsb", "Free, mean (LSB)"),
        Column("saturation_rate", "Saturated", "fraction"), Column("underflow_rate", "Underflowed", "fraction"),
        Column("unused_integer_bits", "Unused integer bits"), Column("lowest", "Lowest"), Column("highest", "Highest"),
    )  # fmt: skip
    rows = tuple(
        (
            *_where(item), item.setting, item.rounding, item.spread.elements, *_sqnr(item), *_own(item),
            *_sizes(item, ComparedWith.FORCED), *_sizes(item, ComparedWith.FREE), item.spread.saturation_rate,
            item.spread.underflow_rate, item.unused_bits, item.spread.low, item.spread.high,
        )
        for item in result.tensors
    )  # fmt: skip
    return Table("tensors", columns, rows)


def _where(item: TensorNumerics) -> tuple[int, str, str]:
    return item.layer, item.tensor, str(item.format)


def _sqnr(item: TensorNumerics, step: int | None = None) -> tuple[Cell, ...]:
    found = (item.errors.get(reference) for reference in ComparedWith)
    return tuple(None if sums is None else _decibels(sums.sqnr_db(step)) for sums in found)


def _own(item: TensorNumerics) -> tuple[Cell, ...]:
    own = item.errors[ComparedWith.OWN]
    return own.worst_lsb, own.mean_lsb, own.bias_lsb


def _sizes(item: TensorNumerics, reference: ComparedWith) -> tuple[Cell, ...]:
    sums = item.errors.get(reference)
    return (None, None) if sums is None else (sums.worst_lsb, sums.mean_lsb)


def step_table(result: NumericsResult) -> Table:
    """The same by time step, from 1; parameters are left out."""
    columns = (
        *WHERE, STEP, Column("own_sqnr_db", "Own SQNR (dB)"), Column("forced_sqnr_db", "Forced SQNR (dB)"),
        Column("free_sqnr_db", "Free SQNR (dB)"), Column("own_largest_lsb", "Own, largest (LSB)"),
        Column("own_mean_lsb", "Own, mean (LSB)"), Column("forced_largest_lsb", "Forced, largest (LSB)"),
        Column("forced_mean_lsb", "Forced, mean (LSB)"), Column("free_largest_lsb", "Free, largest (LSB)"),
        Column("free_mean_lsb", "Free, mean (LSB)"), Column("saturated", "Saturated"),
        Column("underflowed", "Underflowed"),
    )  # fmt: skip
    rows = [
        (
            *_where(item), step + 1, *_sqnr(item, step),
            *(cell for reference in ComparedWith for cell in _step_sizes(item, reference, step)),
            int(item.spread.saturated[step]), int(item.spread.underflowed[step]),
        )
        for item in result.tensors
        if ComparedWith.FREE in item.errors
        for step in range(result.time_steps)
    ]  # fmt: skip
    return Table("tensors-by-step", columns, tuple(rows))


def _step_sizes(item: TensorNumerics, reference: ComparedWith, step: int) -> tuple[Cell, ...]:
    sums = item.errors[reference]
    return float(sums.largest_lsb[step]), float(sums.absolute_lsb[step] / max(int(sums.elements[step]), 1))


def histogram_table(result: NumericsResult) -> Table:
    """How many exact values have a magnitude in `[2^e, 2^(e+1))`; the exponent of zeros is empty."""
    columns = (*WHERE, Column("exponent", "Exponent e"), Column("values", "Values"))
    rows: list[tuple[Cell, ...]] = []
    for item in result.tensors:
        rows.append((*_where(item), None, item.spread.zeros))
        counts = item.spread.exponents
        rows += [(*_where(item), FIRST_EXPONENT + k, int(counts[k])) for k in counts.nonzero()[0].tolist()]
    return Table("histogram", columns, tuple(rows))


def spike_table(result: NumericsResult) -> Table:
    """Spikes that differ, by layer and time step, and over all steps."""
    columns = (
        Column("layer", "Layer"), STEP, Column("decisions", "Decisions"), Column("spikes", "Spikes"),
        Column("free_mismatches", "Free: differ"), Column("forced_mismatches", "Forced: differ"),
        Column("free_mismatch_rate", "Free: rate", "fraction"), Column("forced_mismatch_rate", "Forced: rate", "fraction"),
    )  # fmt: skip
    return Table("spikes", columns, tuple(_spike_rows(result)))


def _spike_rows(result: NumericsResult) -> Iterator[tuple[Cell, ...]]:
    for item in result.spikes:
        steps = len(item.spikes)
        total = (int(item.spikes.sum()), int(item.free.sum()), int(item.forced.sum()))
        rates = (item.rate(ComparedWith.FREE), item.rate(ComparedWith.FORCED))
        yield item.layer, ALL_STEPS, item.decisions * steps, *total, *rates
        for step in range(steps):
            free, forced = int(item.free[step]), int(item.forced[step])
            share = max(item.decisions, 1)
            counts = (item.decisions, int(item.spikes[step]), free, forced)
            yield item.layer, str(step + 1), *counts, free / share, forced / share


def gradient_table(result: NumericsResult) -> Table:
    """Gradients of all samples against both float64 passes, and the update they cause."""
    columns = (
        Column("layer", "Layer"), Column("parameter", "Gradient of"), Column("format", "Accumulator"),
        Column("elements", "Values"), Column("forced_cosine", "Forced: cosine"), Column("free_cosine", "Free: cosine"),
        Column("forced_relative_error", "Forced: error", "fraction"),
        Column("free_relative_error", "Free: error", "fraction"),
        Column("unused_integer_bits", "Unused integer bits"), Column("parameter_format", "Parameter"),
        Column("rounding", "Rounding"), Column("update_median_lsb", "Median update (LSB)"),
        Column("below_half_lsb", "Updates below half an LSB", "fraction"),
    )  # fmt: skip
    rows = tuple(
        (
            item.layer, item.parameter, str(item.format), item.elements, item.cosine[ComparedWith.FORCED],
            item.cosine[ComparedWith.FREE], item.relative_error[ComparedWith.FORCED], item.relative_error[ComparedWith.FREE],
            item.unused_bits, str(item.update.format), item.update.rounding, item.update.step_lsb, item.update.lost,
        )
        for item in result.gradients
    )  # fmt: skip
    return Table("gradients", columns, rows)


def surrogate_table(result: NumericsResult) -> Table:
    """SQNR of phi by number of table entries; the first row of a layer is the table in use."""
    columns = (
        Column("layer", "Layer"), Column("format", "Format"), Column("entries", "Entries"), Column("in_use", "In use"),
        Column("sqnr_db", "SQNR (dB)"), Column("beyond_rate", "Past the end", "fraction"),
    )  # fmt: skip
    rows = tuple(
        (item.layer, str(item.format), entries, entries == item.entries, _decibels(value), item.beyond_rate)
        for item in result.tables
        for entries, value in item.sqnr_db.items()
    )
    return Table("surrogate", columns, rows)


def finding_table(result: NumericsResult) -> Table:
    """What to change; `key=value` can be given to `--set`."""
    columns = (
        Column("kind", "Kind"), Column("layer", "Layer"), Column("tensor", "Tensor"), Column("finding", "Finding"),
        Column("key", "Setting"), Column("value", "Value"), Column("gain_bits", "Gain (bits of SQNR)"),
    )  # fmt: skip
    rows = tuple(
        (str(item.kind), item.layer, item.tensor, item.sentence, item.key, item.value, item.gain_bits)
        for item in result.findings
    )
    return Table("findings", columns, rows)


def overflow_table(result: NumericsResult) -> Table:
    """Overflows that the engine counted in the observed passes, by layer and tensor."""
    rows: list[tuple[Cell, ...]] = [
        (*name.split(".", 1), count) for name, count in result.overflow_counts.items()
    ]
    return Table(
        "overflows",
        (Column("layer", "Layer"), Column("tensor", "Tensor"), Column("overflows", "Overflows")),
        tuple(rows),
    )


def accuracy_table(result: NumericsResult) -> Table:
    """Held-out accuracy by seed of the short training runs."""
    columns = (
        Column("seed", "Seed"), Column("fixed_accuracy", "Fixed point", "fraction"),
        Column("float64_accuracy", "float64", "fraction"), Column("gap", "Gap", "fraction"),
        Column("samples", "Held-out samples"),
    )  # fmt: skip
    seeds = result.gap.seeds if result.gap is not None else ()
    return Table(
        "accuracy", columns, tuple((s.seed, s.fixed, s.real, s.fixed - s.real, s.samples) for s in seeds)
    )


def convergence_table(result: NumericsResult) -> Table:
    """Relative distance from float64 by number of fraction bits."""
    names = list(result.convergence[0].errors)
    columns = (
        Column("fraction_bits", "Fraction bits"),
        *(Column(f"{n}_relative_error", n.replace("_", " ")) for n in names),
    )
    rows = tuple((p.fraction_bits, *(p.errors[name] for name in names)) for p in result.convergence)
    return Table("convergence", columns, rows)
