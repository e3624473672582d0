"""What runs inside Yosys, in the folder of a core: `python yosys_script.py REQUEST`; the answer is yosys.json."""

import json
import re
import sys
from pathlib import Path
from typing import Any


def main(request: dict[str, Any]) -> None:
    """Read, check and, if asked, map a core."""
    from pyosys import libyosys

    design = libyosys.Design()

    def run(command: str) -> None:
        libyosys.run_pass(command, design)

    top, files = request["top"], " ".join(Path("filelist.f").read_text().split())
    run(f"read_slang --keep-hierarchy -DSYNTHESIS --top {top} {files}")
    # after elaboration, when every memory has its own widths: one box for all would cut their ports to one width
    run("blackbox " + " ".join(f"{name}*" for name in request["memories"]))
    run(f"hierarchy -check -top {top}")
    children = sorted(
        {
            str(cell.type).removeprefix("\\")
            for cell in design.module(libyosys.IdString(f"\\{top}")).cells_.values()
        }
    )
    kept = [name for name in children if not name.startswith("$")]
    if not request.get("timed"):
        for name in kept:
            run(f"setattr -mod -set keep_hierarchy 1 {name}")
    run(f"synth -flatten -booth -top {top} -run begin:fine")
    run("select -assert-none t:$dlatch t:$_DLATCH_*")
    run("select -assert-none t:$mem_v2 r:WR_PORTS>0 %i")
    run("check -assert")
    version = str(libyosys.yosys_version_str) if hasattr(libyosys, "yosys_version_str") else ""
    answer: dict[str, Any] = {"blocks": [], "longest_path_ps": None, "version": version}
    if request["mode"] == "map":
        _map(run, request, top)
        answer["blocks"] = _blocks(request["liberty"])
        answer["longest_path_ps"] = _delay() if request["timed"] else None
    Path("yosys.json").write_text(json.dumps(answer, indent=1))


def _map(run: Any, request: dict[str, Any], top: str) -> None:
    libraries = " ".join(f"-liberty {path}" for path in request["liberty"])
    run(f"synth -flatten -booth -top {top} -run fine:check")
    for path in request["liberty"]:
        run(f"read_liberty -lib -ignore_miss_func {path}")
    run(f"dfflibmap {libraries}")
    if request["timed"]:
        script = "+strash;ifraig;scorr;dc2;dch,-f;map,-B,0.9;topo;buffer,-c;upsize;dnsize;stime,-p"
        run(f"tee -o abc.log abc {libraries} -script {script}")
    else:
        run(f"abc {libraries}")
    run("opt_clean -purge")
    run(f"tee -o stat.json stat -json {libraries}")
    run("check -mapped -assert")
    run("write_verilog -noattr netlist.v")


def _blocks(liberty: list[str]) -> list[dict[str, Any]]:
    areas, flops = _cells(liberty)
    modules = json.loads(Path("stat.json").read_text())["modules"]
    found = []
    for name, module in modules.items():
        types = {
            kind: (value["count"] if isinstance(value, dict) else value)
            for kind, value in module["num_cells_by_type"].items()
        }
        cells = {kind: int(count) for kind, count in types.items() if kind in areas}
        if not cells:
            continue
        registers = {kind: count for kind, count in cells.items() if kind in flops}
        found.append(
            {
                "name": re.sub(r"^\\?([^$]*)\$.*\.", r"\1 ", name.lstrip("\\")),
                "cells": sum(cells.values()),
                "flip_flops": sum(registers.values()),
                "area_um2": sum(areas[kind] * count for kind, count in cells.items()),
                "flip_flop_area_um2": sum(areas[kind] * count for kind, count in registers.items()),
            }
        )
    return sorted(found, key=lambda block: -float(block["area_um2"]))


def _cells(liberty: list[str]) -> tuple[dict[str, float], set[str]]:
    """Area of every cell, and which are flip-flops."""
    areas: dict[str, float] = {}
    flops: set[str] = set()
    for path in liberty:
        for part in re.split(r"\n\s*cell\s*\(", Path(path).read_text(errors="replace"))[1:]:
            name = part.split(")", 1)[0].strip().strip('"')
            area = re.search(r"\barea\s*:\s*([\d.eE+-]+)", part)
            areas[name] = float(area[1]) if area else 0.0
            if re.search(r"\n\s*ff\s*\(", part):
                flops.add(name)
    return areas, flops


def _delay() -> float | None:
    found = re.findall(r"Delay\s*=\s*([\d.]+)\s*ps", Path("abc.log").read_text(errors="replace"))
    return float(found[-1]) if found else None


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
