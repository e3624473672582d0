"""Audit: the sums that must come out if a report is to be believed; `plausible.py` asks if the machine could exist."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import fsum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmsim import units
from nmsim.cost.energy import CLOCK, CONTROL, OVERHEAD, STANDING, WORKING, EnergyTable
from nmsim.cost.idle import Idle
from nmsim.cost.static import StaticPower
from nmsim.counts import Action, ActionCounts, Component
from nmsim.hardware.chip import ChipConfig
from nmsim.perf.model import PerfResult
from nmsim.sums import sum_last, sum_rows

TOLERANCE = 1e-9
Group = Literal["adds up", "plausible"]
ADDS_UP: Group = "adds up"
PLAUSIBLE: Group = "plausible"


@dataclass(frozen=True)
class Check:
    """One named check: what was compared, both values, and whether they agree.

    `group` says of which kind: sums that must come out ("adds up"), or a machine that could exist ("plausible"; then
    `expected` is the most that `found` may be).
    """

    name: str
    passed: bool
    expected: float
    found: float
    unit: str
    detail: str = ""
    group: Group = ADDS_UP

    @property
    def text(self) -> str:
        """What was found against what may be, in one line."""
        limit = "at most " if self.group == PLAUSIBLE or self.unit == "share" else ""
        text = f"{self.name}: {self.found:.4g} {self.unit}, {limit}{self.expected:.4g}"
        return f"{text} ({self.detail})" if self.detail else text


def audit(
    chip: ChipConfig,
    perf: PerfResult,
    energy: EnergyTable,
    power: StaticPower,
    utilization: Sequence[tuple[str, float]],
    idle: Idle | None = None,
) -> tuple[Check, ...]:
    """Every check of one evaluation; `utilization` names memories with the used share of their capacity."""
    return (
        _at_least_zero(perf),
        *_prices(chip, perf, energy, power, idle),
        *_parts(perf, energy),
        _same("packets sent are received", perf.packets_sent.sum(), perf.packets_received.sum(), "packets"),
        *_flits(perf),
        _capacity(utilization),
        *_bandwidth(chip, perf),
    )


def _same(name: str, expected: float, found: float, unit: str, detail: str = "") -> Check:
    scale = max(abs(expected), abs(found))
    return Check(
        name, abs(expected - found) <= TOLERANCE * scale, float(expected), float(found), unit, detail
    )


def _at_most(name: str, found: float, detail: str) -> Check:
    return Check(name, bool(found <= 1 + TOLERANCE), 1.0, float(found), "share", detail)


def _at_least_zero(perf: PerfResult) -> Check:
    lowest = float(perf.counts.counts.min(initial=0))
    return Check(
        "no count is negative", lowest >= 0, 0.0, lowest, "actions", "expected: 0 or more; found: the lowest"
    )


def _prices(
    chip: ChipConfig, perf: PerfResult, energy: EnergyTable, power: StaticPower, idle: Idle | None
) -> Iterator[Check]:
    """Recompute the total from the counts, row by row: counts times prices, static power times time, overhead."""
    counted = set(energy.columns.coded("action")[0].tolist()) - {STANDING, WORKING, OVERHEAD}
    priced = energy.columns.where(action=tuple(sorted(counted)))
    working = energy.columns.where(component=CLOCK, action=WORKING)
    samples = perf.counts.counts.shape[1]
    price_pj = np.array([price.pj for price in energy.prices])
    spent = price_pj[energy.price] * sum_last(energy.count)
    anew = fsum(chain(spent[priced].tolist(), spent[working].tolist()))
    anew /= samples
    control = next((price.pj for price in energy.prices if price.group == CONTROL), 0.0)
    carried = energy.count[energy.columns.where(component=CONTROL)].sum() / samples
    standing = power.total_w * float(perf.latency_s.mean()) * units.PJ_PER_J
    if idle is not None:
        standing += sum(part.price.pj * float(idle.seconds(part.component).mean()) for part in power.parts)
    total = anew + control * carried + standing
    yield _same("counts x prices equal the total", total * units.J_PER_PJ, energy.mean_j, "J")
    on_chip = (Component.ALU, Component.REGISTERS, Component.SRAM, Component.NOC, Component.SYNC)
    overhead = (
        (chip.power.control_overhead_factor - 1)
        * energy.mean_of(action=tuple(sorted(counted)), component=on_chip)
        if control
        else 0.0
    )
    yield _same(
        "control overhead is its factor times on-chip energy",
        overhead,
        energy.mean_of(component=CONTROL),
        "J",
    )
    rows = int(perf.counts.counts.any(axis=1).sum())
    gaps = {(gap.component, gap.action) for gap in energy.unpriced}
    outside = _rows_of(perf.counts, frozenset(gaps), energy.inside)
    detail = f"{outside} rows are priced otherwise or declared without a price"
    yield _same("every action that happened has one price", rows, int(priced.sum()) + outside, "rows", detail)


def _rows_of(counts: ActionCounts, actions: frozenset[tuple[str, str]], components: tuple[str, ...]) -> int:
    """Rows of some actions of components, or of whole components."""
    if not actions and not components:
        return 0
    first, inverse = counts.columns.groups("component", "action")
    names = zip(
        counts.columns["component"][first].tolist(), counts.columns["action"][first].tolist(), strict=True
    )
    of_them = [(component, action) in actions or component in components for component, action in names]
    return int(np.bincount(inverse, minlength=len(first))[of_them].sum())


def _parts(perf: PerfResult, energy: EnergyTable) -> Iterator[Check]:
    for name in ("phase", "layer", "core", "component"):
        parts = fsum(energy.parts_j(name).tolist())
        yield _same(f"energy by {name} adds up", energy.mean_j, parts, "J")
    cycles = fsum(float(cycles.sum()) for cycles in perf.phase_cycles.values())
    yield _same("time by phase adds up", float(perf.sample_cycles.sum()), cycles, "cycles")


def _flits(perf: PerfResult) -> Iterator[Check]:
    """Flits that cross links, as counted by the work and as seen on the links; the update is not on the links."""
    hops = perf.counts.select(component=Component.NOC.value, action=Action.FLIT_HOP.value)
    if len(hops):
        counted = hops.counts[~hops.per_batch].sum()
        yield _same("flit hops equal flits on links", counted, perf.link_flits.sum(), "flits")


def _capacity(utilization: Sequence[tuple[str, float]]) -> Check:
    memory, share = max(utilization, key=lambda item: item[1], default=("none", 0.0))
    return _at_most("what memories hold fits their capacity", share, f"fullest: '{memory}'")


def _bandwidth(chip: ChipConfig, perf: PerfResult) -> Iterator[Check]:
    """Accesses of every memory against its ports and banks over the time of a sample; DRAM likewise."""
    for per_batch, when in ((False, "a sample"), (True, "an update")):
        cycles = np.full_like(perf.cycles, perf.update_cycles) if per_batch else perf.cycles
        share, memory = _busiest_memory(chip, perf.counts, cycles, per_batch=per_batch)
        if memory:
            yield _at_most(f"memory accesses of {when} fit the bandwidth", share, f"busiest: '{memory}'")
    if chip.dram is not None:
        moved = np.zeros_like(perf.latency_s)
        for action in (Action.READ, Action.WRITE):
            bits = perf.counts.select(component=Component.DRAM.value, action=action.value)
            moved += (bits.counts / np.where(bits.per_batch, perf.batch_size, 1)[:, None]).sum(axis=0)
        share = float((moved / chip.dram.bandwidth_bits_per_s / perf.latency_s).max())
        yield _at_most("DRAM traffic fits the bandwidth", share, "")


def _busiest_memory(
    chip: ChipConfig, counts: ActionCounts, cycles: NDArray[np.float64], *, per_batch: bool
) -> tuple[float, str]:
    """Largest share of the accesses that a memory could serve in the time, and the memory's name."""
    names, words = _words_by_memory(counts, per_batch=per_batch)
    if not names:
        return 0.0, ""
    cores = chip.cores()
    rates = {core.name: {m.name: m.accesses_per_cycle for m in core.memories} for core in chip.core_types}
    rate = np.array([rates[cores[core].type.name][name] for core, name in names])[:, None]
    share = (words / rate / np.maximum(cycles, TOLERANCE)).max(axis=1)
    busiest = int(share.argmax())
    return float(share[busiest]), f"{names[busiest][1]} of core {names[busiest][0]}"


@lru_cache(maxsize=8)
def _words_by_memory(
    counts: ActionCounts, *, per_batch: bool
) -> tuple[list[tuple[int, str]], NDArray[np.float64]]:
    """Core and name of every memory that is accessed, and its accesses; registers are as many as the lanes that use them."""
    accesses = counts.select(component=Component.SRAM.value)
    rows = accesses.per_batch == per_batch
    columns = accesses.columns.take(rows)
    first, inverse = columns.groups("core", "unit")
    words = sum_rows(inverse, accesses.counts[rows].astype(np.float64), len(first))
    return [(int(columns["core"][row]), str(columns["unit"][row])) for row in first], words
