"""Outline: the part of a chip that a mapping depends on; chips of one outline share their mappings."""

from functools import lru_cache
from typing import Literal

from nmsim.hardware.chip import ChipArray, ChipConfig, Options, Power
from nmsim.hardware.core import Core
from nmsim.hardware.noc import Barrier, Dram, Noc
from nmsim.hardware.sram import Sram

_SOME_DRAM = Dram(kind="any", bandwidth_bits_per_s=1e9, latency_ns=0)
_NO_BARRIER, _NO_POWER = Barrier(), Power()
KEPT = 64
"""Outlines that are kept: the policies of a search ask for the same two."""


def outline(chip: ChipConfig, spread: object) -> ChipConfig:
    """The chip with everything that mapping by this spread (a `Cut`) never looks at set to one value.

    Use it where many designs are mapped: a mapping found on an outline is that of every chip with the outline (only its
    `chip_hash` differs), and the outline is the key under which it is kept. Lanes stay where layers are cut by them.
    """
    return _outline(chip, lanes=spread != "compact")


@lru_cache(maxsize=KEPT)
def floor_plan(chip: ChipConfig) -> ChipConfig:
    """The chip as far as it says which types of core are where, and how far apart."""
    return _outline(chip, lanes=False).model_copy(update={"dram": None, "options": Options()})


@lru_cache(maxsize=KEPT)
def store(core: Core) -> Core:
    """A type of core as far as it says what it can hold."""
    return _core(core, lanes=False)


@lru_cache(maxsize=KEPT)
def _outline(chip: ChipConfig, *, lanes: bool) -> ChipConfig:
    cores = tuple(_core(core, lanes=lanes) for core in chip.core_types)
    return chip.model_copy(
        update={
            "variant": "", "description": "", "sources": (), "technology": "",
            "tech_node_nm": 28, "voltage_v": 1.0, "clock_hz": 1e6,
            "mesh": chip.mesh.model_copy(update={"tile_width_mm": 1.0, "tile_height_mm": 1.0}),
            "chips": ChipArray.model_construct(columns=chip.chips.columns, rows=chip.chips.rows),
            "core_types": cores, "noc": _noc(chip.noc.topology),
            "dram": None if chip.dram is None else _SOME_DRAM,
            "barrier": _NO_BARRIER, "host": None, "real_time": None, "power": _NO_POWER,
            "options": _options(chip.options),
        }
    )  # fmt: skip


@lru_cache(maxsize=KEPT)
def _options(options: Options) -> Options:
    return Options(
        skip=options.skip,
        schedule="sequential"
        if options.schedule == "sequential"
        else "overlapped",  # the others keep as much
        weight_gradient=options.weight_gradient,
        static_input_once=options.static_input_once,
        stbp_history=options.stbp_history,
        synapses=options.synapses,
    )


@lru_cache(maxsize=KEPT)
def _noc(topology: Literal["mesh", "torus"]) -> Noc:
    return Noc(topology=topology)


@lru_cache(maxsize=KEPT)
def _core(core: Core, *, lanes: bool) -> Core:
    return core.model_copy(
        update={
            "accumulate_lanes": core.accumulate_lanes if lanes else 1,
            "mac_lanes": 1, "neuron_lanes": 1, "update_lanes": 1, "pipeline_depth_cycles": 4,
            "propagate_row_cycles": 0, "gradient_row_cycles": 0, "event_timing": None,
            "memories": tuple(_memory(memory) for memory in core.memories),
        }
    )  # fmt: skip


def _memory(memory: Sram) -> Sram:
    return memory.model_copy(update={"banks": 1, "kind": "1rw", "access_cycles": 1})
