"""DRAM: bits that move, rows that open, and the power of devices that stand by."""

from nmsim import units
from nmsim.cost.constant import Constant
from nmsim.cost.price import Price
from nmsim.cost.technology import Technology, price_of
from nmsim.hardware.noc import Dram

GROUP = "dram"


def bit(technology: Technology, dram: Dram) -> Price:
    """One bit to or from DRAM, with the active standby of the time in which it moves at the chip's bandwidth.

    Raises:
        CostError: the table does not know the kind.
    """
    terms = [(technology.dram(dram.kind), 1.0)]
    standby = technology.constants.get(f"dram_standby_w.{dram.kind}")
    formula = "dram_pj_per_bit"
    if standby is not None:
        terms.append((standby, units.PJ_PER_J / dram.bandwidth_bits_per_s))
        formula += " + dram_standby_w / bandwidth"
    return price_of(terms, f"{dram.kind}, per bit", GROUP, formula)


def row(technology: Technology, dram: Dram) -> Price:
    """Opening and closing a row; nothing besides where the kind is published whole, by the bit."""
    name = f"dram_pj_per_row.{dram.kind}"
    if name not in technology.constants:
        return within_bits(technology.dram(dram.kind), dram.kind)
    return price_of([(technology.constant(name), 1.0)], f"{dram.kind}, per row", GROUP, "dram_pj_per_row")


def within_bits(per_bit: Constant, kind: str) -> Price:
    """A row that the price of a bit pays for."""
    return price_of([(per_bit, 0.0)], f"{kind}, per row", GROUP, "inside dram_pj_per_bit")


def power_down(technology: Technology, dram: Dram) -> Constant | None:
    """Power of devices that wait, in watts; None where the kind has no standby power of its own."""
    standby = technology.constants.get(f"dram_standby_w.{dram.kind}")
    if standby is None:
        return None
    share = technology.constant("dram_power_down_share")
    band = (standby.band[0] * share.band[0], standby.band[1] * share.band[1])
    return standby.model_copy(update={"value": standby.value * share.value, "band": band})
