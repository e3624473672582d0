"""Estimates against published silicon: what was published, what the model says, and whether it was calibrated on it."""

from collections.abc import Iterator

from nmsim import config, units
from nmsim.contents import Content
from nmsim.cost import logic, noc, sram
from nmsim.cost.clock import LANE_BITS, period_price
from nmsim.cost.table import ComponentTable, load_table, usable
from nmsim.cost.technology import Technology, technology_at
from nmsim.counts import Action
from nmsim.errors import CostError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.sram import Sram
from nmsim.validate.point import CALIBRATED, HELD_OUT, NOT_COMPARED, SiliconPoint
from nmsim.validate.whole_chips import MEROLLA, ODIN, areas, odin, truenorth

LOIHI = "Davies et al., IEEE Micro 38(1) 2018, Table 2"
PITON = "McKeown et al., HPCA 2018, Fig. 12"
SENECA = "Tang et al., Front. Neurosci. 17:1187252 (2023), Table 8"


def against_silicon() -> tuple[SiliconPoint, ...]:
    """Every comparison: chips first, then parts.

    Raises:
        CostError: a shipped table or chip that a comparison needs is missing.
    """
    table = load_table("cmos")
    if not isinstance(table, ComponentTable):
        raise CostError("cmos: the shipped table is not of level 'component'; reinstall nmsim")
    return (*truenorth(), *odin(), *areas(table), *parts(table))


def parts(table: ComponentTable) -> Iterator[SiliconPoint]:
    """Barriers, hops, memories, and whole operations as sums of their parts."""
    yield from _barrier()
    yield from _piton(table)
    yield from _noc(table)
    yield from _memories(table)
    yield from _cores(table)


def chip_priced_by(technology: str) -> ChipConfig:
    """The shipped chip that uses a price table."""
    for path in config.shipped("arch_configs/chips").values():
        chip = config.read(ChipConfig, path)
        if chip.technology == technology:
            return chip
    raise CostError(f"{technology}: no shipped chip uses this price table; see `nmsim list`")


def _barrier() -> Iterator[SiliconPoint]:
    chip = chip_priced_by("loihi-2018")
    for tiles, published_ns in ((1, 113.0), (32, 465.0)):
        name = f"Loihi barrier, {tiles} tile{'s' * (tiles > 1)}"
        yield SiliconPoint(
            name,
            "before silicon",
            published_ns,
            _barrier_ns(chip, tiles),
            "ns",
            CALIBRATED,
            LOIHI,
            "an end of the range",
        )
    note = (
        f"measured on boards, while 'loihi-2018' is the chip before silicon ({_barrier_ns(chip, 2):.0f} and"
        f" {_barrier_ns(chip, 29):.0f} ns there): two publications that disagree, neither a figure of ours; 'loihi-board'"
        " carries the measured times"
    )
    for tiles, published_ns in ((2, 1000.0), (29, 1800.0)):
        yield SiliconPoint(
            f"Loihi boards, barrier of {tiles} tiles", f"{tiles} tiles, boards", published_ns, None, "ns",
            NOT_COMPARED, "Boyle et al., SANA-FE, TCAD 44(8) 2025", note,
        )  # fmt: skip


def _barrier_ns(chip: ChipConfig, tiles: int) -> float:
    cycles = chip.barrier.base_cycles + chip.barrier.per_tile_cycles * tiles
    return cycles / chip.clock_hz * units.NS_PER_S


def _hop_pj(technology: Technology, bits: int, mm: float, toggling: float = 0.5) -> float:
    """A flit over a hop; wire prices are for half of the wires toggling."""
    wire = noc.wire_bit_um(technology).pj * units.UM_PER_MM
    return noc.flit_hop(technology, bits).pj + bits * mm * wire * toggling / 0.5


def _piton(table: ComponentTable) -> Iterator[SiliconPoint]:
    technology = technology_at(table, 32, 1.0)
    points = (
        (0.0, 3.58, CALIBRATED, "router"),
        (0.5, 11.16, CALIBRATED, "wire"),
        (1.0, 16.68, HELD_OUT, "the model is linear in toggling wires, the chip is not"),
    )
    for toggling, published_pj, role, note in points:
        condition = f"64-bit flit, 1.1 mm, {toggling:.0%} toggling, 32 nm, 1.0 V"
        yield SiliconPoint(
            f"Piton hop, {toggling:.0%} toggling",
            condition,
            published_pj,
            _hop_pj(technology, 64, 1.1, toggling),
            "pJ",
            role,
            PITON,
            note,
        )


