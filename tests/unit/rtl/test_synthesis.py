"""Yosys accepts the cores: no latch, no inferred memory that is written, nothing undriven; area where a library is there."""

from pathlib import Path

import pytest
from random_cores import case
from tools import needs_pyosys

from nmsim.errors import ConfigError
from nmsim.rtl.built import control_bits
from nmsim.rtl.synth import elaborate, synthesize

LIBRARIES = Path(__file__).resolve().parents[4] / "shared" / "liberty" / "asap7"


@needs_pyosys
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_a_random_core_elaborates_without_latches(seed: int, tmp_path: Path) -> None:
    case(seed).write(tmp_path)
    elaborate(tmp_path)


@needs_pyosys
@pytest.mark.slow
@pytest.mark.skipif(not LIBRARIES.is_dir(), reason=f"the ASAP7 library is not at {LIBRARIES}")
def test_blocks_add_up_to_the_core(tmp_path: Path) -> None:
    case(3).write(tmp_path)
    found = synthesize(tmp_path, sorted(LIBRARIES.glob("*.lib.gz")))
    assert found.area_um2 == pytest.approx(sum(block.area_um2 for block in found.blocks))
    largest = {block.name.split()[0] for block in found.blocks[:6]}
    assert "stop_products" in largest
    assert found.flip_flops > 500
    assert found.longest_path_ps is None


@needs_pyosys
@pytest.mark.slow
@pytest.mark.skipif(not LIBRARIES.is_dir(), reason=f"the ASAP7 library is not at {LIBRARIES}")
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_registers_that_a_core_has_once_are_counted(seed: int, tmp_path: Path) -> None:
    made = case(seed)
    made.write(tmp_path)
    found = synthesize(tmp_path, sorted(LIBRARIES.glob("*.lib.gz")))
    blocks = {block.name.split()[0]: block.flip_flops for block in found.blocks}
    leak = made.design.layers * made.design.field("leak_factor").bits
    if made.design.learns_leak:
        leak += made.design.layers * made.design.accumulator("leak_gradient").bits
    assert blocks["stop_bus"] + blocks["stop_overflow"] == control_bits(made.design) - leak


@needs_pyosys
def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "cells.lib"
    wrong.write_text("not a library")
    with pytest.raises(ConfigError, match=r"cells.lib: holds no library; give Liberty files"):
        synthesize(tmp_path, [wrong])
