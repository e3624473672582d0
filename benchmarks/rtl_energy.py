"""Energy of a mapped core from the toggles of its gates beside the energy model's, and of single units beside their prices.

    nmsim rtl mnist-dense --chip CHIP --out CORE --synth --liberty FILES
    python benchmarks/rtl_energy.py mnist-dense --chip CHIP --core CORE --liberty FILES
    python benchmarks/rtl_energy.py --units --core SCRATCH --liberty FILES

The core trains its first samples in Verilator; what its memories give there is applied to the mapped netlist, whose every
question to a memory must be the RTL's. There are no wires but `--wire-ff` for each pin that a net drives, no clock tree,
and edges as steep as `--slew-ps` everywhere. `--chip` should be of the library's node and supply.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from gates import Netlist, gates_of, read_netlist, simulate
from liberty import Cell, Library, read_libraries
from numpy.typing import NDArray

from nmsim.cost.area import lane_units
from nmsim.cost.pricing import price_counts
from nmsim.cost.table import ComponentTable, load_table
from nmsim.cost.technology import technology_at
from nmsim.counts import Component
from nmsim.hardware.chip import ChipConfig
from nmsim.pipeline import rtl as rtl_stage
from nmsim.pipeline.rtl_cycles import model_results
from nmsim.pipeline.simulate import read_chip
from nmsim.pipeline.subject import read_subject
from nmsim.rtl.bench import BENCH, MODULES, PACKAGE
from nmsim.rtl.built import built_chip
from nmsim.storage import write_text
from nmsim.validate.vectors.vector_files import raw_run

RECORD = """\
int vectors;
initial vectors = $fopen("vectors.txt", "w");
always @(posedge clk) if (sample < limit) $fdisplay(vectors, "%b", {{{}}});
"""
"""What the bench writes before every edge of the clock."""
BENCH_SAMPLES, BENCH_BATCH = 4, 2
"""What `nmsim rtl` writes without `--verify`."""
ASKED = {
    "ram_1rw": ("enable", "write", "address", "data"),
    "ram_1r1w": ("read", "read_address", "write", "write_address", "data"),
}
ENABLES = {"address": "enable", "read_address": "read", "write_address": "write", "data": "write"}
RESET_CYCLES = 8
UNITS = """\
module multiply_16x16(input signed [15:0] a, b, output signed [31:0] y); assign y = a * b; endmodule
module multiply_8x8(input signed [7:0] a, b, output signed [15:0] y); assign y = a * b; endmodule
module add_32(input [31:0] a, b, output [31:0] y); assign y = a + b; endmodule
module register_32(input clk, input [31:0] a, output reg [31:0] y); always @(posedge clk) y <= a; endmodule
"""
PRICED = {
    "multiply_16x16": ("logic.multiply_pj_per_bit2", 256), "multiply_8x8": ("logic.multiply_pj_per_bit2", 64),
    "add_32": ("logic.add_pj_per_bit", 32), "register_32": ("logic.register_pj_per_bit", 32),
}  # fmt: skip
VECTORS = 2000
SCRIPT = """\
import sys
from pyosys import libyosys
design, (commands, *libraries) = libyosys.Design(), sys.argv[1:]
files = " ".join(f"-liberty {library}" for library in libraries)
for library in libraries:
    libyosys.run_pass(f"read_liberty -lib -ignore_miss_func {library}", design)
for command in commands.split(";"):
    libyosys.run_pass(command.replace("FILES", files), design)
"""
Fields = list[tuple[str, list[int]]]


@dataclass(frozen=True)
class Energy:
    """Picojoules of a run: nets that are charged, cells inside, and clock pins of flip-flops."""

    nets: float = 0.0
    cells: float = 0.0
    clock: float = 0.0

    def __add__(self, other: "Energy") -> "Energy":
        return Energy(self.nets + other.nets, self.cells + other.cells, self.clock + other.clock)

    @property
    def logic(self) -> float:
        """What toggles: all but the clock."""
        return self.nets + self.cells


@dataclass(frozen=True)
class Conditions:
    """What a netlist without layout leaves open."""

    slew_s: float
    wire_f: float


def yosys(folder: Path, commands: str, libraries: list[Path]) -> None:
    """Run commands of Yosys in a folder; `FILES` stands for the libraries."""
    call = [sys.executable, "-c", SCRIPT, commands, *(str(path.resolve()) for path in libraries)]
    subprocess.run(call, cwd=folder, check=True, capture_output=True)


def unpacked(paths: list[Path], folder: Path) -> list[Path]:
    """Liberty files as text."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for path in paths:
        found.append(folder / path.name.removesuffix(".gz"))
        found[-1].write_bytes(
            gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        )
    return found


