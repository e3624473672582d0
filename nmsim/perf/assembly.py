"""Assembly: the stages of every layer in their order, each built once for all works that ask the same of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import BoundedCache, HashedTuple
from nmsim.contents import Content
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.flow import LayerFlow
from nmsim.mapping.mapping import Mapping as NetworkMapping
from nmsim.mapping.mapping import Slice
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision, ResolvedPrecision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.census import ActivityCensus
from nmsim.perf.geometry import LayerSlices
from nmsim.perf.layer import LayerTask
from nmsim.perf.machine import Machine
from nmsim.perf.phases import error, gradient, integrate, neuron, transfer, update
from nmsim.perf.projection import INPUT, projections
from nmsim.perf.schedule import Group, Order, segment_start
from nmsim.perf.stage import Stage

IntArray = NDArray[np.int64]
Steps = NDArray[np.bool_]
KEPT_BYTES = 384 * 2**20
"""Of stages that are kept for further works."""
KEPT_TASKS = 2048
KEPT_SETTINGS = 16


def assemble(
    network: NetworkSpec, precision: Precision, needs: TrainingNeeds, chip: ChipConfig, mapping: NetworkMapping,
    census: ActivityCensus,
) -> tuple[Order, tuple[Stage, ...]]:  # fmt: skip
    """The stages of a mapped network under a rule, and the order of their groups.

    Rules, mappings and dataflows that agree in what a stage looks at share it: the packets of spikes do not know which
    parameters learn, those of errors not in which order weights are visited, and deltas not how weights change.
    """
    views = {
        name: _setting(_Setting(network, precision, seen, chip, census))
        for name, seen in (
            ("forward", TrainingNeeds(carries="nothing", artificial=needs.artificial, static_input=needs.static_input)),
            ("back", TrainingNeeds(carries=needs.carries, static_input=needs.static_input)),
            ("delta", needs.of_neurons),
            ("whole", needs),
        )
    }  # fmt: skip
    return _Assembly(views, mapping).assemble()


@dataclass(frozen=True)
class _Setting:
    """What the stages of all layers depend on."""

    network: NetworkSpec
    precision: Precision = field(hash=False)  # it holds a dictionary; compared all the same
    needs: TrainingNeeds
    chip: ChipConfig
    census: ActivityCensus


@dataclass(frozen=True, eq=False)
class _Known:
    """A setting that stands for all equal ones, so that it is compared once and not for every layer."""

    setting: _Setting

    @cached_property
    def precision(self) -> tuple[ResolvedPrecision, ...]:
        """Of every layer."""
        precision = self.setting.precision
        return tuple(precision.resolve(layer.index) for layer in self.setting.network.synaptic_layers)


@lru_cache(maxsize=KEPT_SETTINGS)
def _setting(asked: _Setting) -> _Known:
    return _Known(asked)


@lru_cache(maxsize=KEPT_TASKS)
def _slices(network: NetworkSpec, layer: int, slices: tuple[Slice, ...]) -> LayerSlices:
    return LayerSlices.of(network.synaptic_layers[layer], slices)


@lru_cache(maxsize=KEPT_TASKS)
def _task(
    known: _Known, layer: int, slices: LayerSlices, flow: LayerFlow, off_chip: frozenset[Content]
) -> LayerTask:
    """One layer under one setting; the same object for whoever asks the same."""
    setting = known.setting
    network, census = setting.network, setting.census
    activity, machine = census.activity, Machine.of(setting.chip)
    into = _projections(network, layer)
    return LayerTask(
        layer=network.synaptic_layers[layer],
        slices=slices,
        projections=into,
        precision=known.precision[layer],
        recorded=census.layers[layer],
        full=census.full[layer],
        machine=machine,
        needs=setting.needs,
        shape=(activity.samples, activity.time_steps),
        is_output=layer == len(network.synaptic_layers) - 1,
        static=activity.static_input and all(p.source == INPUT for p in into),
        flow=flow,
        off_chip=off_chip,
    )


_projections = lru_cache(maxsize=256)(projections)


@dataclass(frozen=True)
class _StageQuestion:
    """A stage to be made from tasks: its own layer's first, and what else it looks at, told apart by `key`."""

    make: Callable[..., Any]
    tasks: tuple[LayerTask, ...]
    key: tuple[Any, ...] = ()
    arguments: tuple[Any, ...] = field(default=(), compare=False)


