"""A stage: one part of a phase for one layer, as work for the resources of its cores."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import Itself
from nmsim.counts import Action, Block, Blocks, Component, Phase
from nmsim.hardware.routing import DIRECTIONS, EAST, WEST, Links
from nmsim.perf.entries import Entries
from nmsim.perf.machine import Machine
from nmsim.perf.traffic import Traffic
from nmsim.perf.traffic_load import TrafficLoad
from nmsim.perf.uses import Uses

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Cadence = Literal["step", "sample", "batch"]
KEPT = 64
"""Networks on chip whose links are kept."""


class StageKind(StrEnum):
    """Parts of the phases; each is one stage per layer (docs/timing.md)."""

    INTEGRATE = "integrate"
    """Input arrives and synapses are served."""
    REDUCE = "reduce"
    """Partial sums of a split fan-in travel to the neurons' owner."""
    NEURON = "neuron"
    """Leak, fire, traces."""
    NORMALISE = "normalise"
    """The cores of the output layer tell each other how many of their neurons fired, which the softmax needs."""
    DELTA = "delta"
    """Error times surrogate derivative."""
    DISTRIBUTE = "distribute"
    """Deltas travel to the other cores of a split fan-in."""
    PROPAGATE = "propagate"
    """Transposed weights times deltas."""
    COLLECT = "collect"
    """Errors travel to the layer below."""
    GRADIENT = "gradient"
    """Deltas times traces."""
    OUTER_PRODUCT = "outer product"
    """Weight gradient from its stored factors, once per sample."""
    EXCHANGE = "exchange"
    """Gradients of weights held by several cores are added up and the new weights sent back, once per batch."""
    UPDATE = "update"
    """New parameters, once per batch."""
    CLEAR = "clear"
    """State of the sample before is cleared, once per sample."""
    LOAD = "load"
    """What lives off chip comes in, and goes out if it changed."""


DEPTH_OF: Mapping[StageKind, str] = {
    StageKind.INTEGRATE: "integrate", StageKind.REDUCE: "integrate", StageKind.NEURON: "neuron", StageKind.CLEAR: "neuron",
    StageKind.NORMALISE: "delta", StageKind.DELTA: "delta",
    StageKind.DISTRIBUTE: "propagate", StageKind.PROPAGATE: "propagate", StageKind.COLLECT: "propagate",
    StageKind.GRADIENT: "gradient", StageKind.OUTER_PRODUCT: "gradient",
    StageKind.EXCHANGE: "update", StageKind.UPDATE: "update", StageKind.LOAD: "transfer",
}  # fmt: skip
"""Which of a core's pipelines a part fills."""


@dataclass(frozen=True, eq=False)
class Stage:
    """Work of n cores, for S samples and T time steps; T = 1 if `cadence` is not `step`, S = 1 if it is `batch`.

    `uses`: operations by `Lane` (SERVICE: nanoseconds), and accesses by memory that its ports take in turn (where reads and
    writes have ports of their own, the more frequent of them), made in bursts of neighbouring words; `traffic` arrives at
    the cores while they work; `dram_bits (S, T)`
    over the channel to DRAM; `waits (n, S, T)` cycles in which the datapath runs empty between rows of work. `blocks`
    are its counts.
    """

    phase: Phase
    layer: int
    part: StageKind
    cadence: Cadence
    cores: IntArray
    uses: Uses
    waits: FloatArray
    traffic: Traffic | None
    dram_bits: FloatArray
    blocks: Blocks
    samples: int
    array_bits: IntArray
    """Bits of a word of each memory `(n, M)`, 0 of register files: the price of those has their clock in it."""

    @cached_property
    def nbytes(self) -> int:
        """Bytes of its arrays, counts and packets."""
        packets = 0 if self.traffic is None else self.traffic.nbytes
        return self.uses.nbytes + self.waits.nbytes + self.blocks.nbytes + packets

    def on(self, machine: Machine) -> "Stage":
        """The stage with its packets on the network of a machine, and their actions among its counts."""
        if self.traffic is None:
            return self
        traffic = self.traffic.on(machine)
        return replace(self, traffic=traffic, blocks=Blocks((*self.blocks, *_packet_blocks(self, traffic))))

    @cached_property
    def name(self) -> str:
        """Name in tables and timelines, e.g. `error 2: propagate`."""
        return f"{self.phase} {self.layer}" + (
            "" if self.part.value == self.phase.value else f": {self.part}"
        )

    @cached_property
    def network(self) -> TrafficLoad | None:
        """Load of links and ports; the same on every chip that the stage is timed on."""
        return None if self.traffic is None else TrafficLoad(self.traffic)

    @cached_property
    def arrivals(self) -> FloatArray:
        """Flight of the first packet to each of its cores `(n, S, T)`."""
        if self.network is None:
            return np.zeros(self.waits.shape)
        return self.network.first_arrivals(self.cores)

    @cached_property
    def _moved(self) -> tuple[FloatArray, FloatArray]:
        return self.uses.moved(self.array_bits)

    @property
    def operations(self) -> FloatArray:
        """Operations that all lanes start `(n, S)`, nanoseconds of service left out."""
        return self._moved[0]

    @property
    def moved_bits(self) -> FloatArray:
        """Bits of the words that its memories take and give `(n, S)`, register files left out."""
        return self._moved[1]

    @cached_property
    def opened(self) -> dict[tuple[float, int], dict[Hashable, float]]:
        """What its operations and moved bits open of clocks, by its share of a batch and samples (`CoreActivity.kept`)."""
        return {}

    @cached_property
    def used(self) -> IntArray:
        """Numbers of the lanes and memories that have something to do, core by core of the machine `(K,)`."""
        row, place = np.divmod(self.uses.number, self.uses.resources)
        return np.asarray(self.cores[row] * self.uses.resources + place)

    @property
    def empty(self) -> bool:
        """Whether nothing happens in it."""
        return self.traffic is None and not (len(self.uses.number) or self.dram_bits.any())


