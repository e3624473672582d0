"""Energy accounting: `sum(count * price) + control overhead + static power * time`, row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import BoundedCache, Itself
from nmsim.columns import KEPT, Columns, joined
from nmsim.cost.clock import open_periods, period_price
from nmsim.cost.constant import Constant, Kind
from nmsim.cost.energy import (
    CLOCK,
    CONTROL,
    ENERGY_COLUMNS,
    OVERHEAD,
    OVERHEAD_GROUPS,
    STANDING,
    WORKING,
    EnergyTable,
    FloatArray,
    Unpriced,
)
from nmsim.cost.idle import PHASE, Idle
from nmsim.cost.outline import unclocked
from nmsim.cost.price import Price
from nmsim.cost.pricing import INSIDE_COMPONENTS, INSIDE_EVENTS, PriceList, Pricing, price_counts
from nmsim.cost.static import StaticPower
from nmsim.cost.table import ComponentTable, CostTable, usable
from nmsim.cost.technology import technology_at
from nmsim.counts import ActionCounts, CoreActivity
from nmsim.hardware.chip import ChipConfig
from nmsim.sums import sum_rows

KEPT_BYTES = 96 * 2**20
"""Of energies of actions, and of columns, that are kept for further chips that are priced alike."""
Rows = tuple[Columns, FloatArray, NDArray[np.int64], list[Price]]


def energy_of(
    counts: ActionCounts,
    chip: ChipConfig,
    table: CostTable,
    power: StaticPower,
    phase_s: Mapping[str, FloatArray],
    *,
    batch_size: int,
    activities: Sequence[CoreActivity] = (),
    idle: Idle | None = None,
) -> EnergyTable:
    """Energy per sample of K counted actions over S samples.

    `phase_s` gives the time of every phase `(S,)` in seconds; static and clock power times these times are
    the static rows. Rows counted once per batch are divided by `batch_size`. `activities` of the cores say how much of
    their clock runs because of the work. `idle` is the time between samples, a phase of its own.

    Raises:
        CostError: an action that happened has no usable price (see `price_counts`).
    """
    worked = _actions(_Counted(counts, PriceList.of(chip, table), batch_size))
    parts = [*worked.parts]
    if isinstance(table, ComponentTable):
        parts += _working_clock(_Open(unclocked(chip), Itself(table), Itself(activities)))
    parts.append(_static(power, phase_s))
    if idle is not None and power.parts:
        parts.append(_between_samples(power, idle))
    return replace(
        _joined(parts),
        unpriced=worked.unpriced,
        inside=worked.inside,
        notes=worked.notes,
        overhead_band=worked.overhead_band,
    )


@dataclass(frozen=True)
class _Counted:
    """Counts at the prices of a list, shared by batches of a size: all that the energy of actions depends on."""

    counts: ActionCounts
    prices: PriceList
    batch_size: int


@dataclass(frozen=True, eq=False)
class _Actions:
    """Rows of the energy table that counted actions make, with their control, and what goes with them."""

    parts: tuple[Rows, ...]
    overhead_band: tuple[float, float]
    unpriced: tuple[Unpriced, ...]
    inside: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of its counts, energies, prices and columns, estimated."""
        return sum(2 * count.nbytes + price.nbytes + rows.nbytes for rows, count, price, _ in self.parts)


def _found(asked: _Counted) -> _Actions:
    counts, chip, table = asked.counts, asked.prices.chip, asked.prices.table
    pricing = price_counts(counts, chip, table)
    count = counts.per_sample(
        asked.batch_size
    )  # an update serves the whole batch: each sample bears its share
    has_price = np.asarray(pricing.price >= 0)
    rows = np.flatnonzero(has_price)
    columns = counts.columns.only(*ENERGY_COLUMNS).take(has_price)
    parts: list[Rows] = [(columns, count[rows], pricing.price[rows], list(pricing.prices))]
    overhead_band = (1.0, 1.0)
    if isinstance(table, ComponentTable) and len(rows):
        # overhead comes on top of what was priced, so it has to follow the prices and precede clock and static power
        dynamic = _joined(parts)
        overhead_band = _relative_band(dynamic)
        if chip.power.control_overhead_factor > 1:
            parts.append(_control(dynamic, chip, table))
    unpriced, inside = _without_price(counts, count, pricing)
    hidden = sorted(component for component, why in inside.items() if why == INSIDE_EVENTS)
    notes = (f"counts of {', '.join(hidden)} are {INSIDE_EVENTS}, not priced besides",) if hidden else ()
    return _Actions(tuple(parts), overhead_band, unpriced, tuple(inside), (*pricing.notes, *notes))


