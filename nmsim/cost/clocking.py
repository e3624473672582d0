"""Whether a chip can run at its clock and supply; too fast is a result, with what would make it possible."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, floor, hypot, log, log10

from nmsim import config, units
from nmsim.caches import Itself
from nmsim.config import Document
from nmsim.cost.speed import THRESHOLD_BAND_V, Speed
from nmsim.cost.table import ComponentTable, CostTable
from nmsim.cost.technology import Technology, technology_at
from nmsim.errors import TooFastError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.sram import Sram

KEPT = 16
"""Chips that are kept with their cycles: the search of a mapping and its evaluation ask for the same."""
AUTO = "auto"
VOLTAGE_STEP_V = 0.01
FEW_CYCLES = 8
"""More cycles than this for one access are not proposed: pipelining by hand has its limits."""


@dataclass(frozen=True)
class Limit:
    """The fastest clock of one resource at the chip's supply, with the band of the law; `cycles` of a memory access."""

    resource: str
    possible_hz: float
    low_hz: float
    high_hz: float
    cycles: int = 0
    key: str = ""
    """Key path of the memory's cycles in the chip file, empty where they are chosen already."""

    def text(self, asked_hz: float) -> str:
        """One line: what was asked, what is possible."""
        access = f", {self.cycles} cycle{'s' * (self.cycles != 1)} an access" if self.key else ""
        access = ", pipelined down to the read of a cell" if self.cycles and not self.key else access
        low, high = units.scaled(self.low_hz, "Hz", 2), units.scaled(self.high_hz, "Hz", 2)
        times = f"{asked_hz / self.possible_hz:.2g} times" if self.possible_hz else "far"
        return (
            f"{self.resource}{access}: asks {units.scaled(asked_hz, 'Hz')}, can do"
            f" {units.scaled(self.possible_hz, 'Hz')} ({low} to {high}): {times} too fast"
        )


@dataclass(frozen=True)
class ClockReport:
    """Why a chip cannot run at its clock, and changes of its file after which it can, each tried."""

    chip: str
    clock_hz: float
    voltage_v: float
    limits: tuple[Limit, ...]
    remedies: tuple[tuple[str, tuple[str, ...]], ...]

    def text(self) -> str:
        """For people."""
        asked = f"{units.scaled(self.clock_hz, 'Hz')} at {self.voltage_v:g} V"
        lines = [f"{self.chip}: {asked} is too fast", *(f"  {line}" for line in self.reasons())]
        if self.remedies:
            lines.append("  any one of these makes it possible (tried):")
            lines += [f"    {text}: {', '.join(assignments)}" for text, assignments in self.remedies]
        return "\n".join(lines)

    def reasons(self) -> tuple[str, ...]:
        """A line for logic, and one for the slowest memory, that are too slow; others are counted."""
        logic = [limit for limit in self.limits if not limit.cycles]
        memories = sorted(
            (limit for limit in self.limits if limit.cycles), key=lambda limit: limit.possible_hz
        )
        lines = [limit.text(self.clock_hz) for limit in (*logic, *memories[:1])]
        others = len(memories) - 1
        if others > 0:
            lines[-1] += f"; so {'is another memory' if others == 1 else f'are {others} other memories'}"
        return tuple(lines)


def clocked(chip: ChipConfig, table: CostTable, *, remedies: bool = True) -> ChipConfig:
    """The chip with the cycles of every memory known, after a check of its clock against its supply.

    Call it once before time is modelled: `access_cycles: auto` becomes the fewest cycles in which a memory answers.
    Chips priced by whole events were measured at their speed and pass as they are. `remedies=False` spares the search for
    what would make it possible.

    Raises:
        TooFastError: logic or a memory cannot run at `clock_hz` at `voltage_v`; the message is the report.
        CostError: node or supply lie outside the table.
    """
    return _clocked(chip, Itself(table), remedies) if isinstance(table, ComponentTable) else chip