def _noc(table: ComponentTable) -> Iterator[SiliconPoint]:
    points = (
        ("Loihi hop east-west", 14, 0.75, 1.37, 3.0, LOIHI, "tile pitch inferred from 60 mm2 over 32 tiles"),
        (
            "Loihi hop north-south",
            14,
            0.75,
            1.37,
            4.0,
            LOIHI,
            "tile pitch inferred from 60 mm2 over 32 tiles",
        ),
        ("TrueNorth hop", 28, 0.775, 0.24, 2.3, MEROLLA, ""),
        ("SENECA event", 22, 0.8, 0.69, 2.0, SENECA, "hop length unknown: side of a core of 0.47 mm2"),
    )
    for what, node_nm, voltage_v, mm, published_pj, source, note in points:
        model = _hop_pj(technology_at(table, node_nm, voltage_v), 32, mm)
        condition = f"32-bit packet, {mm} mm, {node_nm} nm, {voltage_v} V"
        yield SiliconPoint(
            what, condition, published_pj, model, "pJ", HELD_OUT, source, note, frame_published=not note
        )


def _memory(kb: float, word_bits: int) -> Sram:
    words = round(kb * units.BITS_PER_KIB / word_bits)
    return Sram(name="memory", holds=(Content.WEIGHT,), words=words, word_bits=word_bits)


def _memories(table: ComponentTable) -> Iterator[SiliconPoint]:
    note_28 = "fitted as if measured at 0.9 V: scaling to its 0.775 V loses what the fit gained"
    points = (
        ("TrueNorth SRAM", 28, 0.775, 12.8, 410, 19.27, CALIBRATED, MEROLLA, note_28),
        ("SENECA SRAM", 22, 0.8, 256, 32, 10.0, HELD_OUT, SENECA, "capacity remembered, not read"),
        ("SENECA SRAM", 22, 0.8, 256, 128, 23.2, HELD_OUT, SENECA, "capacity remembered, not read"),
        (
            "SENECA SRAM",
            22,
            0.8,
            16,
            32,
            5.7,
            HELD_OUT,
            SENECA,
            "capacity remembered, not read",
        ),
    )
    for what, node_nm, voltage_v, kb, bits, published_pj, role, source, note in points:
        model = sram.read(technology_at(table, node_nm, voltage_v), _memory(kb, bits)).pj
        condition = f"read {bits} bit of {kb:g} KB, {node_nm} nm, {voltage_v} V"
        known = role == CALIBRATED or not note
        yield SiliconPoint(
            f"{what}, {bits} bit, {kb:g} KB", condition, published_pj, model, "pJ", role, source, note,
            frame_published=known,
        )  # fmt: skip


def _clock_pj(technology: Technology, word_bits: float) -> float:
    """Clock of a finely gated core for one synaptic operation: a lane of four stages, and the words it moves."""
    gated = 1 - technology.constant("clock.open_when_idle").value
    return period_price(technology).pj * gated * (4 * LANE_BITS + word_bits)


def _cores(table: ComponentTable) -> Iterator[SiliconPoint]:
    """Whole synaptic operations with control overhead; access mixes are assumed, so these are illustrations."""
    at_14, at_28 = technology_at(table, 14, 0.75), technology_at(table, 28, 0.55)
    state, neuron = _memory(8, 24), _memory(4, 128)
    loihi_pj = sram.read(at_14, _memory(128, 64)).pj + logic.operation(at_14, Action.ADD, 16, 0, 0).pj
    loihi_pj += sram.read(at_14, state).pj + sram.write(at_14, state).pj
    odin_pj = (
        sram.read(at_28, _memory(32, 32)).pj / 8 + sram.read(at_28, neuron).pj + sram.write(at_28, neuron).pj
    )
    loihi_clock_pj, odin_clock_pj = _clock_pj(at_14, 64 + 24 + 24), _clock_pj(at_28, 32 / 8 + 128 + 128)
    default = usable(table.control_overhead, "control_overhead", table.name).value
    loihi = (
        "Loihi",
        LOIHI,
        23.6,
        loihi_pj,
        loihi_clock_pj,
        "64 bit of 128 KB, 16-bit addition, 24 bit of 8 KB read and written",
    )
    odin = (
        "ODIN",
        ODIN,
        8.43,
        odin_pj,
        odin_clock_pj,
        "an eighth of 32 bit of 32 KB, 128 bit of 4 KB read and written",
    )
    for own, other in ((loihi, odin), (odin, loihi)):
        name, source, published_pj, pj, clock_pj, mix = own
        other_name, _, other_pj, other_model, other_clock, _ = other
        fitted = (other_pj - other_clock) / other_model
        for whose, factor, role in (("default", default, CALIBRATED), (f"of {other_name}", fitted, HELD_OUT)):
            yield SiliconPoint(
                f"{name} pJ/SOP, control {whose}", f"control overhead {factor:.2f}, {whose}", published_pj,
                factor * pj + clock_pj, "pJ", role, source, f"assumed mix of accesses: {mix}", frame_published=False,
            )  # fmt: skip
