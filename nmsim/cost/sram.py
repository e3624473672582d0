"""On-chip memories: energy per access, leakage power, access time, area."""

from dataclasses import replace
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


def size_kb(memory: Sram) -> float:
    """Size of the whole memory in units of 1024 bytes."""
    return memory.capacity_bits / units.BITS_PER_KIB


def read(technology: Technology, memory: Sram) -> Price:
    """Energy of reading one word.

    `E = base + word w + sqrt(KB) (size + size_word w)` where KB is the size of one bank, since an access
    wakes one bank only; with several banks the word also travels half the side of the whole memory, at the
    price of NoC wire. Below 0.5 KB in all, `w` register bits. Fit of CACTI 7's shape to published points:
    docs/energy.md.
    """
    if size_kb(memory) < REGISTER_LIMIT_KB:
        return technology.price(
            f"register word of {memory.word_bits} bit",
            "logic",
            [(REGISTER, memory.word_bits)],
            "register_pj_per_bit * w",
        )
    name = f"SRAM read {size_kb(memory):.4g} KB, {memory.word_bits} bit, {memory.banks} bank(s)"
    bank_kb = max(size_kb(memory) / memory.banks, REGISTER_LIMIT_KB)
    array = _array(technology, name, bank_kb, memory.word_bits)
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


def write(technology: Technology, memory: Sram) -> Price:
    """Energy of writing one word: a fixed multiple of the read; the same for registers."""
    reading = read(technology, memory)
    if reading.group != GROUP:
        return reading
    ratio = technology.constant("sram.write_over_read")
    return multiplied(
        reading, ratio, reading.name.replace("read", "write", 1), f"{ratio.value:g} * ({reading.formula})"
    )


def leakage(technology: Technology, memory: Sram) -> Constant:
    """Leakage power of a memory in watts with its band; from whole chips, so logic is in it."""
    per_kb = technology.constant("sram.leakage_uw_per_kb")
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
