"""Functions and energies of cells from Liberty files: what `rtl_energy.py` simulates and prices a netlist with.

Internal energy of an edge: tables of several supply pins add up, those of several inputs and states are averaged, and so are
rising and falling edges.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}
STATEMENT = re.compile(r'\s*(?:(\w+)\s*(?:\(([^)]*)\)\s*([{;]?)|:\s*("[^"]*"|[^;\n]*?)\s*(?:;|\n))|(\}))')


@dataclass
class Group:
    """`kind (arguments) { attributes, groups }`; a repeated attribute keeps its last value."""

    kind: str
    arguments: list[str]
    attributes: dict[str, str] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def of(self, kind: str) -> Iterator["Group"]:
        """Groups of a kind inside this one."""
        return (group for group in self.groups if group.kind == kind)


def parse(text: str) -> Group:
    """The first group of a text without comments."""
    top = Group("", [])
    stack = [top]
    for match in STATEMENT.finditer(text.replace("\\\n", " ")):
        name, listed, opens, value, closes = match.groups()
        if closes:
            stack.pop()
            if stack[-1] is top:
                break
        elif value is not None:
            stack[-1].attributes[name] = value.strip('"')
        elif opens == "{":
            group = Group(name, [part.strip().strip('"') for part in listed.split(",")])
            stack[-1].groups.append(group)
            stack.append(group)
        else:
            stack[-1].attributes[name] = listed.replace('"', "")
    return top.groups[0]


@dataclass(frozen=True)
class Table:
    """Internal energy over slew and load, in the library's units; a scalar, and a table over slew alone, as well."""

    slews: NDArray[np.float64]
    loads: NDArray[np.float64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, group: Group | None) -> "Table":
        """Of a `rise_power` or `fall_power`; zero where there is none."""
        attributes = {} if group is None else group.attributes
        slews, loads, values = (
            np.array(attributes.get(name, "0").replace(",", " ").split(), np.float64)
            for name in ("index_1", "index_2", "values")
        )
        return cls(slews, loads, values.reshape(len(slews), len(loads)))

    def at(self, slew: float, load: float) -> float:
        """Bilinear inside the table, the nearest edge outside."""
        return float(np.interp(slew, self.slews, [np.interp(load, self.loads, row) for row in self.values]))


