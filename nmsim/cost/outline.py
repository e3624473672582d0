"""Outlines: the part of a chip that the prices of its actions, or of its open clock, depend on; chips of one share them."""

from functools import lru_cache

from nmsim.hardware.chip import ChipConfig, Options
from nmsim.hardware.core import Core
from nmsim.hardware.noc import Barrier

KEPT = 64
"""Outlines that are kept: a design asks for its own some ten times."""


@lru_cache(maxsize=KEPT)
def priced(chip: ChipConfig) -> ChipConfig:
    """The chip with everything that the energy of an action never depends on set to one value.

    Use it where many designs replay the same counts: how fast a chip is, and how it is run, changes what it does in a second
    and not what an action costs. Supply, node, memories, flits and the pitch of tiles stay.
    """
    return chip.model_copy(
        update={
            "variant": "", "description": "", "clock_hz": 1e6, "barrier": Barrier(), "real_time": None,
            "options": Options(), "core_types": tuple(_core(core) for core in chip.core_types),
        }
    )  # fmt: skip


@lru_cache(maxsize=KEPT)
def without_bandwidth(chip: ChipConfig) -> ChipConfig:
    """The chip with the speed of its DRAM set to one value: it sets how long a bit bears the standby power, and no more."""
    if chip.dram is None:
        return chip
    dram = chip.dram.model_copy(update={"bandwidth_bits_per_s": 1e9, "latency_ns": 0.0})
    return chip.model_copy(update={"dram": dram})


@lru_cache(maxsize=KEPT)
def unclocked(chip: ChipConfig) -> ChipConfig:
    """The chip with its clock, and what follows it in no price, set to one value: flip-flops and their gating stay."""
    changes = {"variant": "", "clock_hz": 1e6, "barrier": Barrier(), "real_time": None, "options": Options()}
    return chip.model_copy(update=changes)


def _core(core: Core) -> Core:
    return core.model_copy(
        update={
            "accumulate_lanes": 1, "mac_lanes": 1, "neuron_lanes": 1, "update_lanes": 1, "pipeline_depth_cycles": 4,
            "propagate_row_cycles": 0, "gradient_row_cycles": 0, "update_row_cycles": 0, "event_timing": None,
            "memories": tuple(memory.model_copy(update={"access_cycles": 1}) for memory in core.memories),
        }
    )  # fmt: skip
