"""The page of a comparison with float64."""

from collections.abc import Iterator, Mapping

from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.numerics import tables
from nmsim.report.page import page
from nmsim.report.picture import Picture
from nmsim.report.sections.section import Section, bullets
from nmsim.report.tables import Table
from nmsim.report.words import how_many
from nmsim.validate.numerics.measured import ComparedWith, NumericsResult

FOOTER = (
    "Made by nmsim. Every figure on this page was measured on the samples that it names; none is modelled."
)
UNTRAINED = (
    "These are initial parameters: training widens ranges. Before taking integer bits away, validate a finished run"
    " (nmsim train, then nmsim validate RUN)."
)
HOW = {
    "Own rounding": "The difference of a stored value to the exact value of the expression it was rounded from, whose"
    " operands are the chip's own stored values. This is what the tensor's own format costs.",
    "Forced spikes": "The difference to a float64 pass with the same parameters, inputs and surrogate table, which emits the"
    " chip's spikes. This is how rounding adds up over tensors and time.",
    "Free running": "The difference to a float64 pass with the same parameters and inputs that decides its own spikes and"
    " has the exact surrogate derivative. One different spike changes what follows: this measures behaviour, not formats.",
    "Units": "SQNR is ten times the decimal logarithm of the reference's power over the difference's; one bit is 6.02 dB."
    " LSBs are those of the tensor's format. Saturated: outside the format before clipping or wrapping; underflowed: not"
    " zero, but stored as zero.",
    "Accumulators": "Their fraction bits are the sums of their operands', so widths that are named for them count the other"
    " findings in.",
    "Parameters": "They do not change during these passes; gradients are sums over all samples.",
}


TENSOR_COLUMNS = frozenset(
    {
        "layer", "tensor", "format", "own_sqnr_db", "forced_sqnr_db", "free_sqnr_db", "own_largest_lsb", "own_mean_lsb",
        "saturation_rate", "underflow_rate", "unused_integer_bits", "lowest", "highest",
    }
)  # fmt: skip
"""Columns of the tensors' table that the page shows."""


def html(result: NumericsResult, pictures: Mapping[str, Picture], versions: Mapping[str, str]) -> str:
    """The whole page."""
    lead = (
        f"The network of {result.workload} was run bit-accurately and in float64 with the same parameters ({result.source})"
        f" on {result.samples} samples of the {result.split} split. This page says where they differ and what to change."
    )
    byline = f"nmsim {versions.get('nmsim', '')} · seed {result.seed} · workload {result.workload_hash}"
    sections = list(_sections(result, pictures))
    return page(f"Fixed point against float64: {result.workload}", lead, byline, sections, FOOTER)


def _sections(result: NumericsResult, pictures: Mapping[str, Picture]) -> Iterator[Section]:
    yield Section("findings", "What to change", _findings(result))
    yield Section("accuracy", "Accuracy", _accuracy(result, pictures))
    yield Section("ranges", "Values against formats", _ranges(result, pictures))
    yield Section("sqnr", "SQNR", join([figure(pictures["sqnr"]), figure(pictures["sqnr-by-step"])]))
    yield Section("spikes", "Spikes", _spikes(result, pictures))
    yield Section("gradients", "Gradients and updates", _gradients(result, pictures))
    yield Section(
        "tables",
        "Surrogate tables",
        tables.surrogate_table(result).html("SQNR of phi by entries of the table"),
    )
    if result.convergence:
        yield Section("convergence", "Convergence to float64", _convergence(result, pictures))
    every = tables.tensor_table(result)
    places = [index for index, column in enumerate(every.columns) if column.name in TENSOR_COLUMNS]
    shown = Table(
        every.name,
        tuple(every.columns[i] for i in places),
        tuple(tuple(row[i] for i in places) for row in every.rows),
    )
    yield Section(
        "tensors",
        "Every tensor",
        shown.html(f"All samples and time steps; {every.name}.csv has every column"),
    )
    yield Section("method", "How this was measured", bullets(f"{name}: {text}" for name, text in HOW.items()))


def _findings(result: NumericsResult) -> Markup:
    if not result.findings:
        return tag("p", "Nothing: every format fits its values.", class_="verdict")
    bits = how_many(result.guard_bits, "unused integer bit")
    text = (
        f"Formats that are named keep {bits} (accumulators 2). One setting can be given to any verb as --set KEY=VALUE;"
        " precision.yaml beside this page holds them all, for --precision."
        + " They hold the values of the initial parameters as well, so that training can begin with them."
        * (not result.untrained)
    )
    table = tables.finding_table(result)
    shown = Table(
        table.name, (table.columns[0], *table.columns[3:6]), tuple((r[0], *r[3:6]) for r in table.rows)
    )
    warning = [tag("p", UNTRAINED, class_="verdict")] if result.untrained else []
    return join([*warning, tag("p", text), shown.html("Findings, the gravest kind first")])


def _accuracy(result: NumericsResult, pictures: Mapping[str, Picture]) -> Markup:
    parts: list[Markup] = []
    if result.inference is not None:
        own = result.inference
        parts.append(
            tag(
                "p",
                f"With the same parameters, fixed point classifies {own.fixed_correct / own.samples:.2%} and float64"
                f" {own.real_correct / own.samples:.2%} of {own.samples:,} held-out samples correctly; both say the same for"
                f" {own.same_prediction / own.samples:.2%}.",
            )
        )
    if result.gap is not None:
        parts += [
            tag(
                "p",
                f"Trained from the same quantized start, {result.gap.description}: {result.gap.sentence}.",
            ),
            figure(pictures["accuracy-gap"]),
            tables.accuracy_table(result).html("Accuracy by seed"),
        ]
    else:
        parts.append(tag("p", "No training runs were compared; ask for them with --seeds."))
    return join(parts)


def _ranges(result: NumericsResult, pictures: Mapping[str, Picture]) -> Markup:
    return join(
        part
        for layer, name in enumerate(result.layers)
        for part in (tag("h3", f"Layer {name}"), figure(pictures[f"ranges-layer{layer}"]))
    )


def _spikes(result: NumericsResult, pictures: Mapping[str, Picture]) -> Markup:
    table = tables.spike_table(result)
    whole = tuple(row for row in table.rows if row[1] == tables.ALL_STEPS)
    return join(
        [
            figure(pictures["spike-mismatch"]),
            Table(table.name, table.columns, whole).html("All time steps together"),
        ]
    )


def _gradients(result: NumericsResult, pictures: Mapping[str, Picture]) -> Markup:
    text = "Updates below half an LSB are dropped by rounding to nearest; stochastic rounding keeps them on average."
    lowest = [
        item.cosine[ComparedWith.FREE]
        for item in result.gradients
        if item.cosine[ComparedWith.FREE] is not None
    ]
    words = (
        f"The lowest cosine of a gradient, free running, is {min(c for c in lowest if c is not None):.5f}. "
        if lowest
        else ""
    )
    return join(
        [
            tag("p", words + text),
            figure(pictures["gradient-error"]),
            tables.gradient_table(result).html("Gradients"),
        ]
    )


def _convergence(result: NumericsResult, pictures: Mapping[str, Picture]) -> Markup:
    text = (
        "Every tensor in a format with F fraction bits and a range that nothing leaves; parameters are rounded to F bits on"
        " both sides, spikes are forced."
    )
    return join(
        [
            tag("p", text),
            figure(pictures["convergence"]),
            tables.convergence_table(result).html("By fraction bits"),
        ]
    )
