"""From action counts to prices: every kind of action gets exactly one price, or a stated reason."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim import units
from nmsim.caches import Itself
from nmsim.columns import distinct_numbers
from nmsim.cost import dram, logic, noc, sram
from nmsim.cost.constant import Constant, Kind
from nmsim.cost.energy import HOST
from nmsim.cost.event import event_price
from nmsim.cost.outline import priced
from nmsim.cost.price import Price
from nmsim.cost.table import CostTable, EventTable, usable
from nmsim.cost.technology import Technology, price_of, technology_at
from nmsim.counts import Action, ActionCounts, Component
from nmsim.errors import CostError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core
from nmsim.hardware.noc import Dram
from nmsim.hardware.sram import Sram

KEPT = 64
"""Price lists that are kept."""
Key = dict[str, Any]
KeyValues = tuple[Any, ...]
"""A key's values, in the order of `PRICE_COLUMNS`."""
PRICE_COLUMNS = ("component", "action", "unit", "bits_a", "bits_b", "bits_c")
INSIDE_EVENTS = "inside the energies of whole events"
INSIDE_COMPONENTS = "priced by its components"


@dataclass(frozen=True)
class Pricing:
    """Prices of the K rows of an `ActionCounts`.

    `price (K,)` indexes `prices`, -1 where a row has none; `reasons` then tells which rows and why.
    """

    prices: tuple[Price, ...]
    price: NDArray[np.int64]
    reasons: tuple[tuple[NDArray[np.int64], str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PriceList:
    """Prices of actions on all chips that are priced alike; one object for all of them, so that it can be a key."""

    chip: ChipConfig
    """The outline that the chips share."""
    table: CostTable

    @classmethod
    def of(cls, chip: ChipConfig, table: CostTable) -> "PriceList":
        """The list of a chip."""
        return _price_list(priced(chip), Itself(table))

    @cached_property
    def _technology(self) -> Technology | None:
        """Constants at the chip's node and supply; None where whole events are priced."""
        chip, table = self.chip, self.table
        if isinstance(table, EventTable):
            return None
        return technology_at(table, chip.tech_node_nm, chip.voltage_v)

    @cached_property
    def _known(self) -> dict[tuple[int, KeyValues], Price | str]:
        """Prices that were asked for, by the first core of their type."""
        return {}

    @cached_property
    def first_alike(self) -> tuple[int, ...]:
        """The first core of the type of every core, and -1 for what all share as the last."""
        first: dict[str, int] = {}
        return (*(first.setdefault(core.type.name, core.index) for core in self.chip.cores()), -1)

    @property
    def notes(self) -> tuple[str, ...]:
        """How the prices were brought to the chip."""
        return () if self._technology is None else self._technology.notes

    def price(self, core: int, values: KeyValues) -> Price | str:
        """The price of an action on a core (-1: on what all share), or the reason why it has none.

        Raises:
            CostError: see `price_counts`.
        """
        asked = self.first_alike[core], values
        if asked not in self._known:
            self._known[asked] = self._price(core, dict(zip(PRICE_COLUMNS, values, strict=True)))
        return self._known[asked]

    def _price(self, core: int, key: Key) -> Price | str:
        if self._technology is not None:
            return _component_price(self._technology, self.chip, core, key)
        assert isinstance(self.table, EventTable)
        return _event_level_price(self.table, self.chip, key)


@lru_cache(maxsize=KEPT)
def _price_list(chip: ChipConfig, table: Itself[CostTable]) -> PriceList:
    return PriceList(chip, table.it)


def price_counts(counts: ActionCounts, chip: ChipConfig, table: CostTable) -> Pricing:
    """Find the price of every row.

    Raises:
        CostError: an action has no usable price (missing, without source, an average, unknown memory or DRAM
            kind, node or supply outside the table), or an event-level table meets counts without events.
    """
    offered = PriceList.of(chip, table)
    if isinstance(table, EventTable) and len(counts) and Component.EVENT not in counts.columns["component"]:
        raise CostError(
            f"{table.name}: prices whole events, but chip '{chip.name}' counted none; give its cores event"
            " timing, or use a table of level 'component'"
        )
    keys, inverse = _keys(counts, chip)
    prices: list[Price] = []
    reasons: list[tuple[NDArray[np.int64], str]] = []
    position = np.full(len(keys), -1, np.int64)
    for index, (core, values) in enumerate(keys):
        found = offered.price(core, values)
        if isinstance(found, Price):
            position[index] = len(prices)
            prices.append(found)
        else:
            reasons.append((np.flatnonzero(inverse == index), found))
    return Pricing(tuple(prices), position[inverse], tuple(reasons), offered.notes)


def _keys(counts: ActionCounts, chip: ChipConfig) -> tuple[list[tuple[int, KeyValues]], NDArray[np.int64]]:
    """Every distinct price key (a core of its type, and its columns), and the key of every row."""
    types = {core.name: index for index, core in enumerate(chip.core_types)}
    type_of_core = (*(types[core.type.name] for core in chip.cores()), -1)
    columns = counts.columns

    def find() -> tuple[list[tuple[int, KeyValues]], NDArray[np.int64]]:
        kind = np.array(type_of_core)[columns["core"].astype(np.int64)]
        coded = {name: columns.coded(name) for name in PRICE_COLUMNS}
        first, inverse = distinct_numbers([kind - kind.min(initial=0), *(code for _, code in coded.values())])
        keys = [
            (int(columns["core"][row]), tuple(values[code[row]].item() for values, code in coded.values()))
            for row in first
        ]
        return keys, inverse

    return columns.keep(("price keys", type_of_core), find)


def _component_price(  # noqa: PLR0911 - one branch per component
    technology: Technology, chip: ChipConfig, core: int, key: Key
) -> Price | str:
    component, action = Component(key["component"]), Action(key["action"])
    bits_a, bits_b, bits_c = (int(key[name]) for name in ("bits_a", "bits_b", "bits_c"))
    match component:
        case Component.ALU:
            return logic.operation(technology, action, bits_a, bits_b, bits_c)
        case Component.SRAM | Component.REGISTERS:
            memory = _memory(chip, core, key["unit"])
            return sram.write(technology, memory) if action is Action.WRITE else sram.read(technology, memory)
        case Component.NOC:
            if action is Action.WIRE_BIT_UM:
                return noc.wire_bit_um(technology)
            return noc.flit_hop(technology, bits_a or chip.noc.flit_bits)
        case Component.CHIP_LINK:
            return noc.chip_link_bit(technology)
        case Component.DRAM:
            return _dram_price(technology, _dram(chip), action)
        case Component.SYNC:
            return noc.barrier(
                technology, chip.noc.flit_bits, (chip.mesh.tile_width_mm + chip.mesh.tile_height_mm) / 2
            )
        case Component.HOST:
            return _host_bit(chip)
        case Component.EVENT:
            return INSIDE_COMPONENTS


def _event_level_price(table: EventTable, chip: ChipConfig, key: Key) -> Price | str:
    component, action, unit = key["component"], key["action"], key["unit"]
    if component in {Component.EVENT, Component.SYNC, Component.CHIP_LINK}:
        return event_price(table, action, unit, chip.voltage_v)
    if component == Component.HOST:
        return _host_bit(chip)
    if component == Component.DRAM:
        kind = _dram(chip).kind
        if kind not in table.dram_pj_per_bit:
            known = ", ".join(table.dram_pj_per_bit) or "none"
            raise CostError(f"{table.name}: DRAM kind '{kind}' has no price; known kinds are {known}")
        constant = table.cited(usable(table.dram_pj_per_bit[kind], f"dram_pj_per_bit.{kind}", table.name))
        if action == Action.ACTIVATE:
            return dram.within_bits(constant, kind)
        return price_of([(constant, 1)], f"{kind}, per bit", dram.GROUP, "dram_pj_per_bit")
    return INSIDE_EVENTS


def _host_bit(chip: ChipConfig) -> Price:
    """One bit that the host sends, by the chip's own figure."""
    per_byte = 0.0 if chip.host is None else chip.host.energy_pj_per_byte
    constant = Constant(
        value=per_byte / units.BITS_PER_BYTE,
        unit="pJ",
        kind=Kind.MEASURED,
        source="; ".join(chip.sources) or None,
    )
    constant = usable(constant, "host.energy_pj_per_byte", f"chip '{chip.name}'")
    return price_of([(constant, 1)], "host, per bit", HOST, "energy_pj_per_byte / 8")


def _memory(chip: ChipConfig, core: int, name: str) -> Sram:
    types: tuple[Core, ...] = (chip.cores()[core].type,) if core >= 0 else chip.core_types
    found = [memory for kind in types for memory in kind.memories if memory.name == name]
    if len(found) != 1:
        raise CostError(
            f"chip '{chip.name}': memory '{name}' of core {core} was accessed but the chip describes"
            f" {len(found)} such"
            " memories; count accesses under the core and the name of its memory"
        )
    return found[0]


def _dram_price(technology: Technology, memory: Dram, action: Action) -> Price:
    return dram.row(technology, memory) if action is Action.ACTIVATE else dram.bit(technology, memory)


def _dram(chip: ChipConfig) -> Dram:
    if chip.dram is None:
        raise CostError(f"chip '{chip.name}': DRAM was accessed but the chip has none; add the key 'dram'")
    return chip.dram
