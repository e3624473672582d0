"""StepWork: what a profile of samples asks of every core, memory and link, stage by stage, before any time passes."""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.caches import BoundedCache
from nmsim.counts import Action, ActionCounts, Block, Blocks, Component, Phase
from nmsim.errors import RunError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.deployment import Deployment
from nmsim.mapping.flow import LayerFlow
from nmsim.mapping.mapping import Mapping
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.assembly import KEPT_BYTES, assemble
from nmsim.perf.census import ActivityCensus
from nmsim.perf.machine import Machine
from nmsim.perf.outline import in_cycles, outline, without_links
from nmsim.perf.schedule import Order, Schedule, make_schedule
from nmsim.perf.stage import Stage
from nmsim.rules import rule_named

IntArray = NDArray[np.int64]
KEPT_BARRIERS = 256
"""Counts of barriers that are kept, so that their energy is."""


@dataclass(frozen=True, eq=False)
class StepWork:
    """The work of S samples over T time steps on one mapped chip.

    `stages` in dependency order, `schedule` says when they run, `cores_used` which cores hold a slice. Both performance
    models take it, and its `counts` are theirs: they may disagree about time, never about what happened. The `machine` is
    that of all chips that take the same cycles (`in_cycles`), `clock_hz` the clock of this one.
    """

    machine: Machine
    clock_hz: float
    samples: int
    time_steps: int
    batch_size: int
    rule: str
    stages: tuple[Stage, ...]
    schedule: Schedule
    cores_used: IntArray
    notes: tuple[str, ...] = ()

    @property
    def chip(self) -> ChipConfig:
        """The chip it runs on, as far as cycles depend on it."""
        return self.machine.chip

    @property
    def pace(self) -> Hashable:
        """What its times in cycles depend on: works that agree in it differ in clock and notes alone."""
        return (
            self.machine, self.stages, self.schedule, self.samples, self.time_steps, self.batch_size, self.rule,
            self.cores_used.tobytes(),
        )  # fmt: skip

    @cached_property
    def tiles_used(self) -> int:
        """Tiles with a core in use: those that take part in a barrier."""
        return len(np.unique(self.machine.tile[self.cores_used]))

    @property
    def barrier_cycles(self) -> float:
        """Cycles of one barrier."""
        return self.chip.barrier.cycles(self.tiles_used)

    @property
    def tick_cycles(self) -> float:
        """Shortest duration of a slot, barrier included."""
        tick_s = self.chip.barrier.tick_s
        return 0.0 if tick_s is None else tick_s * self.clock_hz

    @cached_property
    def counts(self) -> ActionCounts:
        """Every action of every stage and barrier."""
        return _counted(_CountQuestion(self.stages, self.samples, *self._in_barriers))

    @property
    def blocks(self) -> tuple[Blocks, ...]:
        """What `counts` is made of: the blocks of every stage, then those of barriers."""
        return _blocks(_CountQuestion(self.stages, self.samples, *self._in_barriers))

    @property
    def _in_barriers(self) -> tuple[int, int]:
        """Tiles that take part in barriers of a sample, and of an update."""
        slots = (self.schedule.slots, self.schedule.update_slots)
        of_sample, of_update = (self.schedule.barriers(some) * self.tiles_used for some in slots)
        return of_sample, of_update

    @property
    def step_counts(self) -> ActionCounts:
        """Actions by time step, summed over samples: its second axis is T. Barriers and rarer work are left out."""
        blocks = (block for stage in self.stages for block in stage.blocks)
        by_step = (Block(b.key, b.cores, b.by_step) for b in blocks if b.by_step is not None)
        return ActionCounts.from_blocks(by_step, self.time_steps)


def build_work(job: Deployment, activity: Activity, census: ActivityCensus | None = None) -> StepWork:
    """Work of an activity on a mapped chip.

    `census` may be kept and given again for every design that replays the same activity.

    Raises:
        RunError: the activity or the mapping belongs to another network, or the activity knows nothing of training.
        ConfigError: a core lacks a memory that the rule needs, an option does not go with the rule or mapping, or a
            chip described by its events publishes none for learning.
    """
    network, precision, needs, chip, mapping = job.network, job.precision, job.needs, job.chip, job.mapping
    _check(network, activity, mapping, trains=needs.trains)
    census = ActivityCensus(network, activity) if census is None else census
    flows = mapping.flows or (LayerFlow.of(chip.options.dataflow),) * len(network.synaptic_layers)
    bare = replace(mapping, chip_hash="", notes=(), chosen="", flows=flows)
    outlined = outline(chip)
    links_apart = without_links(outlined, filled_flits=needs.artificial)
    order, stages = _stages(_WorkQuestion(network, precision, needs, links_apart, bare, census))
    stages = _on_the_network((stages, Machine.of(outlined)))
    schedule = make_schedule(
        order, activity.time_steps, chip.options.schedule,
        through_time=needs.carries == "history", phase_barriers=chip.barrier.per_phase,
        layers_in_turn=chip.options.layers_in_turn,
    )  # fmt: skip
    return StepWork(
        Machine.of(in_cycles(chip)), chip.clock_hz, activity.samples, activity.time_steps, needs.batch_size, needs.rule,
        stages, schedule,
        np.array(mapping.cores_used), _notes(activity, needs, chip),
    )  # fmt: skip


