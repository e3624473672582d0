"""A core: lanes, neuron slots and memories."""

from pydantic import Field, model_validator

from nmsim.config import Record
from nmsim.contents import SUMS, Content
from nmsim.hardware.sram import Sram


class EventTiming(Record):
    """Service times of whole events, for chips published that way; replaces lanes and memories in time.

    A core is then one server: events that reach it wait for each other.
    """

    at_clock_hz: float | None = Field(default=None, ge=1e3, le=2e10)
    """Clock at which the times below were published: they follow `clock_hz`. Absent: an asynchronous chip, they do not."""
    synaptic_op_ns: float = Field(ge=0, le=1e9)
    """One synapse served for one spike."""
    synaptic_op_conv_ns: float | None = Field(default=None, ge=0, le=1e9)
    """The same in a convolution, where the chip publishes it apart; absent: as any other."""
    neuron_update_active_ns: float = Field(ge=0, le=1e9)
    """Update of a neuron that received input or fires in the step; 0 where each synaptic operation updates its neuron."""
    neuron_update_inactive_ns: float = Field(ge=0, le=1e9)
    """Update of any other neuron; 0 where nothing happens to it."""
    spike_out_ns: float = Field(default=0.0, ge=0, le=1e9)
    """Extra time of a neuron that fires."""
    axon_in_ns: float = Field(default=0.0, ge=0, le=1e9)
    """Handling of one arriving packet."""
    axon_out_ns: float = Field(default=0.0, ge=0, le=1e9)
    """Sending of one packet."""
    synaptic_update_ns: float | None = Field(default=None, gt=0, le=1e9)
    """One weight changed; None: the chip publishes no learning event, so training on it is not modelled."""


class StageDepths(Record):
    """Cycles to fill the datapath, by what it does: a stage pays them once, before its first result.

    A chip file may give one number for all.
    """

    integrate: int = Field(default=4, ge=0, le=1_000_000)
    """Serving synapses, and adding up partial sums."""
    neuron: int = Field(default=4, ge=0, le=1_000_000)
    """Leak, fire and traces."""
    delta: int = Field(default=4, ge=0, le=1_000_000)
    """Deltas, and the exchange that the softmax needs."""
    propagate: int = Field(default=4, ge=0, le=1_000_000)
    """Transposed weights times deltas, and collecting the sums."""
    gradient: int = Field(default=4, ge=0, le=1_000_000)
    """Deltas times traces."""
    update: int = Field(default=4, ge=0, le=1_000_000)
    """New parameters."""
    transfer: int = Field(default=4, ge=0, le=1_000_000)
    """From and to DRAM."""


class Core(Record):
    """A type of core: its lanes, its memories, and the tiles that it fills.

    `memories` say which kinds of data they hold; a kind that none of them holds lives off chip. Lanes are operations
    started per cycle: accumulates (SOPs), MACs, neuron updates, parameter updates.
    """

    name: str = "core"
    """Name of the type in reports."""
    tiles: tuple[tuple[int, int], ...] | None = None
    """Tiles `[column, row]` that hold this type; absent: every tile that no other type names."""
    per_tile: int = Field(default=1, ge=1, le=4096)
    """Cores of this type in each of its tiles."""
    accumulate_lanes: int = Field(default=1, ge=1, le=1_000_000)
    """Synapses served (additions) per cycle."""
    mac_lanes: int = Field(default=1, ge=1, le=1_000_000)
    """Multiply-accumulates per cycle."""
    neuron_lanes: int = Field(default=1, ge=1, le=1_000_000)
    """Neuron updates (leak, fire, traces) per cycle."""
    update_lanes: int = Field(default=1, ge=1, le=1_000_000)
    """Weights and biases updated per cycle; thresholds and leak factors take neuron lanes."""
    pipeline_depth_cycles: int | StageDepths = 4
    """Cycles to fill the datapath at the start of a stage: one number, or one for each kind of stage."""
    propagate_row_cycles: int = Field(default=0, ge=0, le=1_000_000)
    """Cycles to find, fetch, fill and drain at each row of deltas that is not all zero, when errors propagate."""
    gradient_row_cycles: int = Field(default=0, ge=0, le=1_000_000)
    """The same when gradients are added up."""
    update_row_cycles: int = Field(default=0, ge=0, le=1_000_000)
    """Cycles between two rows of weights (a word of each input) at the update."""
    update_by_words: bool = False
    """An update goes word by word: one of weights takes as long partly filled as full, and thresholds come after."""
    control_bits: int = Field(default=0, ge=0, le=10_000_000)
    """Registers that the core has once, however many its lanes (bus, settings, counters), in bits: area and clock."""
    neuron_slots: int = Field(ge=1, le=2**32)
    """Neurons whose state the core can hold."""
    max_fan_in: int | None = Field(default=None, ge=1)
    """Synapses per neuron; a larger fan-in is split over cores that send partial sums. Absent: no bound."""
    max_fan_out: int | None = Field(default=None, ge=1)
    """Destinations (cores) a neuron can reach; absent: no bound."""
    memories: tuple[Sram, ...] = Field(min_length=1)
    """Memories of the core."""
    event_timing: EventTiming | None = None
    """Published service times of whole events, where the chip is described that way."""

    @property
    def depths(self) -> StageDepths:
        """Cycles to fill the datapath, by kind of stage."""
        depth = self.pipeline_depth_cycles
        return (
            depth
            if isinstance(depth, StageDepths)
            else StageDepths(**dict.fromkeys(StageDepths.model_fields, depth))
        )

    @model_validator(mode="after")
    def _distinct(self) -> "Core":
        names = [memory.name for memory in self.memories]
        if len(set(names)) < len(names):
            raise ValueError(f"memory names {names} repeat; give each memory its own name")
        held = [content for memory in self.memories for content in memory.holds]
        for content in sorted(set(held)):
            most = 2 if content in SUMS else 1
            repeated = any(memory.holds.count(content) > 1 for memory in self.memories)
            if held.count(content) > most or repeated:
                levels = "two memories at most" if content in SUMS else "one memory only"
                raise ValueError(
                    f"'{content}' is held {held.count(content)} times; name it under {levels}, once"
                )
        return self

    def home(self, content: Content) -> int:
        """Index of the memory in which a kind of data is at home: the largest that holds it; -1 if it lives off chip."""
        holding = self._holding(content)
        return holding[-1] if holding else -1

    def near(self, content: Content) -> int:
        """Index of the smaller memory in which sums stay while they are added up; -1 where there is none."""
        holding = self._holding(content)
        return holding[0] if len(holding) == 2 else -1

    def _holding(self, content: Content) -> list[int]:
        holding = [index for index, memory in enumerate(self.memories) if content in memory.holds]
        return sorted(holding, key=lambda index: self.memories[index].capacity_bits)
