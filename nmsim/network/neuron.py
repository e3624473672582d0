"""The spiking neuron: threshold, leak factor, surrogate gradient, and how they start."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from nmsim.config import Record


class Surrogate(StrEnum):
    """Shape of the surrogate derivative phi(x), x = U - theta.

    exponential exp(-|x|); triangle max(0, 1-|x|); rectangle 1 if |x| < 1/2 else 0; rational 1/(1+|x|)^2.
    """

    EXPONENTIAL = "exponential"
    TRIANGLE = "triangle"
    RECTANGLE = "rectangle"
    RATIONAL = "rational"


class Neuron(Record):
    """Initial parameters of every neuron of a network, and its surrogate derivative."""

    threshold: float = Field(default=1.0, gt=0)
    """Initial firing threshold theta."""
    leak_factor: float = Field(default=0.5, ge=0, le=1)
    """Initial leak factor alpha, one per layer; 1 is the integrate-and-fire neuron, which nothing is multiplied for and
    whose leak cannot be learned."""
    reset: Literal["subtract", "zero"] = "subtract"
    """What a spike does to the membrane: loses the threshold, or returns to zero (inference only)."""
    surrogate: Surrogate = Surrogate.EXPONENTIAL
    """Surrogate derivative phi."""
    weight_scale: float = Field(default=1.0, gt=0)
    """Factor on the initial weights' standard deviation, sqrt(2 / fan_in), of layers without one of their own."""

    @property
    def integrates(self) -> bool:
        """Whether it is an integrate-and-fire neuron, without a leak."""
        return self.leak_factor == 1
