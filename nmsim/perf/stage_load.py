"""Load: how long each resource of a stage is taken, before anything waits for anything; DRAM's, the chip's own, apart."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.noc import Dram
from nmsim.perf.cells import take
from nmsim.perf.machine import Lane, Machine
from nmsim.perf.stage import DEPTH_OF, Stage
from nmsim.perf.traffic_load import TrafficLoad
from nmsim.perf.uses import MAX_LANES
from nmsim.sums import sum_last
from nmsim.units import S_PER_NS

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Rows = tuple[IntArray, FloatArray]
"""Numbers of resources `(K,)`, and the cycles that each is taken `(K, S, T)`."""
NOWHERE = np.zeros((0, 0))
"""Arrivals of a stage without traffic."""


class Cells(NamedTuple):
    """What one pass over the work of a stage gives; axes as in `StageLoad`."""

    taken: FloatArray
    """How long each lane and memory that is used is taken `(K, S, T)`."""
    conflicts: FloatArray | None
    """What of it are expected conflicts; None where there are none."""
    work: FloatArray
    fill: FloatArray
    ends: FloatArray
    """When the last core is done `(S, T)`, packets on their way included."""
    fullest: FloatArray
    """Most loaded lane of each kind, then memory of each kind `(5 + kinds, S, T)`."""


@dataclass(frozen=True, eq=False)
class StageLoad:
    """Cycles each resource of a stage is taken; (S, T) as in the stage, n its cores, M memories."""

    machine: Machine
    stage: Stage

    @cached_property
    def _cells(self) -> Cells:
        machine, stage, uses = self.machine, self.stage, self.stage.uses
        n, *cells = stage.waits.shape
        flat = (
            cells[0] * cells[1]
        )  # samples and steps are independent: one axis lets the compiled loop run over both
        used = len(uses.number), flat
        arrivals = NOWHERE if stage.network is None else stage.arrivals.reshape(n, flat)
        found = [np.empty(used), np.empty(used)]
        found += [np.zeros((rows, flat)) for rows in (n, n, 1, MAX_LANES + len(machine.memory_kinds))]
        take(
            uses.number, uses.amount.reshape(used), uses.bursts.reshape(used), stage.waits.reshape(n, flat), arrivals,
            stage.cores, machine.lane_rate, machine.memory_rate, machine.banks, machine.log_banks, machine.fill_cycles,
            machine.depth_cycles[DEPTH_OF[stage.part]], machine.event_timed, machine.memory_kind,
            found[0], found[1], found[2], found[3], found[4][0], found[5],
        )  # fmt: skip
        taken, conflicts, work, fill, ends, fullest = (array.reshape(len(array), *cells) for array in found)
        return Cells(taken, conflicts if conflicts.any() else None, work, fill, ends[0], fullest)

    @property
    def nbytes(self) -> int:
        """Bytes of what it keeps, estimated before it is found."""
        return 2 * self.stage.uses.amount.nbytes + 4 * self.stage.waits.nbytes

    @property
    def taken(self) -> FloatArray:
        """Of every lane, then of every memory `(n, 5 + M, S, T)`."""
        return self.stage.uses.spread(self._cells.taken)

    @property
    def lanes(self) -> FloatArray:
        """Work over throughput `(n, 5, S, T)`."""
        return self.taken[:, :MAX_LANES]

    @property
    def conflicts(self) -> FloatArray:
        """Expected cycles lost to bank conflicts `(n, M, S, T)`."""
        uses, found = self.stage.uses, self._cells.conflicts
        return uses.spread(np.zeros(uses.amount.shape) if found is None else found)[:, MAX_LANES:]

    @property
    def memories(self) -> FloatArray:
        """Accesses over ports and banks, expected conflicts included `(n, M, S, T)`."""
        return self.taken[:, MAX_LANES:]

    @property
    def work_cycles(self) -> FloatArray:
        """Cycles of each core, without fill: its most loaded resource `(n, S, T)`; whole cycles if clocked."""
        return self._cells.work

    @property
    def fill_cycles(self) -> FloatArray:
        """Cycles besides the work of each core that has any `(n, S, T)`: fill of datapath and slow memories, waits."""
        return self._cells.fill

    @cached_property
    def longest_fill(self) -> FloatArray:
        """Fill of the core that has most of it `(S, T)`."""
        return np.asarray(self.fill_cycles.max(axis=0))

    @cached_property
    def busy_cycles(self) -> FloatArray:
        """Work and fill `(n, S, T)`."""
        return self.work_cycles + self.fill_cycles

    @cached_property
    def busy_of_sample(self) -> FloatArray:
        """Work and fill of all time steps `(n, S)`."""
        return sum_last(self.busy_cycles)

    @property
    def taken_of_sample(self) -> FloatArray:
        """`taken` of all time steps `(n, 5 + M, S)`."""
        return self.stage.uses.spread(sum_last(self._cells.taken))

    @cached_property
    def conflicts_of_sample(self) -> FloatArray:
        """Conflicts of all cores, memories and time steps `(S,)`."""
        if self._cells.conflicts is None:
            return np.zeros(self.stage.waits.shape[1])
        return np.asarray(self.conflicts.sum(axis=(0, 1, 3)))

    @property
    def network(self) -> TrafficLoad | None:
        """Load of links and ports."""
        return self.stage.network

    @cached_property
    def rows(self) -> Rows:
        """What is taken of lanes and memories, numbered core by core of the machine, where they are used."""
        return self.stage.used, self._cells.taken

    @property
    def resources(self) -> int:
        """Lanes and memories of a core."""
        return self.stage.uses.resources

    @cached_property
    def cycles(self) -> FloatArray:
        """The stage by itself, but for its transfers from and to DRAM, which go on beside `(S, T)`.

        Each core works from its first packet on and fills its pipeline; the network, if it takes longer, is followed
        by the longest fill.
        """
        cycles = self._cells.ends
        if self.network is not None:
            cycles = np.maximum(cycles, np.ceil(self.network.cycles) + self.longest_fill)
        return np.asarray(cycles)

    @cached_property
    def most_taken(self) -> dict[str, float]:
        """Cycles that the most loaded resource of each kind is taken over all samples and time steps, by name."""
        names = [f"{lane.name.lower()} lanes" for lane in Lane]
        names += [f"memory '{name}'" for name, _ in self.machine.memory_kinds]
        found = dict(zip(names, self._cells.fullest, strict=True))
        if self.network is not None:
            found |= self.network.fullest
        return {name: float(load.sum()) for name, load in found.items()}


def dram_cycles(stage: Stage, chip: ChipConfig, clock_hz: float) -> FloatArray:
    """Cycles that the channel to DRAM is taken `(S, T)`: bits over bandwidth, and the latency of the first access."""
    if chip.dram is None or not stage.dram_bits.any():
        return np.zeros(stage.dram_bits.shape)
    rate, latency = dram_rate(chip.dram, clock_hz)
    return np.asarray(np.where(stage.dram_bits > 0, np.ceil(stage.dram_bits / rate) + latency, 0.0))


def dram_rate(dram: Dram, clock_hz: float) -> tuple[float, float]:
    """Bits per cycle, and latency in cycles."""
    return dram.bandwidth_bits_per_s / clock_hz, float(np.ceil(dram.latency_ns * S_PER_NS * clock_hz))
