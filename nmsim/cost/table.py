"""Price tables: component prices over technology nodes, or published energies of a chip's whole events."""

from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from nmsim import config
from nmsim.config import Document, Record
from nmsim.cost.constant import Constant, Kind
from nmsim.cost.scaling import NodeConstant, NodeValue, Supply
from nmsim.counts import Action
from nmsim.errors import ConfigError, CostError

FOLDER = "arch_configs/technology"
EVENT_ACTIONS = (
    Action.SYNAPTIC_OP, Action.NEURON_UPDATE_ACTIVE, Action.NEURON_UPDATE_INACTIVE, Action.SPIKE_OUT,
    Action.SYNAPTIC_UPDATE, Action.PACKET_LOCAL, Action.HOP_EAST_WEST, Action.HOP_NORTH_SOUTH, Action.AXON_IN,
    Action.AXON_OUT, Action.BARRIER, Action.BIT,
)  # fmt: skip


class LogicPrices(Record):
    """Arithmetic: an addition costs `add * bits`, a multiplication `multiply * bits_a * bits_b`.

    docs/energy.md says which published operations the laws were fitted to, and how far they are off.
    """

    add_pj_per_bit: NodeConstant | None = None
    multiply_pj_per_bit2: NodeConstant | None = None
    compare_pj_per_bit: NodeConstant | None = None
    shift_pj_per_bit: NodeConstant | None = None
    register_pj_per_bit: NodeConstant | None = None
    """One bit of a clocked register, read or written; also every memory below 0.5 KB."""


class SramPrices(Record):
    """`E_read = base + word * w + sqrt(KB) * (size + size_word * w)` for an access of `w` bits."""

    fitted_word_bits: tuple[float, float] | None = None
    """Narrowest and widest word of the fit; a memory outside is priced with a note."""
    fitted_kb: tuple[float, float] | None = None
    """Smallest and largest bank of the fit."""
    base_pj: NodeConstant | None = None
    word_pj_per_bit: NodeConstant | None = None
    size_pj_per_sqrt_kb: NodeConstant | None = None
    size_word_pj_per_bit_sqrt_kb: NodeConstant | None = None
    write_over_read: Constant | None = None
    leakage_uw_per_kb: NodeConstant | None = None


class TimingLaws(Record):
    """How fast logic and memories are: see `nmsim.cost.speed`, and docs/timing.md for where each figure comes from."""

    fo4_ps: NodeConstant | None = None
    """Delay of a laid-out inverter that drives four like it, at the nominal supply."""
    threshold_v: NodeConstant | None = None
    """Threshold of the alpha-power law `f ~ (V - Vt)^a / V`."""
    alpha: NodeConstant | None = None
    """Its exponent."""
    logic_depth_fo4: Constant | None = None
    """Gate delays in the shortest period, register included."""
    register_fo4: Constant | None = None
    """Gate delays of a register: clock to output and set-up."""
    usual_clock_hz: NodeConstant | None = None
    """Clock of published synthesised accelerators at the nominal supply, with the span of them as its band."""
    memory_ns: NodeConstant | None = None
    """Address to data at the nominal supply: `memory_ns + memory_ns_per_sqrt_kb sqrt(KB of a bank)`."""
    memory_ns_per_sqrt_kb: NodeConstant | None = None
    weak_cell_share: Constant | None = None
    """Part of an access in which the cells discharge their bit lines."""
    weak_cell_excess: dict[int, tuple[tuple[float, float], ...]] = Field(default_factory=dict)
    """By node, rising supplies and how many times more than logic a weak cell has slowed down there."""
    weak_cell_source: str = ""


class ClockPrices(Record):
    """What the clock of a flip-flop costs: see `nmsim.cost.clock`."""

    flip_flop_pj: NodeConstant | None = None
    """One flip-flop and its clock pin in one period, data unchanged."""
    tree_factor: Constant | None = None
    """Buffers, wires and gates that lead to it, as a factor."""
    open_when_idle: Constant | None = None
    """Part of a gated clock that still runs."""


