"""How results are worded: names of layers, samples, models, and figures with their uncertainty, limits."""

from collections.abc import Sequence

from nmsim.evaluate import Estimate, Evaluation
from nmsim.figures import COMPONENTS
from nmsim.network.spec import NetworkSpec
from nmsim.rules import INFERENCE, rule_named
from nmsim.units import scaled

MODEL_WORDS = {"analytic": "analytic estimate", "event": "event-driven simulation"}
NOT_MODELLED = (
    "Process, voltage and temperature variation, ageing and faults: one nominal corner.",
    "Control and queues in detail: one factor on the energy of on-chip actions; the clock tree: one on its flip-flops.",
    "Switching that depends on the data: prices hold for random data.",
    "Wires inside a core; analogue and in-memory computing: cores are digital and clocked, or priced by whole events.",
    "DRAM bank conflicts and turnaround: DRAM is bandwidth, latency and burst in time; bits, rows and standby in energy.",
    "Power gating of parts, and voltage or frequency scaling over time; between samples a chip may sleep whole.",
    "Sensors, power supply, pads and packaging; a host is what the chip file says of it.",
    "Exact cycles: the analytic model estimates, the event-driven model simulates; both are cycle-approximate.",
    "Overlap between samples: they run one after the other.",
    "Batch normalisation and recurrent connections: the networks have none.",
)
"""What the figures leave out, in short; docs/limits.md says why, and what follows."""
NO_TOTAL = "not available: a part of it has no sourced price"
"""In the place of a figure that `Evaluation.unavailable` gives the reason for."""
SHARED = "shared"
"""What belongs to no single layer: links, barriers, static power."""


def how_many(count: int, noun: str) -> str:
    """A number of things in words.

    >>> how_many(1, "epoch"), how_many(2000, "epoch")
    ('1 epoch', '2,000 epochs')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def layer_names(network: NetworkSpec) -> tuple[str, ...]:
    """One short name per synaptic layer: index, kind, shape.

    >>> from nmsim.network.published import dense
    >>> layer_names(dense(784, 10))
    ('0 dense 784-10',)
    """
    names = []
    for layer in network.synaptic_layers:
        if layer.kind == "dense":
            names.append(f"{layer.index} dense {layer.inputs}-{layer.neurons}")
        else:
            side, shape = layer.weight_shape[-1], "x".join(map(str, layer.out_shape))
            names.append(f"{layer.index} conv {side}x{side} to {shape}")
    return tuple(names)


def layer_label(layer: int, names: Sequence[str]) -> str:
    """Name of a layer index as tables of counts hold it; -1 is what layers share.

    >>> layer_label(-1, ("0 dense 784-10",))
    'shared'
    """
    return SHARED if layer < 0 else names[layer] if layer < len(names) else f"layer {layer}"


def component_name(component: str) -> str:
    """Name of a component for people.

    >>> component_name("chip_link")
    'chip links'
    """
    return COMPONENTS.get(component, component.replace("_", " "))


def rule_name(rule: str) -> str:
    """Name of a rule in a sentence: `STOP-WTL`, `STBP`, `inference`.

    >>> rule_name("stop-wtl")
    'STOP-WTL'
    """
    return rule_named(rule).title


def sample_kind(evaluation: Evaluation) -> str:
    """What one sample of an evaluation is."""
    return "training sample" if evaluation.training else str(INFERENCE)


def context(workload: str, evaluation: Evaluation) -> str:
    """One line that says what was run on what, under the title of every picture of a chip."""
    return (
        f"{workload} · {evaluation.rule} · chip {evaluation.chip_name} ·"
        f" {MODEL_WORDS.get(evaluation.model, evaluation.model)} · T = {evaluation.time_steps} ·"
        f" {evaluation.samples} samples"
    )


def with_band(estimate: Estimate | None, unit: str) -> str:
    """`320 nJ (band 210 nJ to 450 nJ)`; the band is left out where no price enters."""
    if estimate is None:
        return NO_TOTAL
    text = scaled(estimate.mean, unit)
    if estimate.band_low == estimate.band_high:
        return text
    return f"{text} (band {scaled(estimate.band_low, unit)} to {scaled(estimate.band_high, unit)})"


def with_interval(estimate: Estimate | None, unit: str) -> str:
    """`(95 % CI 310 nJ to 330 nJ)` of the mean over samples, or that one sample has none."""
    if estimate is None:
        return "no confidence interval"
    if estimate.ci_low is None or estimate.ci_high is None:
        return "one sample, no confidence interval"
    return f"95 % CI {scaled(estimate.ci_low, unit)} to {scaled(estimate.ci_high, unit)}"