def _packet_blocks(stage: Stage, traffic: Traffic) -> Iterator[Block]:
    """What the packets of a stage do on the network on chip."""
    machine, shared = traffic.machine, np.array([-1])
    noc, flits = machine.chip.noc, traffic.flits
    packets = traffic.link_packets
    summed = _link_weights(Itself(machine.links)) @ packets.reshape(len(packets), -1)
    every, wire, border, *ways = summed.reshape(-1, *packets.shape[1:])
    happened: list[tuple[Component, Action, str, int, IntArray]] = []
    if machine.chip.host is not None:
        entering = traffic.packets[traffic.source < 0].sum(axis=0)
        bits = traffic.packet_bits - noc.header_bits
        happened.append((Component.HOST, Action.BIT, "", 0, entering * bits))
    happened += [
        (Component.NOC, Action.FLIT_HOP, "", noc.flit_bits, every * flits),
        (Component.NOC, Action.WIRE_BIT_UM, "", 0, wire * (flits * noc.flit_bits)),
        (Component.CHIP_LINK, Action.BIT, "", 0, border * traffic.packet_bits),
    ]
    for direction, name in enumerate(DIRECTIONS):
        action = Action.HOP_EAST_WEST if direction in (EAST, WEST) else Action.HOP_NORTH_SOUTH
        happened.append((Component.EVENT, action, name, 0, ways[direction]))
    happened.append((Component.EVENT, Action.PACKET_LOCAL, "", 0, traffic.within_tile))
    entries = Entries(1, stage.waits.shape[1:])
    numbers = [entries.count(values[None]) for *_, values in happened]
    totals = entries.totals()
    for (component, action, unit, bits, _), number in zip(happened, numbers, strict=True):
        key = (component, action, unit, bits, 0, 0, stage.phase, stage.layer)
        yield stage_block(key, shared, totals[number], stage.cadence, stage.samples, stage.waits.shape[2])


@lru_cache(maxsize=KEPT)
def _link_weights(links: Itself[Links]) -> IntArray:
    """What a packet over each link counts for `(7, L)`: links, micrometres on chips, chip borders, links by direction."""
    border, direction = links.it.chip_border, np.arange(len(links.it.chip_border)) % len(DIRECTIONS)
    ways = direction == np.arange(len(DIRECTIONS))[:, None]
    rows = (np.ones_like(border), links.it.length_um * ~border, border, *ways)
    return np.array(rows, np.int64)


def stage_block(
    key: tuple[object, ...], cores: IntArray, totals: tuple[IntArray, IntArray], cadence: Cadence, samples: int, steps: int
) -> Block:  # fmt: skip
    """Rows of counts on some cores, whose `totals` are those of `Entries`."""
    over_steps, over_samples = totals
    if cadence == "step":
        return Block(key, cores, over_steps, of_steps=over_samples, steps=steps)
    return Block(key, cores, np.broadcast_to(over_steps, (len(cores), samples)), cadence == "batch")
