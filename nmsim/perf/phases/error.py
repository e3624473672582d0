"""Error: deltas of the output, then layer by layer back; dense and wide, unlike spikes."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmsim.columns import distinct_numbers
from nmsim.contents import Content
from nmsim.counts import Action, Phase
from nmsim.perf.census import distinct_boxes
from nmsim.perf.layer import LayerTask, draw
from nmsim.perf.machine import Lane
from nmsim.perf.phases import stored
from nmsim.perf.phases.integrate import address_bits, receive
from nmsim.perf.phases.neuron import thresholds
from nmsim.perf.projection import Projection
from nmsim.perf.reached import reached_inputs
from nmsim.perf.skipping import PackedVector
from nmsim.perf.stage import Stage, StageKind
from nmsim.perf.stage_builder import StageBuilder
from nmsim.perf.traffic import Flow, Flows, Traffic
from nmsim.sums import sum_last

IntArray = NDArray[np.int64]


def delta(task: LayerTask) -> Stage:
    """Deltas, e phi(|U - theta|); at the output e comes from the softmax table."""
    stage = task.stage(Phase.ERROR, StageKind.DELTA)
    neurons, bits = task.slices.owned, task.delta_bits
    if task.is_output:
        stage.compute(Action.ADD, neurons, None, bits)
        stage.compute(Action.LOOKUP, neurons, None, bits)
        stage.sweep(Content.SPIKE, neurons, 1, write=False)
    else:
        stage.sweep(Content.ERROR_SUM, neurons, task.error_bits, at=task.error_at)
    surrogate = task.precision.surrogate.format.total_bits
    stage.compute(Action.ADD, neurons, None, task.membrane_bits)
    stage.compute(Action.LOOKUP, neurons, None, surrogate)
    stage.compute(Action.MULTIPLY, neurons, Lane.NEURON, bits, surrogate)
    draw(stage, task.precision.delta, 2 * neurons)
    stage.sweep(Content.THRESHOLD, thresholds(task), task.membrane_bits, write=False)
    stage.sweep(Content.DELTA, neurons, bits, read=False)
    _deltas(stage, task).keep(stage)
    if task.needs.carries == "history":
        stage.compute(Action.MAC, neurons, None, task.leak_bits, bits, bits)
        stage.sweep(Content.TEMPORAL_ERROR, neurons, bits)
        stage.sweep(Content.HISTORY, neurons, task.membrane_bits, write=False)
    else:
        stage.sweep(Content.MEMBRANE, neurons, task.membrane_bits, write=False)
    _neuron_gradients(stage, task)
    return stage.build()


def _neuron_gradients(stage: StageBuilder, task: LayerTask) -> None:
    """Threshold and leak gradients, delta (th~ - 1) and delta a~: one multiply-accumulate per neuron with a delta.

    Neuron lanes have the multipliers for it, and form these products in the turn in which they form the delta.
    """
    slices, precision = task.slices, task.precision
    hot = task.deltas.count(*slices.neuron_box) * slices.owner[:, None, None]
    through_time = task.needs.carries == "history"
    if task.needs.thresholds:
        bits, total = (
            precision.threshold_trace.format.total_bits,
            precision.threshold_gradient.format.total_bits,
        )
        stage.compute(Action.MAC, hot, None, task.delta_bits, 1 if through_time else bits, total)
        if not through_time:
            stage.sweep(Content.THRESHOLD_TRACE, slices.owned, bits, write=False)
        stage.sweep(Content.THRESHOLD_GRADIENT, thresholds(task), total)
    if task.needs.leak:
        bits, total = precision.leak_trace.format.total_bits, precision.leak_gradient.format.total_bits
        stage.compute(Action.MAC, hot, None, task.delta_bits, bits, total)
        if not through_time:
            stage.sweep(Content.LEAK_TRACE, slices.owned, bits, write=False)


def normalise(task: LayerTask) -> Stage | None:
    """One count per core of the output layer, to all others."""
    cores = np.unique(task.slices.core[task.slices.owner]).tolist()
    if not task.is_output or len(cores) == 1:
        return None
    one = np.ones(task.shape, np.int64)
    flows: list[Flow] = [(core, tuple(other for other in cores if other != core), one) for core in cores]
    traffic = Traffic.of(task.machine, Flows.of(flows), address_bits(task.layer.neurons + 1))
    assert traffic is not None
    stage = task.stage(Phase.ERROR, StageKind.NORMALISE)
    receive(stage, traffic, traffic.ejected)
    stage.compute(Action.ADD, stage.at_cores(*traffic.ejected), Lane.ACCUMULATE, task.delta_bits)
    return stage.build(traffic)


def distribute(task: LayerTask) -> Stage | None:
    """Where the fan-in is split, the other slices of the same neurons need their deltas too."""
    slices = task.slices
    if slices.owner.all():
        return None
    shared = slices.shared_neurons
    listeners: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for key, listener in zip(
        zip(*(column.tolist() for column in (shared.owner, *shared.boxes)), strict=True),
        slices.core[shared.row].tolist(),
        strict=True,
    ):
        listeners[key].add(listener)
    owner, *boxes = np.array(list(listeners)).T
    hot = np.broadcast_to(task.deltas.count(*boxes), (len(owner), *task.shape))
    flows: list[Flow] = [
        (source, tuple(sorted(cores - {source})), packets)
        for source, cores, packets in zip(slices.core[owner].tolist(), listeners.values(), hot, strict=True)
    ]
    bits = address_bits(task.layer.neurons) + task.delta_bits
    traffic = Traffic.of(task.machine, Flows.of(flows).merged(), bits)
    if traffic is None:
        return None
    stage = task.stage(Phase.ERROR, StageKind.DISTRIBUTE)
    receive(stage, traffic, traffic.ejected)
    words = stage.packing(Content.DELTA, task.delta_bits).per_value[:, None, None]
    stage.access(Content.DELTA, reads=stage.at_cores(*traffic.injected) * words, run=words)
    stage.access(Content.DELTA, writes=stage.at_cores(*traffic.ejected) * words, run=words)
    return stage.build(traffic)


def propagate(task: LayerTask, below: Mapping[int, LayerTask]) -> Stage | None:
    """W^T delta on the cores that hold W: each sums the errors of all inputs it needs over its own neurons."""
    if not task.sources:
        return None
    stage = task.stage(Phase.ERROR, StageKind.PROPAGATE)
    slices, geometry = task.slices, task.slices.geometry
    if task.stored is not None:
        sweeps, single = stored.propagate(stage, task)
        _add_errors(stage, task, below, sweeps, single)
        return stage.build()
    inputs = slices.in_channels[:, None, None]
    operations = task.deltas.weighted(geometry.taps, *slices.neuron_box) * inputs
    stage.compute(Action.MAC, operations, Lane.MAC, task.used_bits, task.delta_bits, task.error_bits)
    groups, g0, g1 = task.deltas.grouped(slices.c0, slices.c1, task.weight_words.per_word)
    touched = groups.weighted(geometry.taps, g0, g1, slices.r0, slices.r1)
    weights = inputs * task.weight_words.per_value[:, None, None]
    if task.holds_weights(task.flow.error):
        held = groups.channels_with_any(g0, g1, slices.r0, slices.r1)
        stage.access(Content.WEIGHT, reads=held * weights * geometry.kernel**2)
    else:
        stage.access(Content.WEIGHT, reads=touched * weights, run=weights)
    _add_errors(stage, task, below, touched, np.zeros_like(touched))
    hot = groups.count(g0, g1, slices.r0, slices.r1)
    stage.wait(hot * task.machine.row_cycles["propagate"][slices.core][:, None, None])
    return stage.build()


def _add_errors(
    stage: StageBuilder, task: LayerTask, below: Mapping[int, LayerTask], touched: IntArray, single: IntArray
) -> None:
    """Error sums read and written for every word of weights met, in place or at home; finished ones brought there.

    `touched` are sweeps over the sums of all inputs, `single` sums that are met one by one.
    """
    slices, sums = task.slices, task.summed_errors
    row = stage.packing(Content.ERROR_SUM, task.error_bits, at=sums.at).words(slices.in_channels)[
        :, None, None
    ]
    added = touched * row * (sums.has_near | ~sums.stay)[:, None, None]
    stage.access(Content.ERROR_SUM, reads=added, writes=added, run=row, at=sums.at)
    if single.any():
        words = (
            single * stage.packing(Content.ERROR_SUM, task.error_bits, at=sums.at).per_value[:, None, None]
        )
        stage.access(Content.ERROR_SUM, reads=words, writes=words, run=1, at=sums.at)
    touched = touched + single
    home = stage.packing(Content.ERROR_SUM, task.error_bits, at=sums.home).words(slices.inputs)
    near = stage.packing(Content.ERROR_SUM, task.error_bits, at=sums.near).words(slices.inputs)
    moves = (sums.stay & ~sums.has_near) | ((sums.at != sums.home) & ~_waits_near(task, below))
    stage.access(Content.ERROR_SUM, writes=(touched > 0) * (home * moves)[:, None, None], at=sums.home)
    leaves = (touched > 0) * (near * (moves & sums.has_near))[:, None, None]
    stage.access(Content.ERROR_SUM, reads=leaves, at=sums.near)
    turns = sums.passes(slices.inputs)
    deltas = _deltas(stage, task)
    deltas.visit(stage, (turns * deltas.words)[:, None, None])


def _deltas(stage: StageBuilder, task: LayerTask) -> PackedVector:
    skip = task.options.skip.deltas
    return PackedVector.of(stage, task, Content.DELTA, skip, task.delta_bits, task.deltas, out=True)


def _waits_near(task: LayerTask, below: Mapping[int, LayerTask]) -> NDArray[np.bool_]:
    """Where finished sums stay in the near level: the neurons below find them there, or they leave in packets."""
    at_home = {
        core
        for source in task.sources
        for core in below[source]
        .slices.core[
            (below[source].error_at != below[source].summed_errors.near) & (below[source].slices.owned > 0)
        ]
        .tolist()
    }
    return np.array([core not in at_home for core in task.slices.core.tolist()]) & task.in_turn


def collect(task: LayerTask, below: dict[int, LayerTask]) -> list[Stage]:
    """Errors go from the cores that summed them to the owners of the neurons below, which add them up."""
    return [
        stage
        for projection in task.projections
        if projection.source in below
        for stage in [_collect(task, below[projection.source], projection)]
        if stage is not None
    ]


def _collect(task: LayerTask, source: LayerTask, projection: Projection) -> Stage | None:
    """Complete sums travel in the delta format, partial ones in the accumulator's."""
    partial = len(np.unique(task.slices.core)) > 1
    bits = task.error_bits if partial else source.delta_bits
    flows = _errors(task, source, projection)
    traffic = Traffic.of(task.machine, flows, address_bits(task.layer.inputs) + bits)
    if traffic is None:
        return None
    stage = source.stage(Phase.ERROR, StageKind.COLLECT)
    receive(stage, traffic, traffic.ejected)
    arrived = stage.at_cores(*traffic.ejected)
    stage.compute(Action.ADD, arrived, Lane.ACCUMULATE, source.error_bits)
    words = stage.packing(Content.ERROR_SUM, source.error_bits, at=source.error_at).per_value[:, None, None]
    stage.access(
        Content.ERROR_SUM, reads=arrived * words, writes=arrived * words, run=words, at=source.error_at
    )
    return stage.build(traffic)


