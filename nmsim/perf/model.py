"""What a performance model is, and what it returns: how long the work takes, and what waits meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nmsim.counts import ActionCounts, CoreActivity, Phase
from nmsim.perf.stage import Cadence, StageKind
from nmsim.perf.work import StepWork

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class StageLabel:
    """Which stage a row of `PerfResult.stage_cycles` is, and what bounds it."""

    name: str
    phase: Phase
    layer: int
    part: StageKind
    cadence: Cadence
    bottleneck: str
    """The resource that decides its duration in most of the time: a lane, a memory, `links`, `injection`,
    `ejection`, `dram`; empty if nothing happens."""


@dataclass(frozen=True)
class TimelineEvent:
    """One bar of a timeline: a core, memory, link, DRAM channel or barrier at work.

    The first word of `track` is what works. `busy_cycles` of the bar are work: the rest is waiting for what arrives,
    idle time between bursts, or a bank conflict.
    """

    track: str
    name: str
    start_cycles: float
    duration_cycles: float
    busy_cycles: float


@dataclass(frozen=True)
class PerfResult:
    """How S samples ran, each after the other; both models are cycle-approximate.

    Axes: S samples, T time steps, n cores in use, M memories per core (padded), L links of the joint mesh. Cycles are
    whole numbers on clocked chips and multiples of the clock's resolution on chips described by their events.
    """

    model: str
    clock_hz: float
    rule: str
    batch_size: int
    cycles: FloatArray
    """Per sample `(S,)`, without the update."""
    update_cycles: float
    """Of one update, once per batch."""
    stages: tuple[StageLabel, ...]
    stage_cycles: FloatArray
    """Time that the most loaded core, link or port of every stage takes for it `(stage, S, T)`, waiting for packets
    included, waiting for stages that run beside it left out; of stages that come once per sample or batch in the first
    column. Stages that start together may so last longer than each of them: see `slot_cycles`."""
    slot_cycles: FloatArray
    """Duration of every slot of the schedule, barrier included `(S, slots)`; sequential: one slot per time step."""
    phase_cycles: Mapping[Phase, FloatArray]
    """Where the time of a sample goes `(S,)`, its share of the update included: adds up to `sample_cycles`. Where
    phases run beside each other, a slot's time goes to the phases of its longest chain."""
    barriers: int
    """Per sample."""
    cores: IntArray
    """Numbers of the cores in use `(n,)`."""
    core_busy_cycles: FloatArray
    """`(n, S)`, without the update."""
    memory_names: tuple[tuple[str, ...], ...]
    """Names of the memories of each core in use."""
    memory_busy_cycles: FloatArray
    """`(n, M, S)`, without the update."""
    lane_busy_cycles: FloatArray
    """By `nmsim.perf.machine.Lane` `(n, 5, S)`, without the update."""
    link_flits: IntArray
    """`(L, S)`, without the update."""
    link_busy_cycles: FloatArray
    """`(L, S)`, without the update."""
    dram_busy_cycles: FloatArray
    """`(S,)`, without the update."""
    stall_cycles: Mapping[str, FloatArray]
    """Cycles lost by cause `(S,)`, summed over the resources that lost them: `bank conflict`, `link contention`,
    `queue full`, `injection`. The analytic model knows bank conflicts only."""
    packets_sent: IntArray
    """Deliveries that the flows of the work ask for `(S,)`: packets times their targets."""
    packets_received: IntArray
    """Deliveries that happened `(S,)`."""
    counts: ActionCounts
    activities: tuple[CoreActivity, ...] = ()
    """What cores did in each stage: what their clocks cost follows from it."""
    notes: tuple[str, ...] = ()
    timeline: tuple[TimelineEvent, ...] = ()
    """The first sample, and after it one update."""
    timeline_left_out: int = 0
    """Bars beyond the number that is kept."""

    @property
    def sample_cycles(self) -> FloatArray:
        """Cycles per sample `(S,)`, its share of the update included."""
        return self.cycles + self.update_cycles / self.batch_size

    @property
    def latency_s(self) -> FloatArray:
        """Seconds per sample `(S,)`, its share of the update included."""
        return self.sample_cycles / self.clock_hz

    @property
    def core_waiting_cycles(self) -> FloatArray:
        """Cycles in which a core waits for others, packets or the barrier `(n, S)`."""
        return np.maximum(self.cycles - self.core_busy_cycles, 0)

    @property
    def link_utilization(self) -> FloatArray:
        """Share of a sample in which a link is taken `(L, S)`."""
        return self.link_busy_cycles / np.maximum(self.cycles, 1)


class PerformanceModel(Protocol):
    """Analytic or event-driven: takes the same work, returns the same counts.

    What happens is decided before (`StepWork`); a model says only when. So both give the same energy up to what time adds,
    and tests hold every model to the same rules (`tests/conformance`). A further model needs a `name` and `run`.
    """

    name: str

    def run(self, work: StepWork) -> PerfResult:
        """Run all samples of a work, each after the other, and say how long every stage and resource was taken."""
        ...
