"""StepWork: what a profile of samples asks of every core, memory and link, stage by stage, before any time passes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.contents import Content
from nmsim.counts import Action, ActionCounts, Block, Component, Phase
from nmsim.errors import RunError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.deployment import Deployment
from nmsim.mapping.flow import LayerFlow
from nmsim.mapping.mapping import Mapping
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.bounded_cache import BoundedCache
from nmsim.perf.census import ActivityCensus
from nmsim.perf.geometry import LayerSlices
from nmsim.perf.layer import LayerTask
from nmsim.perf.machine import Machine
from nmsim.perf.outline import outline, without_links
from nmsim.perf.phases import error, gradient, integrate, neuron, transfer, update
from nmsim.perf.projection import INPUT, projections
from nmsim.perf.schedule import Group, Order, Schedule, make_schedule, segment_start
from nmsim.perf.stage import Stage
from nmsim.rules import rule_named

IntArray = NDArray[np.int64]
KEPT_BYTES = 192 * 2**20
"""Of stages that are kept for further chips of the same outline."""
KEPT = 12
"""Works whose packets on the network, and whose counts, are kept."""


@dataclass(frozen=True, eq=False)
class StepWork:
    """The work of S samples over T time steps on one mapped chip.

    `stages` in dependency order, `schedule` says when they run, `cores_used` which cores hold a slice. Both performance
    models take it, and its `counts` are theirs: they may disagree about time, never about what happened.
    """

    machine: Machine
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
        """The chip it runs on."""
        return self.machine.chip

    @property
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
        return 0.0 if tick_s is None else tick_s * self.chip.clock_hz

    @cached_property
    def counts(self) -> ActionCounts:
        """Every action of every stage and barrier."""
        slots = (self.schedule.slots, self.schedule.update_slots)
        barriers, of_update = (self.schedule.barriers(some) * self.tiles_used for some in slots)
        return _counted(self.stages, self.samples, barriers, of_update)

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
    bare = replace(mapping, chip_hash="", notes=(), chosen="")
    outlined = outline(chip)
    links_apart = without_links(outlined, filled_flits=needs.artificial)
    order, stages = _stages(_WorkQuestion(network, precision, needs, links_apart, bare, census))
    stages = _on_the_network(stages, outlined)
    schedule = make_schedule(
        order, activity.time_steps, chip.options.schedule,
        through_time=needs.carries == "history", phase_barriers=chip.barrier.per_phase,
    )  # fmt: skip
    return StepWork(
        Machine.of(chip), activity.samples, activity.time_steps, needs.batch_size, needs.rule, stages, schedule,
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


def _build(asked: _WorkQuestion) -> tuple[Order, tuple[Stage, ...]]:
    """The stages of all chips with an outline, and their order."""
    census, needs, mapping = asked.census, asked.needs, asked.mapping
    machine = Machine.of(asked.chip)
    tasks = _tasks(asked.network, asked.precision, census.activity, mapping, machine, needs, census)
    off_chip = _off_chip(mapping, tasks, needs)
    return _Assembly(tasks, off_chip, needs, census.activity.time_steps).assemble()


_stages = BoundedCache(_build, lambda found: sum(stage.nbytes for stage in found[1]), KEPT_BYTES)


@lru_cache(maxsize=KEPT)
def _on_the_network(stages: tuple[Stage, ...], outlined: ChipConfig) -> tuple[Stage, ...]:
    """The stages with their packets on the network of all chips with an outline."""
    machine = Machine.of(outlined)
    return tuple(stage.on(machine) for stage in stages)


@lru_cache(maxsize=KEPT)
def _counted(stages: tuple[Stage, ...], samples: int, barriers: int, of_update: int) -> ActionCounts:
    """Actions of some stages, with the barriers of a sample and of an update; the same on all chips of an outline."""
    blocks = [block for stage in stages for block in stage.blocks]
    for taking_part, per_batch in ((barriers, False), (of_update, True)):
        key = (Component.SYNC, Action.BARRIER, "", 0, 0, 0, Phase.BARRIER, -1)
        blocks.append(Block(key, np.array([-1]), np.full((1, samples), taking_part, np.int64), per_batch))
    return ActionCounts.from_blocks(blocks, samples)


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


def _tasks(
    network: NetworkSpec, precision: Precision, activity: Activity, mapping: Mapping, machine: Machine,
    needs: TrainingNeeds, census: ActivityCensus,
) -> tuple[LayerTask, ...]:  # fmt: skip
    layers = network.synaptic_layers
    off_chip: dict[int, set[Content]] = defaultdict(set)
    for row in mapping.residency:
        if row.memory is None:
            off_chip[row.layer].add(row.content)
    if machine.chip.options.stbp_history == "spill" and needs.carries == "history":
        for layer in layers:
            off_chip[layer.index].add(Content.HISTORY)
    tasks = []
    for layer in layers:
        into = projections(network, layer.index)
        tasks.append(
            LayerTask(
                layer=layer,
                slices=LayerSlices.of(layer, mapping.slices_of(layer.index)),
                owners=mapping.neuron_core(layer.index, layer.out_shape).reshape(-1).astype(np.int64),
                projections=into,
                precision=precision.resolve(layer.index),
                recorded=census.layers[layer.index],
                full=census.full[layer.index],
                machine=machine,
                needs=needs,
                shape=(activity.samples, activity.time_steps),
                is_output=layer.index == len(layers) - 1,
                static=activity.static_input and all(p.source == INPUT for p in into),
                flow=_flow(mapping, layer.index, machine.chip),
                off_chip=frozenset(off_chip[layer.index]),
            )
        )
    return tuple(tasks)


def _flow(mapping: Mapping, layer: int, chip: ChipConfig) -> LayerFlow:
    """A compressed memory is walked by rows of inputs, so that nothing but these is held in place."""
    if chip.options.synapses.format != "dense":
        return LayerFlow("input_stationary", "input_stationary", "input_stationary")
    return mapping.flow(layer, chip)


def _off_chip(mapping: Mapping, tasks: Sequence[LayerTask], needs: TrainingNeeds) -> transfer.OffChip:
    """Bits off chip: what the mapping placed there, and what the design options put there in any case."""
    placed = {(r.core, r.layer, r.content): r.bits for r in mapping.residency if r.memory is None}
    for task in tasks:
        slices = task.slices
        forced: list[tuple[Content, IntArray]] = []
        if needs.trains and gradient.placement(task) == "off_chip":
            forced.append((Content.WEIGHT_GRADIENT, slices.weights * task.gradient_bits))
        if needs.carries == "history" and task.options.stbp_history == "spill":
            forced.append((Content.HISTORY, slices.inputs))
        for content, bits in forced:
            totals: dict[tuple[int, int, Content], int] = {}
            for core, amount in zip(slices.core.tolist(), bits.tolist(), strict=True):
                key = (core, task.index, content)
                totals[key] = totals.get(key, 0) + amount
            placed = totals | placed
    return placed


class _Assembly:
    """Builds the stages of every layer and puts them in order."""

    def __init__(
        self, tasks: Sequence[LayerTask], off_chip: transfer.OffChip, needs: TrainingNeeds, time_steps: int
    ) -> None:
        self.tasks = {task.index: task for task in tasks}
        self.off_chip, self.needs, self.steps = off_chip, needs, time_steps
        self.stages: list[Stage] = []
        level: dict[int, int] = {}
        for task in tasks:
            level[task.index] = 1 + max((level[source] for source in task.sources), default=-1)
        depth = max(level.values()) + 1
        self.levels = [[task for task in tasks if level[task.index] == d] for d in range(depth)]

    def assemble(self) -> tuple[Order, tuple[Stage, ...]]:
        """All groups and all stages."""
        stbp = self.needs.carries == "history"
        recompute = stbp and self.levels[0][0].options.stbp_history == "recompute"
        kept = np.ones(self.steps, np.bool_)
        first = np.array(segment_start(self.steps)) if recompute else kept
        forward = tuple(self._forward(level, first if stbp else None) for level in self.levels)
        again = tuple(self._forward(level, kept) for level in self.levels) if recompute else ()
        trains = self.needs.trains
        order = Order(
            forward=forward,
            again=again,
            backward=tuple(self._backward(level) for level in self.levels)
            if trains
            else ((),) * len(self.levels),
            gradient=tuple(self._gradient(level) for level in self.levels)
            if trains
            else ((),) * len(self.levels),
            at_end=self._at_end(trains=trains),
            at_update=self._update() if trains else (),
        )
        return order, tuple(self.stages)

    def _forward(self, level: list[LayerTask], history: NDArray[np.bool_] | None) -> tuple[Group, ...]:
        return self._groups(
            [
                [integrate.integrate(task, self.tasks) for task in level],
                [integrate.reduce(task) for task in level],
                [neuron.neuron(task, history) for task in level],
            ],
            history,
        )

    def _backward(self, level: list[LayerTask]) -> tuple[Group, ...]:
        return self._groups(
            [
                [error.delta(task) for task in level],
                [error.propagate(task, self.tasks) for task in level],
                [stage for task in level for stage in error.collect(task, self.tasks)],
            ]
        )

    def _gradient(self, level: list[LayerTask]) -> tuple[Group, ...]:
        return self._groups([[gradient.gradient(task) for task in level]])

    def _at_end(self, *, trains: bool) -> tuple[Group, ...]:
        """Once per sample: gradients from factors, and a clean slate for the next sample."""
        tasks = self.tasks.values()
        products = [gradient.outer_product(task) for task in tasks] if trains else []
        return self._groups([products, [neuron.clear(task) for task in tasks]])

    def _update(self) -> tuple[Group, ...]:
        exchanges = [update.exchange(task) for task in self.tasks.values()]
        there, back = ([pair[i] for pair in exchanges if pair] for i in (0, 1))
        return self._groups([list(there), [update.update(task) for task in self.tasks.values()], list(back)])

    def _groups(
        self, rows: Iterable[Sequence[Stage | None]], history: NDArray[np.bool_] | None = None
    ) -> tuple[Group, ...]:
        """Numbers of the stages, row by row; transfers that a row needs come before it, or beside it if overlapped."""
        groups: list[Group] = []
        for row in rows:
            stages = [stage for stage in row if stage is not None and not stage.empty]
            loads = [
                transfer.load(self.tasks[stage.layer], stage, self.off_chip, history) for stage in stages
            ]
            numbers, transfers = (
                self._number(stages),
                self._number([load for load in loads if load is not None]),
            )
            if self.levels[0][0].options.schedule == "sequential":
                groups += [transfers, numbers]
            else:
                groups.append(transfers + numbers)
        return tuple(group for group in groups if group)

    def _number(self, stages: Sequence[Stage]) -> Group:
        self.stages += stages
        return tuple(range(len(self.stages) - len(stages), len(self.stages)))
