"""A mapped netlist under recorded vectors: how often every net toggles, with and without glitches.

Memories stay outside: what they gave in the RTL is applied cycle by cycle, and what the netlist asks of them is recorded.
Every gate takes one unit of time, so that late inputs make glitches; toggles without glitches are those from the settled
end of a cycle to that of the next. Verilator takes half a million lines of C++ for a core of 45,000 gates.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from liberty import Library
from numba import njit
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]
ZERO, ONE = 0, 1
"""Nets of the two constants."""


@dataclass(frozen=True)
class Netlist:
    """Flat netlist in which nets are numbers: cells of a library, and boxes (memories) that are not simulated.

    `cells`: (block, type, pins to nets); `inputs`, `outputs` and the pins of `boxes`: nets, lowest bit first.
    """

    cells: list[tuple[str, str, dict[str, int]]]
    inputs: dict[str, list[int]]
    outputs: dict[str, list[int]]
    boxes: dict[str, tuple[str, dict[str, list[int]]]]
    nets: int


def read_netlist(path: Path, top: str) -> Netlist:
    """Read the JSON that Yosys writes of a flattened netlist."""
    module = json.loads(path.read_text())["modules"][top]
    number: dict[Any, int] = {"0": ZERO, "1": ONE}

    def nets(bits: list[Any]) -> list[int]:
        return [ZERO if bit in {"x", "z"} else number.setdefault(bit, len(number)) for bit in bits]

    def ports(direction: str) -> dict[str, list[int]]:
        found = module["ports"].items()
        return {name: nets(port["bits"]) for name, port in found if port["direction"] == direction}

    cells, boxes = [], {}
    for name, cell in module["cells"].items():
        pins = {pin: nets(bits) for pin, bits in cell["connections"].items()}
        if cell["type"].startswith("ram_"):
            boxes[name] = cell["type"], pins
        else:
            block = name.partition(".")[0] if "." in name else "top"
            cells.append((block, cell["type"], {pin: own[0] for pin, own in pins.items() if own}))
    return Netlist(cells, ports("input"), ports("output"), boxes, len(number))


class Gates(NamedTuple):
    """Gates and flip-flops as arrays; a gate is one output of a cell. Truth tables are bits of one number, row 0 lowest.

    `inputs[first[g]:first[g + 1]]` are the nets of gate g; `loads[load_first[n]:load_first[n + 1]]` the gates of net n.
    """

    table: NDArray[np.uint64]
    output: IntArray
    first: IntArray
    inputs: IntArray
    load_first: IntArray
    loads: IntArray
    flop_table: NDArray[np.uint64]
    flop_output: IntArray
    flop_input: IntArray


def gates_of(netlist: Netlist, library: Library) -> Gates:
    """Compile a netlist."""
    tables, outputs, inputs, flops = [], [], [], []
    table_of = cache(lambda kind, pin: library.cells[kind].table(pin))
    for _, kind, pins in netlist.cells:
        cell = library.cells[kind]
        for pin in cell.outputs & pins.keys():
            names, table = table_of(kind, pin)
            if cell.state is None:
                tables.append(table)
                outputs.append(pins[pin])
                inputs.append([pins[name] for name in names])
            else:
                (data,) = names
                flops.append((table, pins[pin], pins[data]))
    loads: list[list[int]] = [[] for _ in range(netlist.nets)]
    for gate, nets in enumerate(inputs):
        for net in set(nets):
            loads[net].append(gate)
    flop = np.array(flops, np.int64).reshape(-1, 3).T.copy()
    return Gates(
        np.array(tables, np.uint64), np.array(outputs, np.int64), *_rows(inputs), *_rows(loads), flop[0].astype(np.uint64),
        flop[1], flop[2],
    )  # fmt: skip


def _rows(lists: list[list[int]]) -> tuple[IntArray, IntArray]:
    first = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    return first, np.array([value for row in lists for value in row], np.int64)


@dataclass(frozen=True)
class Toggles:
    """By net: `settled` toggles from cycle to cycle, `glitching` all; `seen (C, watched)` at the end of each cycle."""

    settled: IntArray
    glitching: IntArray
    seen: ByteArray


def simulate(gates: Gates, nets: int, driven: IntArray, values: ByteArray, watched: IntArray) -> Toggles:
    """Apply `values (C, n)` to the nets `driven (n,)`, one row a clock cycle, and record the nets `watched`.

    Flip-flops start at zero, and the first cycle, which settles everything, is not counted.
    """
    found = Toggles(
        np.zeros(nets, np.int64), np.zeros(nets, np.int64), np.zeros((len(values), len(watched)), np.uint8)
    )
    _run(gates, driven, values, watched, found.settled, found.glitching, found.seen)
    return found


@njit(cache=True)  # type: ignore[untyped-decorator]
def _run(
    gates: Gates,
    driven: IntArray,
    values: ByteArray,
    watched: IntArray,
    settled: IntArray,
    glitching: IntArray,
    seen: ByteArray,
) -> None:
    nets, count = len(settled), len(gates.table)
    value, before, marked = np.zeros(nets, np.uint8), np.zeros(nets, np.uint8), np.zeros(nets, np.uint8)
    value[ONE] = 1
    changed, touched = np.empty(nets, np.int64), np.empty(nets, np.int64)
    waiting, queued = np.arange(count), np.ones(count, np.uint8)
    fresh = np.empty(max(count, len(gates.flop_table)), np.uint8)
    for cycle in range(len(values)):
        counts = np.int64(cycle > 0)
        changes = _clock(gates, value, fresh, changed) if cycle else 0
        changes = _drive(driven, values[cycle], value, changed, changes)
        touches = 0
        while changes or count:
            touches = _touch(changed, changes, marked, touched, touches)
            for index in range(changes):
                glitching[changed[index]] += counts
            count = _wake(gates, changed, changes, waiting, queued, count)
            changes = _evaluate(gates, value, waiting, count, queued, fresh, changed)
            count = 0
        for index in range(touches):
            net = touched[index]
            marked[net] = 0
            settled[net] += counts * (value[net] != before[net])
            before[net] = value[net]
        for place in range(len(watched)):
            seen[cycle, place] = value[watched[place]]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _clock(gates: Gates, value: ByteArray, fresh: ByteArray, changed: IntArray) -> int:
    """An edge of the clock: every flip-flop takes its input, all at once."""
    changes = 0
    for flop in range(len(gates.flop_table)):
        fresh[flop] = (gates.flop_table[flop] >> np.uint64(value[gates.flop_input[flop]])) & np.uint64(1)
    for flop in range(len(gates.flop_table)):
        net = gates.flop_output[flop]
        if value[net] != fresh[flop]:
            value[net] = fresh[flop]
            changed[changes] = net
            changes += 1
    return changes


@njit(cache=True)  # type: ignore[untyped-decorator]
def _drive(driven: IntArray, row: ByteArray, value: ByteArray, changed: IntArray, changes: int) -> int:
    """New values of inputs and memories."""
    for place in range(len(driven)):
        net = driven[place]
        if value[net] != row[place]:
            value[net] = row[place]
            changed[changes] = net
            changes += 1
    return changes


@njit(cache=True)  # type: ignore[untyped-decorator]
def _touch(changed: IntArray, changes: int, marked: ByteArray, touched: IntArray, touches: int) -> int:
    """Add the changed nets to those that changed in this cycle."""
    for index in range(changes):
        net = changed[index]
        if not marked[net]:
            marked[net] = 1
            touched[touches] = net
            touches += 1
    return touches


@njit(cache=True)  # type: ignore[untyped-decorator]
def _wake(
    gates: Gates, changed: IntArray, changes: int, waiting: IntArray, queued: ByteArray, count: int
) -> int:
    """Queue the gates that changed nets lead to."""
    for index in range(changes):
        net = changed[index]
        for place in range(gates.load_first[net], gates.load_first[net + 1]):
            gate = gates.loads[place]
            if not queued[gate]:
                queued[gate] = 1
                waiting[count] = gate
                count += 1
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def _evaluate(
    gates: Gates, value: ByteArray, waiting: IntArray, count: int, queued: ByteArray, fresh: ByteArray, changed: IntArray
) -> int:  # fmt: skip
    """A unit of time: all queued gates take their inputs at once; the nets that change are left in `changed`."""
    for index in range(count):
        gate = waiting[index]
        queued[gate] = 0
        row = np.uint64(0)
        for place in range(gates.first[gate], gates.first[gate + 1]):
            row |= np.uint64(value[gates.inputs[place]]) << np.uint64(place - gates.first[gate])
        fresh[index] = (gates.table[gate] >> row) & np.uint64(1)
    changes = 0
    for index in range(count):
        net = gates.output[waiting[index]]
        if value[net] != fresh[index]:
            value[net] = fresh[index]
            changed[changes] = net
            changes += 1
    return changes
