"""Energy per synaptic operation of the shipped chips that are priced by their components, on one job."""

from collections.abc import Iterator
from dataclasses import dataclass

from nmsim import config, units
from nmsim.cost.published_sops import PublishedSop, above_published, near
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
LOOK = "see what its integrate phase spends with `nmsim simulate`"


@dataclass(frozen=True)
class ShippedSop:
    """A shipped chip on `JOB`, beside published chips of about its node; picojoules per synaptic operation."""

    chip: str
    node_nm: float
    voltage_v: float
    incremental_pj: float
    all_in_pj: float
    published: tuple[PublishedSop, ...]

    @property
    def note(self) -> str:
        """A sentence where it takes more than published chips give reason to expect, with its reason; empty otherwise."""
        clause = above_published(self.node_nm, self.incremental_pj)
        return f"{self.chip}: {clause}; {REASONS.get(self.chip, LOOK)}" if clause else ""


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
        yield ShippedSop(
            chip.name, chip.tech_node_nm, chip.voltage_v, incremental * units.PJ_PER_J, all_in * units.PJ_PER_J,
            near(chip.tech_node_nm),
        )  # fmt: skip
