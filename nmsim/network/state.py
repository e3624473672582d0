"""StateVariable: one row for every tensor that a sample carries from one time step to the next.

Memory tables, mappings and what they move off chip, the layout of the engine's memory, raw runs, golden vectors, the
searches for formats and the chip model's stages read these rows, so that another state variable is written once here and
then only where it is computed.
"""

from dataclasses import dataclass
from typing import Literal

from nmsim.contents import Content
from nmsim.network.precision import ResolvedPrecision
from nmsim.rules import LearningRule

Kept = Literal["always", "traces", "history"]
"""Who keeps a state variable: every pass of spiking neurons, rules that carry traces, or the rule that keeps a history."""


@dataclass(frozen=True)
class StateVariable:
    """One tensor of a sample's state in one layer.

    `per` says of what there is one value each; `setting` names the field of the precision section with its format, None
    for a single bit. `learns` limits it to rules that learn thresholds or leak factors. `twice`: there are two of it
    where the forward pass of a step overlaps the error pass of the step before.

    >>> from nmsim.rules import rule_named
    >>> [variable.name for variable in STATE_VARIABLES if variable.kept_by(rule_named("stop-wt"))]
    ['membrane', 'spike', 'weight_trace', 'threshold_trace']
    """

    content: Content
    per: Literal["neuron", "input"]
    setting: str | None
    kept: Kept = "always"
    learns: Literal["thresholds", "leak"] | None = None
    twice: bool = False

    @property
    def name(self) -> str:
        """Its name in files, overflow counts and raw runs."""
        return self.content.value

    def kept_by(self, rule: LearningRule) -> bool:
        """Whether training with a rule, or inference, keeps it; artificial neurons have no state."""
        if rule.artificial:
            return False
        learned = {None: True, "thresholds": rule.learns_thresholds, "leak": rule.learns_leak}
        return self.kept in {"always", rule.carries} and learned[self.learns]

    def bits(self, precision: ResolvedPrecision) -> int:
        """Width of one value in a layer's formats."""
        return 1 if self.setting is None else int(getattr(precision, self.setting).format.total_bits)


STATE_VARIABLES = (
    StateVariable(Content.MEMBRANE, "neuron", "membrane", twice=True),
    StateVariable(Content.SPIKE, "neuron", None),
    StateVariable(Content.WEIGHT_TRACE, "input", "weight_trace", "traces"),
    StateVariable(Content.THRESHOLD_TRACE, "neuron", "threshold_trace", "traces", "thresholds"),
    StateVariable(Content.LEAK_TRACE, "neuron", "leak_trace", "traces", "leak"),
    StateVariable(Content.TEMPORAL_ERROR, "neuron", "delta", "history"),
)
"""In the order in which a layer's memory lists them."""

STATE = frozenset({*(variable.content for variable in STATE_VARIABLES), Content.HISTORY})
"""What a sample carries from one time step to the next: the convention `state only`. A history is copies of the rows."""
FORWARD_STATE = tuple(variable for variable in STATE_VARIABLES if variable.kept != "history")
"""What a forward pass reads and writes at every time step."""
TRACES = tuple(variable for variable in STATE_VARIABLES if variable.kept == "traces")
NEURON_TRACES = tuple(variable for variable in TRACES if variable.per == "neuron")
"""Traces of a neuron's own past; each takes a multiplier of a neuron lane and a place of its own in the engine."""
