"""What a reader should know of the prices of a chip's memories: which lie outside the fitted sizes."""

from collections.abc import Iterator
from math import inf

from nmsim.cost.sram import of_registers, size_kb
from nmsim.cost.table import ComponentTable, CostTable
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core


def memory_notes(chip: ChipConfig, table: CostTable) -> tuple[str, ...]:
    """At most one note per core type and cause; none for event-level tables, which do not price memories."""
    if not isinstance(table, ComponentTable):
        return ()
    return tuple(note for core in chip.core_types for note in _of_core(core, table))


def _of_core(core: Core, table: ComponentTable) -> Iterator[str]:
    arrays = [m for m in core.memories if not of_registers(m)]
    words = {memory.name: float(memory.word_bits) for memory in arrays}
    banks = {memory.name: size_kb(memory) / memory.banks for memory in arrays}
    for values, fitted, what, unit in (
        (words, table.sram.fitted_word_bits, "words", "bit"),
        (banks, table.sram.fitted_kb, "banks", "KB"),
    ):
        low, high = fitted or (0.0, inf)
        outside = [f"{name} {value:g} {unit}" for name, value in values.items() if not low <= value <= high]
        if outside:
            yield (
                f"core type '{core.name}': {what} of {', '.join(outside)} lie outside the {low:g} to {high:g} {unit} that"
                " the memory prices were fitted on: extrapolated, with a wider band"
            )
