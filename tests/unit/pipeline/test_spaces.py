"""The shipped design spaces, and every metric as objective and constraint."""

from pathlib import Path

import pytest
from small_study import make_space, options

import nmsim
from nmsim import config
from nmsim.explore.analysis import analyse
from nmsim.explore.backends.serial import Serial
from nmsim.explore.configure import Configurator
from nmsim.explore.result import Result
from nmsim.explore.sample import sample
from nmsim.explore.space import SPACES, Constraint, DesignSpace, Objective
from nmsim.figures import DEADLINES_MISSED, METRICS
from nmsim.pipeline.explore import reopen, sweep

SHIPPED = sorted(path.stem for path in (Path(nmsim.__file__).resolve().parents[1] / SPACES).glob("*.yaml"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[DesignSpace, list[Result]]:
    folder = tmp_path_factory.mktemp("whole")
    sweep(make_space(folder), Serial(), options(folder / "study"))
    return reopen(folder / "study")


def test_there_are_spaces() -> None:
    assert {"mnist-edge", "mnist-joint", "vgg11-mesh"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_design_of_a_shipped_space_is_a_valid_one(name: str) -> None:
    document = config.load(config.find(SPACES, name))
    space = config.build(DesignSpace, document)
    configurator = Configurator.of(space, document)
    for values in sample(space, "sobol", 64, 1):
        made = configurator.configure(values)
        assert made.workload.run_hash(1)
    assert space.description
    assert space.grid_size >= 1000


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_ranks_and_bounds(name: str, study: tuple[DesignSpace, list[Result]]) -> None:
    space, results = study
    if name == DEADLINES_MISSED.name:
        pytest.skip("samples of this study arrive at no rate, so no design has the figure")
    ranked = analyse(space.model_copy(update={"objectives": (Objective(metric=name),)}), results).ranked
    figures = [float(item.result.metrics[name] or 0.0) for item in ranked]
    assert len(figures) == sum(result.ok for result in results)
    assert figures == sorted(figures, reverse=METRICS[name].better == "max")
    middle = figures[len(figures) // 2]
    for bound in (Constraint(metric=name, at_most=middle), Constraint(metric=name, at_least=middle)):
        kept = analyse(space.model_copy(update={"constraints": (bound,)}), results).ranked
        within = [v for v in figures if (v <= middle if bound.at_most is not None else v >= middle)]
        assert sorted(float(item.result.metrics[name] or 0.0) for item in kept) == sorted(within)


def test_must_fit_refuses_what_lies_in_dram(study: tuple[DesignSpace, list[Result]]) -> None:
    space, results = study
    strict = space.model_copy(update={"must_fit": True})
    moved = [
        Result(r.design, r.model, r.values, r.status, metrics={**r.metrics, "off_chip_bits": 8})
        for r in results
    ]
    assert len(analyse(strict, results).ranked) == sum(r.ok for r in results)
    assert analyse(strict, moved).ranked == ()
    assert analyse(strict, moved).refused["off_chip_bits <= 0"] == sum(r.ok for r in results)
