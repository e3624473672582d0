"""Update: new weights, thresholds and leak factors, once per batch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.counts import Action, Phase
from nmsim.fixedpoint.format import Rounding
from nmsim.perf.layer import RANDOM_BITS, RATE_BITS, LayerTask
from nmsim.perf.machine import Lane
from nmsim.perf.phases.gradient import fill_words, placement, spread_weights
from nmsim.perf.phases.integrate import address_bits, receive
from nmsim.perf.phases.neuron import biases, thresholds
from nmsim.perf.skipping import index_bits
from nmsim.perf.stage import Stage, StageKind
from nmsim.perf.stage_builder import StageBuilder
from nmsim.perf.traffic import Flow, Flows, Traffic

IntArray = NDArray[np.int64]


def update(task: LayerTask) -> Stage:
    """Parameters less learning rate times gradient: weights on update lanes, thresholds and leak factors on neuron lanes."""
    stage = task.stage(Phase.UPDATE, StageKind.UPDATE, "batch")
    kind, slices = placement(task), task.slices
    if kind != "in_place":
        share = touched_rows(task)
        weights = np.ceil(task.kept_weights * slices.updates * share).astype(np.int64)
        _find_rows(stage, task, share)
        if task.needs.centralized:
            _centralize(stage, task, weights)
        if task.needs.momentum:
            velocity = task.precision.velocity.format.total_bits
            stage.compute(Action.MAC, weights, None, RATE_BITS, velocity, task.gradient_bits)
            _weight_sweep(stage, task, Content.VELOCITY, velocity)
        _change(
            stage, Lane.UPDATE, weights, task.gradient_bits, task.weight_bits, task.precision.weight.rounding
        )
        _weight_sweep(stage, task, Content.WEIGHT, task.weight_bits)
        rows = stage.packing(Content.WEIGHT, task.weight_bits).words(slices.channels) * slices.updates
        stage.wait((rows * task.machine.row_cycles["update"][slices.core])[:, None, None])
        words = _weight_words(stage, task, Content.WEIGHT, task.weight_bits)
        fill_words(stage, task, words, weights)
        if kind != "factored":
            _weight_sweep(stage, task, Content.WEIGHT_GRADIENT, task.gradient_bits)
        if task.layer.bias:
            _change_biases(stage, task)
    if task.needs.thresholds:
        count, bits = thresholds(task), task.precision.threshold_gradient.format.total_bits
        _take_turns(stage, task, count, after_weights=kind != "in_place")
        _change(stage, None, count, bits, task.membrane_bits, task.precision.threshold_rounding)
        stage.sweep(Content.THRESHOLD, count, task.membrane_bits)
        stage.sweep(Content.THRESHOLD_GRADIENT, count, bits)
    if task.needs.leak:
        count, bits = slices.leads.astype(np.int64), task.precision.leak_gradient.format.total_bits
        _change(stage, Lane.NEURON, count, bits, task.leak_bits, task.precision.leak_factor.rounding)
    return stage.build()


def _take_turns(stage: StageBuilder, task: LayerTask, count: IntArray, *, after_weights: bool) -> None:
    """Neuron lanes move thresholds beside the weights, or after them, a word a cycle, where an update goes word by word."""
    waits = task.machine.update_by_words[task.slices.core] & after_weights
    stage.occupy(Lane.NEURON, np.where(waits, 0, count))
    words = stage.packing(Content.THRESHOLD, task.membrane_bits).words(count)
    stage.wait(np.where(waits, words, 0)[:, None, None])


def _change_biases(stage: StageBuilder, task: LayerTask) -> None:
    """Biases change as weights do, all of them; where several cores hold copies, at the first."""
    count, bits = biases(task) * task.slices.updates, task.precision.bias_gradient.format.total_bits
    if task.needs.momentum:
        stage.compute(Action.MAC, count, None, RATE_BITS, bits, bits)
        stage.sweep(Content.VELOCITY, count, bits)
    _change(stage, Lane.UPDATE, count, bits, task.weight_bits, task.precision.weight.rounding)
    stage.sweep(Content.WEIGHT, count, task.weight_bits)
    stage.sweep(Content.WEIGHT_GRADIENT, count, bits)


def touched_rows(task: LayerTask) -> NDArray[np.float64]:
    """Expected share of each slice's rows of weights (one an input) whose input has a trace in a batch `(n,)`.

    Samples of the profile stand for the batch: an input that had a trace in a part p of them has one in a batch of B
    with probability `1 - (1 - p)^B`. All rows where nothing is skipped, or where momentum or centralization changes
    weights without a gradient.
    """
    slices, needs = task.slices, task.needs
    if task.options.skip.gradients == "none" or needs.momentum or needs.centralized:
        return np.ones(len(slices))
    mask = task.recorded.inputs if needs.carries == "history" else task.recorded.traces
    in_sample = np.broadcast_to(mask.ones.any(axis=(1, 3, 4)), (task.shape[0], mask.ones.shape[2]))
    in_batch = 1 - (1 - in_sample.mean(axis=0)) ** needs.batch_size
    summed = np.concatenate([[0.0], np.cumsum(in_batch)])
    return np.asarray((summed[slices.i1] - summed[slices.i0]) / slices.in_channels)


def _find_rows(stage: StageBuilder, task: LayerTask, share: NDArray[np.float64]) -> None:
    """A flag of every row, or a list of the touched ones, is read; flags cost a cycle for every row without gradient."""
    skip, slices = task.options.skip.gradients, task.slices
    if skip == "none" or (share == 1).all():
        return
    rows = slices.in_channels * slices.updates
    touched = np.ceil(rows * share).astype(np.int64)
    if skip == "scan":
        flags = stage.packing(Content.WEIGHT_GRADIENT, 1).words(rows)
        stage.access(Content.WEIGHT_GRADIENT, reads=flags, writes=flags)
        stage.wait((rows - touched)[:, None, None])
    else:
        packing = stage.packing_of(Content.WEIGHT_GRADIENT, index_bits(slices.in_channels))
        listed = packing.words_of(touched[:, None, None])
        stage.access(Content.WEIGHT_GRADIENT, reads=listed, writes=listed)


def _centralize(stage: StageBuilder, task: LayerTask, weights: IntArray) -> None:
    """Sum every neuron's or channel's gradients in a pass of its own; the mean is subtracted as they are used."""
    slices, bits = task.slices, task.gradient_bits
    stage.compute(Action.ADD, weights, Lane.UPDATE, bits)
    stage.compute(Action.MULTIPLY, slices.channels * slices.updates, None, bits, bits)
    stage.compute(Action.ADD, weights, None, bits)
    stage.access(Content.WEIGHT_GRADIENT, reads=_weight_words(stage, task, Content.WEIGHT_GRADIENT, bits))


def _change(
    stage: StageBuilder,
    lane: Lane | None,
    count: IntArray,
    gradient_bits: int,
    bits: int,
    rounding: Rounding | None,
) -> None:
    stage.compute(Action.MULTIPLY, count, lane, RATE_BITS, gradient_bits)
    stage.compute(Action.ADD, count, None, bits)
    if rounding is Rounding.STOCHASTIC:
        stage.compute(Action.RANDOM_DRAW, count, None, RANDOM_BITS)


def _weight_sweep(stage: StageBuilder, task: LayerTask, content: Content, bits: int) -> None:
    """All words of something that is stored like the weights, read and written once (a gradient: read and cleared)."""
    words = _weight_words(stage, task, content, bits)
    stage.access(content, reads=words, writes=words)


def _weight_words(stage: StageBuilder, task: LayerTask, content: Content, bits: int) -> IntArray:
    """Words of something that is stored like the weights."""
    slices = task.slices
    share = touched_rows(task)
    if task.stored is not None:
        weights = content is Content.WEIGHT
        rows = task.stored.total(lambda store: store.row_words if weights else store.value_words(bits))
        return np.asarray(np.ceil(rows * share).astype(np.int64) * slices.updates)
    rows = np.ceil(slices.in_channels * share * slices.geometry.kernel**2).astype(np.int64) * slices.updates
    return stage.packing(content, bits).words(slices.channels) * rows


def exchange(task: LayerTask) -> list[Stage]:
    """What several cores hold in common: gradients to the first of them, new values back to the others."""
    shared = _shared_values(task)
    if not shared:
        return []
    return [
        stage for back in (False, True) for stage in [_exchange(task, shared, back=back)] if stage is not None
    ]


def _shared_values(task: LayerTask) -> dict[tuple[int, int], int]:
    """Parameters that a core `[1]` has in common with the one that updates them `[0]`: how many."""
    slices = task.slices
    core = slices.core.tolist()
    shared: dict[tuple[int, int], int] = defaultdict(int)

    def share(rows: Sequence[int], values: int) -> None:
        for other in sorted({core[row] for row in rows} - {core[rows[0]]}):
            shared[core[rows[0]], other] += values

    for rows in slices.weight_copies:
        if len(rows) == 1:
            continue
        share(rows, int(task.kept_weights[rows[0]]))
        if (
            task.needs.thresholds
            and slices.owner[rows[0]]
            and task.layer.threshold_count == task.layer.out_shape[0]
        ):
            share(rows, int(slices.channels[rows[0]]))
        if task.layer.bias and slices.owner[rows[0]]:
            share(rows, int(slices.channels[rows[0]]))
    owners = np.flatnonzero(slices.owner).tolist()
    share(owners, task.needs.leak + (task.needs.thresholds and task.layer.threshold_count == 1))
    return {cores: values for cores, values in shared.items() if values}


def _exchange(task: LayerTask, shared: Mapping[tuple[int, int], int], *, back: bool) -> Stage | None:
    content, bits = (
        (Content.WEIGHT, task.weight_bits) if back else (Content.WEIGHT_GRADIENT, task.gradient_bits)
    )
    flows: list[Flow] = [
        (first, others, values) if back else (other, (first,), values)
        for first, others, values in _alike(shared)
        for other in (others[:1] if back else others)
    ]
    named = address_bits(int(task.slices.weights.max()))
    traffic = Traffic.of(task.machine, Flows.of(flows).merged(), named + bits)
    if traffic is None:
        return None
    stage = task.stage(Phase.UPDATE, StageKind.EXCHANGE, "batch")
    receive(stage, traffic, traffic.ejected)
    arrived = stage.at_cores(*traffic.ejected)
    if not back:
        stage.compute(Action.ADD, arrived, Lane.ACCUMULATE, bits)
    if spread_weights(task):
        words = stage.packing(content, bits).per_value[:, None, None]
        stage.access(content, reads=stage.at_cores(*traffic.injected) * words, run=words)
        stage.access(content, reads=0 if back else arrived * words, writes=arrived * words, run=words)
    return stage.build(traffic)


def _alike(shared: Mapping[tuple[int, int], int]) -> list[tuple[int, tuple[int, ...], IntArray]]:
    """First core, the others that share equally much with it, and how much: one multicast serves them."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for (first, other), values in shared.items():
        groups[first, values].append(other)
    return [
        (first, tuple(others), np.full((1, 1), values, np.int64))
        for (first, values), others in groups.items()
    ]
