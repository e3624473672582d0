"""Load: how long each resource of a stage is taken, before anything waits for anything."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.hardware.noc import Dram
from nmsim.perf.machine import Lane, Machine
from nmsim.perf.stage import DEPTH_OF, Stage
from nmsim.perf.traffic_load import TrafficLoad
from nmsim.units import S_PER_NS

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StageLoad:
    """Cycles each resource of a stage is taken; (S, T) as in the stage, n its cores, M memories."""

    machine: Machine
    stage: Stage

    @cached_property
    def lanes(self) -> FloatArray:
        """Work over throughput `(n, 5, S, T)`."""
        return np.asarray(self.stage.lanes / self.machine.lane_rate[self.stage.cores][:, :, None, None])

    @cached_property
    def conflicts(self) -> FloatArray:
        """Expected cycles lost to bank conflicts `(n, M, S, T)`.

        A burst of w words over B banks leaves w mod B words that meet other bursts at random: the fullest of B banks
        holds more than the mean by about sqrt(2 ln(B) variance).
        """
        cores = self.stage.cores
        banks = self.machine.banks[cores][:, :, None, None].astype(np.float64)
        if (banks == 1).all():
            return np.zeros_like(self.stage.words)
        bursts = self.stage.bursts
        share = (self.stage.words / np.maximum(bursts, 1) % banks) / banks
        variance = bursts * share * (1 - share)
        ports = self.machine.memory_rate[cores][:, :, None, None] / banks
        return np.asarray(np.where(bursts > 1, np.sqrt(2 * np.log(banks) * variance) / ports, 0.0))

    @cached_property
    def memories(self) -> FloatArray:
        """Accesses over ports and banks, expected conflicts included `(n, M, S, T)`."""
        rate = self.machine.memory_rate[self.stage.cores][:, :, None, None]
        return np.asarray(self.stage.words / rate + self.conflicts)

    @cached_property
    def work_cycles(self) -> FloatArray:
        """Cycles of each core, without fill: its most loaded resource `(n, S, T)`; whole cycles if clocked."""
        cycles = np.maximum(self.lanes.max(axis=1), self.memories.max(axis=1))
        timed = self.machine.event_timed[self.stage.cores][:, None, None]
        return np.asarray(np.where(timed, cycles, np.ceil(cycles - 1e-9)))

    @cached_property
    def fill_cycles(self) -> FloatArray:
        """Cycles besides the work of each core that has any `(n, S, T)`: fill of datapath and slow memories, waits."""
        slow = self.machine.fill_cycles[self.stage.cores][:, :, None, None] * (self.stage.words > 0)
        depth = self.machine.depth_cycles[DEPTH_OF[self.stage.part]][self.stage.cores][:, None, None]
        return np.asarray((depth + slow.max(axis=1) + self.stage.waits) * (self.work_cycles > 0))

    @cached_property
    def busy_cycles(self) -> FloatArray:
        """Work and fill `(n, S, T)`."""
        return self.work_cycles + self.fill_cycles

    @cached_property
    def network(self) -> TrafficLoad | None:
        """Load of links and ports."""
        return None if self.stage.traffic is None else TrafficLoad(self.stage.traffic)

    @cached_property
    def dram(self) -> FloatArray:
        """Bits over bandwidth, and the latency of the first access `(S, T)`."""
        dram = self.machine.chip.dram
        if dram is None or not self.stage.dram_bits.any():
            return np.zeros(self.stage.dram_bits.shape)
        rate, latency = dram_rate(dram, self.machine.chip.clock_hz)
        return np.asarray(
            np.where(self.stage.dram_bits > 0, np.ceil(self.stage.dram_bits / rate) + latency, 0.0)
        )

    @cached_property
    def resources(self) -> dict[str, FloatArray]:
        """Most loaded resource of each kind `(S, T)`, by name; the largest is the bottleneck."""
        found = {f"{lane.name.lower()} lanes": self.lanes[:, lane].max(axis=0) for lane in Lane}
        kinds = self.machine.memory_kind[self.stage.cores]
        for kind, (name, _) in enumerate(self.machine.memory_kinds):
            here = np.where((kinds == kind)[:, :, None, None], self.memories, 0.0)
            found[f"memory '{name}'"] = here.max(axis=(0, 1))
        if self.network is not None:
            injection, ejection = self.network.ports
            links = self.network.links
            found |= {
                "links": links.max(axis=0),
                "injection": injection.max(axis=0),
                "ejection": ejection.max(axis=0),
            }
        if self.stage.dram_bits.any():
            found["dram"] = self.dram
        return found

    @cached_property
    def cycles(self) -> FloatArray:
        """The stage by itself `(S, T)`.

        Each core works from its first packet on and fills its pipeline; the network, if it takes longer, is followed
        by the longest fill; transfers from and to DRAM go on beside.
        """
        ends = self.work_cycles + self.fill_cycles
        if self.network is not None:
            ends = ends + np.where(self.work_cycles > 0, self.network.first_arrivals(self.stage.cores), 0.0)
        cycles = ends.max(axis=0)
        if self.network is not None:
            cycles = np.maximum(cycles, np.ceil(self.network.cycles) + self.fill_cycles.max(axis=0))
        return np.asarray(np.maximum(cycles, self.dram))

    @cached_property
    def bottleneck(self) -> str:
        """Name of the resource that is most often the most loaded one."""
        if not self.cycles.any():
            return ""
        totals = {name: float(load.sum()) for name, load in self.resources.items()}
        return max(totals, key=lambda name: totals[name])


def dram_rate(dram: Dram, clock_hz: float) -> tuple[float, float]:
    """Bits per cycle, and latency in cycles."""
    return dram.bandwidth_bits_per_s / clock_hz, float(np.ceil(dram.latency_ns * S_PER_NS * clock_hz))
