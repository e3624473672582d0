from dataclasses import replace

import pytest
from toy_space import TEXT, document, space, toy_result

from nmsim import config
from nmsim.errors import ConfigError
from nmsim.explore.result import feasible, violations
from nmsim.explore.space import Constraint, DesignSpace


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        config.build(DesignSpace, document(text))
    return str(error.value)


def test_the_grid_is_every_combination_last_axis_fastest() -> None:
    grid = space().grid()
    assert len(grid) == space().grid_size == len(set(grid)) == 4 * 6 * 5 * 2 * 3
    assert grid[:4] == (
        (1, 1, 1024, "sequential", 65), (1, 1, 1024, "sequential", 28), (1, 1, 1024, "sequential", 16),
        (1, 1, 1024, "overlapped", 65),
    )  # fmt: skip


def test_assignments_are_those_of_the_base_with_the_design_on_top() -> None:
    text = TEXT.replace(
        "workload: mnist-dense", "workload: mnist-dense, values: {chip.voltage_v: 0.8, chip.mesh.columns: 3}"
    )
    found = space(text).assignments((2, 8, 4096, "sequential", 28))
    assert found["chip.voltage_v"] == 0.8
    assert found["chip.mesh.columns"] == 2
    assert found["chip.core_types.trainer.memories.weights.words"] == 4096


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[energy_per_sample_j,", "[energi_j,",
         "space.yaml:10: objectives[0]: metric 'energi_j' is not known; did you mean 'energy_per_sample_j'?"),
        ("[energy_per_sample_j,", "[area_mm2,", "space.yaml:2: (top level): objective 'area_mm2' is listed twice; keep one"),
        ("name: node", "name: words",
         "space.yaml:2: (top level): axis 'words' appears twice; give one of them another name"),
        ("name: node", "name: area_mm2",
         "space.yaml:2: (top level): axis name 'area_mm2' is a column of the results already; give the axis another name"),
        ("chip.tech_node_nm", "chip.mesh.columns",
         "space.yaml:2: (top level): key 'chip.mesh.columns' is moved by two axes; keep one"),
        ("objectives", "objektives", "space.yaml:10: objektives: unknown key 'objektives'; did you mean 'objectives'?"),
    ],
)  # fmt: skip
def test_a_wrong_space_is_one_sentence(old: str, new: str, sentence: str) -> None:
    assert refused(TEXT.replace(old, new)) == sentence


def test_a_constraint_has_one_bound() -> None:
    text = TEXT + "constraints:\n  - {metric: area_mm2, at_most: 4, at_least: 2}\n"
    assert refused(text) == (
        "space.yaml:12: constraints[0]: a constraint needs 'at_most' or 'at_least', one of the two; add a bound"
    )


def test_violations_are_relative_to_the_bound() -> None:
    most, least = Constraint(metric="area_mm2", at_most=4.0), Constraint(metric="accuracy", at_least=0.8)
    assert [most.violation(v) for v in (3.0, 4.0, 5.0)] == [0.0, 0.0, 0.25]
    assert [least.violation(v) for v in (0.9, 0.8, 0.6)] == pytest.approx([0.0, 0.0, 0.25])
    assert Constraint(metric="off_chip_bits", at_most=0.0).violation(128) == 128.0
    assert most.violation(None) == float("inf")


def test_must_fit_forbids_data_off_chip() -> None:
    strict = space(TEXT + "must_fit: true\n")
    fits = toy_result(0, (8, 8, 4096, "sequential", 28))
    spills = replace(fits, metrics={**fits.metrics, "off_chip_bits": 64})
    assert feasible(fits, strict)
    assert not feasible(spills, strict)
    assert feasible(spills, space())
    assert violations(spills, strict.demands) == (64.0,)


def test_a_design_without_an_objective_is_not_feasible() -> None:
    fits = toy_result(0, (8, 8, 4096, "sequential", 28))
    assert not feasible(replace(fits, metrics={**fits.metrics, "area_mm2": None}), space())
    assert not feasible(toy_result(0, (1, 8, 1024, "sequential", 28)), space())
