"""Neighbours: designs in an order in which those that share most come one after the other."""

from collections.abc import Callable, Sequence

from nmsim.errors import ConfigError
from nmsim.explore.axis import Axis
from nmsim.explore.configure import Configurator, Configured
from nmsim.mapping.outline import outline as mapped
from nmsim.perf.outline import cores_in_cycles, in_cycles, without_links
from nmsim.perf.outline import outline as worked
from nmsim.pipeline.evaluate_design import Job

MOST_LEVELS = 9
"""Levels of an axis that are looked at, its ends among them."""
SEEN: tuple[Callable[[Configured], object], ...] = (
    lambda made: made.workload,
    lambda made: (mapped(made.chip, "compact"), made.chip.options.spread),
    lambda made: (without_links(worked(made.chip), filled_flits=False), made.chip.options.dataflow),
    lambda made: worked(made.chip),
    lambda made: (in_cycles(made.chip), cores_in_cycles(made.chip)),
)
"""What answers that are kept depend on, the dearest first: training, mappings, stages, packets on links, times in cycles."""


def in_order(jobs: Sequence[Job], configurator: Configurator) -> list[Job]:
    """Jobs of a study, so that those that share runs, mappings and work are neighbours.

    Axes that change the dearest of what is kept come first, those that change nothing but prices last.
    """
    axes = configurator.space.axes
    depths = [depth(axis, configurator) for axis in axes]
    order = sorted(range(len(axes)), key=lambda index: depths[index])
    return sorted(jobs, key=lambda job: [str(job.values[index]) for index in order])


def depth(axis: Axis, configurator: Configurator) -> int:
    """Place among `SEEN` of the first that an axis changes on the base of its space; their number, if it changes none."""
    made = []
    levels = axis.levels()
    for index in sorted({i * (len(levels) - 1) // (MOST_LEVELS - 1) for i in range(MOST_LEVELS)}):
        try:
            made.append(configurator.at_level(axis, levels[index]))
        except ConfigError:
            continue
    differs = (any(seen(one) != seen(made[0]) for one in made) for seen in SEEN)
    return next((index for index, changed in enumerate(differs) if changed), len(SEEN))
