"""A component table at one node and one supply: plain constants, and prices made of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import exp, hypot, log

from nmsim.caches import Itself
from nmsim.config import Record
from nmsim.cost.constant import Constant
from nmsim.cost.price import Price
from nmsim.cost.scaling import NodeConstant, Supply, at_supply, supply_at
from nmsim.cost.table import ComponentTable, usable
from nmsim.errors import CostError

SRAM_FLOOR_NM = 22
"""Below this node an SRAM access costs no more than the same access at this node (docs/energy.md)."""


@dataclass(frozen=True, eq=False)
class Technology:
    """Component prices of one chip; two are equal only if they are the same, so that prices can be kept under it.

    `constants` by dotted name (`logic.add_pj_per_bit`), scaled to `voltage_v`; a constant that the table does
    not have is absent. `sram_floor` are the SRAM constants at 22 nm, for nodes below it.
    """

    table: str
    node_nm: float
    voltage_v: float
    supply: Supply
    constants: Mapping[str, Constant]
    sram_floor: Mapping[str, Constant] | None
    notes: tuple[str, ...]
    fitted_word_bits: tuple[float, float] | None = None
    fitted_kb: tuple[float, float] | None = None
    """Sizes on which the memory prices were fitted; outside, their band is wider."""
    weak_cell_excess: tuple[tuple[float, float], ...] = ()
    """Supplies and how many times more than logic a weak memory cell has slowed down, at the nearest published node."""

    @property
    def timed(self) -> bool:
        """Whether the table says how fast its node is; without it no clock is refused."""
        return "timing.fo4_ps" in self.constants

    @property
    def clocked(self) -> bool:
        """Whether the table prices clocks; without it a clock costs what the chip's `clock_power_w_per_hz` says."""
        return "clock.flip_flop_pj" in self.constants

    def constant(self, name: str) -> Constant:
        """A usable constant; `CostError` if it is absent, has no source, or is an average."""
        return usable(self.constants.get(name), name, self.table)

    def dram(self, kind: str) -> Constant:
        """Energy per bit of a kind of DRAM; `CostError` names the known kinds."""
        name = f"dram_pj_per_bit.{kind}"
        if name not in self.constants:
            known = ", ".join(
                key.partition(".")[2] for key in self.constants if key.startswith("dram_pj_per_bit.")
            )
            raise CostError(
                f"{self.table}: DRAM kind '{kind}' has no price; known kinds are {known or 'none'}"
            )
        return self.constant(name)

    def price(self, name: str, group: str, terms: Iterable[tuple[str, float]], formula: str) -> Price:
        """The price `sum(factor * constant)`; bands of its terms add up, for they are errors of one fit."""
        return price_of([(self.constant(key), factor) for key, factor in terms], name, group, formula)


def technology_at(table: ComponentTable, node_nm: float, voltage_v: float) -> Technology:
    """The table at a node and supply; kept, for one evaluation asks a dozen times.

    Raises:
        CostError: node or supply outside what the table publishes.
    """
    return _technology_at(Itself(table), node_nm, voltage_v)


@lru_cache(maxsize=64)
def _technology_at(given: Itself[ComponentTable], node_nm: float, voltage_v: float) -> Technology:
    table = given.it
    supply = supply_at(table.supply, node_nm)
    supply.check(voltage_v, f"{table.name} at {node_nm:g} nm")
    constants = _resolved(table, node_nm, voltage_v, supply.nominal_v)
    floor = None
    if node_nm < SRAM_FLOOR_NM:
        at_floor = _resolved(table, SRAM_FLOOR_NM, voltage_v, supply.nominal_v)
        floor = {name: constant for name, constant in at_floor.items() if name.startswith("sram.")}
    return Technology(
        table.name, node_nm, voltage_v, supply, constants, floor, _notes(table, node_nm, voltage_v, supply),
        table.sram.fitted_word_bits, table.sram.fitted_kb, _nearest(table.timing.weak_cell_excess, node_nm),
    )  # fmt: skip


def _resolved(
    table: ComponentTable, node_nm: float, voltage_v: float, nominal_v: float
) -> dict[str, Constant]:
    found: dict[str, Constant] = {}
    for section in (
        "logic",
        "sram",
        "ports",
        "timing",
        "clock",
        "noc",
        "area",
        "dram_pj_per_bit",
        "dram_pj_per_row",
        "dram_standby_w",
        "reference_pj",
    ):
        part = getattr(table, section)
        items = {n: getattr(part, n) for n in type(part).model_fields} if isinstance(part, Record) else part
        for key, value in items.items():
            name = f"{section}.{key}"
            if isinstance(value, NodeConstant) and not _outside(value, node_nm):
                found[name] = table.cited(
                    at_supply(value.at_node(node_nm, name), value.scaled_by, voltage_v, nominal_v)
                )
            elif isinstance(value, Constant):
                found[name] = table.cited(value)
    for name in ("control_overhead", "dram_power_down_share"):
        constant = getattr(table, name)
        if constant is not None:
            found[name] = table.cited(constant)
    return found


def _nearest(
    points: Mapping[int, tuple[tuple[float, float], ...]], node_nm: float
) -> tuple[tuple[float, float], ...]:
    """The entry of the node whose size is nearest in proportion."""
    return points[min(points, key=lambda node: abs(log(node / node_nm)))] if points else ()


def _outside(constant: NodeConstant, node_nm: float) -> bool:
    """Whether a constant is not published as far as this node; then the table does not have it here."""
    return not min(constant.at) <= node_nm <= max(constant.at)


def _notes(table: ComponentTable, node_nm: float, voltage_v: float, supply: Supply) -> tuple[str, ...]:
    notes = []
    if node_nm not in table.supply:
        notes.append(f"prices at {node_nm:g} nm are interpolated between the nodes of table '{table.name}'")
    if voltage_v != supply.nominal_v:
        notes.append(
            f"dynamic prices are scaled by V^2 from {supply.nominal_v:g} V to {voltage_v:g} V, inside"
            f" {supply.min_v:g}-{supply.max_v:g} V ({supply.source})"
        )
    if node_nm < SRAM_FLOOR_NM:
        notes.append(
            f"an SRAM access below {SRAM_FLOOR_NM} nm is priced at most as the same access at"
            f" {SRAM_FLOOR_NM} nm"
        )
    return tuple(notes)


def price_of(terms: list[tuple[Constant, float]], name: str, group: str, formula: str) -> Price:
    """A price from constants and factors; kind and source are those of the largest term."""
    parts = [constant.value * factor for constant, factor in terms]
    lead = terms[max(range(len(parts)), key=lambda index: parts[index])][0]
    return Price(
        name=name,
        pj=sum(parts),
        low_pj=sum(part * constant.band[0] for part, (constant, _) in zip(parts, terms, strict=True)),
        high_pj=sum(part * constant.band[1] for part, (constant, _) in zip(parts, terms, strict=True)),
        group=group,
        kind=lead.kind,
        source=lead.source or "",
        formula=formula,
    )


def multiplied(price: Price, ratio: Constant, name: str, formula: str) -> Price:
    """A price times an uncertain ratio: the two relative bands combine as independent errors of a product."""
    pj = price.pj * ratio.value
    low = exp(-hypot(_log(price.low_pj, price.pj), _log(ratio.band[0], 1)))
    high = exp(hypot(_log(price.high_pj, price.pj), _log(ratio.band[1], 1)))
    return Price(name, pj, pj * low, pj * high, price.group, price.kind, price.source, formula)


def _log(value: float, reference: float) -> float:
    return log(value / reference) if value > 0 and reference > 0 else 0.0
