"""Integrate: spikes arrive, synapses are served, partial sums of a split fan-in are joined."""

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.counts import Action, Phase
from nmsim.perf.census import distinct_boxes
from nmsim.perf.geometry import SharedNeurons
from nmsim.perf.layer import LayerTask
from nmsim.perf.machine import Lane
from nmsim.perf.mask_sums import Ones
from nmsim.perf.phases import stored
from nmsim.perf.projection import INPUT
from nmsim.perf.skipping import PackedVector
from nmsim.perf.stage import Stage, StageKind
from nmsim.perf.stage_builder import StageBuilder
from nmsim.perf.traffic import Flows, Traffic
from nmsim.sums import sum_rows

IntArray = NDArray[np.int64]
SUMMED_AT_ONCE = 1 << 20
"""Places of a mask that are made numbers of eight bytes at a time."""


def address_bits(values: int) -> int:
    """Bits that name one of so many values."""
    return max(1, (values - 1).bit_length())


def integrate(task: LayerTask, sources: dict[int, LayerTask]) -> Stage:
    """Input packets and the synaptic operations they cause; a silent input costs nothing where zeros are skipped."""
    stage = task.stage(Phase.INTEGRATE, StageKind.INTEGRATE)
    traffic = _spikes(task, sources)
    if traffic is not None:
        _enqueue(stage, task, traffic)
        if any(p.source == INPUT for p in task.projections) and task.machine.chip.dram is not None:
            _load_input(stage, task, traffic)
    _serve(stage, task)
    if task.layer.bias:
        _add_biases(stage, task)
    return stage.build(traffic)


def _first_step_only(task: LayerTask, counts: IntArray) -> IntArray:
    """A static input is integrated at the first time step and its current kept."""
    if not (task.static and task.options.static_input_once):
        return counts
    kept = np.broadcast_to(counts, (*counts.shape[:-2], *task.shape)).copy()
    kept[..., 1:] = 0
    return kept


def _serve(stage: StageBuilder, task: LayerTask) -> None:
    slices = task.slices
    if task.stored is not None:
        operations = stored.serve(stage, task, once=task.static and task.options.static_input_once)
        _bring_home(stage, task, operations)
        return
    taps = _first_step_only(task, task.recorded.taps_of(task.inputs, slices))
    operations = taps * slices.channels[:, None, None]
    bits = task.recorded.input_bits
    if bits == 1:
        stage.compute(Action.SOP, operations, Lane.ACCUMULATE, task.current_bits)
    else:
        stage.compute(Action.MAC, operations, Lane.MAC, bits, task.used_bits, task.current_bits)
    stage.event(Action.SYNAPTIC_OP, operations, task.layer.kind)
    _read_weights(stage, task, taps)
    sums = task.input_sums
    words = stage.packing(Content.INPUT_SUM, task.current_bits, at=sums.at).words(slices.channels)[
        :, None, None
    ]
    if task.flow.integrate == "output_stationary":
        held = sums.has_near[:, None, None] * words  # without a register file the lanes' own registers add up
        stage.access(Content.INPUT_SUM, reads=taps * held, writes=taps * held, run=words, at=sums.at)
        _scan(stage, task, taps)
    else:
        stage.access(Content.INPUT_SUM, reads=taps * words, writes=taps * words, run=words, at=sums.at)
        _bring_home(stage, task, taps)


def _add_biases(stage: StageBuilder, task: LayerTask) -> None:
    """A row of biases is added at every position of the neurons' owners: an addition each, whatever arrives."""
    slices = task.slices
    rows = _first_step_only(task, (slices.positions * slices.owner)[:, None, None])
    stage.compute(Action.ADD, rows * slices.channels[:, None, None], Lane.ACCUMULATE, task.current_bits)
    row = task.weight_words.words(slices.channels)[:, None, None]
    once = task.holds_weights(task.flow.integrate)
    stage.access(Content.WEIGHT, reads=((rows > 0) if once else rows) * row, run=row)
    sums = task.input_sums
    words = stage.packing(Content.INPUT_SUM, task.current_bits, at=sums.at).words(slices.channels)[
        :, None, None
    ]
    if task.flow.integrate == "output_stationary":
        words = words * sums.has_near[:, None, None]
    stage.access(Content.INPUT_SUM, reads=rows * words, writes=rows * words, run=words, at=sums.at)


