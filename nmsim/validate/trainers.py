"""Published trainers: their frame as a chip, their task as a network of the same inputs, and how far the model is off.

None of them runs STOP, and none of the abstracts at hand tells the hidden layer, the time steps or the datapath. What is
assumed is printed with every row, and one published figure of each trainer sets its lanes: it is marked `calibrated`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nmsim import config, units
from nmsim.activity import Activity
from nmsim.evaluate import Evaluation, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import deploy_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.network.spec import NetworkSpec
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.work import StepWork, build_work
from nmsim.validate.point import CALIBRATED, HELD_OUT, NOT_COMPARED, SiliconPoint
from nmsim.validate.synthetic import Densities, synthetic_activity

FOLDER = "arch_configs/trainers"
VC707 = "Huang et al., ICTA 2023, doi 10.1109/icta60488.2023.10364297, abstract"
MORPHBUNGEE = "MorphBungee, 65 nm: figures as listed in docs/energy.md, the paper was not at hand"
RECKON = "Frenkel and Indiveri, ReckOn, ISSCC 2022"
DENSITIES = Densities(inputs=0.21, spikes=0.23, deltas=0.8)
"""Of inputs, hidden spikes and deltas, as in a training run of workload `mnist-dense` (STOP-WTL, 784-256-10)."""
TIME_STEPS = 4
SAMPLES = 4
PLAIN = Precision()
NEAREST = "the published speed sets the lanes: the power of two that comes nearest"
OTHER_RULE = (
    "no source at hand describes its backward pass; it is not STOP. STBP and STOP-W stand for what it may do;"
    " hidden layer and time steps are assumed too, so this is not the same network"
)


@dataclass(frozen=True)
class Trial:
    """A dense network under a rule on a trainer's chip; inputs are spikes, one bit per pixel and time step."""

    chip: ChipConfig
    network: NetworkSpec
    rule: str
    precision: Precision = PLAIN

    def _job(self) -> tuple[Deployment, Activity]:
        activity = synthetic_activity(
            self.network, SAMPLES, DENSITIES, rule=self.rule, static_input=False, input_bits=1
        )
        gradient = self.chip.options.weight_gradient
        needs = TrainingNeeds.for_rule(
            self.rule, sample_bits=1, update="in_place" if gradient == "in_place" else "accumulate"
        )
        return deploy_network(self.network, self.precision, needs, self.chip), activity

    def work(self) -> StepWork:
        """Its work at batch size 1."""
        return build_work(*self._job())

    def latency_s(self) -> float:
        """Time per sample, its update included."""
        return float(AnalyticModel().run(self.work()).latency_s.mean())

    def evaluation(self) -> Evaluation:
        """Time and energy per sample."""
        return evaluate(*self._job())


def trainers() -> Iterator[SiliconPoint]:
    """Every comparison with a published trainer.

    Raises:
        CostError: a shipped table that a comparison needs is missing.
    """
    yield from _vc707()
    yield from _morphbungee()
    yield from _reckon()


def network(*widths: int, time_steps: int = TIME_STEPS) -> NetworkSpec:
    """A dense network of given widths."""
    return dense(*widths).model_copy(update={"time_steps": time_steps})


