"""What published digital chips spend per synaptic operation, for comparison with chips that nobody built."""

from dataclasses import dataclass
from math import log

NEAR = 1.5
"""Nodes within this factor of each other are compared."""
NOTED_NODE_NM = 28
NOTED_PJ = 10.0
"""More than this at 28 nm and below wants a reason: published digital inference cores take 1.5 to 8.4 pJ at 22 to 28 nm."""


@dataclass(frozen=True)
class PublishedSop:
    """One published figure; `which` tells whether it is of one more operation (`incremental`) or of everything."""

    chip: str
    node_nm: float
    pj: float
    which: str
    source: str


PUBLISHED = (
    PublishedSop("TrueNorth", 28, 2.297, "incremental", "Akopyan et al., TCAD 34(10) 2015, Fig. 17"),
    PublishedSop("TrueNorth at 20 Hz", 28, 26, "all-in", "Merolla et al., Science 345 (2014)"),
    PublishedSop("ODIN", 28, 8.43, "incremental", "Frenkel et al., TBioCAS 13(1) 2019"),
    PublishedSop("ODIN at peak", 28, 12.7, "all-in", "Frenkel et al., TBioCAS 13(1) 2019"),
    PublishedSop("ReckOn", 28, 5.3, "all-in", "Frenkel and Indiveri, ISSCC 2022"),
    PublishedSop("ANP-I", 28, 1.5, "as printed", "Zhang et al., JSSC 59(8) 2024"),
    PublishedSop("Tianjic", 28, 1.54, "as printed", "Deng et al., JSSC 2020, via SENECA's Table 3"),
    PublishedSop("NeuronFlow", 28, 20, "as printed", "Moreira et al. 2020, via SENECA's Table 3"),
    PublishedSop("Darwin3", 22, 5.47, "incremental", "Ma et al., NSR 11(5) 2024"),
    PublishedSop("SENECA", 22, 2.8, "as printed", "Tang et al., Front. Neurosci. 17 (2023)"),
    PublishedSop("Loihi", 14, 23.6, "incremental", "Davies et al., IEEE Micro 38(1) 2018, before silicon"),
    PublishedSop("Chen et al.", 10, 3.8, "all-in", "Chen et al., JSSC 54(4) 2019"),
    PublishedSop("Pu et al.", 40, 4.5, "as printed", "Pu et al., TCAS-I 68(12) 2021"),
    PublishedSop("RAINE", 40, 6.2, "as printed", "Fang et al., TBioCAS 17(3) 2023"),
    PublishedSop("Wang et al.", 65, 30, "inference", "Wang et al., BioCAS 2022"),
    PublishedSop("Wang et al.", 65, 97, "learning", "Wang et al., BioCAS 2022"),
)


def near(node_nm: float) -> tuple[PublishedSop, ...]:
    """Published chips of a node or one close to it, cheapest first."""
    close = (chip for chip in PUBLISHED if abs(log(chip.node_nm / node_nm)) <= log(NEAR) + 1e-9)
    return tuple(sorted(close, key=lambda chip: chip.pj))


def above_published(node_nm: float, pj: float) -> str:
    """A clause where a chip spends more for one more operation than published chips give reason to; empty otherwise."""
    if pj <= NOTED_PJ or node_nm > NOTED_NODE_NM:
        return ""
    span = "published digital chips of 22 to 28 nm take 1.5 to 8.4"
    return f"{pj:.3g} pJ per synaptic operation is above {NOTED_PJ:g} pJ ({span})"
