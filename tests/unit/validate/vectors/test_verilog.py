"""Verilog reads the exported files with `$readmemh` and comes to the same words (docs/testbench)."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from small_networks import DENSE, batch, chip

from nmsim.validate.vectors.export import export_vectors

BENCHES = Path(__file__).resolve().parents[4] / "docs" / "testbench"
LIVELY: dict[str, Any] = {
    **DENSE,
    "layers": [
        {"kind": "dense", "units": 12, "weight_scale": 3.0},
        {"kind": "dense", "units": 5, "weight_scale": 3.0},
    ],
}
SEED, INPUTS, NEURONS, STEPS = 3, 12, 5, 4

pytestmark = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog is not installed (Debian package iverilog)"
)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    export_vectors(chip(LIVELY, seed=SEED), batch(LIVELY, 1), 1, folder, {})
    return folder


def run(bench: str, vectors: Path, **parameters: int | str) -> str:
    """What a test bench prints in the folder of the vectors."""
    program = vectors.parent / f"{bench}.vvp"
    values = [
        f'-P{bench}.{name}="{value}"' if isinstance(value, str) else f"-P{bench}.{name}={value}"
        for name, value in parameters.items()
    ]
    source = str(BENCHES / f"{bench}.v")
    subprocess.run(["iverilog", "-g2005", "-o", str(program), *values, source], check=True)
    done = subprocess.run(
        ["vvp", "-n", str(program)], cwd=vectors, check=True, capture_output=True, text=True
    )
    assert "WARNING" not in done.stdout + done.stderr
    return done.stdout.strip()


def membrane(vectors: Path) -> str:
    return run("membrane_tb", vectors, LAYER="1", T=STEPS, M=INPUTS, N=NEURONS)


def update(vectors: Path) -> str:
    rate = json.loads((vectors / "manifest.json").read_text())["learning"]["weight"]
    offset = (40503 * (SEED + 1) + 7919 * 16) % 65535
    parameters = {
        "W": NEURONS * INPUTS,
        "MANTISSA": rate["mantissa"],
        "SHIFT": rate["shift"],
        "OFFSET": offset,
    }
    return run("update_tb", vectors, LAYER="1", **parameters)


def change(path: Path, line: int) -> None:
    """Turn the lowest bit of a word."""
    lines = path.read_text().splitlines()
    lines[line] = f"{int(lines[line], 16) ^ 1:0{len(lines[line])}x}"
    path.write_text("\n".join(lines) + "\n")


def test_a_test_bench_replays_currents_membranes_and_spikes(vectors: Path) -> None:
    neurons, steps, spikes, errors = membrane(vectors).split(", ")
    assert (neurons, steps, errors) == ("5 neurons", "4 time steps", "0 errors")
    assert int(spikes.split()[0]) > 3


def test_a_test_bench_replays_a_stochastic_update_from_its_own_register(vectors: Path) -> None:
    weights, moved, errors = update(vectors).split(", ")
    assert (weights, errors) == ("60 weights", "0 errors")
    assert int(moved.split()[0]) > 20


@pytest.mark.parametrize("name", ["current", "residual", "membrane", "spikes"])
def test_a_wrong_bit_in_what_is_expected_is_one_error(vectors: Path, name: str) -> None:
    change(vectors / "sample0" / f"layer1.{name}.hex", 1 + NEURONS + 2)
    assert membrane(vectors).endswith(", 1 errors")


def test_a_wrong_draw_or_weight_is_an_error(vectors: Path) -> None:
    change(vectors / "draws" / "update0" / "layer1.weight.hex", 1)
    change(vectors / "parameters" / "update0" / "layer1.weight.hex", 9)
    assert update(vectors).endswith(", 2 errors")
