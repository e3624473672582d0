"""The order in which designs are evaluated."""

from itertools import groupby

import pytest

from nmsim import config
from nmsim.explore.configure import Configurator
from nmsim.explore.sample import sample
from nmsim.explore.space import SPACES, DesignSpace
from nmsim.mapping.outline import outline
from nmsim.pipeline.evaluate_design import Job
from nmsim.pipeline.neighbours import depth, in_order


def configurator(name: str) -> Configurator:
    document = config.load(config.find(SPACES, name))
    return Configurator.of(config.build(DesignSpace, document), document)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("vgg11-mesh", ["mesh", "words", "schedule", "dataflow", "flit_bits", "lanes", "bandwidth"]),
        ("mnist-edge", ["mesh", "words", "schedule", "spread", "flit_bits", "lanes"]),
        ("mnist-widths", ["weight", "learning", "mesh", "schedule", "lanes", "clock_hz"]),
        ("edge-clock-supply", ["mesh", "lanes", "clock_hz", "voltage_v"]),
    ],
)
def test_what_is_dear_to_find_changes_seldom(name: str, order: list[str]) -> None:
    """Training, then mappings, then stages, links, times in cycles, and last what changes prices alone."""
    space = configurator(name)
    assert [axis.label for axis in sorted(space.space.axes, key=lambda axis: depth(axis, space))] == order


def test_designs_that_share_a_mapping_are_neighbours() -> None:
    space = configurator("vgg11-mesh")
    jobs = [Job(index, values) for index, values in enumerate(sample(space.space, "sobol", 60, 1))]
    ordered = in_order(jobs, space)
    assert sorted(job.design for job in ordered) == list(range(60))
    outlines = [outline(space.configure(job.values).chip, "compact") for job in ordered]
    assert len([key for key, _ in groupby(outlines)]) == len(set(outlines))