def _made(asked: _StageQuestion) -> tuple[Stage, ...]:
    """The stages that a phase makes, none or several."""
    found = asked.make(asked.tasks[0], *asked.arguments)
    return tuple(stage for stage in (found if isinstance(found, list) else [found]) if stage is not None)


_stages = BoundedCache(_made, lambda _, found: sum(stage.nbytes for stage in found), KEPT_BYTES)


class _Assembly:
    """Asks for the stages of every layer and puts them in order."""

    def __init__(self, views: Mapping[str, _Known], mapping: NetworkMapping) -> None:
        setting = views["whole"].setting
        self.views, self.setting, self.needs = views, setting, setting.needs
        self.steps = setting.census.activity.time_steps
        network = setting.network
        layers = [layer.index for layer in network.synaptic_layers]
        away = _kinds_off_chip(mapping, setting)
        self.parts = {
            layer: (_slices(network, layer, mapping.slices_of(layer)), _flow(mapping, layer, setting.chip), away[layer])
            for layer in layers
        }  # fmt: skip
        self.tasks = {layer: self.seen("whole", layer) for layer in layers}
        self.off_chip = _bits_off_chip(mapping, list(self.tasks.values()), setting.needs)
        self.stages: list[Stage] = []
        level: dict[int, int] = {}
        for task in self.tasks.values():
            level[task.index] = 1 + max((level[source] for source in task.sources), default=-1)
        self.levels = [[n for n in layers if level[n] == depth] for depth in range(max(level.values()) + 1)]

    def seen(self, view: str, layer: int, *steps: str) -> LayerTask:
        """A layer as a stage sees it: the needs of a view, and the dataflows of some steps alone."""
        slices, flow, off_chip = self.parts[layer]
        own = replace(LayerFlow(), **{step: getattr(flow, step) for step in steps}) if steps else LayerFlow()
        return _task(self.views[view], layer, slices, own, off_chip)

    def assemble(self) -> tuple[Order, tuple[Stage, ...]]:
        """All groups and all stages."""
        stbp, trains = self.needs.carries == "history", self.needs.trains
        recompute = stbp and self.setting.chip.options.stbp_history == "recompute"
        kept = np.ones(self.steps, np.bool_)
        first = np.array(segment_start(self.steps)) if recompute else kept
        forward = tuple(self._forward(level, first if stbp else None) for level in self.levels)
        again = tuple(self._forward(level, kept) for level in self.levels) if recompute else ()
        none: tuple[tuple[Group, ...], ...] = ((),) * len(self.levels)
        order = Order(
            forward=forward,
            again=again,
            backward=tuple(self._backward(level) for level in self.levels) if trains else none,
            gradient=tuple(self._gradient(level) for level in self.levels) if trains else none,
            at_end=self._at_end(trains=trains),
            at_update=self._update() if trains else (),
        )
        return order, tuple(self.stages)

    def _below(self, view: str, task: LayerTask) -> dict[int, LayerTask]:
        return {source: self.seen(view, source) for source in task.sources}

    def _ask(
        self, make: Callable[..., Any], task: LayerTask, below: Mapping[int, LayerTask] | None = None
    ) -> tuple[Stage, ...]:
        """Stages of a phase for one layer; `below` are the layers that it looks at besides."""
        if below is None:
            return _stages(_StageQuestion(make, (task,)))
        return _stages(_StageQuestion(make, (task, *below.values()), arguments=(below,)))

    def _row(self, view: str, level: list[int], make: Callable[..., Any], *steps: str) -> list[Stage]:
        """The stages of one phase of some layers, which look at nothing but their own."""
        return [stage for layer in level for stage in self._ask(make, self.seen(view, layer, *steps))]

    def _row_above(self, view: str, level: list[int], make: Callable[..., Any], *steps: str) -> list[Stage]:
        """The same of a phase that looks at the layers below too."""
        tasks = [self.seen(view, layer, *steps) for layer in level]
        return [stage for task in tasks for stage in self._ask(make, task, self._below(view, task))]

    def _forward(self, level: list[int], history: Steps | None) -> tuple[Group, ...]:
        neurons = [
            stage
            for layer in level
            for task in [self.seen("whole", layer, "integrate")]
            for stage in _stages(
                _StageQuestion(neuron.neuron, (task,), (None if history is None else history.tobytes(),), (history,))
            )
        ]  # fmt: skip
        rows = [
            self._row_above("forward", level, integrate.integrate, "integrate"),
            self._row("forward", level, integrate.reduce, "integrate"),
            neurons,
        ]
        return self._groups(rows, history)

    def _backward(self, level: list[int]) -> tuple[Group, ...]:
        rows = [
            self._row("back", level, error.normalise),
            self._row("delta", level, error.delta),
            self._row("back", level, error.distribute),
            self._row_above("back", level, error.propagate, "error"),
            self._row_above("back", level, error.collect),
        ]
        return self._groups(rows)

    def _gradient(self, level: list[int]) -> tuple[Group, ...]:
        return self._groups([self._row("whole", level, gradient.gradient, "gradient")])

    def _at_end(self, *, trains: bool) -> tuple[Group, ...]:
        """Once per sample: gradients from factors, and a clean slate for the next sample."""
        layers = list(self.tasks)
        products = self._row("whole", layers, gradient.outer_product, "gradient") if trains else []
        return self._groups([products, self._row("whole", layers, neuron.clear)])

    def _update(self) -> tuple[Group, ...]:
        layers = list(self.tasks)
        exchanges = [self._ask(update.exchange, self.tasks[layer]) for layer in layers]
        there, back = ([pair[i] for pair in exchanges if pair] for i in (0, 1))
        return self._groups([there, self._row("whole", layers, update.update), back])

    def _groups(self, rows: Iterable[Sequence[Stage]], history: Steps | None = None) -> tuple[Group, ...]:
        """Numbers of the stages, row by row; transfers that a row needs come before it, or beside it if overlapped."""
        groups: list[Group] = []
        for row in rows:
            stages = [stage for stage in row if not stage.empty]
            loads = [load for stage in stages for load in self._load(stage, history)]
            numbers, transfers = self._number(stages), self._number(loads)
            if self.setting.chip.options.schedule == "sequential":
                groups += [transfers, numbers]
            else:
                groups.append(transfers + numbers)
        return tuple(group for group in groups if group)

    def _load(self, stage: Stage, history: Steps | None) -> tuple[Stage, ...]:
        own = self.off_chip.get(stage.layer)
        if not own:
            return ()
        key = (stage, own, None if history is None else history.tobytes())
        return _stages(_StageQuestion(transfer.load, (self.tasks[stage.layer],), key, (stage, own, history)))

    def _number(self, stages: Sequence[Stage]) -> Group:
        self.stages += stages
        return tuple(range(len(self.stages) - len(stages), len(self.stages)))