def trainer(name: str, lanes: int | None = None, size: float = 1.0) -> ChipConfig:
    """The chip of a trainer, with as many lanes, memories as wide as these take per cycle, and `size` times as large."""
    document = config.load(config.find(FOLDER, name))
    if lanes is None:
        return config.build(ChipConfig, document)
    core = "core_types.0"
    values: dict[str, Any] = {f"{core}.{kind}_lanes": lanes for kind in ("accumulate", "mac", "update")}
    original = config.build(ChipConfig, document).core_types[0]
    for index, memory in enumerate(original.memories[:-1]):
        width = (memory.word_bits // original.accumulate_lanes) * lanes
        words = round(size * memory.words * memory.word_bits / width)
        values |= {
            f"{core}.memories.{index}.word_bits": width,
            f"{core}.memories.{index}.words": words,
        }
    return config.build(ChipConfig, document.with_values(values, f"{name} of {lanes} lanes"))


def _vc707() -> Iterator[SiliconPoint]:
    """Lanes are set by the inference speed; what is tested is how much longer training takes."""
    for time_steps, lanes in ((4, 8), (8, 16)):
        net, chip = network(784, 256, 10, time_steps=time_steps), trainer("vc707", lanes)
        assumed = f"784-256-10, T = {time_steps}, {lanes} lanes: assumed; 115 MHz"
        inference_s = Trial(chip, net, "inference").latency_s()
        yield SiliconPoint(
            "VC707 inference", assumed, 4163, 1 / inference_s, "frame/s", CALIBRATED, VC707, NEAREST
        )
        for rule in ("stbp-w", "stop-w"):
            training_s = Trial(chip, net, rule).latency_s()
            condition = f"the same, {rule}"
            yield SiliconPoint(
                "VC707 training", condition, 1183, 1 / training_s, "frame/s", HELD_OUT, VC707, OTHER_RULE
            )
            yield SiliconPoint(
                "VC707 training over inference time", condition, 4163 / 1183, training_s / inference_s, "ratio",
                HELD_OUT, VC707, OTHER_RULE,
            )  # fmt: skip
    yield SiliconPoint(
        "VC707 energy per trained image", "115 MHz, 798 mW", 0.67, None, "mJ", NOT_COMPARED, VC707,
        "apples and oranges: the board is an FPGA, and nmsim prices silicon cells",
    )  # fmt: skip


def _morphbungee() -> Iterator[SiliconPoint]:
    """Lanes are set by the learning speed; what is tested is the power at that speed."""
    for hidden, lanes in ((128, 1), (256, 2), (512, 4)):
        chip, net = trainer("morphbungee-like-65nm", lanes, hidden / 256), network(256, hidden, 10)
        found = Trial(chip, net, "stop-w").evaluation()
        condition = f"256-{hidden}-10, T = {TIME_STEPS}, {lanes} lane(s), stop-w: assumed; 100 MHz, 1.1 V"
        yield SiliconPoint(
            "MorphBungee learning", condition, 802, 1 / found.latency_s.mean, "frame/s", CALIBRATED, MORPHBUNGEE,
            NEAREST,
        )  # fmt: skip
        yield SiliconPoint(
            "MorphBungee power", "the same", 61, found.power_w.mean / units.W_PER_MW, "mW", HELD_OUT, MORPHBUNGEE,
            f"band of the prices {found.power_w.band_low / units.W_PER_MW:.0f} to"
            f" {found.power_w.band_high / units.W_PER_MW:.0f} mW; hidden layer, time steps, rule and supply are assumed",
        )  # fmt: skip


def _reckon() -> Iterator[SiliconPoint]:
    """Nothing of it was used: the frame is published, the prices are those of all 28 nm chips."""
    chip = config.read(ChipConfig, config.find("arch_configs/chips", "reckon-like-28nm"))
    precision = Precision.model_validate({"weight": "s8.6"})
    trial = Trial(chip, network(256, 256, 10, time_steps=100), "inference", precision)
    found = trial.evaluation()
    pairs = (
        ("incremental", found.energy_per_sop_incremental_j),
        ("all-in", found.energy_per_sop_all_in_j),
    )
    for kind, joules in pairs:
        yield SiliconPoint(
            "ReckOn energy per SOP", f"256-256-10 forward, T = 100, 0.5 V; {kind}", 5.3,
            None if joules is None else joules * units.PJ_PER_J, "pJ", HELD_OUT, RECKON,
            "its network is recurrent and learns by e-prop, ours is feed-forward inference; of which kind its figure is,"
            " is not stated",
        )  # fmt: skip