@lru_cache(maxsize=KEPT)
def _clocked(chip: ChipConfig, given: Itself[ComponentTable], remedies: bool) -> ChipConfig:  # noqa: FBT001
    table = given.it
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    if not technology.timed:
        return chip
    slow = _too_slow(chip, technology)
    if slow:
        found = tuple(_remedies(chip, table, technology)) if remedies else ()
        report = ClockReport(chip.name, chip.clock_hz, chip.voltage_v, slow, found)
        raise TooFastError(report.text(), report)
    return _with_cycles(chip, Speed(technology, chip.voltage_v))


def clock_notes(chip: ChipConfig, table: CostTable) -> tuple[str, ...]:
    """What a reader should know of a chip's clock: faster than published chips, or memories that take several cycles."""
    if not isinstance(table, ComponentTable):
        return ()
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    if not technology.timed:
        return ()
    speed = Speed(technology, chip.voltage_v)
    usual = technology.constant("timing.usual_clock_hz")
    most_hz = usual.value * usual.band[1] / speed.slowdown
    notes = []
    if chip.clock_hz > most_hz:
        notes.append(
            f"the clock of {units.scaled(chip.clock_hz, 'Hz')} is above those of published accelerators at"
            f" {chip.tech_node_nm:g} nm and {chip.voltage_v:g} V, at most about {units.scaled(most_hz, 'Hz', 2)}"
        )
    notes += [
        f"core type '{core.name}': memory '{memory.name}' takes {cycles} cycles per access at this clock"
        for core in chip.core_types
        for memory in core.memories
        if memory.access_cycles == AUTO and (cycles := _cycles(memory, speed, chip.clock_hz)) > 1
    ]
    return tuple(notes)


def slowest_of(chip: ChipConfig, table: CostTable) -> Limit | None:
    """What limits the clock of a chip at its supply; None where the prices say nothing of speed."""
    if not isinstance(table, ComponentTable):
        return None
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    if not technology.timed:
        return None
    return min(limits(chip, technology, chip.voltage_v), key=lambda limit: limit.possible_hz)


def limits(chip: ChipConfig, technology: Technology, voltage_v: float) -> tuple[Limit, ...]:
    """The fastest clock of logic and of every memory at a supply.

    The bands of the law and of the figures combine as independent errors of a product.
    """
    at = [Speed(technology, voltage_v, shift) for shift in (0.0, THRESHOLD_BAND_V, -THRESHOLD_BAND_V)]
    logic_hz = _banded([speed.logic_hz for speed in at], technology.constant("timing.fo4_ps").band)
    found = [Limit("logic", *logic_hz)]
    for index, core in enumerate(chip.core_types):
        for place, memory in enumerate(core.memories):
            band = technology.constant("timing.memory_ns").band
            memory_hz = _banded([_memory_hz(memory, speed) for speed in at], band)
            name = f"memory '{memory.name}' of core type '{core.name}'"
            chosen = memory.access_cycles == AUTO
            key = "" if chosen else f"core_types.{index}.memories.{place}.access_cycles"
            found.append(Limit(name, *memory_hz, cycles=_cycles(memory, at[0], chip.clock_hz), key=key))
    return tuple(found)


def _banded(hz: list[float], delay_band: tuple[float, float]) -> tuple[float, float, float]:
    """Value, low and high of a clock from its values at three thresholds and the band of the delay behind it."""
    value, low, high = hz
    if low == 0:
        return value, 0.0, max(high, value) / delay_band[0]
    slower, faster = hypot(log(value / low), log(delay_band[1])), hypot(log(high / value), log(delay_band[0]))
    return value, value * exp(-slower), value * exp(faster)


def _memory_hz(memory: Sram, speed: Speed) -> float:
    """Fastest clock of a memory; pipelined, no stage is shorter than the read of its cells."""
    undivided_hz = units.NS_PER_S / (speed.cell_ns(memory) + speed.register_ns)
    if memory.access_cycles == AUTO:
        return undivided_hz
    whole_ns = speed.access_ns(memory) + speed.register_ns
    return min(undivided_hz, int(memory.access_cycles) * units.NS_PER_S / whole_ns)


