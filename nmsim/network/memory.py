"""What a learning rule asks of the memory of a network, whatever the chip (docs/memory.md)."""

from typing import Literal

from pydantic import Field, model_validator

from nmsim.config import Record
from nmsim.rules import Carries, LearningRule, rule_named, rule_of


class TrainingNeeds(Record):
    """What a learning rule asks of the memory; plain flags, so that mappings need not know the rules.

    >>> needs = TrainingNeeds.for_rule("stop-wt", batch_size=8)
    >>> needs.rule, needs.carries, needs.trains
    ('stop-wt', 'traces', True)
    """

    carries: Carries = "traces"
    """What is kept between time steps: nothing, forward traces, or the history of a sample."""
    thresholds: bool = True
    """Thresholds are learned."""
    leak: bool = True
    """Leak factors are learned."""
    artificial: bool = False
    """The network runs as a dense artificial one, whose activations have `activation_bits` bits."""
    momentum: bool = False
    """Weights have a velocity."""
    centralized: bool = False
    """Gradients lose the mean of their neuron or channel before weights change."""
    update: Literal["accumulate", "in_place", "factored"] = "accumulate"
    """Weight gradient: one accumulator per weight; none; or, for dense layers, its factors over T."""
    stbp_history: Literal["stored", "recompute", "spill"] = "stored"
    """`recompute` keeps checkpoints and one segment between two of them; `spill` keeps it off chip."""
    batch_size: int = Field(default=1, ge=1)
    """Samples per update: how many samples' factors the factored gradient keeps."""
    samples_in_flight: int = Field(default=1, ge=1)
    """Samples B processed at the same time, each with its own state and buffers."""
    sample_bits: int = Field(default=8, ge=1)
    """Width of one value of the network's input."""
    static_input: bool = False
    """The input is the same at every time step."""
    keep_static_current: bool = False
    """The first layer's current of a static input is computed once and kept."""
    double_buffered: bool = False
    """The forward pass of t+1 overlaps the error pass of t: membranes, queues and accumulators exist twice."""

    @property
    def of_neurons(self) -> "TrainingNeeds":
        """What a rule asks of neurons, whatever it does to weights: their traces, what they learn, their input."""
        return TrainingNeeds(
            carries=self.carries, thresholds=self.thresholds, leak=self.leak, static_input=self.static_input
        )

    @model_validator(mode="after")
    def _gradient_is_kept(self) -> "TrainingNeeds":
        if self.update == "in_place" and self.momentum:
            raise ValueError("update 'in_place' keeps no gradient, hence no velocity; set momentum to false")
        if self.update != "accumulate" and self.centralized:
            raise ValueError(
                f"'{self.update}' does not keep the whole gradients that centralization needs; use accumulate"
            )
        return self

    @classmethod
    def for_rule(cls, rule: str, **options: bool | int | str) -> "TrainingNeeds":
        """Needs of a rule by name, one of `nmsim.rules.RULES` or narrowed; `options` are the other fields.

        Raises:
            ConfigError: there is no such rule.
        """
        own = rule_named(rule)
        flags = {
            "carries": own.carries, "thresholds": own.learns_thresholds, "leak": own.learns_leak,
            "artificial": own.artificial,
        }  # fmt: skip
        return cls.model_validate({**flags, **options})

    @property
    def rule(self) -> str:
        """Name of the rule, e.g. `stop-wtl`."""
        return self.learning_rule.name

    @property
    def learning_rule(self) -> LearningRule:
        """The rule that carries and learns this."""
        return rule_of(self.carries, thresholds=self.thresholds, leak=self.leak, artificial=self.artificial)

    @property
    def trains(self) -> bool:
        """Whether parameters change."""
        return self.carries != "nothing"


def kept_steps(time_steps: int, history: str) -> int:
    """Time steps whose states STBP holds at once, the one in work included.

    Stored or spilled (then off chip): T. Recomputed: checkpoints every k steps plus one segment of k steps,
    `min over k of ceil(T/k) - 1 + k` (checkpointing after Chen et al., arXiv 1604.06174).

    >>> kept_steps(16, "stored"), kept_steps(16, "recompute")
    (16, 7)
    """
    if history == "recompute":
        return min(-(-time_steps // k) - 1 + k for k in range(1, time_steps + 1))
    return time_steps


def activation_bits(time_steps: int) -> int:
    """Bits of an activation that tells as much as a count of spikes over T steps, 0 to T: `log2(T + 1)`, rounded up.

    >>> activation_bits(6), activation_bits(7), activation_bits(8)
    (3, 3, 4)
    """
    return time_steps.bit_length()