@dataclass(frozen=True)
class Pin:
    """`capacitance` of an input, `function` of an output; `tables` of internal energy by supply pin, (rise, fall) each."""

    output: bool
    capacitance: float
    clock: bool
    function: str
    tables: dict[str, list[tuple[Table, Table]]]

    @classmethod
    def of(cls, pin: Group) -> "Pin":
        """Of a group `pin`. A table without a condition stands for those of all states, where there is one."""
        by_state: dict[tuple[str, str], list[tuple[bool, tuple[Table, Table]]]] = {}
        for power in pin.of("internal_power"):
            rise, fall = (Table.of(next(power.of(kind), None)) for kind in ("rise_power", "fall_power"))
            key = power.attributes.get("related_pg_pin", ""), power.attributes.get("related_pin", "")
            by_state.setdefault(key, []).append(("when" in power.attributes, (rise, fall)))
        tables: dict[str, list[tuple[Table, Table]]] = {}
        for (supply, _), found in by_state.items():
            always = [pair for conditional, pair in found if not conditional]
            tables.setdefault(supply, []).extend(always or [pair for _, pair in found])
        own = pin.attributes
        capacitance, clock = float(own.get("capacitance", "0")), own.get("clock") == "true"
        return cls(own.get("direction") == "output", capacitance, clock, own.get("function", ""), tables)

    def edge(self, slew: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean internal energy of one edge over load, as the corners of a line `(loads, energies)`, for `np.interp`."""
        pairs = [pair for tables in self.tables.values() for pair in tables]
        loads = np.unique(np.concatenate([np.zeros(1), *(table.loads for pair in pairs for table in pair)]))
        energies = [
            sum(
                fmean((rise.at(slew, load) + fall.at(slew, load)) / 2 for rise, fall in tables)
                for tables in self.tables.values()
            )
            for load in loads
        ]
        return loads, np.array(energies)


@dataclass(frozen=True)
class Cell:
    """A cell's pins, and its leakage in the library's unit; `state` of a flip-flop: its two names and what they become."""

    pins: dict[str, Pin]
    leakage: float
    state: tuple[str, str, str] | None

    @classmethod
    def of(cls, group: Group) -> "Cell":
        """Of a group `cell`."""
        flop = next(group.of("ff"), None)
        state = (
            None if flop is None else (flop.arguments[0], flop.arguments[1], flop.attributes["next_state"])
        )
        leaks = [
            float(leak.attributes["value"])
            for leak in group.of("leakage_power")
            if leak.attributes.get("related_pg_pin", "VDD") == "VDD"
        ]
        leakage = group.attributes.get("cell_leakage_power")
        pins = {pin.arguments[0]: Pin.of(pin) for pin in group.of("pin")}
        return cls(pins, float(leakage) if leakage else fmean(leaks or [0.0]), state)

    @property
    def outputs(self) -> set[str]:
        """Names of its output pins."""
        return {name for name, pin in self.pins.items() if pin.output}

    def table(self, output: str) -> tuple[list[str], int]:
        """Inputs that decide an output (of a flip-flop: after the clock's edge), and its truth table, input 0 lowest."""
        function = self.pins[output].function
        if self.state is not None:
            name, inverse, becomes = self.state
            function = re.sub(rf"\b{name}\b", f"({becomes})", function)
            function = re.sub(rf"\b{inverse}\b", f"(!({becomes}))", function)
        inputs = sorted(set(re.findall(r"[A-Za-z]\w*", function)))
        # `not` binds looser than `&` in Python, `~` binds tightest, as `!` does in Liberty
        code = compile(function.replace("!", "~").replace("*", "&").replace("+", "|"), function, "eval")
        table = 0
        for row in range(1 << len(inputs)):
            values = {name: row >> place & 1 for place, name in enumerate(inputs)}
            table |= (eval(code, {}, values) & 1) << row  # noqa: S307 - a Boolean function of a Liberty file
        return inputs, table


@dataclass(frozen=True)
class Library:
    """Cells by name; what one unit of capacitance, time and leakage is; `voltage_v` of the supply."""

    cells: dict[str, Cell]
    cap_f: float
    time_s: float
    leakage_w: float
    voltage_v: float


def read_libraries(paths: list[Path], names: set[str]) -> Library:
    """The named cells of several files of one library.

    Raises:
        ValueError: the files differ in units or supply, or lack a cell.
    """
    cells: dict[str, Cell] = {}
    heads = set()
    for path in paths:
        head, *parts = re.split(
            r"\n\s*cell\s*\(", re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        )
        heads.add(_units(head))
        for part in parts:
            name = part.split(")", 1)[0].strip().strip('"')
            if name in names:
                cells[name] = Cell.of(parse("cell (" + part))
    if len(heads) != 1 or names - cells.keys():
        raise ValueError(f"{paths}: {len(heads)} kinds of units; without {sorted(names - cells.keys())}")
    return Library(cells, *heads.pop())


def _units(head: str) -> tuple[float, float, float, float]:
    """Capacitance, time, leakage in SI units; supply."""

    def scaled(pattern: str) -> float:
        found: Any = re.search(pattern, head)
        return float(found[1]) * PREFIXES[found[2].lower()]

    supply: Any = re.search(r"nom_voltage\s*:\s*([\d.]+)", head)
    return (
        scaled(r"capacitive_load_unit\s*\(\s*([\d.]+)\s*,\s*\"?([a-zA-Z]*?)[fF]\"?\s*\)"),
        scaled(r'time_unit\s*:\s*"([\d.]+)([a-z]*?)s"'),
        scaled(r'leakage_power_unit\s*:\s*"([\d.]+)([a-z]*?)W"'),
        float(supply[1]),
    )