def _cycles(memory: Sram, speed: Speed, clock_hz: float) -> int:
    if memory.access_cycles != AUTO:
        return int(memory.access_cycles)
    whole_ns = speed.access_ns(memory) + speed.register_ns
    return max(1, ceil(whole_ns * clock_hz / units.NS_PER_S - 1e-9)) if whole_ns < 1e9 else 1


def _with_cycles(chip: ChipConfig, speed: Speed) -> ChipConfig:
    """The chip with numbers in the place of `auto`."""
    if all(memory.access_cycles != AUTO for core in chip.core_types for memory in core.memories):
        return chip
    types = tuple(
        core.model_copy(
            update={
                "memories": tuple(
                    memory.model_copy(update={"access_cycles": _cycles(memory, speed, chip.clock_hz)})
                    for memory in core.memories
                )
            }
        )
        for core in chip.core_types
    )
    return chip.model_copy(update={"core_types": types})


def _too_slow(chip: ChipConfig, technology: Technology) -> tuple[Limit, ...]:
    found = limits(chip, technology, chip.voltage_v)
    return tuple(limit for limit in found if limit.possible_hz < chip.clock_hz * (1 - 1e-9))


def _changed(chip: ChipConfig, assignments: tuple[str, ...]) -> ChipConfig:
    document = Document(chip.model_dump(mode="json"), chip.name)
    for assignment in assignments:
        document = document.with_value(assignment)
    return config.build(ChipConfig, document)


def _remedies(
    chip: ChipConfig, table: ComponentTable, technology: Technology
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Changes that make the clock possible: of the clock, of the supply, of the memories' cycles, of all together."""
    slowest_hz = min(limit.possible_hz for limit in limits(chip, technology, chip.voltage_v))
    candidates: list[tuple[str, tuple[str, ...]]] = []
    if slowest_hz > 0:
        candidates.append(("a slower clock", (_clock_text(slowest_hz),)))
    candidates.append(("more volts", _more_volts(chip, technology)))
    pipelined = tuple(f"{limit.key}={AUTO}" for limit in _too_slow(chip, technology) if limit.key)
    candidates.append(("pipelined memories", pipelined))
    after = _changed(chip, pipelined)
    volts = _more_volts(after, technology) if pipelined else ()
    candidates.append(("pipelined memories and more volts", (*pipelined, *volts) if volts else ()))
    at_most_v = technology.supply.max_v
    fastest_hz = min(limit.possible_hz for limit in limits(after, technology, at_most_v))
    both = (*pipelined, f"voltage_v={at_most_v:g}", _clock_text(fastest_hz))
    candidates.append(("the most that this node does", both))
    offered = 0
    for text, assignments in candidates:
        last = text.startswith("the most")
        if assignments and not (last and offered > 1) and _possible(chip, assignments, table):
            offered += 1
            yield text, assignments


def _possible(chip: ChipConfig, assignments: tuple[str, ...], table: ComponentTable) -> bool:
    changed = _changed(chip, assignments)
    technology = technology_at(table, changed.tech_node_nm, changed.voltage_v)
    slow = _too_slow(changed, technology)
    speed = Speed(technology, changed.voltage_v)
    cycles = [_cycles(m, speed, changed.clock_hz) for core in changed.core_types for m in core.memories]
    return not slow and max(cycles) <= FEW_CYCLES


def _more_volts(chip: ChipConfig, technology: Technology) -> tuple[str, ...]:
    """The lowest supply above the chip's at which it runs, in steps of 10 mV; empty if there is none."""
    steps = floor((technology.supply.max_v - chip.voltage_v) / VOLTAGE_STEP_V + 1e-9)
    for step in range(1, steps + 1):
        voltage_v = round(chip.voltage_v + step * VOLTAGE_STEP_V, 4)
        if all(limit.possible_hz >= chip.clock_hz for limit in limits(chip, technology, voltage_v)):
            return (f"voltage_v={voltage_v:g}",)
    return ()


def _clock_text(possible_hz: float) -> str:
    """A clock of three digits that is not above the possible one."""
    unit = 10.0 ** (floor(log10(possible_hz)) - 2)
    return f"clock_hz={floor(possible_hz / unit + 1e-9) * unit:.3g}"