class NocPrices(Record):
    """A flit hop costs `bits * (router + wire * mm)`; the length of the wire is the pitch of the tiles."""

    router_pj_per_bit: NodeConstant | None = None
    wire_pj_per_bit_mm: NodeConstant | None = None
    """For random data, half of the wires toggling."""
    chip_link_pj_per_bit: Constant | None = None


class AreaPrices(Record):
    """Silicon area: cells by bits of what they store or compute, and factors for what surrounds them.

    From cell to chip each level multiplies the one inside: cells, a placed block, a core, the chip.
    """

    sram_um2_per_bit: NodeConstant | None = None
    adder_um2_per_bit: NodeConstant | None = None
    multiplier_um2_per_bit2: NodeConstant | None = None
    register_um2_per_bit: NodeConstant | None = None
    router_um2_per_bit: NodeConstant | None = None
    macro_kb: Constant | None = None
    """Periphery of a memory macro in KB of cells: `macro_kb + macro_kb_per_bit w`."""
    macro_kb_per_bit: Constant | None = None
    placement_density: Constant | None = None
    """Share of a placed block that is cells."""
    control_and_wiring: Constant | None = None
    """Core over its memories, placed lanes and router."""
    chip_over_cores: Constant | None = None
    """Chip over its cores: pads and periphery."""


class PortPrices(Record):
    """What more ports cost a memory, as factors on one read-or-write port.

    `1r1w` reads and writes in the same cycle, `2rw` makes any two accesses.
    """

    area_1r1w: Constant | None = None
    area_2rw: Constant | None = None
    read_1r1w: Constant | None = None
    write_1r1w: Constant | None = None
    read_2rw: Constant | None = None
    write_2rw: Constant | None = None
    leakage_1r1w: Constant | None = None
    leakage_2rw: Constant | None = None


class _Table(Record):
    """What both kinds of table share. `sources` maps the keys that constants use to full citations."""

    name: str
    description: str = ""
    sources: dict[str, str]

    @model_validator(mode="after")
    def _known_sources(self) -> Self:
        for path, key in _source_keys(self, ""):
            if key not in self.sources:
                raise ValueError(
                    f"{path}.source '{key}' is not among the table's sources; add it there, or leave it out"
                )
        return self

    def cited(self, constant: Constant) -> Constant:
        """The constant with its source written out."""
        if constant.source is None:
            return constant
        text = "; ".join(self.sources[key] for key in constant.source.split("; "))
        return constant.model_copy(update={"source": text})


class ComponentTable(_Table):
    """Prices of arithmetic, memories, NoC and DRAM over nodes; a chip picks its node and supply.

    Every constant has a source, a kind (`nmsim.cost.constant.Kind`) and a band. Prices between two nodes are interpolated,
    and none is extrapolated beyond those that were published; what a table leaves out is reported as not priced.
    """

    level: Literal["component"]
    supply: dict[int, Supply]
    logic: LogicPrices = LogicPrices()
    sram: SramPrices = SramPrices()
    ports: PortPrices = PortPrices()
    timing: TimingLaws = TimingLaws()
    clock: ClockPrices = ClockPrices()
    noc: NocPrices = NocPrices()
    dram_pj_per_bit: dict[str, Constant] = Field(default_factory=dict)
    """By kind: bursts in the array and over the pins; everything where the kind has no price per row."""
    dram_pj_per_row: dict[str, Constant] = Field(default_factory=dict)
    """Opening and closing a row."""
    dram_standby_w: dict[str, Constant] = Field(default_factory=dict)
    """Active standby of the devices; drawn while data moves, `dram_power_down_share` of it otherwise."""
    dram_power_down_share: Constant | None = None
    area: AreaPrices = AreaPrices()
    control_overhead: Constant | None = None
    """Band and source of `power.control_overhead_factor`."""
    reference_pj: dict[str, NodeConstant] = Field(default_factory=dict)
    """Published figures kept for comparison; nothing is priced from them."""