def _flow(mapping: NetworkMapping, layer: int, chip: ChipConfig) -> LayerFlow:
    """A compressed memory is walked by rows of inputs, so that nothing but these is held in place."""
    if chip.options.synapses.format != "dense":
        return LayerFlow("input_stationary", "input_stationary", "input_stationary")
    return mapping.flow(layer, chip)


def _kinds_off_chip(mapping: NetworkMapping, setting: _Setting) -> dict[int, frozenset[Content]]:
    """Kinds of data of each layer that live off chip: where the mapping or a design option puts them."""
    kinds = {layer: {content for _, content in bits} for layer, bits in mapping.residency.off_chip.items()}
    spilt = setting.chip.options.stbp_history == "spill" and setting.needs.carries == "history"
    layers = (layer.index for layer in setting.network.synaptic_layers)
    return {n: frozenset(kinds.get(n, set()) | ({Content.HISTORY} if spilt else set())) for n in layers}


def _bits_off_chip(
    mapping: NetworkMapping, tasks: Sequence[LayerTask], needs: TrainingNeeds
) -> dict[int, transfer.OffChip]:
    """Bits off chip of every layer: what the mapping placed there, and what options put there in any case."""
    return {task.index: HashedTuple(_off_chip_of(mapping, task, needs).items()) for task in tasks}


def _off_chip_of(
    mapping: NetworkMapping, task: LayerTask, needs: TrainingNeeds
) -> Mapping[tuple[int, Content], int]:
    """Bits off chip of a layer by core and kind."""
    placed = mapping.residency.off_chip.get(task.index, {})
    slices = task.slices
    forced: list[tuple[Content, IntArray]] = []
    if needs.trains and gradient.placement(task) == "off_chip":
        forced.append((Content.WEIGHT_GRADIENT, slices.weights * task.gradient_bits))
    if needs.carries == "history" and task.options.stbp_history == "spill":
        forced.append((Content.HISTORY, slices.inputs))
    for content, bits in forced:
        totals: dict[tuple[int, Content], int] = {}
        for core, amount in zip(slices.core.tolist(), bits.tolist(), strict=True):
            totals[core, content] = totals.get((core, content), 0) + amount
        placed = totals | placed
    return placed
