"""Cost against spikes: modelled energy and time, and the time of both performance models, as spikes become more.

Run as `python benchmarks/spikes.py [FILE.svg]`; prints a table and draws the picture of docs/timing.md.
"""

import sys
import time
from pathlib import Path

import numpy as np

from nmsim.cost.table import load_table
from nmsim.evaluate import evaluate
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense, vgg11
from nmsim.network.spec import NetworkSpec
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.chip import EventModel
from nmsim.perf.work import build_work
from nmsim.pipeline.simulate import read_chip
from nmsim.report.plots.canvas import MARKERS, PALETTE, grid, legend_right, look, new_figure, svg_of
from nmsim.validate.synthetic import Densities, synthetic_activity

RATES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
Row = tuple[float, float, float, float, float]


def measured(network: NetworkSpec, chip_name: str, rate: float) -> Row:
    """Spikes as they reach the layers (pools merge some), dynamic energy, latency; CPU seconds of both models."""
    chip, precision, needs = (
        read_chip(chip_name),
        Precision(),
        TrainingNeeds.for_rule("inference", sample_bits=1),
    )
    activity = synthetic_activity(
        network, 1, Densities(rate, rate, 0.0), rule="inference", static_input=False, input_bits=1
    )
    spikes = float(sum(layer.mask("inputs").sum() for layer in activity.layers))
    mapping = map_network(network, precision, needs, chip)
    found = evaluate(
        Deployment(network, precision, needs, chip, mapping), activity, load_table(chip.technology)
    )
    start = time.process_time()
    work = build_work(Deployment(network, precision, needs, chip, mapping), activity)
    AnalyticModel().run(work)
    middle = time.process_time()
    EventModel().run(work)
    static = found.static_energy_j.mean if found.static_energy_j else 0.0
    return (
        spikes,
        found.energy_j.mean - static,
        found.latency_s.mean,
        middle - start,
        time.process_time() - middle,
    )


def straightness(x: np.ndarray, y: np.ndarray) -> float:
    """Coefficient of determination of a straight line through the points."""
    residual = y - np.polyval(np.polyfit(x, y, 1), x)
    return 1 - float((residual**2).sum() / ((y - y.mean()) ** 2).sum())


def draw(results: dict[str, np.ndarray], path: Path) -> None:
    """Energy and latency against spikes, each in parts of its largest value."""
    panels = ((1, "dynamic energy"), (2, "latency"), (4, "CPU time, event-driven model"))
    with look():
        figure = new_figure(
            "Cost against spikes",
            "inference, synthetic activity, spike rates of 1 to 40 %; each axis in parts of its largest value",
            height=2.6,
        )
        for axes, (column, what) in zip(figure.subplots(1, len(panels)), panels, strict=True):
            for index, (name, rows) in enumerate(results.items()):
                x, y = rows[:, 0] / rows[-1, 0], rows[:, column] / rows[-1, column]
                axes.plot(x, y, marker=MARKERS[index], color=PALETTE[index], label=name)
            axes.set_xlim(0, 1.03)
            axes.set_ylim(0, 1.08)
            axes.set_xlabel("spikes served (of the most)")
            axes.set_title(what, fontsize=8.5)
            axes.set_ylabel("of the largest")
            grid(axes)
        legend_right(axes)
        path.write_bytes(svg_of(figure))


def main(out: str | None = None) -> None:
    """Measure, print, draw."""
    results = {}
    cases = (
        ("784-512-10, edge-28nm", dense(784, 512, 10), "edge-28nm"),
        ("VGG-11, mesh-16nm", vgg11(), "mesh-16nm"),
    )
    for name, network, chip in cases:
        measured(network, chip, RATES[0])  # compile first
        rows = np.array([measured(network, chip, rate) for rate in RATES])
        results[name] = rows
        print(f"{name}: spikes served, dynamic energy (uJ), latency (us), analytic (s), event-driven (s)")
        for spikes, energy, latency, analytic, event in rows:
            print(
                f"  {spikes:11,.0f} {energy * 1e6:10.3f} {latency * 1e6:10.2f} {analytic:7.3f} {event:7.3f}"
            )
        for column, what in ((1, "dynamic energy"), (2, "latency")):
            print(f"  straight line through {what}: R^2 = {straightness(rows[:, 0], rows[:, column]):.5f}")
    if out:
        draw(results, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:2])
