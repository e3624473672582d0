"""Memory by kind of data under every learning rule, in both conventions."""

from collections.abc import Mapping, Sequence

from nmsim.contents import Content
from nmsim.network.memory_table import Convention, NetworkMemory
from nmsim.report.picture import Picture
from nmsim.report.plots.bars import stacked
from nmsim.report.plots.canvas import legend_right, look, new_figure, svg_of
from nmsim.units import BITS_PER_BYTE, scaled

TITLES: dict[Convention, str] = {
    "state_only": "neuron state only, one sample",
    "everything": "everything: state, parameters, accumulators, buffers, tables",
}
KIND_COLOURS = {
    "membrane": "#0072b2",
    "spike": "#000000",
    "weight_trace": "#e69f00",
    "threshold_trace": "#f5c76e",
    "leak_trace": "#8c6d31",
    "history": "#d55e00",
    "temporal_error": "#f0a37a",
    "weight": "#56b4e9",
    "weight_gradient": "#009e73",
    "velocity": "#7fcdb6",
    "delta": "#cc79a7",
    "input_sum": "#a75383",
    "error_sum": "#c98aae",
    "input": "#7f7f7f",
    "factor": "#2f6b57",
    "threshold": "#a6d8f5",
    "threshold_gradient": "#4d4d4d",
    "leak_factor": "#b8b8b8",
    "table": "#d9d9d9",
    "other": "#c9ced3",
}
OTHER = "other"
VISIBLE_PART = 0.004
"""Fraction of the longest bar below which a kind is drawn as part of `other`."""


def memory_by_scheme(memory: Sequence[NetworkMemory], described: str) -> Picture:
    """Two panels of stacked bars, one bar per rule: state only above, everything below."""
    with look():
        figure = new_figure("Memory by learning rule", described, height=2.0 + 0.3 * 2 * len(memory))
        panels = figure.subplots(2, 1)
        for axes, (convention, title) in zip(panels, TITLES.items(), strict=True):
            parts = _parts([entry.by_kind(convention) for entry in memory])
            stacked(
                axes,
                [entry.rule for entry in memory],
                parts,
                "B",
                "memory",
                KIND_COLOURS,
                shares=False,
                digits=4,
            )
            axes.set_title(title)
            legend_right(axes, "kind of data")
        svg = svg_of(figure)
    listed = "; ".join(
        f"{entry.rule}: {scaled(entry.bits('state_only') / BITS_PER_BYTE, 'B')} state only,"
        f" {scaled(entry.bits('everything') / BITS_PER_BYTE, 'B')} everything"
        for entry in memory
    )
    return Picture(
        "memory-by-rule",
        "Memory by learning rule",
        f"Stacked bars of memory in two conventions. {listed}.",
        "Counted from the network and its formats, whatever the chip; one sample in flight. The two conventions are not"
        " comparable: a saving in neuron state shrinks once weights and gradient accumulators are counted.",
        svg,
    )


def _parts(by_kind: Sequence[Mapping[Content, int]]) -> dict[str, list[float]]:
    """Bytes by kind and bar; kinds that are nowhere worth a visible stripe are drawn together as `other`."""
    order = {name: place for place, name in enumerate(KIND_COLOURS)}
    visible = VISIBLE_PART * max(sum(row.values()) for row in by_kind)
    parts: dict[str, list[float]] = {}
    for kind in sorted(Content, key=lambda kind: order.get(kind.value, len(order))):
        bits = [row.get(kind, 0) for row in by_kind]
        name = kind.value if max(bits) >= visible else OTHER
        before = parts.get(name, [0.0] * len(bits))
        parts[name] = [earlier + amount / BITS_PER_BYTE for earlier, amount in zip(before, bits, strict=True)]
    rest = parts.pop(OTHER, None)
    return parts | ({OTHER: rest} if rest and any(rest) else {})
