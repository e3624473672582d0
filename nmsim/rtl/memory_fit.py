"""Whether the memories of a chip's core hold what the RTL of a network keeps."""

from nmsim.contents import Content
from nmsim.errors import ConfigError
from nmsim.hardware.chip import ChipConfig
from nmsim.rtl.design import Design
from nmsim.rtl.memories import memories


def content_bits(design: Design) -> dict[Content, int]:
    """Bits of every kind of data in the RTL's memories, lanes that hold no neuron included.

    Where several kinds share a word, as the state of neurons does, each counts with its own field.
    """
    found: dict[Content, int] = {}
    for memory in memories(design):
        values = memory.words * memory.lanes
        bits = {part.name: values * part.field.bits for part in memory.parts}
        for content in memory.holds:
            found[content] = bits[str(content)] if len(memory.holds) > 1 else sum(bits.values())
    return found


def check_fit(design: Design, chip: ChipConfig) -> None:
    """Refuse a core whose data the chip's memories do not hold.

    Raises:
        ConfigError: a memory is too small, or no memory holds a kind of data.
    """
    needed, core = content_bits(design), design.core
    for memory in core.memories:
        held = [content for content in memory.holds if content in needed]
        bits = sum(needed.pop(content) for content in held)
        if bits > memory.capacity_bits:
            words = -(-bits // memory.word_bits)
            raise ConfigError(
                f"chip '{chip.name}', memory '{memory.name}': the RTL keeps {bits:,} bits of {', '.join(held)} there, and"
                f" {memory.words:,} words of {memory.word_bits} bits hold {memory.capacity_bits:,}; give it {words:,} words"
            )
    if needed:
        raise ConfigError(
            f"chip '{chip.name}': no memory holds {', '.join(sorted(needed))}, which the RTL keeps; add it to the 'holds' of"
            " a memory"
        )
