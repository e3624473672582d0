"""What shipped chips spend, and on what: the tables "One by one" and "Widths" of docs/chips.md.

Run as `python benchmarks/chips.py`, a minute. Synthetic activity, the analytic model, mappings searched for EDP.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from nmsim import units
from nmsim.cost.table import load_table
from nmsim.evaluate import Evaluation, evaluate
from nmsim.mapper.mapping_search import search_mapping
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense, vgg11
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.simulate import read_chip
from nmsim.validate.synthetic import Densities, synthetic_activity

BATCH, SAMPLES, SEED = 32, 4, 1
PICTURE = Densities(inputs=0.2, spikes=0.1, deltas=0.3)
SPIKES = Densities(inputs=0.15, spikes=0.1, deltas=0.3)
RULES = ("inference", "stop-wtl")
WIDTHS = ("s16.13", "s8.5", "s4.2")
LARGEST = 3
"""Components and phases that are named for a chip."""


@dataclass(frozen=True)
class Job:
    """A network on a chip; with a picture as its input, which is the same at every step, or with spikes."""

    chip: str
    what: str
    network: NetworkSpec
    densities: Densities
    weight: str = "s16.13"

    def evaluation(self, rule: str) -> Evaluation:
        """Under a rule."""
        static = self.densities is PICTURE
        bits = 8 if static else 1
        chip = read_chip(self.chip, ())
        costs = load_table(chip.technology)
        activity = synthetic_activity(
            self.network, SAMPLES, self.densities, seed=SEED, rule=rule, static_input=static, input_bits=bits
        )
        needs = TrainingNeeds.for_rule(rule, batch_size=BATCH, sample_bits=bits, static_input=static)
        precision = Precision.model_validate({"weight": self.weight})
        found = search_mapping(self.network, precision, needs, activity, chip, costs)
        return evaluate(found.job, activity, costs)


SMALL = Job("edge-28nm", "784-256-10", dense(784, 256, 10), PICTURE)
JOBS = (
    SMALL,
    Job("edge-28nm", "784-512-10 with spikes", dense(784, 512, 10), SPIKES),
    Job("mesh-16nm", "VGG-11", vgg11(), PICTURE),
    Job("single-core-dram-28nm", "784-256-10", dense(784, 256, 10), PICTURE),
    Job("reckon-like-28nm", "256-256-16 with spikes, weights of 8 bits", dense(256, 256, 16), SPIKES, "s8.6"),
)


def spent(item: Evaluation, name: str) -> str:
    """The components, or phases, that take most of the energy, with their shares."""
    parts = {str(key): table.mean_j / item.energy.mean_j for (key,), table in item.energy.by(name).items()}
    largest = sorted(parts.items(), key=lambda part: -part[1])[:LARGEST]
    return ", ".join(f"{key} {share:.0%}" for key, share in largest)


def per_operation(joules: float | None) -> str:
    """Energy of a synaptic operation."""
    return "-" if joules is None else f"{joules * units.PJ_PER_J:.2f} pJ"


def mean_j(item: Evaluation) -> float:
    """Energy of a sample; the books of a chip that has no sourced price for a part have no total."""
    return item.energy.mean_j if item.energy_j is None else item.energy_j.mean


def figures(item: Evaluation) -> list[str]:
    """Energy, time, and what it goes to."""
    return [
        f"{mean_j(item) * 1e9:,.0f} nJ, {item.latency_s.mean * 1e6:,.2f} us",
        spent(item, "component"),
        spent(item, "phase"),
    ]


def chips() -> Iterator[list[str]]:
    """A row for every chip, job and rule."""
    for job in JOBS:
        for rule in RULES:
            item = job.evaluation(rule)
            each = [item.energy_per_sop_incremental_j, item.energy_per_sop_all_in_j]
            area = "-" if item.area is None else f"{item.area.total_mm2:.2f} mm2"
            yield [job.chip, area, job.what, rule, *figures(item), *(per_operation(j) for j in each)]


def widths() -> Iterator[list[str]]:
    """Weights of fewer bits on `edge-28nm`, whose memories follow."""
    for weight in WIDTHS:
        job = replace(SMALL, weight=weight)
        forward, training = map(job.evaluation, RULES)
        assert forward.area is not None
        yield [
            weight,
            f"{mean_j(forward) * 1e9:,.0f} nJ",
            f"{forward.energy.select(component='sram').mean_j * 1e9:,.0f} nJ",
            per_operation(forward.energy_per_sop_incremental_j),
            f"{mean_j(training) * 1e9:,.0f} nJ",
            f"{forward.area.total_mm2:.1f} mm2",
        ]


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A Markdown table, row by row."""
    print(f"\n### {title}\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    energies = ("incremental", "all-in")
    table(
        "One by one",
        ("chip", "area", "network", "rule", "energy, time", "components", "phases", *energies),
        chips(),
    )
    table(
        "Widths",
        ("weights", "inference", "of it SRAM", "per operation", "training (STOP-WTL)", "area"),
        widths(),
    )
