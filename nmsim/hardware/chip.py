"""The chip: mesh of tiles, cores, memories, NoC, DRAM, clock, and its design options.

A chip's parts have files of their own: `core.py`, `sram.py`, `noc.py` (with DRAM, chip links and barrier).
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from nmsim.config import Record, within
from nmsim.hardware.core import Core
from nmsim.hardware.dataflow import Dataflow
from nmsim.hardware.host import Host, RealTime
from nmsim.hardware.noc import Barrier, ChipLink, Dram, Noc
from nmsim.hardware.skip import Skip
from nmsim.hardware.synapse_memory import SynapseMemory


@dataclass(frozen=True, slots=True)
class PlacedCore:
    """One core of the machine: its number and its tile on the joint mesh."""

    index: int
    column: int
    row: int
    type: Core


MOST_CORES = 65_536
"""Cores that a machine may have; each is an object here, about 1 KB with its place and its figures."""
_TILE_SIDE = within(0.001, 33, "it is in millimetres, and a reticle has 26 x 33: for 900 um write 0.9")


class Mesh(Record):
    """Tiles of one chip and their pitch, which decides how long wires between routers are."""

    columns: int = Field(ge=1, le=MOST_CORES)
    """Tiles in a row."""
    rows: int = Field(ge=1, le=MOST_CORES)
    """Rows of tiles."""
    tile_width_mm: Annotated[float, *_TILE_SIDE] = 1.0
    """East-west pitch: length of a horizontal link."""
    tile_height_mm: Annotated[float, *_TILE_SIDE] = 1.0
    """North-south pitch: length of a vertical link."""


class ChipArray(Record):
    """Chips on the board; their meshes join into one, crossing a chip link at each border."""

    columns: int = Field(default=1, ge=1, le=1024)
    """Chips in a row."""
    rows: int = Field(default=1, ge=1, le=1024)
    """Rows of chips."""
    link: ChipLink | None = None
    """The link between neighbouring chips, required as soon as there are two."""

    @model_validator(mode="after")
    def _linked(self) -> "ChipArray":
        if self.columns * self.rows > 1 and self.link is None:
            raise ValueError("several chips need the key 'link'; describe bits_per_cycle and latency_cycles")
        return self


class Options(Record):
    """Design options of docs/timing.md, each a switch: how the same parts are used.

    They are what a design space varies first (`nmsim.sweep`): none changes a result of the training, all change time, energy
    or memory. An option that the chip has no part for, such as gradients off chip without DRAM, is refused.
    """

    spread: Literal["searched", "balanced", "compact", "wide"] = "searched"
    """Cores a layer gets: as many as serve the objective best, its share by work, as few as hold it, or all."""
    objective: Literal["energy", "latency", "edp", "area_delay"] = "edp"
    """What the search of a mapping makes small."""
    schedule: Literal["sequential", "overlapped", "pipelined"] = "sequential"
    """Phases in turn; forward of t+1 overlapping error and gradient of t; or layers at different time steps."""
    layers_in_turn: bool = False
    """Gradients, and updates, of the layers one after the other, as one control works them off, rather than side by side."""
    weight_gradient: Literal["on_chip", "off_chip", "in_place", "factored"] = "on_chip"
    """Accumulators in a core memory, in DRAM, none (weights change at every time step), or factors over T."""
    trace_decay: Literal["eager", "lazy"] = "eager"
    """Traces decay at every time step, or when an event touches them."""
    skip: Skip = Skip()
    """How zeros are found and left out: of inputs, deltas, traces, and gradients at the update."""
    dataflow: Dataflow = Dataflow()
    """What each phase holds in place: weights, outputs (sums) or inputs."""
    clear_state: Literal["free", "sweep"] = "free"
    """State between samples: cleared by the first write, or word by word before the next sample."""
    static_input_once: bool = True
    """W x of a static input is computed at the first time step only and kept."""
    stbp_history: Literal["stored", "recompute", "spill"] = "stored"
    """STBP's states over T: in core memories, partly recomputed from checkpoints, or in DRAM."""
    synapses: SynapseMemory = SynapseMemory()
    """How weights are stored: all of them, or those of the synapses that are there, with an index."""

    @model_serializer(mode="wrap")
    def _without_dense_store(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `synapses` where the store is dense, so that such chips keep their identity."""
        written: dict[str, Any] = handler(self)
        dense = self.synapses.format == "dense"
        return {key: value for key, value in written.items() if key != "synapses" or not dense}


class Power(Record):
    """Static power and control, as far as the chip publishes them; absent: derived from the price table."""

    static_power_w: Annotated[float, *within(0, 1000, "it is in watts: for 50 mW write 0.05")] | None = None
    """Measured static power of one whole chip; replaces the sum over memories."""
    clock_power_w_per_hz: Annotated[float, *within(0, 1e-6, "it is in watts per hertz")] | None = None
    """Measured dynamic power of the idle chip per clock frequency; replaces what follows from its flip-flops."""
    clock_gating: Literal["none", "idle_core", "fine"] = "idle_core"
    """What stops when there is nothing to do: no clock, that of a core without work, or every lane and memory by itself."""
    control_overhead_factor: float = Field(default=1.5, ge=1, le=100)
    """Factor on component energies for control and queues; 1 for event-level prices."""


class ChipConfig(Record):
    """A machine: a mesh of tiles with cores and memories, a network on chip, off-chip memory, and how it is run.

    Shipped chips are in `arch_configs/chips` (`nmsim list chips`). Take one by `nmsim.read_chip` and change single keys; the
    file's keys are the fields here, and docs/machine.md says what each does to time and energy.

    Raises (through `config.build`, `config.read` and `nmsim.read_chip`):
        ConfigError: a key is unknown or out of its range, tiles overlap or lie outside the mesh, or an option needs a part
            that the chip does not have.

    >>> from nmsim import read_chip
    >>> chip = read_chip("edge-28nm")
    >>> chip.tech_node_nm, chip.columns, chip.rows, len(chip.cores()), chip.dram is None
    (28, 4, 4, 16, True)
    """

    name: str
    """Name in reports."""
    variant: str = Field(default="", exclude=True)
    """What is set otherwise than in the chip whose name it bears: for labels, no part of its identity."""
    description: str = ""
    """One or two sentences for people."""
    sources: tuple[str, ...] = ()
    """Where its figures come from, or that they are assumed."""
    tech_node_nm: int = Field(ge=5, le=180)
    """Technology node."""
    voltage_v: float = Field(gt=0, le=2)
    """Supply voltage."""
    clock_hz: Annotated[float, *within(1e3, 2e10, "it is in hertz: for 200 MHz write 200e6")]
    """Clock of cores and NoC; for asynchronous chips the resolution in which cycles are counted."""
    technology: str
    """Name of a price table in arch_configs/technology, or a path."""
    technology_hash: str = ""
    """Hash of the price table where `technology` is a path: what identifies it in any folder. Written by nmsim, never by
    hand."""
    mesh: Mesh
    """Tiles of one chip."""
    chips: ChipArray = ChipArray()
    """Chips on the board."""
    core_types: tuple[Core, ...] = Field(min_length=1)
    """Types of core and the tiles they fill."""
    noc: Noc = Noc()
    """The network on chip."""
    dram: Dram | None = None
    """Memory off chip; absent: everything must fit on chip."""
    barrier: Barrier = Barrier()
    """Synchronisation between time steps."""
    host: Host | None = None
    """What feeds the chip, where its share of the board's power is part of the question."""
    real_time: RealTime | None = None
    """The rate at which samples arrive; absent: one after the other."""
    options: Options = Options()
    """Design options."""
    power: Power = Power()
    """Static power and control."""

    @model_validator(mode="after")
    def _layout(self) -> "ChipConfig":
        most = self.tiles * max(core.per_tile for core in self.core_types)
        if most > MOST_CORES:
            raise ValueError(
                f"mesh, chips and per_tile ask for up to {most:,} cores, and {MOST_CORES:,} are possible; use a smaller mesh"
            )
        names = [core.name for core in self.core_types]
        if len(set(names)) < len(names):
            raise ValueError(f"core type names {names} repeat; give each its own name")
        if sum(core.tiles is None for core in self.core_types) > 1:
            raise ValueError("two core types claim all remaining tiles; list the tiles of one of them")
        self._check_tiles()
        for key in ("weight_gradient", "stbp_history"):
            value = getattr(self.options, key)
            if value in {"off_chip", "spill"} and self.dram is None:
                raise ValueError(f"options.{key} '{value}' needs the key 'dram'; add it or change the option")
        outside = [tile for tile in self.noc.ingress if tile[0] >= self.columns or tile[1] >= self.rows]
        if outside:
            raise ValueError(
                f"noc.ingress names tile {list(outside[0])} outside the {self.columns} x {self.rows} tiles of all"
                " chips; use tiles of the mesh"
            )
        if not self.cores():
            raise ValueError("no tile holds a core; leave 'tiles' out of a core type to fill the mesh")
        return self

    def _check_tiles(self) -> None:
        taken: set[tuple[int, int]] = set()
        for core in self.core_types:
            for tile in core.tiles or ():
                if not (0 <= tile[0] < self.mesh.columns and 0 <= tile[1] < self.mesh.rows):
                    raise ValueError(
                        f"core type '{core.name}' names tile {list(tile)} outside the {self.mesh.columns} x"
                        f" {self.mesh.rows} mesh; use tiles of the mesh"
                    )
                if tile in taken:
                    raise ValueError(f"tile {list(tile)} is named twice; keep one")
                taken.add(tile)

    @model_serializer(mode="wrap")
    def _without_hash_of_shipped_prices(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `technology_hash` where there is none, so that chips with shipped prices keep their identity."""
        written: dict[str, Any] = handler(self)
        return {key: value for key, value in written.items() if key != "technology_hash" or value}

    def identity(self) -> "ChipConfig":
        """The same chip in any folder: a price table of the user's counts by what it holds."""
        table = self.technology_hash or PurePath(self.technology).name
        return self.model_copy(update={"technology": table, "technology_hash": ""})

    @property
    def label(self) -> str:
        """Its name, and what is set otherwise: `edge-28nm (mac_lanes = 1, clock 100 MHz)`."""
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def columns(self) -> int:
        """Tile columns over all chips."""
        return self.mesh.columns * self.chips.columns

    @property
    def rows(self) -> int:
        """Tile rows over all chips."""
        return self.mesh.rows * self.chips.rows

    @property
    def tiles(self) -> int:
        """Tiles over all chips."""
        return self.columns * self.rows

    def cores(self) -> tuple[PlacedCore, ...]:
        """Every core, in row-major order of tiles on the joint mesh; the index is the core's number."""
        return _cores(self.mesh, self.chips, self.core_types)


@lru_cache(maxsize=256)
def _cores(mesh: Mesh, chips: ChipArray, core_types: tuple[Core, ...]) -> tuple[PlacedCore, ...]:
    by_tile = {tile: core for core in core_types for tile in core.tiles or ()}
    rest = next((core for core in core_types if core.tiles is None), None)
    placed: list[PlacedCore] = []
    for row in range(mesh.rows * chips.rows):
        for column in range(mesh.columns * chips.columns):
            core = by_tile.get((column % mesh.columns, row % mesh.rows), rest)
            if core is not None:
                first = len(placed)
                placed.extend(PlacedCore(first + i, column, row, core) for i in range(core.per_tile))
    return tuple(placed)
