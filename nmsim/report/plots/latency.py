"""Where the time of a sample goes: by phase, with the layers of each."""

from collections.abc import Sequence

from nmsim.evaluate import Evaluation
from nmsim.report.picture import Picture
from nmsim.report.plots.bars import height_of, stacked
from nmsim.report.plots.canvas import PHASE_COLOURS, legend_right, look, new_figure, svg_of
from nmsim.report.times import latency_by_phase_s
from nmsim.report.words import sample_kind, with_interval
from nmsim.units import scaled


def latency_by_phase(evaluations: Sequence[Evaluation], workload: str) -> Picture:
    """One bar per evaluation of a chip (rules, models), stacked by phase; the first is the one described."""
    tables = [latency_by_phase_s(item) for item in evaluations]
    phases = [phase for phase in PHASE_COLOURS if any(phase in table for table in tables)]
    first = evaluations[0]
    models = len({item.model for item in evaluations}) > 1
    labels = [f"{item.rule}, {item.model}" if models else item.rule for item in evaluations]
    with look():
        subtitle = f"{workload} · chip {first.chip_name} · T = {first.time_steps} · {first.samples} samples"
        figure = new_figure("Latency by phase, per sample", subtitle, height=height_of(len(evaluations)))
        axes = figure.add_subplot()
        parts = {phase: [table.get(phase, 0.0) for table in tables] for phase in phases}
        stacked(axes, labels, parts, "s", "time per sample", PHASE_COLOURS, shares=False)
        legend_right(axes, "phase")
        svg = svg_of(figure)
    largest = max(tables[0], key=lambda phase: tables[0][phase])
    listed = "; ".join(
        f"{label}: {scaled(item.latency_s.mean, 's')}"
        for label, item in zip(labels, evaluations, strict=True)
    )
    return Picture(
        "latency-by-phase",
        "Latency by phase",
        f"Stacked bars of the time per sample. {listed}. The longest phase of {labels[0]} is {largest}.",
        f"Modelled. {labels[0]}: {scaled(first.latency_s.mean, 's')} per {sample_kind(first)},"
        f" {with_interval(first.latency_s, 's')}. A bar adds up to the latency; where phases run beside each other, time"
        " goes to the longest chain. The analytic model estimates, the event model simulates.",
        svg,
    )