def record(folder: Path, netlist: Netlist, samples: int) -> tuple[Fields, NDArray[np.uint8]]:
    """Run the RTL: the names of what was recorded with their nets, and its bits before every edge `(C, n)`."""
    fields = [(name, nets) for name, nets in netlist.inputs.items() if name != "clk"]
    for name, (kind, pins) in netlist.boxes.items():
        fields += [(f"dut.{name}.{pin}", pins[pin]) for pin in ("q", *ASKED[kind.partition("$")[0]])]
    line = ", ".join(name for name, _ in fields)
    (folder / "record.svh").write_text(RECORD.format(line))
    tool = shutil.which("verilator") or sys.exit(
        "Verilator is not installed; install the Debian package verilator"
    )
    build = [
        tool, "--binary", "--timing", "-Wno-fatal", "-Wno-lint", "--x-initial", "0", "-DRECORD", PACKAGE, "-y", MODULES,
        "-I.", BENCH, "--top-module", "stop_tb", "--Mdir", "obj_record", "-o", "record",
        "-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0",
    ]  # fmt: skip
    if not (folder / "vectors.txt").exists():
        subprocess.run(build, cwd=folder, check=True, capture_output=True)
        bench = folder.resolve() / "obj_record" / "record"
        subprocess.run([bench, "+final", f"+samples={samples}"], cwd=folder, check=True, capture_output=True)
    width = sum(len(nets) for _, nets in fields)
    text = np.frombuffer((folder / "vectors.txt").read_bytes(), np.uint8)
    return fields, text.reshape(-1, width + 1)[:, :width] - ord("0")


