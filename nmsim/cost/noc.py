"""The network on chip and the links between chips."""

from nmsim import units
from nmsim.cost.price import Price
from nmsim.cost.technology import Technology

GROUP = "noc"
BARRIER_FLITS = 2
"""Per tile and barrier: one flit up to report, one down to release, each over one hop."""


def flit_hop(technology: Technology, bits: int) -> Price:
    """One flit of `bits` through one router."""
    return technology.price(
        f"router, flit of {bits} bit", GROUP, [("noc.router_pj_per_bit", bits)], "router_pj_per_bit * bits"
    )


def wire_bit_um(technology: Technology) -> Price:
    """One bit over one micrometre of link, random data."""
    return technology.price(
        "link wire", GROUP, [("noc.wire_pj_per_bit_mm", 1 / units.UM_PER_MM)], "wire_pj_per_bit_mm / 1000"
    )


def barrier(technology: Technology, flit_bits: int, hop_mm: float) -> Price:
    """One tile's part in a barrier: assumed to be two flits over one hop, for nobody publishes it."""
    terms = [
        ("noc.router_pj_per_bit", float(BARRIER_FLITS * flit_bits)),
        ("noc.wire_pj_per_bit_mm", BARRIER_FLITS * flit_bits * hop_mm),
    ]
    return technology.price(
        "barrier, per tile", GROUP, terms, "2 * flit_bits * (router + wire * mm), assumed"
    )


def chip_link_bit(technology: Technology) -> Price:
    """One bit from chip to chip."""
    return technology.price(
        "chip link", "chip_link", [("noc.chip_link_pj_per_bit", 1)], "chip_link_pj_per_bit"
    )
