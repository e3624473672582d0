"""Verilog reads the exported files with `$readmemh` and comes to the same words (docs/testbench)."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from small_networks import DENSE, batch, chip

from nmsim.validate.vectors.vector_files import export_vectors

BENCHES = Path(__file__).resolve().parents[4] / "docs" / "testbench"
LIVELY: dict[str, Any] = {
    **DENSE,
    "layers": [
        {"kind": "dense", "units": 12, "weight_scale": 3.0},
        {"kind": "dense", "units": 5, "weight_scale": 3.0},
    ],
}
SEED, NEURONS = 3, 5

pytestmark = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog is not installed (Debian package iverilog)"
)


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    export_vectors(chip(LIVELY, seed=SEED), batch(LIVELY, 1), 1, folder, {})
    return folder


def run(bench: str, vectors: Path, *, code: int = 0, **parameters: int) -> str:
    """The line that a test bench prints in the folder of the vectors; it ends with this exit code."""
    program = vectors.parent / f"{bench}.vvp"
    values = [f"-P{bench}.{name}={value}" for name, value in parameters.items()]
    include = [f"-I{vectors}", f"-I{BENCHES}"]
    source = str(BENCHES / f"{bench}.v")
    subprocess.run(["iverilog", "-g2012", "-o", str(program), *include, *values, source], check=True)
    done = subprocess.run(
        ["vvp", "-n", str(program)], cwd=vectors, check=False, capture_output=True, text=True
    )
    assert "WARNING" not in done.stdout + done.stderr
    assert done.returncode == code
    return done.stdout.splitlines()[0]


def membrane(vectors: Path, *, code: int = 0) -> str:
    return run("membrane_tb", vectors, code=code, LAYER=1)


def update(vectors: Path, *, code: int = 0) -> str:
    return run("update_tb", vectors, code=code, LAYER=1)


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
    assert membrane(vectors, code=1).endswith(", 1 errors")


def test_a_wrong_draw_or_weight_is_an_error(vectors: Path) -> None:
    change(vectors / "draws" / "update0" / "layer1.weight.hex", 1)
    change(vectors / "parameters" / "update0" / "layer1.weight.hex", 9)
    assert update(vectors, code=1).endswith(", 2 errors")


def test_an_update_of_a_batch_starts_from_the_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    export_vectors(chip(LIVELY, seed=SEED), batch(LIVELY, 4), 2, folder, {})
    assert update(folder).endswith(", 0 errors")


def test_a_wrong_checksum_is_an_error(vectors: Path) -> None:
    change(vectors / "checksums" / "sample0" / "layer1.membrane.hex", 2)
    assert membrane(vectors, code=1).endswith(", 1 errors")


def test_a_bench_refuses_formats_for_which_it_has_no_registers(tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    export_vectors(chip(LIVELY, seed=SEED, weight="s12.9"), batch(LIVELY, 1), 1, folder, {})
    assert "default formats" in run("update_tb", folder, code=1)
