"""On-chip memories: energy per access, leakage power, access time, area."""

from dataclasses import replace
from functools import lru_cache
from math import sqrt

from nmsim import units
from nmsim.cost.constant import Constant
from nmsim.cost.logic import REGISTER
from nmsim.cost.price import Price
from nmsim.cost.technology import Technology, multiplied, price_of
from nmsim.hardware.sram import Sram

GROUP = "sram"
REGISTER_LIMIT_KB = 0.5
"""Below this a memory is built of registers."""
READ_OVER_WRITE, READ_OVER_WRITE_PER_ENTRY = 2 / 15, 1.1 / 15
"""Reading a register file of D entries against writing it: output wire, and D - 1 multiplexers that may toggle.

Nangate45 at 1.1 V: write 15 fJ per bit (clock and half of the bits toggle), read 2 + 1.1 (D - 1) fJ.
"""


EXTRAPOLATION_EXPONENT = 0.5
"""Assumed: outside the fit a price may be off by the square root of the distance more, either way."""


def size_kb(memory: Sram) -> float:
    """Size of the whole memory in units of 1024 bytes."""
    return memory.capacity_bits / units.BITS_PER_KIB


def of_registers(memory: Sram) -> bool:
    """Whether a memory is built of flip-flops: a register file, or too small for a macro."""
    return memory.kind == "registers" or size_kb(memory) < REGISTER_LIMIT_KB


def port_kind(memory: Sram) -> str:
    """How a memory's ports work: `1rw` one read or write at a time, `1r1w` one of each, `2rw` two of any."""
    return "1rw" if memory.kind == "registers" else memory.kind


def port_factor(technology: Technology, memory: Sram, what: str) -> Constant | None:
    """Factor of `area`, `read`, `write` or `leakage` for a memory of more than one port; None for one port."""
    kind = port_kind(memory)
    return None if kind == "1rw" else technology.constant(f"ports.{what}_{kind}")


@lru_cache(maxsize=1024)
def read(technology: Technology, memory: Sram) -> Price:
    """Energy of reading one word.

    `E = base + word w + sqrt(KB) (size + size_word w)` where KB is the size of one bank, since an access
    wakes one bank only; with several banks the word also travels half the side of the whole memory, at the
    price of NoC wire. Below 0.5 KB in all, `w` register bits. Fit of CACTI 7's shape to published points:
    docs/energy.md. Outside the sizes of the fit the band is wider; more ports have their factor.
    """
    if memory.kind == "registers":
        return _register_file(technology, memory, reads=True)
    if of_registers(memory):
        return technology.price(
            f"register word of {memory.word_bits} bit",
            "logic",
            [(REGISTER, memory.word_bits)],
            "register_pj_per_bit * w",
        )
    return _with_ports(technology, memory, _one_port(technology, memory), "read")


@lru_cache(maxsize=1024)
def write(technology: Technology, memory: Sram) -> Price:
    """Energy of writing one word: a fixed multiple of the read; the same for registers."""
    if memory.kind == "registers":
        return _register_file(technology, memory, reads=False)
    if of_registers(memory):
        return read(technology, memory)
    reading = _one_port(technology, memory)
    ratio = technology.constant("sram.write_over_read")
    writing = multiplied(
        reading, ratio, reading.name.replace("read", "write", 1), f"{ratio.value:g} * ({reading.formula})"
    )
    return _with_ports(technology, memory, writing, "write")


def _with_ports(technology: Technology, memory: Sram, price: Price, what: str) -> Price:
    factor = port_factor(technology, memory, what)
    if factor is None:
        return price
    name, formula = f"{price.name}, {port_kind(memory)}", f"{factor.value:g} * ({price.formula})"
    return multiplied(price, factor, name, formula)


def _one_port(technology: Technology, memory: Sram) -> Price:
    """A read through one port."""
    name = f"SRAM read {size_kb(memory):.4g} KB, {memory.word_bits} bit, {memory.banks} bank(s)"
    bank_kb = max(size_kb(memory) / memory.banks, REGISTER_LIMIT_KB)
    array = _widened(technology, _array(technology, name, bank_kb, memory.word_bits), memory)
    if memory.banks == 1:
        return array
    travel = technology.price(
        "", GROUP, [("noc.wire_pj_per_bit_mm", memory.word_bits * _half_side_mm(technology, memory))], ""
    )
    return replace(
        array,
        pj=array.pj + travel.pj,
        low_pj=array.low_pj + travel.low_pj,
        high_pj=array.high_pj + travel.high_pj,
        formula=f"{array.formula} + wire * w * half side",
    )


def _widened(technology: Technology, price: Price, memory: Sram) -> Price:
    """The price with a band that grows with the distance from the sizes of the fit."""
    factor = extrapolation(technology, memory) ** EXTRAPOLATION_EXPONENT
    return replace(price, low_pj=price.low_pj / factor, high_pj=price.high_pj * factor)


def extrapolation(technology: Technology, memory: Sram) -> float:
    """How many times a memory's words and banks lie outside the sizes of the fit; 1 inside."""
    found = 1.0
    sizes = (
        (memory.word_bits, technology.fitted_word_bits),
        (size_kb(memory) / memory.banks, technology.fitted_kb),
    )
    for value, fitted in sizes:
        if fitted is not None:
            found *= max(value / fitted[1], fitted[0] / value, 1.0)
    return found


def _register_file(technology: Technology, memory: Sram, *, reads: bool) -> Price:
    """A word of a register file: clocked and toggled when written, chosen among its file's entries when read."""
    entries = memory.words / memory.banks
    share = READ_OVER_WRITE + READ_OVER_WRITE_PER_ENTRY * (entries - 1) if reads else 1.0
    return technology.price(
        f"register file {'read' if reads else 'write'}, {entries:g} entries of {memory.word_bits} bit",
        "logic",
        [(REGISTER, memory.word_bits * share)],
        f"register_pj_per_bit * w * {share:.3g}",
    )


def leakage(technology: Technology, memory: Sram) -> Constant:
    """Leakage power of a memory in watts with its band; from whole chips, so logic is in it."""
    per_kb = technology.constant("sram.leakage_uw_per_kb")
    ports = port_factor(technology, memory, "leakage")
    if ports is not None:
        per_kb = per_kb.model_copy(update={"value": per_kb.value * ports.value})
    return per_kb.model_copy(update={"value": per_kb.value * size_kb(memory) * units.W_PER_UW, "unit": "W"})


def _array(technology: Technology, name: str, kb: float, bits: int) -> Price:
    """One bank; below 22 nm the cheaper of this node and 22 nm."""
    formula = "base + word * w + sqrt(KB) * (size + size_word * w)"
    factors = {
        "sram.base_pj": 1.0,
        "sram.word_pj_per_bit": float(bits),
        "sram.size_pj_per_sqrt_kb": sqrt(kb),
        "sram.size_word_pj_per_bit_sqrt_kb": sqrt(kb) * bits,
    }
    price = technology.price(name, GROUP, factors.items(), formula)
    if technology.sram_floor is None:
        return price
    floor = price_of(
        [(technology.sram_floor[key], factor) for key, factor in factors.items()],
        name,
        GROUP,
        f"22 nm: {formula}",
    )
    return min(price, floor, key=lambda candidate: candidate.pj)


def _half_side_mm(technology: Technology, memory: Sram) -> float:
    per_bit = technology.constant("area.sram_um2_per_bit").value
    return sqrt(memory.capacity_bits * per_bit * units.MM2_PER_UM2) / 2
