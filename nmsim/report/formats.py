"""The report of a search for narrow formats: tables, pictures, page, files."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.page import page
from nmsim.report.picture import Picture
from nmsim.report.plots.bit_widths import BitsPoint, accuracy_by_bits
from nmsim.report.sections.section import Section, bullets
from nmsim.report.tables import Cell, Column, Table
from nmsim.storage import write_text
from nmsim.units import BITS_PER_BYTE, scaled
from nmsim.validate.formats.found import FormatSearchResult, SearchStage

SCHEMA = "nmsim/formats-1"
FOOTER = "Made by nmsim. Accuracies are what these runs measured on the stated number of held-out samples."
HOW = {
    "Ranges": "Float64 runs give the accuracy to keep, and the range of every tensor before and after every epoch.",
    "Binary points": "Every format is placed so that its range holds what was seen, and the guard bits.",
    "Alone": "Each setting is narrowed alone, in all layers at once, by bisection; bisection takes for granted that a"
    " narrower format is not more accurate, which the noise of training can break by a bit.",
    "Together": "All settings at the widths that each may have alone, with a bit more as long as the target is missed.",
    "Refine": "Single bits are taken, in one setting of one layer, at either end of the format, largest saving first;"
    " unless asked for, no format becomes narrower than the range that was seen.",
    "Accumulators": "They hold the sum of the magnitudes of all that a batch adds up, so that no order of additions"
    " overflows, and the guard bits. While searching they are far wider, which changes no bit.",
    "Selection": "Candidates are chosen on the samples on which they are judged, so the best of many looks better than it"
    " is. The confirmation trains as long as the workload says, on other seeds; while it misses the tolerance every format"
    " gets one bit more.",
}


def write_formats(result: FormatSearchResult, folder: Path, versions: Mapping[str, str]) -> list[Path]:
    """Write every file of the report into `folder`; the paths."""
    files = dict(_files(result, versions))
    for name, text in files.items():
        write_text(folder / name, text)
    return [folder / name for name in files]


def _files(result: FormatSearchResult, versions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "formats.json", json.dumps(formats_data(result, versions), indent=2, allow_nan=False) + "\n"
    for table in (format_table(result), trial_table(result), accumulator_table(result)):
        yield f"{table.name}.csv", table.csv()
    picture = sensitivity(result)
    if picture is not None:
        yield f"pictures/{picture.name}.svg", picture.svg.decode()
    yield "formats.html", _html(result, picture, versions)


def formats_data(result: FormatSearchResult, versions: Mapping[str, str]) -> dict[str, object]:
    """Content of `formats.json`."""
    return {
        "schema": SCHEMA, "workload": result.workload, "workload_hash": result.workload_hash,
        "training": result.description, "seeds": list(result.seeds), "held_out_samples": result.samples,
        "tolerance": result.tolerance, "guard_bits": result.guard_bits, "exhausted": result.exhausted,
        "float64_accuracy": result.reference_accuracy, "given_accuracy": result.given_accuracy,
        "accuracy": result.accuracy,
        "confirmed_by": result.confirmed_description,
        "given_memory_bits": result.given_memory_bits, "memory_bits": result.memory_bits,
        "confirmed": [
            {"seed": s.seed, "fixed_accuracy": s.fixed, "float64_accuracy": s.real, "samples": s.samples}
            for s in result.confirmed
        ],
        "formats": format_table(result).records(), "trials": trial_table(result).records(),
        "accumulators": accumulator_table(result).records(),
        "precision": result.precision.model_dump(mode="json", exclude_none=True), "versions": dict(versions),
    }  # fmt: skip


def format_table(result: FormatSearchResult) -> Table:
    """Every setting of every layer: range, format given and found."""
    columns = (
        Column("layer", "Layer"), Column("setting", "Setting"), Column("lowest", "Lowest"), Column("highest", "Highest"),
        Column("given", "Given"), Column("found", "Found"), Column("saved_bits", "Bits saved"),
    )  # fmt: skip
    rows = tuple(
        (
            s.layer,
            s.setting,
            s.low,
            s.high,
            str(s.given),
            str(s.found),
            s.given.total_bits - s.found.total_bits,
        )
        for s in result.slots
    )
    return Table("formats", columns, rows)


def accumulator_table(result: FormatSearchResult) -> Table:
    """Widths of accumulators."""
    names = ("current", "error", "weight_gradient", "threshold_gradient", "leak_gradient")
    rows: list[tuple[Cell, ...]] = []
    for layer in range(len(result.layers)):
        own = result.precision.resolve(layer)
        rows += [(layer, name, str(getattr(own, name).format)) for name in names]
    columns = (Column("layer", "Layer"), Column("accumulator", "Accumulator"), Column("found", "Found"))
    return Table("accumulators", columns, tuple(rows))


def trial_table(result: FormatSearchResult) -> Table:
    """Every candidate in the order of the search; `accuracy` is empty where it could not be trained."""
    columns = (
        Column("number", "Number"), Column("stage", "Stage"), Column("candidate", "Candidate"), Column("setting", "Setting"),
        Column("bits", "Bits"), Column("accuracy", "Accuracy", "fraction"), Column("passes", "Kept accuracy"),
        Column("memory_bits", "Memory", "bit"), Column("problem", "Problem"),
    )  # fmt: skip
    rows = tuple(
        (
            number, str(t.stage), t.what, t.setting, t.bits, None if t.problem else t.accuracy, t.passes, t.memory_bits,
            t.problem,
        )
        for number, t in enumerate(result.trials, 1)
    )  # fmt: skip
    return Table("trials", columns, rows)


def sensitivity(result: FormatSearchResult) -> Picture | None:
    """Accuracy against the width of each setting narrowed alone; None if the budget ended before."""
    points = [
        BitsPoint(trial.setting, trial.bits, trial.accuracy, result.samples)
        for trial in result.trials
        if trial.stage is SearchStage.ALONE and trial.bits is not None and not trial.problem
    ]
    if not points:
        return None
    return accuracy_by_bits(points, result.reference_accuracy, f"{result.workload} · {result.description}")


def _html(result: FormatSearchResult, picture: Picture | None, versions: Mapping[str, str]) -> str:
    lead = (
        f"Formats for {result.workload} that keep the held-out accuracy within {result.tolerance:.2%} of float64 in"
        f" training runs of {result.description}."
    )
    seeds = ", ".join(map(str, result.seeds))
    byline = f"nmsim {versions.get('nmsim', '')} · workload {result.workload_hash} · seeds {seeds}"
    sections = [Section("result", "Result", _result(result))]
    if picture is not None:
        sections.append(Section("sensitivity", "Sensitivity", figure(picture)))
    sections += [
        Section(
            "formats",
            "Formats",
            join([format_table(result).html("Formats given and found"), _accumulators(result)]),
        ),
        Section("trials", "Candidates", trial_table(result).html("Every candidate, in order")),
        Section("method", "How it was searched", bullets(f"{name}: {text}" for name, text in HOW.items())),
    ]
    return page(f"Narrow formats for {result.workload}", lead, byline, sections, FOOTER)


def _accumulators(result: FormatSearchResult) -> Markup:
    return accumulator_table(result).html("Accumulators, from the calibrated ranges")


def _result(result: FormatSearchResult) -> Markup:
    before, after = (
        scaled(bits / BITS_PER_BYTE, "B") for bits in (result.given_memory_bits, result.memory_bits)
    )
    ratio = result.memory_bits / result.given_memory_bits
    own = f"mean of {len(result.seeds)} seeds: {result.accuracy:.2%}; with the formats given {result.given_accuracy:.2%}"
    end = (
        ", then the budget was used up: narrower formats may exist."
        if result.exhausted
        else ", until no single bit could be taken any more."
    )
    confirming = [trial for trial in result.trials if trial.stage is SearchStage.CONFIRM]
    lines = [
        f"Memory of training, one sample at a time: {after} instead of {before} ({ratio:.0%}).",
        f"Accuracy on {result.samples:,} held-out samples, {own}; float64 {result.reference_accuracy:.2%}.",
        f"{len(result.trials) - len(confirming)} candidates were tried{end}",
    ]
    if result.confirmed_gap is not None:
        seeds = ", ".join(str(item.seed) for item in result.confirmed)
        lines.append(
            f"Whole training, {result.confirmed_description}, on seeds the search did not see ({seeds}):"
            f" {result.confirmed_gap:+.2%} against float64"
            + (f", after {len(confirming) - 1} bits more in every format." if len(confirming) > 1 else ".")
        )
    return join(
        [bullets(lines), tag("p", "precision.yaml beside this page can be given to any verb as --precision.")]
    )
