"""Memories of the core: what a word holds, how many there are, and how values become words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.hardware.sram import MemoryKind
from nmsim.rtl.design import Design, Field, address_bits

RawArray = NDArray[Any]


@dataclass(frozen=True)
class Part:
    """One field of a lane, from its lowest bit on."""

    name: str
    field: Field
    at: int


@dataclass(frozen=True)
class Memory:
    """A memory of the core: `lanes` values (or groups of values) side by side in a word, lane 0 lowest.

    `instance` is its name in the RTL, `index` its number on the bus.
    """

    name: str
    instance: str
    index: int
    kind: MemoryKind
    holds: tuple[Content, ...]
    words: int
    lanes: int
    parts: tuple[Part, ...]
    zeroed: bool
    """Must hold zeros before the first sample."""

    @property
    def lane_bits(self) -> int:
        """Bits of one lane."""
        return sum(part.field.bits for part in self.parts)

    @property
    def word_bits(self) -> int:
        """Bits of a word."""
        return self.lanes * self.lane_bits

    @property
    def address(self) -> int:
        """Bits of an address."""
        return address_bits(self.words)

    def pack(self, values: Sequence[RawArray]) -> list[str]:
        """Words as hexadecimal text; `values` one array `(words, lanes)` per part."""
        bits = [_bits(array, part.field.bits) for array, part in zip(values, self.parts, strict=True)]
        return _hex(np.concatenate(bits, axis=2).reshape(len(values[0]), -1))

    def unpack(self, words: Sequence[str]) -> list[RawArray]:
        """The inverse of `pack`; Python integers."""
        found = [np.zeros((len(words), self.lanes), object) for _ in self.parts]
        for row, word in enumerate(words):
            value = int(word, 16)
            for lane in range(self.lanes):
                for part, array in zip(self.parts, found, strict=True):
                    raw = value >> (lane * self.lane_bits + part.at) & ((1 << part.field.bits) - 1)
                    negative = part.field.signed and raw >> (part.field.bits - 1)
                    array[row, lane] = raw - (1 << part.field.bits) if negative else raw
        return found


def _bits(values: RawArray, width: int) -> NDArray[np.uint8]:
    """Two's complement bits `(words, lanes, width)`, lowest first."""
    if width <= 63 and values.dtype != object:
        shifts = np.arange(width, dtype=np.int64)
        return ((values.astype(np.int64)[..., None] >> shifts) & 1).astype(np.uint8)
    found = np.zeros((*values.shape, width), np.uint8)
    for place, value in np.ndenumerate(values):
        raw = int(value) & ((1 << width) - 1)
        found[place] = [raw >> bit & 1 for bit in range(width)]
    return found


def _hex(bits: NDArray[np.uint8]) -> list[str]:
    digits = -(-bits.shape[1] // 4)
    packed = np.packbits(bits, axis=1, bitorder="little")[:, ::-1]
    return [row.tobytes().hex()[-digits:].rjust(digits, "0") for row in packed]


def layout(groups: Sequence[tuple[str, Field]]) -> tuple[Part, ...]:
    """Parts one above the other."""
    parts, at = [], 0
    for name, field in groups:
        parts.append(Part(name, field, at))
        at += field.bits
    return tuple(parts)


SPIKE = Field(1, signed=False)
ZEROED = frozenset({"gradients", "sums", "threshold_gradients", "inputs"})
"""Memories that must hold zeros before the first sample."""


def memories(design: Design) -> tuple[Memory, ...]:
    """Every memory on the bus, in the order of its number, and the three lists that only the core sees."""
    d, lanes, narrow = design, design.lanes, design.neuron_lanes
    neuron = [("spike", SPIKE)]
    if d.learns_thresholds:
        neuron.append(("threshold_trace", d.field("threshold_trace")))
    if d.learns_leak:
        neuron.append(("leak_trace", d.field("leak_trace")))
    neuron += [("threshold", d.field("membrane")), ("membrane", d.field("membrane"))]
    kept = [Content.SPIKE, Content.THRESHOLD, Content.MEMBRANE]
    kept += [Content.THRESHOLD_TRACE] * d.learns_thresholds + [Content.LEAK_TRACE] * d.learns_leak
    weights = sum(r * m for r, m in zip(d.rows, d.inputs, strict=True))
    sums = max(base + rows for base, rows in zip(d.sum_base, d.rows, strict=True))
    error_words = max([*d.input_words[1:], 1])

    def one(name: str, field: Field) -> tuple[Part, ...]:
        return layout([(name, field)])

    rows: list[tuple[str, str, MemoryKind, tuple[Content, ...], int, int, tuple[Part, ...]]] = [
        ("weights", "weights", "1rw", (Content.WEIGHT,), weights, lanes, one("weight", d.field("weight"))),
        ("gradients", "g_gradients.gradients", "1r1w", (Content.WEIGHT_GRADIENT,), weights, lanes,
         one("weight_gradient", d.accumulator("weight_gradient"))),
        ("sums", "sums", "1r1w", (Content.INPUT_SUM,), sums, lanes, one("current", d.accumulator("current"))),
        ("errors", "errors", "1r1w", (Content.ERROR_SUM,), error_words, narrow, one("error_sum", d.accumulator("error"))),
        ("neurons", "neurons", "1r1w", tuple(kept), sum(d.neuron_words), narrow, layout(neuron)),
        ("threshold_gradients", "g_thresholds.thresholds", "1r1w", (Content.THRESHOLD_GRADIENT,), sum(d.neuron_words),
         narrow, one("threshold_gradient", d.accumulator("threshold_gradient"))),
        ("deltas", "deltas", "1r1w", (Content.DELTA,), sum(d.rows), lanes, one("delta", d.field("delta"))),
        ("traces", "traces", "1r1w", (Content.WEIGHT_TRACE,), sum(d.input_words), narrow,
         one("weight_trace", d.field("weight_trace"))),
        ("inputs", "inputs", "1r1w", (Content.INPUT,), d.input_words[0], narrow, one("input", d.input)),
    ]  # fmt: skip
    found = [
        Memory(name, instance, index, kind, holds, words, values, parts, zeroed=name in ZEROED)
        for index, (name, instance, kind, holds, words, values, parts) in enumerate(rows)
    ]
    absent = {"gradients"} if d.in_place else set()
    absent |= set() if d.learns_thresholds else {"threshold_gradients"}
    return tuple(memory for memory in found if memory.name not in absent)


def bus_widths(design: Design) -> tuple[int, int]:
    """Bits of the widest word and of the longest address of the memories on the bus."""
    found = memories(design)
    return max(memory.word_bits for memory in found), max(memory.address for memory in found)


def lists(design: Design) -> tuple[tuple[str, int, int], ...]:
    """The lists of non-zero words: name, words, bits of a word."""
    d = design
    row = address_bits(max(d.rows) + 1) + address_bits(
        sum(r * m for r, m in zip(d.rows, d.inputs, strict=True))
    )
    return (
        ("spike list", sum(d.neuron_words), d.neuron_lanes + address_bits(sum(d.neuron_words))),
        ("row list", sum(d.rows), row),
        ("trace list", sum(d.input_words), address_bits(sum(d.input_words))),
    )
