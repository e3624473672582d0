"""Sums: at which level of a core's memories input sums and error sums are added up, and in how many passes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.hardware.dataflow import Flow
from nmsim.perf.machine import Machine

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SumLevels:
    """Sums of the n slices of a layer; every array is `(n,)`.

    `home` and `near` are indices of memories (`near` is the home where a core has no smaller one), `has_near` says where
    there is one. `capacity` sums can be held in place: those of the near level, or, without one, a sum in each lane.
    `fits` where all sums of the core's slices stay near at once.
    """

    home: IntArray
    near: IntArray
    has_near: NDArray[np.bool_]
    capacity: IntArray
    fits: NDArray[np.bool_]
    flow: Flow

    @classmethod
    def of(
        cls, machine: Machine, content: Content, cores: IntArray, values: IntArray, bits: int, lanes: IntArray, flow: Flow
    ) -> "SumLevels":  # fmt: skip
        """Sums of `values (n,)` of some bits on `cores (n,)` with so many `lanes (n,)`."""
        if machine.event_timed[cores].all():
            nothing = np.zeros(len(cores), np.int64)
            never = np.zeros(len(cores), np.bool_)
            return cls(nothing, nothing, never, lanes, never, flow)
        home = machine.memory_index(cores, content)
        near = machine.near_of[content][cores]
        has_near = near >= 0
        near = np.where(has_near, near, home)
        words, width = machine.words[cores, near], machine.word_bits[cores, near]
        held = np.where(width >= bits, words * np.maximum(width // bits, 1), words // -(-bits // width))
        at_core = np.bincount(cores, weights=values).astype(np.int64)[cores]
        fits = has_near & (at_core <= held)
        return cls(home, near, has_near, np.where(has_near, held, lanes), fits, flow)

    @cached_property
    def stay(self) -> NDArray[np.bool_]:
        """Where outputs stay in place until they are complete, pass by pass."""
        return np.full(len(self.home), self.flow == "output_stationary")

    @cached_property
    def at(self) -> IntArray:
        """Memories in which sums are added up."""
        return np.where(self.fits | self.stay, self.near, self.home)

    def passes(self, values: IntArray) -> IntArray:
        """Turns that neighbouring `values (n,)` take through the streaming operands, as many held in place as can be."""
        return np.asarray(np.where(self.stay, -(-values // np.maximum(self.capacity, 1)), 1))
