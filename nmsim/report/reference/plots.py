"""Pictures of the reference: where the energy of every rule goes."""

from nmsim.evaluate import Evaluation
from nmsim.figures import ENERGY
from nmsim.report.picture import Picture
from nmsim.report.plots.bars import height_of, stacked
from nmsim.report.plots.canvas import (
    COMPONENT_COLOURS,
    PHASE_COLOURS,
    legend_right,
    look,
    new_figure,
    svg_of,
)
from nmsim.report.reference.result import DatasetResult
from nmsim.report.tables import for_people
from nmsim.report.words import component_name

COLOURS = {
    "phase": PHASE_COLOURS,
    "component": {component_name(name): shade for name, shade in COMPONENT_COLOURS.items()},
}


def energy_by_rule(dataset: DatasetResult, chip: str, within: str) -> Picture | None:
    """Stacked bars on one chip, one per rule, by `phase` or `component`; None if the chip holds no rule."""
    items = {
        outcome.case: outcome.evaluation
        for outcome in dataset.on_chip(chip)
        if outcome.evaluation is not None
    }
    if not items:
        return None
    parts = {case: _parts(item, within) for case, item in items.items()}
    known = COLOURS[within]
    names = [name for name in known if any(name in part for part in parts.values())]
    samples = next(iter(items.values())).samples
    title = f"Energy by {within}, {dataset.title} on {chip}"
    subtitle = f"{dataset.workload.network.name} · T = {dataset.workload.network.time_steps} · {samples} profiled samples"
    with look():
        figure = new_figure(title, subtitle, height=height_of(len(items)))
        axes = figure.add_subplot()
        series = {name: [part.get(name, 0.0) for part in parts.values()] for name in names}
        stacked(axes, list(items), series, "J", "energy per sample", known, shares=False)
        legend_right(axes, within)
        svg = svg_of(figure)
    listed = "; ".join(
        f"{case} {for_people(ENERGY.of(item), ENERGY.unit)}, most in {max(parts[case], key=lambda name: parts[case][name])}"
        for case, item in items.items()
    )
    return Picture(
        f"energy-by-{within}-{chip}",
        title,
        f"Stacked bars of energy per sample by rule and {within}: {listed}.",
        "Modelled, mean over the profiled samples. A sample of a training rule is one training sample with its share of the"
        " batch's update; of inference, one inference.",
        svg,
    )


def _parts(item: Evaluation, within: str) -> dict[str, float]:
    found = {str(name): part.mean_j for (name,), part in item.energy.by(within).items()}
    return {component_name(name) if within == "component" else name: joules for name, joules in found.items()}
