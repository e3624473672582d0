"""The benchmark that prices a netlist: functions and energies of a small library, toggles with and without glitches."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from gates import ONE, ZERO, Netlist, gates_of, simulate
from liberty import Library, read_libraries

LIBERTY = """
library (small) {
  time_unit : "1ns";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, pf);
  nom_voltage : 2.0;
  cell (NAND) {
    cell_leakage_power : 3.5;
    pin (Y) {
      direction : output;
      function : "!(A * B)";
      internal_power () {
        related_pin : "A";
        rise_power (t) { index_1 ("1, 3"); index_2 ("0, 2"); values ( "1, 3", \\
          "5, 7"); }
        fall_power (t) { index_1 ("1, 3"); index_2 ("0, 2"); values ("0, 0", "0, 0"); }
      }
      internal_power () {
        related_pin : "B";
        when : "A";
        rise_power (scalar) { values ("4"); }
        fall_power (scalar) { values ("2"); }
      }
    }
    pin (A) { direction : input; capacitance : 0.5; }
    pin (B) { direction : input; capacitance : 0.25; }
  }
  cell (INV) {
    pin (Y) { direction : output; function : "A'"; }
    pin (A) { direction : input; capacitance : 0.5; }
  }
  cell (FLOP) {
    ff (IQ, IQN) { clocked_on : "CK"; next_state : "!D"; }
    pin (QN) { direction : output; function : "IQN"; }
    pin (CK) { direction : input; clock : true; capacitance : 0.1; }
    pin (D) { direction : input; capacitance : 0.2; }
  }
}
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    path = tmp_path / "small.lib"
    path.write_text(LIBERTY.replace("A'", "!A"))
    return read_libraries([path], {"NAND", "INV", "FLOP"})


def test_units_functions_and_flip_flops_are_read(library: Library) -> None:
    assert (library.cap_f, library.time_s, library.leakage_w, library.voltage_v) == (1e-12, 1e-9, 1e-9, 2.0)
    assert library.cells["NAND"].leakage == 3.5
    assert library.cells["NAND"].table("Y") == (["A", "B"], 0b0111)
    assert library.cells["INV"].table("Y") == (["A"], 0b01)
    assert library.cells["FLOP"].table("QN") == (["D"], 0b10), "what is stored and put out is inverted twice"


def test_energy_of_an_edge_is_interpolated_and_averaged(library: Library) -> None:
    loads, energies = library.cells["NAND"].pins["Y"].edge(slew=2.0)
    at_load_1 = np.interp(1.0, loads, energies)
    assert at_load_1 == pytest.approx(((1 + 3 + 5 + 7) / 4 / 2 + (4 + 2) / 2) / 2)


def test_a_missing_cell_is_named(tmp_path: Path) -> None:
    (tmp_path / "small.lib").write_text(LIBERTY)
    with pytest.raises(ValueError, match="OTHER"):
        read_libraries([tmp_path / "small.lib"], {"OTHER"})


def test_late_inputs_make_glitches_and_flip_flops_hold_for_a_cycle(library: Library) -> None:
    a, inverted, y, held = 2, 3, 4, 5
    cells = [
        ("top", "INV", {"A": a, "Y": inverted}),
        ("top", "NAND", {"A": a, "B": inverted, "Y": y}),  # constant, but for a glitch where a rises
        ("top", "FLOP", {"CK": ZERO, "D": a, "QN": held}),
    ]
    netlist = Netlist(cells, {"a": [a]}, {"y": [y]}, {}, 6)
    values = np.array([[0], [1], [1], [0], [1]], np.uint8)
    watched = np.array([y, held, ONE])
    found = simulate(gates_of(netlist, library), netlist.nets, np.array([a]), values, watched)
    assert found.seen.tolist() == [[1, 0, 1], [1, 0, 1], [1, 1, 1], [1, 1, 1], [1, 0, 1]]
    assert (found.settled[a], found.settled[y], found.settled[held]) == (3, 0, 2)
    assert (found.glitching[a], found.glitching[y], found.glitching[held]) == (3, 4, 2)
