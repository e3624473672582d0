"""The training section of a workload: which rule, which arithmetic, how long, how fast."""

from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from nmsim.config import Record
from nmsim.errors import ConfigError
from nmsim.fixedpoint.real import cosine_of_pi
from nmsim.network.spec import NetworkSpec
from nmsim.rules import BASELINE, DEFAULT, LearningRule, TrainedRule


def check_network(network: NetworkSpec, rule: LearningRule, *, learns: bool) -> None:
    """A rule can run a network; `learns` says whether parameters are to change.

    Raises:
        ConfigError: it learns leaks that are one, or anything across a reset to zero, which the traces do not follow, or
            across an average that is not exact.
    """
    neuron, average = network.neuron, network.inexact_average
    if neuron.integrates and rule.learns_leak:
        raise ConfigError(
            f"training.rule: '{rule}' learns leak factors, but neuron.leak_factor is 1, a neuron without a leak; use a rule"
            " that leaves them alone, such as stop-wt, or a leak factor below 1"
        )
    if learns and neuron.reset == "zero":
        raise ConfigError(
            "neuron.reset: 'zero' is for inference, because the traces of learning assume that a spike subtracts the"
            " threshold; use reset: subtract to train"
        )
    if learns and average is not None:
        raise ConfigError(
            f"network.layers: the {average.kind} over {average.window} inputs is for inference, because only averages over a"
            " power of two are exact; use one, a sum_pool, or pad the map to train"
        )


class Rate(Record):
    """A learning rate a chip can hold: `mantissa * 2**-shift`.

    >>> rate = Rate.nearest(0.1)
    >>> rate.mantissa, rate.shift, rate.value
    (205, 11, 0.10009765625)
    """

    mantissa: int = Field(ge=0, le=255)
    shift: int = Field(ge=0, le=63)

    @classmethod
    def nearest(cls, value: float | Fraction) -> "Rate":
        """The representable rate nearest to a real one (exact in rational arithmetic, ties to the even mantissa)."""
        if value <= 0:
            return cls(mantissa=0, shift=0)
        exact, shift = Fraction(value), 0
        while shift < 63 and round(exact * 2 ** (shift + 1)) <= 255:
            shift += 1
        mantissa = round(exact * 2**shift)
        if mantissa > 255:
            raise ValueError(f"learning rate {float(value)} is above 255; use a smaller one")
        return cls(mantissa=mantissa, shift=shift)

    @property
    def value(self) -> float:
        """The rate as a real number."""
        return self.mantissa * 2.0**-self.shift


class LearningRates(Record):
    """Base learning rates; a number is rounded to the nearest mantissa and shift in fixed-point runs.

    >>> LearningRates(weight=0.05).threshold
    0.01
    """

    weight: float = Field(default=0.1, ge=0, le=255)
    threshold: float = Field(default=0.01, ge=0, le=255)
    leak: float = Field(default=0.001, ge=0, le=255)


class RateSchedule(Record):
    """Factor on all learning rates by epoch.

    >>> RateSchedule(kind="step", step_epochs=2).factor(4, epochs=10)
    Fraction(1, 4)
    """

    kind: Literal["constant", "cosine", "step"] = "constant"
    step_epochs: int = Field(default=10, ge=1, le=1_000_000)
    """`step`: epochs between two multiplications by `step_factor`."""
    step_factor: float = Field(default=0.5, gt=0, le=1)

    def factor(self, epoch: int, epochs: int) -> Fraction:
        """Factor for an epoch counted from 0, exact or to sixty digits; cosine goes from 1 towards 0 over `epochs`."""
        if self.kind == "cosine":
            return (1 + cosine_of_pi(Fraction(min(epoch, epochs), epochs))) / 2
        if self.kind == "step":
            return Fraction(self.step_factor) ** (epoch // self.step_epochs)
        return Fraction(1)


class TrainingSpec(Record):
    """How a network is trained: the rule, its arithmetic, and the usual settings of stochastic gradient descent.

    With `arithmetic: fixed` a training is bit-exact and can be replayed in hardware; `float64` and `float32` are for
    comparison, and the only ones for STBP. docs/algorithm.md says what rules compute, docs/memory.md what they keep.

    Raises (also through `config.build`):
        ConfigError: settings that do not go together, such as a batch size that is no power of two with a mean by shift.

    >>> training = TrainingSpec(rule="stop-wt", batch_size=8, epochs=2)
    >>> training.rule.learns_leak, training.arithmetic, training.update
    (False, 'fixed', 'accumulate')
    """

    rule: TrainedRule = DEFAULT
    arithmetic: Literal["fixed", "float64", "float32"] = "fixed"
    loss: Literal["cross_entropy", "squared_error"] = "cross_entropy"
    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=32, ge=1, le=2**20)
    """Samples per update; a last incomplete batch of an epoch is left out."""
    learning_rates: LearningRates = LearningRates()
    schedule: RateSchedule = RateSchedule()
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Factor of the weights' velocity, rounded to u8.8 in fixed-point runs; 0 switches the velocity off."""
    batch_division: Literal["shift", "folded"] = "shift"
    """Mean over the batch: by a power-of-two shift, or folded into the learning rate (any batch size)."""
    update: Literal["accumulate", "in_place", "factored"] = "accumulate"
    """When weights change: after the batch; at every time step; after the sample, from stored factors (dense layers).

    The latter two need batch size 1.
    """
    gradient_centralization: bool = False
    """Every neuron's (dense) or channel's (convolution) weight gradient loses its mean; initial weights likewise.

    After Yong, Huang, Hua, Zhang, "Gradient centralization", ECCV 2020. It does for deep networks what batch normalisation
    does elsewhere: spikes are never negative, and their common part no longer decides what a layer does.
    """
    reset_gradient: Literal["detached", "full"] = "detached"
    """STBP only: whether errors also flow back through the spike that resets the membrane."""
    theta_min: float | None = Field(default=None, gt=0)
    """Lower bound of thresholds; one LSB (fixed) or 2**-10 (float) if absent."""
    alpha_max: float | None = Field(default=None, gt=0, lt=1)
    """Upper bound of leak factors; the format's largest value (fixed) or 1 - 2**-16 (float) if absent."""

    @model_validator(mode="after")
    def _combinations(self) -> "TrainingSpec":
        if (
            self.batch_division == "shift"
            and self.batch_size & (self.batch_size - 1)
            and self.arithmetic == "fixed"
        ):
            raise ValueError(
                f"batch_size {self.batch_size} is not a power of two, so its mean is not a shift; use a power of two or"
                " batch_division: folded"
            )
        if self.update != "accumulate" and self.batch_size != 1:
            raise ValueError(
                f"update '{self.update}' needs batch_size 1, not {self.batch_size}; change one of the two"
            )
        if self.update == "in_place" and self.momentum > 0:
            raise ValueError(
                "update 'in_place' keeps no gradient, so momentum must be 0; change one of the two"
            )
        if self.update != "accumulate" and self.gradient_centralization:
            raise ValueError(
                f"gradient_centralization needs the whole gradient of a neuron, which update '{self.update}' does not keep;"
                " use update accumulate or switch it off"
            )
        if self.update == "in_place" and self.rule.through_time:
            raise ValueError(
                f"update 'in_place' needs the errors of each step at once, which {self.rule} does not have; use accumulate"
            )
        if self.reset_gradient == "full" and not self.rule.through_time:
            raise ValueError(
                f"reset_gradient 'full' is a choice of rule {BASELINE}, not of {self.rule}; remove it or use {BASELINE}"
            )
        return self
