"""Random networks trained in the RTL: every stored integer and every overflow counter is the engine's."""

from pathlib import Path

import pytest
from random_cores import case
from tools import needs_verilator

from nmsim.rtl.bench import lint
from nmsim.rtl.quantizers import counted

SEEDS, MORE = range(12), range(12, 60)


def check(seed: int, folder: Path) -> None:
    own = case(seed)
    comparison, counts, expected = own.simulate(folder)
    assert (comparison.differences, comparison.first) == (0, [])
    assert comparison.total > 500
    for (tensor, layer), count in counts.items():
        if counted(own.design, tensor.upper(), layer):
            assert (tensor, layer, count) == (
                tensor,
                layer,
                expected.overflows.get(f"layer{layer}.{tensor}", 0),
            )
    assert lint(folder) == ""


@needs_verilator
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_core_stores_what_the_engine_stores(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path)


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE)
def test_more_random_cores_store_what_the_engine_stores(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path)


def test_sums_and_tensors_overflow_in_the_random_cores() -> None:
    counted_names = {
        name.split(".")[1] for seed in SEEDS for name, count in case(seed).run.overflows.items() if count
    }
    assert {"current", "error_sum", "weight_gradient", "membrane", "weight"} <= counted_names


def test_the_random_cores_cover_rules_losses_updates_and_inputs() -> None:
    designs = [case(seed).design for seed in SEEDS]
    assert {str(design.training.rule) for design in designs} == {"stop-w", "stop-wt", "stop-wl", "stop-wtl"}
    assert {design.training.loss for design in designs} == {"cross_entropy", "squared_error"}
    assert {design.in_place for design in designs} == {True, False}
    assert {design.static for design in designs} == {True, False}
    assert {design.layers for design in designs} == {1, 2, 3}
    modes = {str(own.error.overflow) for design in designs for own in design.precision}
    assert modes == {"saturate", "saturate_end", "wrap"}
    assert any(design.training.batch_size > 1 for design in designs)
    rounding = {own.membrane.rounding for design in designs for own in design.precision}
    assert len(rounding) == 5