def _errors(task: LayerTask, source: LayerTask, projection: Projection) -> Flows:
    """Non-zero sums of each slice, by owner of the neurons they are for; those of one core together.

    Slices and pools cut maps along rows alone, so that sums of a row belong to the same cores in every column: an input
    whose pool window straddles two cores counts for both.
    """
    slices = task.slices
    below, columns = _rows_below(task, source, projection)
    first, owner = distinct_numbers([below.owner])
    cores = below.owner[first]
    reached, plane = reached_inputs(task.deltas, slices, columns)
    ranges, share = distinct_boxes(slices.i0, slices.i1)
    rows, owners, packets = [], [], []
    for number, (i0, i1) in enumerate(ranges.T.tolist()):
        inside = (below.channel >= i0) & (below.channel < i1)
        height = reached.shape[1]
        flat = np.bincount(owner[inside] * height + below.row[inside], minlength=len(cores) * height)
        sharing = np.flatnonzero(share == number)
        planes, which = np.unique(plane[sharing], return_inverse=True)
        # float64 sums of integers below 2**53 are exact
        counts = flat.reshape(-1, height).astype(np.float64) @ reached[planes]
        at, found = np.nonzero((sum_last(counts) > 0)[which])
        rows.append(sharing[at])
        owners.append(found)
        packets.append(counts[which[at], found].astype(np.int64))
    row = np.concatenate(rows)
    order: IntArray | slice = np.argsort(row, kind="stable") if len(rows) > 1 else slice(None)
    groups = tuple((core,) for core in cores.tolist())
    flows = Flows(
        slices.core[row[order]], np.concatenate(owners)[order], groups,
        np.concatenate(packets)[order].reshape(-1, *task.deltas.ones.shape[:2]),
    ).merged()  # fmt: skip
    return replace(flows, packets=np.broadcast_to(flows.packets, (len(flows), *task.shape)))


class _Below(NamedTuple):
    """Rows of inputs with the cores that own neurons which feed them, `(K,)` each, every pair once."""

    channel: IntArray
    row: IntArray
    owner: IntArray


def _rows_below(task: LayerTask, source: LayerTask, projection: Projection) -> tuple[_Below, IntArray]:
    """Whose neurons below feed each row of inputs, and the columns of inputs that any of them feeds."""
    _, height, width = task.slices.geometry.in_shape
    fed = projection.reaches >= 0
    places, column = np.divmod(projection.reaches[fed], width)
    columns, every = np.unique(column), len(task.machine.tile)
    pairs = places * every + source.owners[fed]
    if (pairs[1:] <= pairs[:-1]).any():
        pairs = np.unique(pairs)
    places, owner = np.divmod(pairs, every)
    return _Below(*np.divmod(places, height), owner), columns