def compare_requests(fields: Fields, bits: NDArray[np.uint8], seen: NDArray[np.uint8]) -> tuple[int, int]:
    """Bits that RTL and netlist ask of the memories, compared and different: addresses and data where they are used."""
    asked: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}
    at = place = 0
    for name, nets in fields:
        if is_request(name):
            asked[name] = (
                bits[RESET_CYCLES:, at : at + len(nets)],
                seen[RESET_CYCLES:, place : place + len(nets)],
            )
            place += len(nets)
        at += len(nets)
    compared = different = 0
    for name, (rtl, netlist) in asked.items():
        memory, _, pin = name.rpartition(".")
        lanes = asked[f"{memory}.{ENABLES[pin]}"][0] if pin in ENABLES else np.ones((len(rtl), 1), np.uint8)
        if pin == "data" and f"{memory}.enable" in asked:
            lanes = lanes & asked[f"{memory}.enable"][0]
        lanes = lanes if pin == "data" else lanes.max(axis=1, keepdims=True)
        used = np.repeat(lanes, rtl.shape[1] // lanes.shape[1], axis=1).astype(bool)
        compared, different = compared + int(used.sum()), different + int(((rtl != netlist) & used).sum())
    return compared, different


def is_request(name: str) -> bool:
    """Whether a field is asked of a memory, rather than given to the netlist."""
    return name.startswith("dut.") and not name.endswith(".q")


def energies(
    netlist: Netlist, library: Library, toggles: NDArray[np.int64], cycles: int, given: Conditions
) -> dict[str, Energy]:
    """Energy by block."""
    load = np.zeros(netlist.nets)
    for _, kind, pins in netlist.cells:
        for pin, net in pins.items():
            if not library.cells[kind].pins[pin].output:
                load[net] += library.cells[kind].pins[pin].capacitance + given.wire_f / library.cap_f
    pj = library.cap_f * 1e12  # of a unit of internal energy, which is one of capacitance at one volt
    slew = given.slew_s / library.time_s
    found: dict[str, Energy] = defaultdict(Energy)

    line = cache(lambda kind, pin: library.cells[kind].pins[pin].edge(slew))

    def edges(kind: str, pin: str, count: float, farads: float = 0.0) -> float:
        return count * float(np.interp(farads, *line(kind, pin))) * pj if count else 0.0

    def charged(nets: list[int]) -> float:
        return float((toggles[nets] * load[nets]).sum()) * pj * library.voltage_v**2 / 2

    for block, kind, pins in netlist.cells:
        cell = library.cells[kind]
        outputs, data, clock = _sorted_pins(cell, pins)
        inside = sum(edges(kind, pin, toggles[net], load[net]) for pin, net in outputs.items())
        quiet = sum(edges(kind, pin, toggles[net]) for pin, net in data.items())
        if cell.state is None and quiet:  # inputs of gates pay only where they do not move the output
            came = sum(toggles[net] for net in data.values())
            quiet *= max(0.0, 1 - sum(toggles[net] for net in outputs.values()) / came)
        ticks = sum(
            edges(kind, pin, 2 * cycles) + cycles * cell.pins[pin].capacitance * pj * library.voltage_v**2
            for pin in clock
        )
        found[block] += Energy(charged(list(outputs.values())), inside + quiet, ticks)
    for name, (_, pins) in netlist.boxes.items():
        found[name.partition(".")[0]] += Energy(charged(pins["q"]))
    return dict(found)


def _sorted_pins(cell: Cell, pins: Mapping[str, int]) -> tuple[dict[str, int], ...]:
    """Outputs, inputs and clocks of a cell, each with its net."""
    kinds: tuple[dict[str, int], ...] = ({}, {}, {})
    for pin, net in pins.items():
        own = cell.pins[pin]
        kinds[0 if own.output else 2 if own.clock else 1][pin] = net
    return kinds


def measure_core(folder: Path, libraries: list[Path], samples: int, given: Conditions) -> dict[str, Any]:
    """Toggle-based energy of a synthesised core in its first samples."""
    texts = unpacked(libraries, folder / "liberty")
    if not (folder / "flat.json").exists():
        yosys(
            folder,
            "read_verilog netlist.v;flatten -noscopeinfo stop_core;opt_clean stop_core;write_json flat.json",
            texts,
        )
    netlist = read_netlist(folder / "flat.json", "stop_core")
    library = read_libraries(texts, {kind for _, kind, _ in netlist.cells})
    fields, bits = record(folder, netlist, samples)
    nets = np.array([net for _, own in fields for net in reversed(own)], np.int64)
    asked = np.concatenate([np.full(len(own), is_request(name)) for name, own in fields])
    values = np.ascontiguousarray(bits[:, ~asked])
    toggles = simulate(gates_of(netlist, library), netlist.nets, nets[~asked], values, nets[asked])
    compared, different = compare_requests(fields, bits, toggles.seen)
    if different:
        sys.exit(f"{folder}: the netlist asks otherwise than the RTL in {different:,} of {compared:,} bits")
    cycles = len(bits)
    return {
        "cycles": cycles, "compared": compared, "cells": len(netlist.cells), "voltage_v": library.voltage_v,
        "settled": {k: vars(e) for k, e in energies(netlist, library, toggles.settled, cycles, given).items()},
        "glitching": {k: vars(e) for k, e in energies(netlist, library, toggles.glitching, cycles, given).items()},
        "flip_flops": sum(library.cells[kind].state is not None for _, kind, _ in netlist.cells),
        "leakage_w": sum(library.cells[kind].leakage for _, kind, _ in netlist.cells) * library.leakage_w,
    }  # fmt: skip


def repriced(
    table: ComponentTable, units: dict[str, dict[str, float]], toggles: str, chip: ChipConfig
) -> ComponentTable:
    """The table with what a library's own units take in the place of its arithmetic and its flip-flop."""
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    measured = {
        PRICED[name][0]: units[name][toggles] / PRICED[name][1] for name in PRICED if name != "multiply_8x8"
    }
    measured["clock.flip_flop_pj"] = units["register_32"]["clock"] / 32
    groups: dict[str, dict[str, Any]] = {"logic": {}, "clock": {}}
    for key, value in measured.items():
        group, _, name = key.partition(".")
        constant, factor = getattr(getattr(table, group), name), value / technology.constant(key).value
        nodes = {
            node: own.model_copy(update={"value": own.value * factor}) for node, own in constant.at.items()
        }
        groups[group][name] = constant.model_copy(update={"at": nodes})
    return table.model_copy(
        update={name: getattr(table, name).model_copy(update=update) for name, update in groups.items()}
    )


def modelled(
    target: str,
    assignments: list[str],
    chip_name: str,
    samples: int,
    units: dict[str, dict[str, float]] | None = None,
) -> dict[str, float]:
    """The model's logic in the same samples, in pJ: arithmetic by action, and the clock of its flip-flops in every cycle.

    The netlist has neither a clock tree nor memories, so neither has this; control is what the chip's factor adds to
    arithmetic.
    """
    subject, chip = read_subject(target, assignments), read_chip(chip_name)
    design = rtl_stage.design_core(subject, chip, BENCH_SAMPLES, BENCH_BATCH)
    run = raw_run(design.side, design.training, rtl_stage.first_samples(subject, "train", samples))
    perf, _ = model_results(design, chip, run)
    table = load_table(chip.technology)
    assert isinstance(table, ComponentTable)
    if units is not None:
        table = repriced(table, units, "settled", chip)
    counts = perf.counts.select(component=Component.ALU)
    priced = price_counts(counts, built_chip(design, chip), table)
    updates = samples // perf.batch_size
    often = np.where(counts.per_batch, counts.counts[:, 0] * updates, counts.counts.sum(axis=1))
    found: dict[str, float] = defaultdict(float)
    for row, action in enumerate(counts.columns["action"]):
        found[str(action)] += float(often[row] * priced.prices[priced.price[row]].pj)
    arithmetic = sum(found.values())
    flip_flops = lane_units(built_chip(design, chip).core_types[0]).register_bits
    edge = technology_at(table, chip.tech_node_nm, chip.voltage_v).constant("clock.flip_flop_pj").value
    cycles = float(perf.cycles.sum() + perf.update_cycles * updates)
    return dict(found) | {
        "arithmetic": arithmetic, "control": (chip.power.control_overhead_factor - 1) * arithmetic,
        "clock": flip_flops * edge * cycles, "flip_flops": flip_flops, "cycles": cycles,
    }  # fmt: skip


def measure_units(folder: Path, libraries: list[Path], given: Conditions) -> dict[str, dict[str, float]]:
    """Picojoules of one operation of each unit on random operands: without and with glitches, and of its clock."""
    found = {}
    texts = unpacked(libraries, folder / "liberty")
    (folder / "units.v").write_text(UNITS)
    for top in PRICED:
        if not (folder / f"{top}.json").exists():
            read = f"read_verilog -sv units.v;synth -flatten -booth -top {top};dfflibmap FILES;abc FILES"
            yosys(folder, f"{read};opt_clean -purge;write_json {top}.json", texts)
        netlist = read_netlist(folder / f"{top}.json", top)
        library = read_libraries(texts, {kind for _, kind, _ in netlist.cells})
        driven = np.array(
            [net for name, nets in netlist.inputs.items() if name != "clk" for net in nets], np.int64
        )
        values = np.random.default_rng(1).integers(0, 2, (VECTORS + 1, len(driven)), np.uint8)
        outputs = np.array(netlist.outputs["y"], np.int64)
        toggles = simulate(gates_of(netlist, library), netlist.nets, driven, values, outputs)
        check_unit(top, values.astype(np.int64), toggles.seen.astype(np.int64))
        found[top] = {}
        for name in ("settled", "glitching"):
            by_block = energies(netlist, library, getattr(toggles, name), VECTORS, given)
            whole = sum(by_block.values(), Energy())
            found[top] |= {name: (whole.logic + whole.clock) / VECTORS, "clock": whole.clock / VECTORS}
    return found


def check_unit(top: str, values: NDArray[np.int64], seen: NDArray[np.int64]) -> None:
    """The mapped unit computes what it should."""
    half, width = values.shape[1] // 2, seen.shape[1]
    a, b = values[:, :half] @ (1 << np.arange(half)), values[:, half:] @ (1 << np.arange(half))
    if top.startswith("multiply"):
        a, b = (x - ((x >> (half - 1)) << half) for x in (a, b))
        wanted = a * b
    else:
        wanted = a + b if top.startswith("add") else np.roll(values @ (1 << np.arange(width)), 1)
    if ((seen @ (1 << np.arange(width)) - wanted)[1:] & ((1 << width) - 1)).any():
        sys.exit(f"{top}: the mapped unit computes something else")


def show_units(found: dict[str, dict[str, float]], chip_name: str) -> None:
    """Units beside their prices and bands."""
    chip = read_chip(chip_name)
    table = load_table(chip.technology)
    assert isinstance(table, ComponentTable)
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    print("| unit | gates, pJ | with glitches | price | over price | band |\n|---|---|---|---|---|---|")
    for name, own in found.items():
        key, bits = PRICED[name]
        constant = technology.constant(key)
        price, (low, high) = constant.value * bits, constant.band
        ratios = f"{own['settled'] / price:.2f} to {own['glitching'] / price:.2f}"
        print(
            f"| {name} | {own['settled']:.3f} | {own['glitching']:.3f} | {price:.3f} | {ratios} | {low} to {high} |"
        )
    edge, own = technology.constant("clock.flip_flop_pj"), found["register_32"]["clock"] / 32
    print(
        f"| flip-flop, clock alone | {own:.5f} | | {edge.value:.5f} | {own / edge.value:.2f} | {edge.band} |"
    )


def show_core(rtl: dict[str, Any], model: dict[str, float]) -> None:
    """Blocks of the RTL, and its whole beside the model's."""
    print(
        f"{rtl['cells']:,} cells, {rtl['cycles']:,} cycles; {rtl['compared']:,} bits asked of memories, 0 different"
    )
    print("| block | nets, pJ | cells, pJ | with glitches | clock, pJ |\n|---|---|---|---|---|")
    settled, glitching = (
        {k: Energy(**own) for k, own in rtl[name].items()} for name in ("settled", "glitching")
    )
    for block, own in sorted(settled.items(), key=lambda item: -glitching[item[0]].logic):
        print(
            f"| {block} | {own.nets:,.0f} | {own.cells:,.0f} | {glitching[block].logic:,.0f} | {own.clock:,.0f} |"
        )
    whole, noisy = sum(settled.values(), Energy()), sum(glitching.values(), Energy())
    print(f"| all | {whole.nets:,.0f} | {whole.cells:,.0f} | {noisy.logic:,.0f} | {whole.clock:,.0f} |")
    print("model, pJ: " + ", ".join(f"{name} {value:,.0f}" for name, value in model.items()))
    total = model["arithmetic"] + model["control"] + model["clock"]
    for name, own in (("settled", whole), ("with glitches", noisy)):
        print(
            f"{name}: toggling over arithmetic {own.logic / model['arithmetic']:.2f}, with control"
            f" {own.logic / (model['arithmetic'] + model['control']):.2f}; clock {own.clock / model['clock']:.2f}; all"
            f" {(own.logic + own.clock) / total:.2f}"
        )


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", default="mnist-dense")
    parser.add_argument("--set", action="append", default=[], help="as of the core's workload")
    parser.add_argument("--core", type=Path, required=True, help="folder of the core, or scratch for units")
    parser.add_argument("--chip", default="stop-core-28nm")
    parser.add_argument("--liberty", required=True)
    parser.add_argument(
        "--samples", type=int, default=BENCH_BATCH, help="a multiple of 2, the batch of the bench"
    )
    parser.add_argument("--slew-ps", type=float, default=20.0)
    parser.add_argument("--wire-ff", type=float, default=0.0)
    parser.add_argument("--units", action="store_true", help="single units alone")
    parser.add_argument(
        "--prices", type=Path, help="units.json of an earlier --units: prices for the model's counts"
    )
    options = parser.parse_args()
    libraries = [Path(part) for part in options.liberty.split(",")]
    given = Conditions(options.slew_ps * 1e-12, options.wire_ff * 1e-15)
    if options.units:
        units = measure_units(options.core, libraries, given)
        write_text(options.core / "units.json", json.dumps(units, indent=1) + "\n")
        show_units(units, options.chip)
        return
    rtl = measure_core(options.core, libraries, options.samples, given)
    prices = None if options.prices is None else json.loads(options.prices.read_text())
    model = modelled(options.target, options.set, options.chip, options.samples, prices)
    write_text(options.core / "rtl-energy.json", json.dumps({"rtl": rtl, "model": model}, indent=1) + "\n")
    show_core(rtl, model)


if __name__ == "__main__":
    main()
