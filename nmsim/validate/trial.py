"""A trial: a dense network with stated activity on the frame of a published chip, through mapping, time and price."""

from dataclasses import dataclass, field

from nmsim import config
from nmsim.activity import Activity
from nmsim.cost.table import load_table
from nmsim.evaluate import Evaluation, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapper.mapping_search import search_mapping
from nmsim.mapping.automatic import deploy_network
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.network.spec import NetworkSpec
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.work import StepWork, build_work
from nmsim.validate.synthetic import Densities, synthetic_activity

FOLDER = "arch_configs/silicon"
"""Frames of published chips, to compare with; not chips to explore with."""
CHIPS = "arch_configs/chips"
SAMPLES = 4


def frame(name: str, folder: str = FOLDER) -> ChipConfig:
    """The frame of a published chip, or a shipped chip."""
    return config.read(ChipConfig, config.find(folder, name))


def network(*widths: int, time_steps: int) -> NetworkSpec:
    """A dense network of given widths."""
    return dense(*widths).model_copy(update={"time_steps": time_steps})


@dataclass(frozen=True)
class Trial:
    """A network under a rule on a chip; inputs are spikes, one bit per input and time step, batches of one sample."""

    chip: ChipConfig
    network: NetworkSpec
    rule: str
    densities: Densities
    precision: Precision = field(default_factory=Precision)

    def _given(self) -> tuple[TrainingNeeds, Activity]:
        activity = synthetic_activity(
            self.network, SAMPLES, self.densities, rule=self.rule, static_input=False, input_bits=1
        )
        gradient = self.chip.options.weight_gradient
        update = "in_place" if gradient == "in_place" else "accumulate"
        return TrainingNeeds.for_rule(self.rule, sample_bits=1, update=update), activity

    def work(self) -> StepWork:
        """Its work at batch size 1, mapped by policy: for frames that have no prices."""
        needs, activity = self._given()
        return build_work(deploy_network(self.network, self.precision, needs, self.chip), activity)

    def latency_s(self) -> float:
        """Time per sample, its update included, mapped by policy."""
        return float(AnalyticModel().run(self.work()).latency_s.mean())

    def evaluation(self) -> Evaluation:
        """Time and energy per sample, mapped by search as everywhere."""
        needs, activity = self._given()
        costs = load_table(self.chip.technology)
        job = search_mapping(self.network, self.precision, needs, activity, self.chip, costs).job
        return evaluate(job, activity, costs)
