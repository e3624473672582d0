"""Bursts: how packets of a flow are grouped."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bursts:
    """A flow of packets travels in at most `per_flow` bursts, each of at least `packets` packets."""

    per_flow: int = 8
    packets: int = 4