_actions = BoundedCache(_found, lambda asked, found: asked.counts.nbytes + found.nbytes, KEPT_BYTES)


_columns = BoundedCache[tuple[Columns, ...], Columns](
    joined, lambda parts, found: found.nbytes + sum(part.nbytes for part in parts), KEPT_BYTES
)
"""Columns one after the other, kept for further tables of the same."""


def _joined(parts: list[Rows]) -> EnergyTable:
    prices: list[Price] = []
    positions = []
    for _, _, position, found in parts:
        positions.append(position + len(prices))
        prices += found
    price = np.concatenate(positions)
    count = np.concatenate([part[1] for part in parts])
    pj = np.array([item.pj for item in prices])[price] if prices else np.zeros(0)
    return EnergyTable(
        _columns(tuple(part[0] for part in parts)), count, count * pj[:, None], price, tuple(prices)
    )


def _control(dynamic: EnergyTable, chip: ChipConfig, table: ComponentTable) -> Rows:
    """One row per phase, layer and core: the on-chip energy there, times the overhead factor less one."""
    carries = np.array([price.group in OVERHEAD_GROUPS for price in dynamic.prices])[dynamic.price]
    inside = dynamic.columns.take(carries)
    first, inverse = inside.groups("phase", "layer", "core")
    carried = sum_rows(inverse, dynamic.energy_pj[carries], len(first))
    columns = inside.keep("control", lambda: _named(inside.take(first), CONTROL, OVERHEAD))
    return columns, carried, np.zeros(len(first), np.int64), [control_price(chip, table)]


def _named(columns: Columns, component: str, action: str) -> Columns:
    """Phases, layers and cores under one component and action."""
    return columns.named(ENERGY_COLUMNS, component=component, action=action, unit="")


def control_price(chip: ChipConfig, table: ComponentTable) -> Price:
    """Control overhead per picojoule of on-chip actions: the chip's factor less one, with its band."""
    factor = chip.power.control_overhead_factor
    constant = table.cited(usable(table.control_overhead, "control_overhead", table.name))
    if factor != constant.value:
        constant = Constant(
            value=factor,
            unit="ratio",
            kind=Kind.ASSUMED,
            source=f"chip '{chip.name}', power.control_overhead_factor",
            band=constant.band,
        )
    low, high = (max(factor * edge - 1, 0.0) for edge in constant.band)
    return Price(
        "control overhead",
        factor - 1,
        low,
        high,
        CONTROL,
        constant.kind,
        constant.source or "",
        f"({factor:g} - 1) per pJ of on-chip actions",
    )


@dataclass(frozen=True)
class _Open:
    """What decides the clock of flip-flops that open for work: not how often a second they do."""

    chip: ChipConfig
    table: Itself[ComponentTable]
    activities: Itself[Sequence[CoreActivity]]


def _opened(asked: _Open) -> list[Rows]:
    """Clock of the flip-flops that open for work, by core and stage; none where the chip's own figure stands for all."""
    chip, activities = asked.chip, asked.activities.it
    technology = technology_at(asked.table.it, chip.tech_node_nm, chip.voltage_v)
    if chip.power.clock_power_w_per_hz is not None or not technology.clocked:
        return []
    found = open_periods(chip, technology, activities)
    if not found:
        return []
    periods = np.concatenate([periods for _, periods in found])
    busy = np.asarray(periods.any(axis=1))
    stages = tuple((str(activity.phase), activity.layer, activity.cores.tobytes()) for activity, _ in found)
    columns = _stage_columns(stages).take(busy)
    return [(columns, periods[busy], np.zeros(columns.rows, np.int64), [period_price(technology)])]


