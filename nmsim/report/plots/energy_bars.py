"""Where the energy goes: by phase and component, and by layer and phase."""

from collections.abc import Mapping, Sequence

from nmsim.cost.idle import PHASE as IDLE
from nmsim.counts import Phase
from nmsim.evaluate import Evaluation
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
from nmsim.report.words import component_name, layer_label, sample_kind, with_band

Parts = Mapping[str, Mapping[str, float]]
"""Bar to part to joules, in the order they are drawn."""


def energy_by_phase(item: Evaluation, described: str) -> Picture:
    """Stacked bars: one per phase, coloured by component."""
    table = {key: part.mean_j for key, part in item.energy.by("phase", "component").items()}
    bars = {
        phase: {c: joules for (p, c), joules in table.items() if p == phase and joules > 0}
        for phase in (*(phase.value for phase in Phase), IDLE)
    }
    names = {component: component_name(component) for component in COMPONENT_COLOURS}
    colours = {names[component]: shade for component, shade in COMPONENT_COLOURS.items()}
    renamed = {bar: {component_name(c): j for c, j in parts.items()} for bar, parts in bars.items() if parts}
    return _picture(item, renamed, colours, ("phase", "component"), described)


def energy_by_layer(item: Evaluation, layers: Sequence[str], described: str) -> Picture:
    """Stacked bars: one per synaptic layer (and one for what layers share), coloured by phase."""
    table = {key: part.mean_j for key, part in item.energy.by("layer", "phase").items()}
    order = sorted({layer for layer, _ in table}, key=lambda layer: (layer < 0, layer))
    bars = {
        layer_label(index, layers): {
            p: joules for (i, p), joules in table.items() if i == index and joules > 0
        }
        for index in order
    }
    return _picture(item, bars, PHASE_COLOURS, ("layer", "phase"), described)


def _picture(
    item: Evaluation, bars: Parts, colours: Mapping[str, str], axes_names: tuple[str, str], described: str
) -> Picture:
    across, within = axes_names
    parts = [name for name in colours if any(name in bar for bar in bars.values())]
    series = {part: [bar.get(part, 0.0) for bar in bars.values()] for part in parts}
    each = sample_kind(item)
    title = f"Energy by {across} and {within}"
    with look():
        figure = new_figure(f"{title}, per {each}", described, height=height_of(len(bars)))
        axes = figure.add_subplot()
        stacked(axes, list(bars), series, "J", f"energy per {each}", colours)
        legend_right(axes, within)
        svg = svg_of(figure)
    joules, bar, part = max(
        (joules, bar, part) for bar, found in bars.items() for part, joules in found.items()
    )
    total = with_band(item.energy_j, "J")
    alt = (
        f"Stacked bars of energy per {each} by {across} and {within}; total {total}; the largest part is {part} in {bar},"
        f" {joules / item.energy.mean_j:.0%}."
    )
    caption = (
        "Modelled: counted actions times prices, plus static power times time. Mean over"
        f" {item.samples} profiled samples. Total {total}."
    )
    return Picture(f"energy-by-{across}", title, alt, caption, svg)
