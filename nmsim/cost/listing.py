"""Every constant in use for a chip: name, value, unit, kind, node, supply, source, band."""

from collections.abc import Iterator
from dataclasses import dataclass

from nmsim.cost.constant import Constant, Kind
from nmsim.cost.table import ComponentTable, CostTable, EventTable, usable
from nmsim.cost.technology import technology_at
from nmsim.errors import CostError
from nmsim.hardware.chip import ChipConfig

USED = "used"
COMPARED = "for comparison only"


@dataclass(frozen=True)
class Listed:
    """One constant of a price table as it stands for a chip: scaled to its node and supply.

    `use` is `used`, `for comparison only`, or why it may not be used.
    """

    name: str
    value: float
    unit: str
    kind: str
    node_nm: float | None
    voltage_v: float | None
    low: float
    high: float
    source: str
    confidence: str
    use: str


def constants_in_use(chip: ChipConfig, table: CostTable) -> tuple[Listed, ...]:
    """All constants that can enter an energy or an area on this chip, and those kept beside for comparison.

    DRAM prices other than the chip's own kind are left out.

    Raises:
        CostError: node or supply of the chip lies outside the table.
    """
    found = _component_level(chip, table) if isinstance(table, ComponentTable) else _event_level(chip, table)
    return tuple(_listed(name, constant, table.name) for name, constant in (*found, *_of_chip(chip, table)))


def _component_level(chip: ChipConfig, table: ComponentTable) -> Iterator[tuple[str, Constant]]:
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    own_dram = chip.dram.kind if chip.dram else None
    for name, constant in technology.constants.items():
        section, _, key = name.partition(".")
        if section.startswith("dram_") and (own_dram is None or key not in {own_dram, ""}):
            continue
        if name != "control_overhead":
            yield name, constant


def _event_level(chip: ChipConfig, table: EventTable) -> Iterator[tuple[str, Constant]]:
    if table.supply is not None:
        table.supply.check(chip.voltage_v, table.name)
    sections = {
        "events": table.events,
        "dram_pj_per_bit": table.dram_pj_per_bit,
        "operating_points": table.operating_points,
    }
    for section, constants in sections.items():
        for key, constant in constants.items():
            yield f"{section}.{key}", table.cited(constant)
    for name in ("static_power_w", "clock_power_w_per_hz"):
        constant = getattr(table, name)
        if constant is not None:
            yield name, table.cited(constant)


def _of_chip(chip: ChipConfig, table: CostTable) -> Iterator[tuple[str, Constant]]:
    source = "; ".join(chip.sources) or None
    power = chip.power
    if isinstance(table, ComponentTable):
        constant = table.cited(usable(table.control_overhead, "control_overhead", table.name))
        if power.control_overhead_factor != constant.value:
            update = {"value": power.control_overhead_factor, "source": source, "kind": Kind.ASSUMED}
            constant = constant.model_copy(update=update)
        yield "power.control_overhead_factor", constant
    if power.static_power_w is not None:
        yield (
            "power.static_power_w",
            Constant(value=power.static_power_w, unit="W", kind=Kind.MEASURED, source=source),
        )
    if power.clock_power_w_per_hz is not None:
        value = power.clock_power_w_per_hz
        yield (
            "power.clock_power_w_per_hz",
            Constant(value=value, unit="W/Hz", kind=Kind.MEASURED, source=source),
        )


def _listed(name: str, constant: Constant, table: str) -> Listed:
    return Listed(
        name=name,
        value=constant.value,
        unit=constant.unit,
        kind=constant.kind.value,
        node_nm=constant.node_nm,
        voltage_v=constant.voltage_v,
        low=constant.value * constant.band[0],
        high=constant.value * constant.band[1],
        source=constant.source or "none",
        confidence=constant.confidence,
        use=_use(name, constant, table),
    )


def _use(name: str, constant: Constant, table: str) -> str:
    if name.startswith(("reference_pj.", "operating_points.")):
        return COMPARED
    try:
        usable(constant, name, table)
    except CostError as error:
        return str(error)
    return USED
