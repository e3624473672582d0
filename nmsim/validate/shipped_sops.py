"""Energy per synaptic operation of the shipped chips that are priced by their components, on one job."""

from collections.abc import Iterator
from dataclasses import dataclass

from nmsim import config, units
from nmsim.cost.published_sops import NOTED_PJ, PublishedSop, above_published, near
from nmsim.cost.table import ComponentTable, load_table
from nmsim.hardware.chip import ChipConfig
from nmsim.network.precision import Precision
from nmsim.validate.trainers import MNIST_DENSE
from nmsim.validate.trial import CHIPS, Trial, network

JOB = "256-256-10 on spikes, inference, 8-bit weights, T = 20, a fifth of inputs and neurons active"
REASONS = {
    "stop-core-28nm": "it is what was built in RTL: every event reads and writes words of 1,024 bits of sums, and"
    " weights lie in one memory of 400 KB"
}
"""Why a shipped chip spends more than published ones."""
LARGEST = 3
LOOK = "see what its integrate phase spends with `nmsim simulate`"


@dataclass(frozen=True)
class ShippedSop:
    """A shipped chip on `JOB`, beside published chips of about its node; picojoules per synaptic operation."""

    chip: str
    node_nm: float
    voltage_v: float
    incremental_pj: float
    all_in_pj: float
    parts_pj: tuple[tuple[str, float], ...]
    """What `all_in_pj` consists of, by component, largest first."""
    published: tuple[PublishedSop, ...]

    @property
    def note(self) -> str:
        """A sentence where one more operation, or else all of it, takes more than published chips give reason to expect.

        Of one more operation it gives the reason, of all of it the largest parts; empty otherwise.
        """
        if clause := above_published(self.node_nm, self.incremental_pj):
            return f"{self.chip}: {clause}; {REASONS.get(self.chip, LOOK)}"
        if above_published(self.node_nm, self.all_in_pj):
            parts = ", ".join(f"{component} {pj:.3g}" for component, pj in self.parts_pj[:LARGEST])
            return f"{self.chip}: {self.all_in_pj:.3g} pJ all-in are above {NOTED_PJ:g} pJ; most of it is {parts}"
        return ""


def shipped_sops() -> Iterator[ShippedSop]:
    """Every shipped chip of a component table."""
    precision = Precision.model_validate({"weight": "s8.6"})
    net = network(256, 256, 10, time_steps=20)
    for path in config.shipped(CHIPS).values():
        chip = config.read(ChipConfig, path)
        if not isinstance(load_table(chip.technology), ComponentTable):
            continue
        found = Trial(chip, net, "inference", MNIST_DENSE, precision).evaluation()
        incremental, all_in = found.energy_per_sop_incremental_j or 0.0, found.energy_per_sop_all_in_j or 0.0
        pj_per_sop = units.PJ_PER_J / found.sops_per_sample
        parts = (
            (name, energy * pj_per_sop) for (name,), energy in found.energy.means_by("component").items()
        )
        yield ShippedSop(
            chip.name, chip.tech_node_nm, chip.voltage_v, incremental * units.PJ_PER_J, all_in * units.PJ_PER_J,
            tuple(sorted(parts, key=lambda part: -part[1])), near(chip.tech_node_nm),
        )  # fmt: skip
