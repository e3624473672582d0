"""LearningRule: what a rule learns and what it carries from step to step; the only home of the rules' names.

A new rule is one row here. The engines that run it (`nmsim.stop.engines`) and the memory it takes (`nmsim.network.memory`)
ask for its properties, not for its name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticKnownError

from nmsim.errors import ConfigError

Carries = Literal["nothing", "traces", "history"]
"""What training takes along over time: nothing, forward traces (STOP), or the states of earlier steps (STBP)."""


@dataclass(frozen=True)
class LearningRule:
    """A learning rule, or inference, which learns nothing.

    `name` stands in files and options. Weights are learned by every rule but inference.

    >>> rule = rule_named("stop-wt")
    >>> rule.learns_thresholds, rule.learns_leak, rule.carries, rule.title
    (True, False, 'traces', 'STOP-WT')
    """

    name: str
    carries: Carries
    learns_thresholds: bool
    """Thresholds are learned."""
    learns_leak: bool
    """Leak factors are learned."""
    artificial: bool = False
    """The network runs as a dense artificial one: values in the place of spikes, once instead of over T steps."""

    def __str__(self) -> str:
        """Its name, as in files."""
        return self.name

    @property
    def trains(self) -> bool:
        """Whether parameters change."""
        return self.carries != "nothing"

    @property
    def through_time(self) -> bool:
        """Whether errors are propagated back in time after the last step: it keeps a history and is float only."""
        return self.carries == "history"

    @property
    def profile(self) -> str:
        """Which recorded activity stands for it: `stbp` for errors through time, else `stop`."""
        return profile_of(self.carries)

    @property
    def title(self) -> str:
        """Its name in a sentence: `STOP-WTL`, `STBP`, `inference`, `ANN`."""
        return self.name.upper() if self.trains or self.artificial else self.name


def profile_of(carries: Carries) -> str:
    """Name of the activity that is recorded for rules that carry this.

    >>> profile_of("history"), profile_of("traces")
    ('stbp', 'stop')
    """
    return "stbp" if carries == "history" else "stop"


FORWARD_PROFILE = profile_of("traces")
"""The activity that every run records: it stands for inference and for all rules without a pass back through time."""
PROFILES = (FORWARD_PROFILE, profile_of("history"))
"""Every activity that a run may hold."""


INFERENCE = LearningRule("inference", "nothing", learns_thresholds=False, learns_leak=False)
STOP_W = LearningRule("stop-w", "traces", learns_thresholds=False, learns_leak=False)
STOP_WT = LearningRule("stop-wt", "traces", learns_thresholds=True, learns_leak=False)
STOP_WL = LearningRule("stop-wl", "traces", learns_thresholds=False, learns_leak=True)
STOP_WTL = LearningRule("stop-wtl", "traces", learns_thresholds=True, learns_leak=True)
STBP = LearningRule("stbp", "history", learns_thresholds=True, learns_leak=True)
"""Backpropagation through time with spatio-temporal errors: the baseline that STOP is compared with."""

ANN = LearningRule("ann", "nothing", learns_thresholds=False, learns_leak=False, artificial=True)
"""No rule of learning, but the other way to run the same network: what an architect compares spikes with (docs/ann.md)."""

DEFAULT = STOP_WTL
"""What a training uses if it names no rule, and what stands for STOP in comparisons: it learns as much as the baseline."""

BASELINE = STBP
"""What reports compare every other rule with."""

RULES = {rule.name: rule for rule in (INFERENCE, STOP_W, STOP_WT, STOP_WL, STOP_WTL, STBP)}
"""By name, in the order of tables: inference, the variants of STOP from the smallest to the largest, the baseline."""
NARROWED = {
    rule.name: rule
    for rule in (
        LearningRule("stbp-w", "history", learns_thresholds=False, learns_leak=False),
        LearningRule("stbp-wt", "history", learns_thresholds=True, learns_leak=False),
        LearningRule("stbp-wl", "history", learns_thresholds=False, learns_leak=True),
    )
}
"""The baseline with fewer parameters learned: for comparisons of memory and time, not for training."""


def rule_named(name: str) -> LearningRule:
    """The rule of a name.

    Raises:
        ConfigError: there is no such rule.
    """
    found = RULES.get(name) or NARROWED.get(name) or (ANN if name == ANN.name else None)
    if found is None:
        raise ConfigError(f"learning rule '{name}' is not known; use one of {', '.join((*RULES, ANN.name))}")
    return found


def rule_of(carries: Carries, *, thresholds: bool, leak: bool, artificial: bool = False) -> LearningRule:
    """The rule that carries and learns this.

    >>> rule_of("traces", thresholds=True, leak=False).name
    'stop-wt'
    """
    known: Iterable[LearningRule] = (*RULES.values(), *NARROWED.values())
    if carries == "nothing":
        return ANN if artificial else INFERENCE
    return next(
        r for r in known if (r.carries, r.learns_thresholds, r.learns_leak) == (carries, thresholds, leak)
    )


_TRAINED = [rule.name for rule in RULES.values() if rule.trains]


def _trained(value: Any) -> LearningRule:
    if isinstance(value, LearningRule) and value.trains:
        return value
    if value not in _TRAINED:
        names = [f"'{name}'" for name in _TRAINED]
        raise PydanticKnownError("enum", {"expected": f"{', '.join(names[:-1])} or {names[-1]}"})
    return RULES[value]


TrainedRule = Annotated[
    LearningRule,
    BeforeValidator(_trained),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "enum": _TRAINED}),
]
"""A rule in the training section of a workload, written by its name."""