class EventTable(_Table):
    """Energies of whole events of one chip.

    `events` maps an action, or `action/unit`, to its energy. `not_priced` maps an action without a published
    energy to the reason; reports show it. `operating_points` are average figures: kept to compare with, never
    to price.
    """

    level: Literal["event"]
    node_nm: float = Field(gt=0)
    supply: Supply | None = None
    """None: the authors state no voltage, so the prices are used as they are at any."""
    events: dict[str, Constant]
    not_priced: dict[str, str] = Field(default_factory=dict)
    static_power_w: Constant | None = None
    clock_power_w_per_hz: Constant | None = None
    dram_pj_per_bit: dict[str, Constant] = Field(default_factory=dict)
    operating_points: dict[str, Constant] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _events_price(self) -> Self:
        for key, constant in self.events.items():
            if key.partition("/")[0] not in EVENT_ACTIONS:
                raise ValueError(f"'{key}' is not an event; known are {', '.join(EVENT_ACTIONS)}")
            if constant.kind is Kind.AVERAGE:
                raise ValueError(
                    f"events.{key} is of kind 'average', the mean of an operating point, which cannot price"
                    " one more"
                    " event; give a marginal figure, or move it to operating_points"
                )
        both = sorted(set(self.events) & set(self.not_priced))
        if both:
            raise ValueError(f"'{both[0]}' is priced and listed as not priced; keep one of the two")
        return self


CostTable = ComponentTable | EventTable


def load_table(name: str) -> CostTable:
    """A shipped table by name, or a YAML file by path; `ConfigError` names place, value, rule and remedy.

    Call it for prices other than those that a chip names (`chip.technology`), such as a table of one's own.

    >>> load_table("cmos").level
    'component'
    """
    path = config.find(FOLDER, name)
    return _table(config.read_text(path), str(path))


@lru_cache(maxsize=8)
def _table(text: str, source: str) -> CostTable:
    """A table of one text, parsed once: hundreds of prices take a third of a second, and every evaluation asks."""
    return build_table(config.parse_file(text, source))


def build_table(document: Document) -> CostTable:
    """A price table from a document, whichever its level; `ConfigError` as `load_table`."""
    level = document.data.get("level")
    if level == "component":
        return config.build(ComponentTable, document)
    if level == "event":
        return config.build(EventTable, document)
    raise ConfigError(
        f"{document.place(('level',))}: level: value {level!r}: a price table is of level 'component' or"
        " 'event'; write one of the two"
    )


def usable(constant: Constant | None, name: str, table: str) -> Constant:
    """The constant, if it may enter a price.

    Raises:
        CostError: it is absent, has no source, or is an average of an operating point.
    """
    if constant is None:
        raise CostError(
            f"{table}: {name} is not in this table, so what needs it is not available; add it with its"
            " source, or use another table"
        )
    if not constant.source:
        raise CostError(
            f"{table}: {name} has no source, so what needs it is not available; write where the figure"
            " comes from"
        )
    if constant.kind is Kind.AVERAGE:
        raise CostError(
            f"{table}: {name} is of kind 'average', the mean of an operating point, which cannot price one"
            " more event; give a marginal figure"
        )
    return constant


def _source_keys(value: Any, path: str) -> list[tuple[str, str]]:
    """Every `source` of constants below a record, with its key path."""
    if isinstance(value, Constant | NodeConstant | NodeValue):
        found = [(path, value.source)] if value.source else []
        points = value.at.items() if isinstance(value, NodeConstant) else ()
        return found + [key for node, point in points for key in _source_keys(point, f"{path}.at.{node}")]
    if isinstance(value, Record):
        items = [(name, getattr(value, name)) for name in type(value).model_fields]
    elif isinstance(value, dict):
        items = [(str(key), item) for key, item in value.items()]
    else:
        return []
    return [key for name, item in items for key in _source_keys(item, f"{path}.{name}" if path else name)]
