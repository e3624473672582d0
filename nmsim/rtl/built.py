"""The machine as it is built: a chip whose memories are those of the RTL, for the models of time and area."""

from nmsim.contents import Content
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core, StageDepths
from nmsim.hardware.skip import Skip
from nmsim.hardware.sram import Sram
from nmsim.rtl.design import Design
from nmsim.rtl.memories import memories

DEPTHS = StageDepths(integrate=4, neuron=5, delta=5, propagate=4, gradient=2, update=10)
"""Cycles from a stage's first address to the start of the next stage, beyond one per word (docs/rtl.md, "Cycles")."""
PROPAGATE_ROW_CYCLES, GRADIENT_ROW_CYCLES = 2, 5
"""Cycles to fetch a row of deltas, and to find its first trace."""


def built_chip(design: Design, chip: ChipConfig) -> ChipConfig:
    """The chip with the core that the RTL is.

    A content that shares a word with others (the state of neurons) becomes a memory of its own with as many words, since
    the RTL reads them together in one access.
    """
    found: list[Sram] = []
    for memory in memories(design):
        for content in memory.holds:
            bits = memory.word_bits if len(memory.holds) == 1 else memory.lanes * _bits(design, content)
            name = memory.name if len(memory.holds) == 1 else f"neurons_{content}"
            found.append(
                Sram(
                    name=name,
                    holds=(content,),
                    words=memory.words * _room(content),
                    word_bits=bits,
                    kind=memory.kind,
                )
            )
    core = Core(
        name="stop",
        accumulate_lanes=design.lanes,
        mac_lanes=design.lanes,
        neuron_lanes=design.neuron_lanes,
        update_lanes=design.update_lanes,
        pipeline_depth_cycles=DEPTHS,
        propagate_row_cycles=PROPAGATE_ROW_CYCLES,
        gradient_row_cycles=GRADIENT_ROW_CYCLES,
        neuron_slots=sum(design.neurons),
        memories=tuple(found),
    )
    options = chip.options.model_copy(
        update={
            "skip": Skip(inputs="value_list", deltas="word_list", traces="word_list"),
            "schedule": "sequential",
        }
    )
    return chip.model_copy(update={"name": f"{chip.name}-rtl", "core_types": (core,), "options": options})


def _room(content: Content) -> int:
    """Words for each of the RTL's: the model keeps lists of what is not zero, and every layer's sums, in the same memory."""
    return (
        3
        if content
        in {Content.DELTA, Content.WEIGHT_TRACE, Content.INPUT, Content.INPUT_SUM, Content.ERROR_SUM}
        else 1
    )


def _bits(design: Design, content: Content) -> int:
    if content is Content.SPIKE:
        return 1
    name = "membrane" if content is Content.THRESHOLD else str(content)
    return design.field(name).bits