_working_clock = BoundedCache(
    _opened, lambda _, found: sum(2 * periods.nbytes for _, periods, _, _ in found), KEPT_BYTES
)


@lru_cache(maxsize=KEPT)
def _stage_columns(stages: tuple[tuple[str, int, bytes], ...]) -> Columns:
    """One row per stage (its phase, its layer, its cores as 64-bit numbers) and core."""
    cores = [np.frombuffer(data, np.int64) for _, _, data in stages]
    lengths = [len(some) for some in cores]
    columns = Columns.picked(
        {"phase": np.array([phase for phase, _, _ in stages])},
        np.repeat(np.arange(len(stages)), lengths),
        layer=np.repeat(np.array([layer for _, layer, _ in stages]), lengths),
        core=np.concatenate(cores),
    )
    return _named(columns, CLOCK, WORKING)


def _static(power: StaticPower, phase_s: Mapping[str, FloatArray]) -> Rows:
    """One row per part and phase: its power for the time of the phase."""
    phases = list(phase_s)
    times = np.array([phase_s[phase] for phase in phases]).reshape(len(phases), -1)
    columns = _standing(power.places, tuple(phases))
    prices, position = power.prices
    return columns, np.tile(times, (len(power.parts), 1)), np.repeat(position, len(phases)), list(prices)


@lru_cache(maxsize=KEPT)
def _standing(parts: tuple[tuple[str, str, int], ...], phases: tuple[str, ...]) -> Columns:
    """One row per part (component, unit, core) and phase."""
    components, units, cores = ([part[i] for part in parts] for i in range(3))
    return Columns(
        {
            "component": np.repeat(np.array(components, np.str_), len(phases)),
            "action": np.full(len(parts) * len(phases), STANDING),
            "unit": np.repeat(np.array(units, np.str_), len(phases)),
            "phase": np.tile(np.array(phases, np.str_), len(parts)),
            "layer": np.full(len(parts) * len(phases), -1),
            "core": np.repeat(np.array(cores, np.int64), len(phases)),
        }
    )


def _between_samples(power: StaticPower, idle: Idle) -> Rows:
    """As `_static`, for the phase in which the chip waits; some of it may be switched off."""
    columns, _, position, prices = _static(power, {PHASE: np.zeros_like(idle.awake_s)})
    seconds = np.stack([idle.seconds(part.component) for part in power.parts])
    return columns, seconds, position, prices


def _without_price(
    counts: ActionCounts, count: FloatArray, pricing: Pricing
) -> tuple[tuple[Unpriced, ...], dict[str, str]]:
    """Declared gaps, summed by action; and the components whose counts are inside the prices of others, with why."""
    found: dict[tuple[str, str, str], float] = {}
    inside: dict[str, str] = {}
    for rows, reason in pricing.reasons:
        component, action = (str(counts.columns[name][rows[0]]) for name in ("component", "action"))
        if reason in {INSIDE_EVENTS, INSIDE_COMPONENTS}:
            inside[component] = reason
        else:
            key = (component, action, reason)
            found[key] = found.get(key, 0.0) + float(count[rows].mean(axis=1).sum())
    gaps = (Unpriced(component, action, amount, why) for (component, action, why), amount in found.items())
    return tuple(gaps), inside


def _relative_band(dynamic: EnergyTable) -> tuple[float, float]:
    """Band of the energy that carries overhead, as factors of it."""
    groups = {name: value for name, value in dynamic.group_energy_pj().items() if name in OVERHEAD_GROUPS}
    mean = sum(energy for energy, _, _ in groups.values())
    if mean == 0:
        return 1.0, 1.0
    low = np.hypot.reduce([energy - low for energy, low, _ in groups.values()])
    high = np.hypot.reduce([high - energy for energy, _, high in groups.values()])
    return float(1 - low / mean), float(1 + high / mean)
