"""Visits to a vector that is mostly zeros: words read, lists kept, cycles lost on empty words (docs/timing.md)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.hardware.skip import SkipKind
from nmsim.perf.census import Mask
from nmsim.perf.layer import LayerTask
from nmsim.perf.stage_builder import StageBuilder

IntArray = NDArray[np.int64]


def index_bits(values: IntArray) -> IntArray:
    """Bits that number so many values."""
    return np.ceil(np.log2(np.maximum(values, 2))).astype(np.int64)


@dataclass(frozen=True, eq=False)
class PackedVector:
    """A vector of `values (n,)` values in words of a memory; `ones (n, S, T)` of them, in `filled (n, S, T)` words."""

    content: Content
    skip: SkipKind
    bits: int
    values: IntArray
    words: IntArray
    """Words of the whole vector, neighbours along its channels sharing one `(n,)`."""
    ones: IntArray
    filled: IntArray
    listed: IntArray
    """Words of its list `(n, S, T)`; 0 where there is none."""
    apart: bool
    """A word list lies in a memory of its own."""

    @classmethod
    def of(
        cls, stage: StageBuilder, task: LayerTask, content: Content, skip: SkipKind, bits: int, mask: Mask, *, out: bool
    ) -> "PackedVector":  # fmt: skip
        """The deltas (`out`) or inputs of a layer's slices, as the cores keep them."""
        slices = task.slices
        c0, c1, r0, r1 = slices.neuron_box if out else slices.input_box
        width = slices.geometry.out_shape[2] if out else slices.geometry.in_shape[2]
        packing = stage.packing(content, bits)
        places = (r1 - r0) * width
        words, values = packing.words(c1 - c0) * places, (c1 - c0) * places
        nothing = np.zeros((1, 1, 1), np.int64)
        if skip == "none" or stage.by_events:
            return cls(content, skip, bits, values, words, nothing, nothing, nothing, apart=False)
        groups, g0, g1 = mask.grouped(c0, c1, packing.per_word)
        filled = groups.count(g0, g1, r0, r1) * packing.per_value[:, None, None]
        ones = mask.count(c0, c1, r0, r1)
        listed = nothing
        if skip == "word_list":
            listed = stage.packing_of(content, index_bits(words)).words_of(filled)
        elif skip == "value_list":
            listed = stage.packing_of(content, index_bits(values) + bits).words_of(ones)
        apart = skip == "word_list" and task.options.skip.lists == "own_memory"
        return cls(content, skip, bits, values, words, ones, filled, listed, apart)

    def keep(self, stage: StageBuilder) -> None:
        """Write the list, where there is one."""
        if self.skip in {"word_list", "value_list"}:
            stage.access(self.content, writes=self.listed, takes_ports=not self.apart)

    def visit(self, stage: StageBuilder, words: IntArray, *, run: IntArray | int = 0) -> None:
        """Read as much as `words (n, 1, 1)` or `(n, S, T)` words of the whole vector hold, from front to back."""
        if self.skip == "none" or stage.by_events:
            stage.access(self.content, reads=words, run=run)
            return
        whole = np.maximum(self.words, 1)[:, None, None]
        filled = -(-words * self.filled // whole)
        if self.skip == "scan":
            stage.access(self.content, reads=words, run=run)
            stage.wait(words - filled)
        elif self.skip == "word_list":
            stage.access(self.content, reads=filled, run=run)
            listed = -(-words * self.listed // whole)
            stage.access(self.content, reads=listed, run=run, takes_ports=not self.apart)
        else:
            stage.access(self.content, reads=-(-words * self.listed // whole), run=run)