def _read_weights(stage: StageBuilder, task: LayerTask, taps: IntArray) -> None:
    """A row of weights for every tap; or, held in place, once for all positions of a channel."""
    slices, sums = task.slices, task.input_sums
    if task.holds_weights(task.flow.integrate):
        row = task.weight_words.words(slices.channels)[:, None, None]
        channels = _first_step_only(task, task.inputs.channels_with_any(*slices.input_box))
        stage.access(Content.WEIGHT, reads=channels * row * slices.geometry.kernel**2)
        return
    turns = sums.passes(slices.channels)
    share = -(-slices.channels // turns)  # channels of a turn; the last one has what is left
    last = slices.channels - share * (turns - 1)
    row = task.weight_words.words(share) * (turns - 1) + task.weight_words.words(last)
    stage.access(
        Content.WEIGHT, reads=taps * row[:, None, None], run=task.weight_words.words(share)[:, None, None]
    )


def _scan(stage: StageBuilder, task: LayerTask, taps: IntArray) -> None:
    """Outputs in place: the inputs stream past once for every turn, and finished sums are written once."""
    slices = task.slices
    turns = task.input_sums.passes(slices.channels)[:, None, None]
    if slices.geometry.shares_weights:
        working = (taps > 0) * slices.positions[:, None, None] * turns
        fan_in = slices.in_channels * slices.geometry.kernel**2
        words = stage.packing(Content.INPUT, task.recorded.input_bits).words(fan_in)[:, None, None]
        stage.access(Content.INPUT, reads=working * words, run=words)
    elif task.input_skip == "value_list":
        again = (turns - 1) * taps * input_words(stage, task)
        stage.access(Content.INPUT, reads=again)
    _bring_home(stage, task, taps)


def _bring_home(stage: StageBuilder, task: LayerTask, taps: IntArray) -> None:
    """Sums that were added up elsewhere than where the neurons find them are written there once."""
    sums, slices = task.input_sums, task.slices
    moves = (sums.at != task.current_at) | (sums.stay & ~sums.has_near)
    if not moves.any():
        return
    if slices.geometry.shares_weights:
        words = stage.packing(Content.INPUT_SUM, task.current_bits, at=task.current_at).words(slices.channels)
        words = words * slices.positions
    else:
        words = stage.packing(Content.INPUT_SUM, task.current_bits, at=task.current_at).words(slices.neurons)
    moved = (words * moves)[:, None, None] * (taps > 0)
    stage.access(Content.INPUT_SUM, writes=moved, at=task.current_at)
    near = stage.packing(Content.INPUT_SUM, task.current_bits, at=sums.near).words(slices.neurons)
    read = (near * (moves & sums.has_near))[:, None, None] * (taps > 0)
    stage.access(Content.INPUT_SUM, reads=read, at=sums.near)


def input_words(stage: StageBuilder, task: LayerTask) -> IntArray:
    """Words of the queue that an arrived input takes `(n, 1, 1)`: its address, and its value if it has one."""
    bits = address_bits(task.layer.inputs) + (task.recorded.input_bits if task.recorded.input_bits > 1 else 0)
    return stage.packing(Content.INPUT, bits + task.machine.chip.noc.header_bits).per_value[:, None, None]


def _enqueue(stage: StageBuilder, task: LayerTask, traffic: Traffic) -> None:
    """Inputs arrive: as a list of packets that are read once, or into a bitmap (or values) that is searched every turn."""
    skip = task.input_skip
    if skip == "value_list":
        receive(stage, traffic, traffic.received)
        return
    receive(stage, traffic, traffic.received, read=False)
    inputs = PackedVector.of(
        stage, task, Content.INPUT, skip, task.recorded.input_bits, task.inputs, out=False
    )
    inputs.keep(stage)
    turns = 1 if task.slices.geometry.shares_weights else task.input_sums.passes(task.slices.channels)
    words = np.broadcast_to((turns * inputs.words)[:, None, None], (len(task.slices), *task.shape))
    inputs.visit(stage, _first_step_only(task, words))


def receive(
    stage: StageBuilder, traffic: Traffic, arrivals: tuple[IntArray, IntArray], *, read: bool = True
) -> None:
    """Packets enter the queue of each core and leave it; `arrivals` are cores and packets `(n, S, T)`."""
    rows = stage.at_cores(*arrivals)
    words = stage.packing(Content.INPUT, traffic.packet_bits).per_value[:, None, None]
    stage.access(Content.INPUT, reads=rows * words if read else 0, writes=rows * words, run=words)


def _load_input(stage: StageBuilder, task: LayerTask, traffic: Traffic) -> None:
    """The sample is read from DRAM, address and value as they are sent."""
    port = traffic.source < 0
    bits = traffic.packets[port].sum(axis=0) * (traffic.packet_bits - task.machine.chip.noc.header_bits)
    rows = np.zeros((len(task.slices), *task.shape), np.int64)
    rows[0] = bits
    stage.dram(read_bits=rows)


def _spikes(task: LayerTask, sources: dict[int, LayerTask]) -> Traffic | None:
    """Packets of spikes, or of the network's input values, to every core that needs them."""
    if task.needs.artificial:
        return _values(task, sources)
    classes, targets = _target_classes(task)
    parts: list[Flows] = []
    bits = 1
    for projection in task.projections:
        if projection.source == INPUT:
            # pools before the first layer work on the sample, so that what is sent is the layer's input
            mask = task.inputs.flat
            reaches, owners = np.arange(task.layer.inputs), np.full(task.layer.inputs, INPUT)
            value_bits = task.recorded.input_bits if task.recorded.input_bits > 1 else 0
        else:
            below = sources[projection.source]
            mask, reaches, owners, value_bits = (
                below.recorded.spikes.flat,
                projection.reaches,
                below.owners,
                0,
            )
        bits = max(bits, address_bits(len(reaches)) + value_bits)
        parts.append(_flows(mask, reaches, owners, classes, targets, task.shape))
    flows = Flows.joined(parts)
    once = replace(flows, packets=_first_step_only(task, flows.packets))
    return Traffic.of(task.machine, once, bits)


def _values(task: LayerTask, sources: dict[int, LayerTask]) -> Traffic | None:
    """Packets of an artificial network: values in order, without addresses, as many as a flit takes behind its header."""
    classes, targets = _target_classes(task)
    bits, noc = task.recorded.input_bits, task.machine.chip.noc
    each = max(1, (noc.flit_bits - noc.header_bits) // bits)
    parts: list[Flows] = []
    for projection in task.projections:
        if projection.source == INPUT:  # pools before the first layer work on the sample
            reaches, owners = np.arange(task.layer.inputs), np.full(task.layer.inputs, INPUT)
            mask = task.inputs.flat
        else:
            below = sources[projection.source]
            mask, reaches, owners = below.recorded.spikes.flat, projection.reaches, below.owners
        parts.append(_flows(mask, reaches, owners, classes, targets, task.shape))
    flows = Flows.joined(parts)
    return Traffic.of(task.machine, replace(flows, packets=-(-flows.packets // each)), each * bits)


def _target_classes(task: LayerTask) -> tuple[IntArray, list[tuple[int, ...]]]:
    """Inputs by the set of cores that need them: class of each input `(M,)`, and the cores of each class.

    A stride may leave rows and columns that no kernel sees: they belong to a class without cores.
    """
    slices, geometry = task.slices, task.recorded.geometry
    shape = geometry.in_shape
    boxes, inverse = distinct_boxes(slices.i0, slices.i1, slices.r0, slices.r1)
    classes = np.zeros(shape[:2], np.int64)
    members: list[tuple[int, ...]] = [()]
    for box, (i0, i1, r0, r1) in enumerate(boxes.T):
        cores = tuple(slices.core[inverse == box].tolist())
        inside = np.zeros(shape[:2], np.int64)
        inside[i0:i1] = geometry.row_links[r0:r1].any(axis=0)
        kinds, classes = np.unique(2 * classes + inside, return_inverse=True)
        classes = classes.reshape(shape[:2])
        members = [members[kind // 2] + cores * int(kind % 2) for kind in kinds]
    seen = geometry.column_links.any(axis=0)
    flat = np.where(seen, classes[:, :, None], len(members)).reshape(-1)
    return flat, [*(tuple(sorted(set(cores))) for cores in members), ()]


def _flows(
    mask: Ones, reaches: IntArray, owners: IntArray, classes: IntArray,
    targets: list[tuple[int, ...]], shape: tuple[int, int],
) -> Flows:  # fmt: skip
    """One flow per source core and set of target cores: the ones of a mask `(S, T, N)` counted by group."""
    group = np.where(reaches >= 0, (owners + 1) * len(targets) + classes[reaches], -1)
    order = np.argsort(group, kind="stable") if (np.diff(group) < 0).any() else np.arange(len(group))
    sorted_groups = group[order]
    starts = np.flatnonzero(np.diff(sorted_groups, prepend=-2))
    ones = mask if (order[:-1] < order[1:]).all() else mask[..., order]
    counts = _sums(ones, starts)
    key = sorted_groups[starts]
    source, target = np.divmod(key[key >= 0], len(targets))
    packets = np.moveaxis(np.broadcast_to(counts, (*shape, len(starts))), -1, 0)[key >= 0]
    return Flows(source - 1, target, tuple(targets), packets)


def _sums(ones: Ones, starts: IntArray) -> IntArray:
    """Sums over the last axis of `(S, T, N)` from each start to the next, some rows at a time: numpy makes int64 of them."""
    found = np.empty((*ones.shape[:2], len(starts)), np.int64)
    steps = max(1, SUMMED_AT_ONCE // max(ones.shape[-1], 1))
    for sample, first in product(range(ones.shape[0]), range(0, ones.shape[1], steps)):
        rows = sample, slice(first, first + steps)
        np.add.reduceat(ones[rows], starts, axis=-1, dtype=np.int64, out=found[rows])
    return found


def reduce(task: LayerTask) -> Stage | None:
    """Partial sums of a split fan-in, from every slice with a share of the inputs to the neurons' owner."""
    slices = task.slices
    if slices.owner.all():
        return None
    stage = task.stage(Phase.INTEGRATE, StageKind.REDUCE)
    shared = slices.shared_neurons
    partial = _partial_sums(task, shared)
    sums, joined = (sum_rows(rows, partial, len(slices)) for rows in (shared.row, shared.owner))
    found = task.current_at
    words = stage.packing(Content.INPUT_SUM, task.current_bits, at=found).per_value[:, None, None]
    stage.access(Content.INPUT_SUM, reads=sums * words, run=words, at=found)
    stage.compute(Action.ADD, joined, Lane.ACCUMULATE, task.current_bits)
    stage.access(Content.INPUT_SUM, reads=joined * words, writes=joined * words, run=words, at=found)
    bits = address_bits(task.layer.neurons) + task.current_bits
    flows = Flows.between(slices.core[shared.row], slices.core[shared.owner], partial)
    traffic = Traffic.of(task.machine, flows.merged(), bits)
    if traffic is not None:
        receive(stage, traffic, traffic.ejected)
    return stage.build(traffic)


def _partial_sums(task: LayerTask, shared: SharedNeurons) -> IntArray:
    """Neurons of each box that any input of its slice's share reaches `(K, S, T)`."""
    slices = task.slices
    ranges, share = distinct_boxes(slices.i0[shared.row], slices.i1[shared.row])
    reached = np.stack([task.recorded.seen(task.inputs, *bounds) > 0 for bounds in ranges.T.tolist()])
    rows = reached.sum(axis=-1)
    until = np.concatenate([np.zeros_like(rows[..., :1]), rows.cumsum(axis=-1)], axis=-1)
    positions = until[share, :, :, shared.r1] - until[share, :, :, shared.r0]
    counts = positions * (shared.c1 - shared.c0)[:, None, None]
    return _first_step_only(task, np.broadcast_to(counts, (len(counts), *task.shape)))
