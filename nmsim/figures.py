"""Figure: a number that evaluations are judged by; its name, unit and wording stand here and nowhere else.

Objectives and constraints of a study, columns of CSV files, keys of JSON files, tables of pages and lines in a terminal
read `FIGURES`. A new figure is one row here, and a field of `Evaluation` if it cannot be derived from those there are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from nmsim.evaluate import Estimate, Evaluation

Better = Literal["min", "max"]
Value = float | int | None


@dataclass(frozen=True)
class Figure:
    """One figure of an evaluation.

    `name` as files spell it, unit included; `heading` over a column of a table; `text` in a sentence. `better` says which
    way is better, None where a figure only describes. `banded`: prices enter, so it has a band; `interval`: it is a
    mean over samples, so it has a confidence interval. `exact`: both performance models give the same value.

    >>> ENERGY.name, ENERGY.unit, ENERGY.part("band_low"), ENERGY.share("band_low")
    ('energy_per_sample_j', 'J', 'energy_per_sample_band_low_j', 'energy_band_low_j')
    """

    name: str
    heading: str
    unit: str
    text: str
    take: Callable[[Evaluation], Estimate | Value]
    better: Better | None = None
    banded: bool = False
    interval: bool = False
    exact: bool = False

    def of(self, evaluation: Evaluation) -> Value:
        """Its value; None where the price table or the run cannot give it (`evaluation.unavailable` may say why)."""
        found = self.take(evaluation)
        return found.mean if isinstance(found, Estimate) else found

    def estimate(self, evaluation: Evaluation) -> Estimate | None:
        """Its value with the band of the prices and the confidence interval over samples."""
        found = self.take(evaluation)
        if found is None or isinstance(found, Estimate):
            return found
        return Estimate(found, None, None, found, found)

    def cells(self, evaluation: Evaluation | None) -> Iterator[Value]:
        """Value, ends of the interval, ends of the band, as far as it has them; None without an evaluation."""
        found = None if evaluation is None else self.estimate(evaluation)
        yield None if evaluation is None else self.of(evaluation)
        if self.interval:
            yield from (None, None) if found is None else (found.ci_low, found.ci_high)
        if self.banded:
            yield from (None, None) if found is None else (found.band_low, found.band_high)

    def part(self, what: str) -> str:
        """Name of a value that belongs to it, `what` in front of the unit: `energy_per_sample_ci95_low_j`."""
        return _in_front_of_unit(self.name, what)

    def share(self, what: str = "") -> str:
        """Name of what one component, phase or layer adds to it, in tables of such shares: `energy_j`."""
        name = self.name.replace("_per_sample", "")
        return _in_front_of_unit(name, what) if what else name


def _in_front_of_unit(name: str, what: str) -> str:
    stem, _, unit = name.rpartition("_")
    return f"{stem}_{what}_{unit}"


COMPONENTS = {
    "alu": "arithmetic",
    "registers": "register files",
    "sram": "SRAM",
    "noc": "NoC",
    "chip_link": "chip links",
    "dram": "DRAM",
    "sync": "synchronisation",
    "host": "host",
    "event": "whole events",
    "static": "static power",
    "clock": "clock",
    "control": "control overhead",
}
"""Components of the energy in words, in the order of tables."""


def _component(name: str) -> Figure:
    def take(evaluation: Evaluation) -> float:
        # 0 for a component that the chip does not have, so that it can be bounded on any chip
        return evaluation.energy.mean_of(component=name)

    text = COMPONENTS[name]
    return Figure(
        f"energy_per_sample_{name}_j", f"Energy, {text}", "J", f"energy per sample, {text}", take, "min"
    )


def _macs_per_sample(evaluation: Evaluation) -> float:
    counts = evaluation.perf.counts.select(component="alu", action="mac")
    return float(counts.counts[~counts.per_batch].sum() / counts.counts.shape[1])


def _area(evaluation: Evaluation) -> Estimate | None:
    area = evaluation.area
    return None if area is None else Estimate(area.total_mm2, None, None, area.low_mm2, area.high_mm2)


ENERGY = Figure(
    "energy_per_sample_j",
    "Energy",
    "J",
    "energy per sample",
    lambda e: e.energy_j,
    "min",
    banded=True,
    interval=True,
)
ENERGY_LOW = Figure(
    ENERGY.part("band_low"), "Energy, band, low", "J", "energy per sample, low end of the prices' band",
    lambda e: e.energy_j and e.energy_j.band_low, "min",
)  # fmt: skip
ENERGY_HIGH = Figure(
    ENERGY.part("band_high"), "Energy, band, high", "J", "energy per sample, high end of the prices' band",
    lambda e: e.energy_j and e.energy_j.band_high, "min",
)  # fmt: skip
FORWARD_ENERGY = Figure(
    "forward_energy_per_sample_j", "Energy, forward", "J", "energy per sample, forward part",
    lambda e: e.forward_energy_j, "min", banded=True, interval=True,
)  # fmt: skip
STATIC_ENERGY = Figure(
    "static_energy_per_sample_j", "Energy, static and clock", "J", "energy per sample, static power and standing clock",
    lambda e: e.static_energy_j, banded=True, interval=True,
)  # fmt: skip
LATENCY = Figure(
    "latency_per_sample_s", "Latency", "s", "latency per sample", lambda e: e.latency_s, "min", interval=True
)
THROUGHPUT = Figure(
    "throughput_samples_per_s", "Throughput", "sample/s", "throughput", lambda e: e.throughput_per_s, "max"
)
POWER = Figure("power_w", "Power", "W", "mean power", lambda e: e.power_w, "min", banded=True, interval=True)
DEADLINES_MISSED = Figure(
    "deadlines_missed_fraction", "Deadlines missed", "fraction",
    "samples that take longer than the time between two arrivals",
    lambda e: None if e.real_time is None else e.real_time.missed, "min",
)  # fmt: skip
EDP = Figure(
    "edp_js", "EDP", "J s", "energy-delay product", lambda e: e.edp_js, "min", banded=True, interval=True
)
AREA = Figure("area_mm2", "Area", "mm2", "area", _area, "min", banded=True, exact=True)
MEMORY_USED = Figure(
    "memory_used_bits", "Memory used", "bit", "memory used",
    lambda e: sum(use.used_bits for use in e.memory), "min", exact=True,
)  # fmt: skip
MEMORY_OF_USED_CORES = Figure(
    "memory_of_used_cores_bits", "of", "bit", "memory of the cores in use",
    lambda e: sum(use.capacity_bits for use in e.memory), exact=True,
)  # fmt: skip
MEMORY_CAPACITY = Figure(
    "memory_capacity_bits", "Memory on chip", "bit", "memory on the chip",
    lambda e: e.memory_capacity_bits, "min", exact=True,
)  # fmt: skip
OFF_CHIP = Figure(
    "off_chip_bits", "In DRAM", "bit", "data in DRAM", lambda e: e.off_chip_bits, "min", exact=True
)
CORES_USED = Figure(
    "cores_used", "Cores used", "", "cores used", lambda e: len(e.perf.cores), "min", exact=True
)
SOPS = Figure("sops_per_sample", "SOPs", "", "synaptic operations per sample", lambda e: e.sops_per_sample)
MACS = Figure("macs_per_sample", "MACs", "", "multiply-accumulates per sample", _macs_per_sample)
ENERGY_PER_SOP_INCREMENTAL = Figure(
    "energy_per_sop_incremental_j", "Energy per SOP, incremental", "J", "energy per SOP, incremental",
    lambda e: e.energy_per_sop_incremental_j,
)  # fmt: skip
ENERGY_PER_SOP_ALL_IN = Figure(
    "energy_per_sop_all_in_j", "Energy per SOP, all-in", "J", "energy per SOP, all-in",
    lambda e: e.energy_per_sop_all_in_j,
)  # fmt: skip
ACCURACY = Figure("accuracy", "Accuracy", "fraction", "held-out accuracy", lambda _: None, "max", exact=True)
"""Measured by the training run, not by an evaluation."""

ENERGY_OF = {name: _component(name) for name in COMPONENTS}
"""Energy per sample by component; they add up to `ENERGY`."""

_ALL = (
    ENERGY, ENERGY_LOW, ENERGY_HIGH, FORWARD_ENERGY, STATIC_ENERGY, *ENERGY_OF.values(), LATENCY, THROUGHPUT,
    POWER, DEADLINES_MISSED, EDP, AREA, MEMORY_USED, MEMORY_OF_USED_CORES, MEMORY_CAPACITY, OFF_CHIP, CORES_USED, SOPS,
    MACS, ENERGY_PER_SOP_INCREMENTAL, ENERGY_PER_SOP_ALL_IN,
)  # fmt: skip
FIGURES = {figure.name: figure for figure in _ALL}
"""By name, in the order of tables."""
METRICS = {name: figure for name, figure in FIGURES.items() if figure.better is not None} | {
    ACCURACY.name: ACCURACY
}
"""Figures of which more or less is better: what constraints bound and objectives rank."""


def measured(evaluation: Evaluation, accuracy: float | None = None) -> dict[str, Value]:
    """Every metric of a design by name; `accuracy` is the training run's."""
    return {name: figure.of(evaluation) for name, figure in METRICS.items()} | {ACCURACY.name: accuracy}
