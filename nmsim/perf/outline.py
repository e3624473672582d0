"""Outlines: the part of a chip that work, or its time in cycles, depends on; chips of one outline share the answers."""

from functools import lru_cache

from nmsim.contents import SUMS, Content
from nmsim.hardware.chip import ChipArray, ChipConfig, Options, Power
from nmsim.hardware.core import Core
from nmsim.hardware.dataflow import Dataflow
from nmsim.hardware.noc import Barrier, Noc
from nmsim.hardware.sram import Sram

KEPT = 64
"""Outlines that are kept: a design asks for its own some ten times."""
_NO_BARRIER, _NO_POWER, _DATAFLOW = Barrier(), Power(), Dataflow()


@lru_cache(maxsize=KEPT)
def outline(chip: ChipConfig) -> ChipConfig:
    """The chip with everything that `nmsim.perf.work` never looks at set to one value.

    Use it where many designs replay one activity: work on an outline is that of every chip with the outline, and the
    outline is the key under which it is kept. The network on chip stays whole, because packets travel on it; the clock
    stays where times are published in nanoseconds, the lanes where they hold sums or take rows of a compressed
    synapse memory. Pipelined and overlapped schedules need the same stages. Dataflows are those of the mapping.
    """
    events = any(core.event_timing is not None for core in chip.core_types)
    timed = events or chip.noc.hop_east_west_ns is not None
    dram, options = chip.dram, chip.options
    schedule = "sequential" if options.schedule == "sequential" else "overlapped"
    return chip.model_copy(
        update={
            "variant": "", "description": "", "sources": (), "tech_node_nm": 28, "voltage_v": 1.0,
            "clock_hz": chip.clock_hz if timed else 1e6,
            "core_types": tuple(_core(core, stored=chip.options.synapses.format != "dense") for core in chip.core_types),
            "dram": dram and dram.model_copy(update={"kind": "any", "bandwidth_bits_per_s": 1e9, "latency_ns": 0.0}),
            "barrier": _NO_BARRIER, "real_time": None, "power": _NO_POWER,
            "options": options.model_copy(
                update={
                    "spread": "balanced", "objective": "edp", "schedule": schedule, "layers_in_turn": False,
                    "dataflow": _DATAFLOW,
                }
            ),
        }
    )  # fmt: skip


@lru_cache(maxsize=KEPT)
def in_cycles(chip: ChipConfig) -> ChipConfig:
    """The chip with everything that its times in cycles do not depend on set to one value.

    Chips that differ in clock, supply, node, prices, pitch or size of memories take the same cycles for the same work. The
    clock stays where something is given in seconds: whole events, hops, DRAM, a tick. The cycles of memories are known.
    """
    events = any(core.event_timing is not None for core in chip.core_types)
    hops, tick = chip.noc.hop_east_west_ns is not None, chip.barrier.tick_s is not None
    return chip.model_copy(
        update={
            "variant": "", "description": "", "sources": (), "tech_node_nm": 28, "voltage_v": 1.0,
            "clock_hz": chip.clock_hz if events or hops or tick or chip.dram is not None else 1e6,
            "mesh": chip.mesh.model_copy(update={"tile_width_mm": 1.0, "tile_height_mm": 1.0}),
            "core_types": tuple(_any_sizes(core) for core in chip.core_types), "real_time": None, "power": _NO_POWER,
            "options": chip.options.model_copy(update={"spread": "balanced", "objective": "edp"}),
        }
    )  # fmt: skip


@lru_cache(maxsize=KEPT)
def cores_in_cycles(chip: ChipConfig) -> ChipConfig:
    """The chip `in_cycles` as far as its cores go: packets, DRAM and the order of stages are not their business."""
    events = any(core.event_timing is not None for core in chip.core_types)
    alone = {
        "clock_hz": chip.clock_hz if events else 1e6, "dram": None,
        "noc": Noc(topology=chip.noc.topology), "barrier": _NO_BARRIER, "options": Options(),
    }  # fmt: skip
    return in_cycles(chip).model_copy(update=alone)


@lru_cache(maxsize=KEPT)
def without_links(outlined: ChipConfig, *, filled_flits: bool) -> ChipConfig:
    """An outline with the network on chip as far as it decides which packets go where, not how wide or fast it is.

    `filled_flits`: packets hold as many values as a flit takes, so that its width decides how many there are.
    """
    noc, chips = outlined.noc, outlined.chips
    events = any(core.event_timing is not None for core in outlined.core_types)
    return outlined.model_copy(
        update={
            "clock_hz": outlined.clock_hz if events else 1e6,
            "mesh": outlined.mesh.model_copy(update={"tile_width_mm": 1.0, "tile_height_mm": 1.0}),
            "chips": ChipArray.model_construct(columns=chips.columns, rows=chips.rows),
            "noc": Noc(
                topology=noc.topology,
                casting=noc.casting,
                ingress=noc.ingress,
                header_bits=noc.header_bits,
                **({"flit_bits": noc.flit_bits} if filled_flits else {}),
            ),
        }
    )


@lru_cache(maxsize=KEPT)
def _core(core: Core, *, stored: bool) -> Core:
    free = not stored and all(core.near(sums) >= 0 for sums in SUMS)
    lanes = {"accumulate_lanes": 1, "mac_lanes": 1} if free else {}
    return core.model_copy(
        update={
            **lanes, "neuron_lanes": 1, "update_lanes": 1, "pipeline_depth_cycles": 4, "control_bits": 0,
            "memories": tuple(_memory(memory) for memory in core.memories),
        }
    )  # fmt: skip


@lru_cache(maxsize=KEPT)
def _any_sizes(core: Core) -> Core:
    return core.model_copy(update={"memories": tuple(_any_size(memory) for memory in core.memories)})


def _any_size(memory: Sram) -> Sram:
    """A queue that is full makes packets wait, and sums stay in the smaller memory; other sizes show in no time."""
    sized = {*SUMS, Content.INPUT} & set(memory.holds)
    return memory if sized else memory.model_copy(update={"words": 1})


def _memory(memory: Sram) -> Sram:
    """Words count where sums are added up in them: how many stay in place until they are complete."""
    words = memory.words if set(SUMS) & set(memory.holds) else 1
    return memory.model_copy(update={"words": words, "banks": 1, "access_cycles": 1})
