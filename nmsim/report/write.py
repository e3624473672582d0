"""The report as files in a run folder."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from nmsim.report import export, page
from nmsim.report.learning_energy import against
from nmsim.report.network_columns import network_text
from nmsim.report.picture import Picture
from nmsim.report.plots import (
    density,
    energy_bars,
    evaluations,
    latency,
    memory_by_rule,
    mesh,
    roofline,
    spike_raster,
    timesteps,
    training_curve,
)
from nmsim.report.plots.learning import energy_along_learning
from nmsim.report.result import RunResult
from nmsim.report.sections import along_learning, chip, comparison, hardware, overview, trust
from nmsim.report.sections import training as learning
from nmsim.report.sections.section import Section
from nmsim.report.summarise import summarise
from nmsim.report.summary import summary_text
from nmsim.report.text import markdown
from nmsim.report.trace import trace_text
from nmsim.rules import BASELINE
from nmsim.sharing import Share, in_turn
from nmsim.storage import write_text

FOOTER = (
    "Made by nmsim. Accuracies, losses and spikes are what this run measured; energies, times and areas are modelled;"
    " nothing on this page is a published figure of somebody else unless it says so."
)


def write_report(result: RunResult, folder: Path, share: Share = in_turn) -> list[Path]:
    """Write every file of the report into `folder`; the same result gives the same bytes, whoever draws its pictures.

    Returns the paths written.
    """
    return [_write(folder / name, text) for name, text in report_files(result, share)]


def report_files(result: RunResult, share: Share = in_turn) -> Iterator[tuple[str, str]]:
    """Names and contents: summaries, tables, timeline, page."""
    yield "summary.json", summary_text(summarise(result))
    yield "summary.md", markdown(result)
    for table in export.tables(result):
        yield f"{table.name}.csv", table.csv()
    traced = next((item for item in result.evaluations if item.perf.timeline), None)
    if traced is not None:
        yield "trace.json", trace_text(traced)
    pictures = draw(result, share)
    for picture in pictures.values():
        yield f"pictures/{picture.name}.svg", picture.svg.decode()
    yield "report.html", html(result, pictures)


def draw(result: RunResult, share: Share = in_turn) -> dict[str, Picture]:
    """Every picture of the report, by name."""
    item, layers = result.subject, result.layers
    chip, about = result.chip_of(item), result.about(item)
    same_chip = [other for other in result.subject_first if other.chip_hash == item.chip_hash]
    calls: list[Callable[[], Picture]] = [
        partial(density.density_by_layer, result.activity, layers, result.described),
        partial(spike_raster.spike_raster, result.activity, layers, result.described),
        partial(mesh.mesh_load, mesh.load_of(item, chip), about),
        partial(energy_bars.energy_by_phase, item, about),
        partial(energy_bars.energy_by_layer, item, layers, about),
        partial(latency.latency_by_phase, same_chip, result.workload.name),
        partial(timesteps.by_time_step, item, export.spikes_by_step(result.activity), about),
        partial(memory_by_rule.memory_by_scheme, result.memory, result.described),
    ]
    if len(result.evaluations) > 1:
        calls.append(partial(evaluations.comparison, result.subject_first, result.workload.name))
    if result.history.rows:
        calls.append(partial(training_curve.training_curve, result.history, result.described))
    if result.own_learning is not None:
        own = result.own_learning
        other = against(own, result.learning, BASELINE.name) if own.rule != BASELINE.name else None
        calls.append(partial(energy_along_learning, own, other, f"{result.described} · {own.chip_name}"))
    work = roofline.work_of(item)
    if work:
        calls.append(partial(roofline.roofline, work, roofline.roofs_of(item, chip), about))
    return {picture.name: picture for picture in share(calls)}


def html(result: RunResult, pictures: dict[str, Picture]) -> str:
    """The page."""
    item, spec = result.subject, result.workload
    arithmetic = (
        "bit-accurate fixed-point" if spec.training.arithmetic == "fixed" else spec.training.arithmetic
    )
    origin = (
        f"A spiking network was trained with {spec.training.rule.title} in {arithmetic} arithmetic; what happened in"
        " it was recorded"
    )
    if spec.recorded:
        origin = "The spikes of a network were recorded in another tool, imported,"
    lead = (
        f"{origin} and replayed on a model of the chip {item.chip_name}. This page reports what was measured, what the chip"
        " model makes of it, and how far to trust either."
    )
    version = result.provenance.get("versions", {}).get("nmsim", "")
    seed = "" if spec.recorded else f"seed {result.seed} · "
    byline = f"nmsim {version} · {seed}run {spec.run_hash(result.seed)}"
    return page.page(
        f"{spec.name} on {item.chip_name}", lead, byline, list(_sections(result, pictures)), FOOTER
    )


def _sections(result: RunResult, pictures: dict[str, Picture]) -> Iterator[Section]:
    times = [pictures[name] for name in ("latency-by-phase", "time-steps", "roofline") if name in pictures]
    yield overview.overview(result)
    yield learning.workload(result)
    if result.history.rows:
        yield learning.training(result, pictures["training-curve"])
    yield learning.activity(result, pictures["activity-by-layer"], pictures["spike-raster"])
    yield chip.chip(result, pictures["mesh-load"])
    yield hardware.energy(result, pictures["energy-by-phase"], pictures["energy-by-layer"])
    yield hardware.latency(result, times)
    yield hardware.memory(result, pictures["memory-by-rule"])
    if len(result.evaluations) > 1 or result.misfits:
        yield comparison.comparison(result, pictures.get("comparison"))
    if result.history.rows and any(item.training for item in result.evaluations):
        yield comparison.extrapolation(result)
    if result.own_learning is not None:
        network, picture = network_text(result.diagnosis), pictures["energy-along-learning"]
        yield along_learning.learning_energy(result.own_learning, result.learning, network, picture)
    yield trust.audit(result)
    yield trust.prices(result)
    yield trust.not_modelled(result)
    yield trust.provenance(result)


def _write(path: Path, text: str) -> Path:
    write_text(path, text)
    return path
