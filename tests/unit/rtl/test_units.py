"""The rounding unit and the draw register alone, against the arithmetic they implement."""

import subprocess
from pathlib import Path
from random import Random

import pytest
from tools import needs_verilator

from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.fixedpoint.leap import leap, rows
from nmsim.fixedpoint.lfsr import PERIOD, draw_table
from nmsim.fixedpoint.quantize import quantize
from nmsim.rtl.package import types_text
from nmsim.rtl.quantizers import Quantizer, quantizer
from nmsim.rtl.write_core import module_texts

LAYERS, CASES, LANES, P, OUT = 40, 10_000, 4, 24, 40
BENCH = Path(__file__).parent / "units_tb.sv"
JUMPS = [(1, 785 - 4 * layer, 65_536 - 3 * layer) for layer in range(LAYERS)]


def random_quantizer(rng: Random) -> tuple[Quantizer, QFormat, Rounding, str, int, int]:
    signed = rng.random() < 0.6
    target = QFormat(signed=signed, total_bits=rng.randint(2, 30), fraction_bits=rng.randint(-4, 20))
    rounding, overflow = rng.choice(list(Rounding)), rng.choice(("saturate", "wrap"))
    p, q = target.fraction_bits + rng.randint(-4, 28), target.fraction_bits + rng.randint(-4, 28)
    return quantizer(target, rounding, overflow, p, q), target, rounding, overflow, p, q


def value(rng: Random) -> int:
    """Values of all magnitudes, so that some round, some vanish and some overflow."""
    return rng.randrange(-(1 << (P - 1)), 1 << (P - 1)) >> rng.randrange(P)


def matrix(draws: int) -> str:
    return "{" + ", ".join(f"16'h{row:04x}" for row in reversed(rows(leap(draws)))) + "}"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[list, list, list[str], list[tuple[int, int]]]:
    rng, folder = Random(1), tmp_path_factory.mktemp("units")
    tables = [random_quantizer(rng) for _ in range(LAYERS)]
    structs = ", ".join(
        f"quant_t'{{left_p: {t.left_p}, left_q: {t.left_q}, up: {t.up}, down: {t.down}, rounding: {t.rounding},"
        f" wrap: {int(t.wrap)}, is_signed: {int(t.signed)}, bits: {t.bits}}}"
        for t, *_ in reversed(tables)
    )
    table = draw_table()
    first = ", ".join(
        "{" + ", ".join(f"16'h{table[100 * layer + lane]:04x}" for lane in reversed(range(LANES))) + "}"
        for layer in reversed(range(LAYERS))
    )
    jumps = "".join(
        f"localparam jump_t [LAYERS-1:0] {name} = {{{', '.join(matrix(j[index]) for j in reversed(JUMPS))}}};\n"
        for index, name in enumerate(("STEP", "ROW", "PASS"))
    )
    (folder / "stop_pkg.sv").write_text(
        f"package stop_pkg;\n{types_text(LAYERS)}localparam int LB = 6, P = {P}, OUT = {OUT}, CASES = {CASES},"
        f" DRAW_LANES = {LANES};\nlocalparam quant_t [LAYERS-1:0] Q = {{{structs}}};\n{jumps}"
        f"localparam logic [LAYERS-1:0][{LANES - 1}:0][15:0] FIRST = {{{first}}};\nendpackage\n"
    )
    cases = [(rng.randrange(LAYERS), value(rng), value(rng), rng.randrange(1, 65536)) for _ in range(CASES)]
    steps = [(rng.randrange(LAYERS), rng.choice((0, 0, 0, 1, 2, 3))) for _ in range(CASES)]
    lines = [f"{layer:x} {p % (1 << P):x} {q % (1 << P):x} {draw:x}" for layer, p, q, draw in cases]
    lines += [f"{layer | ends << 8:x}" for layer, ends in steps]
    (folder / "cases.hex").write_text("\n".join(lines) + "\n")
    modules = module_texts()
    for name in ("stop_quant.sv", "stop_round.sv", "stop_draw.sv"):
        (folder / name).write_text(modules[name])
    (folder / "units_tb.sv").write_text(BENCH.read_text())
    command = [
        "verilator",
        "--binary",
        "--timing",
        "-Wno-fatal",
        "-Wno-lint",
        "-MAKEFLAGS",
        "OPT_FAST=-O0 OPT_GLOBAL=-O0",
    ]
    command += ["stop_pkg.sv", "-y", ".", "units_tb.sv", "--top-module", "units_tb", "-o", "units"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    done = subprocess.run(["./obj_dir/units"], cwd=folder, check=True, capture_output=True, text=True)
    printed = [line for line in done.stdout.splitlines() if not line.startswith("-")]
    return tables, cases, printed, steps


@needs_verilator
def test_ten_thousand_requantizations_are_those_of_the_arithmetic(answers: tuple) -> None:
    tables, cases, printed, _ = answers
    overflowed = 0
    for (layer, p, q, draw), line in zip(cases, printed[:CASES], strict=True):
        own, target, rounding, overflow, p_fraction, q_fraction = tables[layer]
        exact = (p << own.left_p) + (q << own.left_q)
        wanted, over = quantize(
            exact, max(p_fraction, q_fraction), target, rounding, Overflow(overflow), draw
        )
        assert line == f"{wanted % (1 << OUT):010x} {int(over)}", (layer, p, q, draw)
        overflowed += over
    assert CASES // 10 < overflowed < CASES * 9 // 10


@needs_verilator
def test_ten_thousand_steps_of_the_draw_register_are_those_of_the_table(answers: tuple) -> None:
    *_, printed, steps = answers
    table, at = draw_table(), [100 * layer for layer in range(LAYERS)]
    for (layer, ends), line in zip(steps, printed[CASES:], strict=True):
        wanted = "".join(f"{table[(at[layer] + lane) % PERIOD]:04x}" for lane in reversed(range(LANES)))
        assert line == wanted
        at[layer] += JUMPS[layer][2 if ends & 2 else ends]