@dataclass(frozen=True)
class _WorkQuestion:
    """All that the stages of a work depend on; a census stands for its activity."""

    network: NetworkSpec
    precision: Precision = field(hash=False)  # it holds a dictionary; compared all the same
    needs: TrainingNeeds
    chip: ChipConfig
    mapping: Mapping
    census: ActivityCensus


_stages = BoundedCache[_WorkQuestion, tuple[Order, tuple[Stage, ...]]](
    lambda asked: assemble(
        asked.network, asked.precision, asked.needs, asked.chip, asked.mapping, asked.census
    ),
    lambda _, found: sum(stage.nbytes for stage in found[1]),
    KEPT_BYTES,
)
"""The stages of all chips with an outline, and their order."""
_on_a_network = BoundedCache[tuple[Stage, Machine], Stage](
    lambda asked: asked[0].on(asked[1]), lambda _, stage: stage.nbytes, KEPT_BYTES
)
_on_the_network = BoundedCache[tuple[tuple[Stage, ...], Machine], tuple[Stage, ...]](
    lambda asked: tuple(
        stage if stage.traffic is None else _on_a_network((stage, asked[1])) for stage in asked[0]
    ),
    lambda _, stages: sum(stage.nbytes for stage in stages),
    KEPT_BYTES,
)
"""The stages with their packets on the network of all chips with an outline."""


@dataclass(frozen=True)
class _CountQuestion:
    """What decides the counts of a work: stages, and tiles that take part in barriers of a sample and of an update."""

    stages: tuple[Stage, ...]
    samples: int
    barriers: int
    of_update: int


def _blocks(asked: _CountQuestion) -> tuple[Blocks, ...]:
    of_stages = (stage.blocks for stage in asked.stages)
    return (*of_stages, _barrier_blocks(asked.samples, asked.barriers, asked.of_update))


@lru_cache(maxsize=KEPT_BARRIERS)
def _barrier_blocks(samples: int, of_sample: int, of_update: int) -> Blocks:
    """Tiles that take part in barriers."""
    key = (Component.SYNC, Action.BARRIER, "", 0, 0, 0, Phase.BARRIER, -1)
    return Blocks(
        Block(key, np.array([-1]), np.full((1, samples), taking_part, np.int64), per_batch)
        for taking_part, per_batch in ((of_sample, False), (of_update, True))
    )


_counted = BoundedCache[_CountQuestion, ActionCounts](
    lambda asked: ActionCounts.from_blocks(chain.from_iterable(_blocks(asked)), asked.samples),
    lambda asked, found: found.nbytes + sum(stage.nbytes for stage in asked.stages),
    KEPT_BYTES,
)


def _check(network: NetworkSpec, activity: Activity, mapping: Mapping, *, trains: bool) -> None:
    for name, found in (("activity", activity.network_hash), ("mapping", mapping.network_hash)):
        if found != network.content_hash():
            raise RunError(
                f"{name}: it belongs to network {found}, not to '{network.name}' ({network.content_hash()});"
                " make it again for this network"
            )
    if rule_named(activity.rule).artificial != rule_named(mapping.rule).artificial:
        raise RunError(
            f"activity: it is of rule '{activity.rule}' and the mapping of '{mapping.rule}'; an artificial network, and"
            " nothing else, takes what Activity.as_artificial makes of a recording"
        )
    if trains and not rule_named(activity.rule).trains:
        raise RunError(
            f"activity: it was recorded in inference and holds no traces and deltas, which rule '{mapping.rule}' needs;"
            " evaluate rule inference, or record the activity in training"
        )


def _notes(activity: Activity, needs: TrainingNeeds, chip: ChipConfig) -> tuple[str, ...]:
    notes = []
    if needs.artificial:
        notes.append(
            "artificial network of the same shapes: every synapse is served once, by values; nobody trained it, so its"
            " accuracy is not known (docs/ann.md)"
        )
    if needs.trains and rule_named(activity.rule).carries != needs.carries:
        notes.append(f"deltas recorded under rule '{activity.rule}' stand for those of '{needs.rule}'")
    if needs.carries == "history" and chip.options.schedule != "sequential":
        notes.append(
            "STBP's backward pass starts after the last time step: only forward steps overlap with each other"
        )
    return tuple(notes)
