"""The machine as it is built: a chip whose memories are those of the RTL, for the models of time and area."""

from nmsim.contents import Content
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core, StageDepths
from nmsim.hardware.skip import Skip
from nmsim.hardware.sram import Sram
from nmsim.network.precision import Precision
from nmsim.rtl.design import Design, address_bits, ceil_div
from nmsim.rtl.memories import bus_widths, memories
from nmsim.rtl.package import BUS_BITS, COUNT_BITS, MEMORY_NUMBERS
from nmsim.rtl.quantizers import TENSORS, counted

PROPAGATE_ROW_CYCLES, GRADIENT_ROW_CYCLES, UPDATE_ROW_CYCLES = 2, 5, 6
"""Cycles to fetch a row of deltas; to find its first trace besides; and between two rows of weights at the update, one
more where a word takes two slices, whose write would meet the next read."""


def depths(design: Design) -> StageDepths:
    """Cycles from a stage's first address to the start of the next stage, beyond one per word (docs/rtl.md, "Fill")."""
    more = design.learns_thresholds or design.learns_leak
    update = 2 * ((not design.in_place) + design.learns_thresholds + design.learns_leak)
    return StageDepths(integrate=4, neuron=5, delta=5 if more else 3, propagate=4, gradient=2, update=update)


def update_row_cycles(design: Design) -> int:
    """Cycles that a row of weights takes beyond its words."""
    return UPDATE_ROW_CYCLES + (design.lanes == 2 * design.update_lanes)


def control_bits(design: Design) -> int:
    """Registers that the core has once, in bits: bus, overflow counters, leak factors with their gradients.

    The bus has a window of one memory word in whole registers, what it read last, an address, the number of a memory,
    a label, two settings and the answer of a memory.
    """
    d = design
    word, address = bus_widths(d)
    bus = ceil_div(word, BUS_BITS) * BUS_BITS + BUS_BITS + address + address_bits(len(MEMORY_NUMBERS))
    bus += d.label_bits + 2 + 1
    counters = sum(counted(d, name, layer) for name in TENSORS for layer in range(d.layers))
    leak = d.field("leak_factor").bits + (d.accumulator("leak_gradient").bits if d.learns_leak else 0)
    return bus + counters * COUNT_BITS + d.layers * leak


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
                    word_bits=max(bits, _event_bits(design, chip)) if content is Content.INPUT else bits,
                    kind=memory.kind,
                )
            )
    core = Core(
        name="stop",
        accumulate_lanes=design.lanes,
        mac_lanes=design.lanes,
        neuron_lanes=design.neuron_lanes,
        update_lanes=design.update_lanes,
        pipeline_depth_cycles=depths(design),
        propagate_row_cycles=PROPAGATE_ROW_CYCLES,
        gradient_row_cycles=update_row_cycles(design) if design.in_place else GRADIENT_ROW_CYCLES,
        update_row_cycles=update_row_cycles(design),
        update_by_words=True,
        control_bits=control_bits(design),
        neuron_slots=sum(design.neurons),
        memories=tuple(found),
    )
    options = chip.options.model_copy(
        update={
            "skip": Skip(
                inputs="value_list",
                deltas="word_list",
                traces="word_list",
                in_place="none",
                lists="own_memory",
            ),
            "schedule": "sequential",
            "layers_in_turn": True,
        }
    )
    return chip.model_copy(update={"name": f"{chip.name}-rtl", "core_types": (core,), "options": options})


def stored_precision(design: Design) -> Precision:
    """Formats as wide as the lanes of the memories: the widest of all layers, which a word packs whatever a layer needs."""
    tensors = ("weight", "membrane", "leak_factor", "weight_trace", "threshold_trace", "leak_trace", "delta")
    sums = ("current", "error", "weight_gradient", "threshold_gradient", "leak_gradient")
    fields = {name: design.field(name) for name in tensors}
    fields |= {name: design.accumulator(name) for name in sums}
    return Precision.model_validate(
        {
            name: f"{'s' if field.signed else 'u'}{field.bits}{'.0' if name in tensors else ''}"
            for name, field in fields.items()
        }
    )


def _room(content: Content) -> int:
    """Words for each of the RTL's: the model keeps lists of what is not zero, and every layer's sums, in the same memory."""
    return (
        3
        if content
        in {Content.DELTA, Content.WEIGHT_TRACE, Content.INPUT, Content.INPUT_SUM, Content.ERROR_SUM}
        else 1
    )


def _event_bits(design: Design, chip: ChipConfig) -> int:
    """Bits of an input event: the port takes one a cycle, however narrow the words that its values are kept in."""
    return address_bits(max(design.inputs)) + design.input.bits + chip.noc.header_bits


def _bits(design: Design, content: Content) -> int:
    if content is Content.SPIKE:
        return 1
    name = "membrane" if content is Content.THRESHOLD else str(content)
    return design.field(name).bits
