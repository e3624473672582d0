"""The comparison catches faults: eight mutants of the modules, each with one change."""

from pathlib import Path

import pytest
from random_cores import build_quickly, case
from tools import needs_verilator

from nmsim.errors import CheckFailedError, RunError
from nmsim.rtl.agreement import compare_trace
from nmsim.rtl.bench import run
from nmsim.rtl.golden import Golden

MUTANTS = {
    "nearest rounds down": (
        "stop_round.sv", "assign added = W'(1) <<< (DOWN - 1);", "assign added = (W'(1) <<< (DOWN - 1)) - W'(1);",
    ),
    "no bypass of the sum just written": (
        "stop_accumulate.sv", "again <= valid && write && address == write_address;", "again <= 1'b0;",
    ),
    "draws do not leap at the end of a pass": ("stop_draw.sv", "pass_ends ? leap(PASS", "1'b0 ? leap(PASS"),
    "traces of the sample before are kept": ("stop_trace.sv", "v1 && !first_step ?", "v1 ?"),
    "error sums are not begun anew": ("stop_propagate.sv", "fresh <= first_row;", "fresh <= 1'b0;"),
    "a word poked through the bus is lost": ("stop_bus.sv", "bus_wdata[1:0] == 2'd2", "bus_wdata[1:0] == 2'd3"),
    "the bus reads the word before": ("stop_bus.sv", "if (answered) window", "if (|peek) window"),
    "deltas of the first row serve all": ("stop_rows.sv", "deltas <= delta_q;", "if (first_row) deltas <= delta_q;"),
}  # fmt: skip
SEED = 22


def differences(folder: Path) -> int:
    """Integers that differ; all, if the core took another course or its bus fails."""
    own = case(SEED)
    build_quickly(folder)
    try:
        run(folder)
        return compare_trace(folder / "trace.hex", Golden(own.design, own.run).sections()).differences
    except (RunError, CheckFailedError):
        return 1_000_000


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize("name", ["none", *MUTANTS])
def test_a_mutant_is_caught_and_the_core_itself_is_not(name: str, tmp_path: Path) -> None:
    case(SEED).write(tmp_path)
    if name != "none":
        file, old, new = MUTANTS[name]
        path = tmp_path / "rtl" / file
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))
    assert (differences(tmp_path) == 0) == (name == "none")
