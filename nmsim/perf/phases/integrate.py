"""Integrate: spikes arrive, synapses are served, partial sums of a split fan-in are joined."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.counts import Action, Phase
from nmsim.perf.layer import LayerTask
from nmsim.perf.machine import Lane
from nmsim.perf.projection import INPUT
from nmsim.perf.stage import Stage, StageBuilder, StageKind
from nmsim.perf.traffic import Flow, Traffic

IntArray = NDArray[np.int64]


def address_bits(values: int) -> int:
    """Bits that name one of so many values."""
    return max(1, (values - 1).bit_length())


def integrate(task: LayerTask, sources: dict[int, LayerTask]) -> Stage:
    """Input packets and the synaptic operations they cause; a silent input costs nothing where zeros are skipped."""
    stage = task.stage(Phase.INTEGRATE, StageKind.INTEGRATE)
    traffic = _spikes(task, sources)
    if traffic is not None:
        receive(stage, traffic, traffic.received)
        if any(p.source == INPUT for p in task.projections) and task.machine.chip.dram is not None:
            _load_input(stage, task, traffic)
    _serve(stage, task)
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
    taps = _first_step_only(task, task.recorded.taps_of(task.inputs, slices))
    operations = taps * slices.channels[:, None, None]
    bits = task.recorded.input_bits
    if bits == 1:
        stage.compute(Action.SOP, operations, Lane.ACCUMULATE, task.current_bits)
    else:
        stage.compute(Action.MAC, operations, Lane.MAC, bits, task.used_bits, task.current_bits)
    stage.event(Action.SYNAPTIC_OP, operations, task.layer.kind)
    row = task.weight_words.words(slices.channels)[:, None, None]
    if task.holds_weights:
        channels = _first_step_only(task, task.inputs.channels_with_any(*slices.input_box))
        stage.access(Content.WEIGHT, reads=channels * row * slices.geometry.kernel**2)
    else:
        stage.access(Content.WEIGHT, reads=taps * row, run=row)
    sums = stage.packing(Content.ACCUMULATOR, task.current_bits).words(slices.channels)[:, None, None]
    if task.holds_outputs:
        _scan(stage, task, taps, sums)
    else:
        stage.access(Content.ACCUMULATOR, reads=taps * sums, writes=taps * sums, run=sums)


def _scan(stage: StageBuilder, task: LayerTask, taps: IntArray, sums: IntArray) -> None:
    """Output-stationary: every output scans its inputs and writes its sum once."""
    slices = task.slices
    working = (taps > 0) * slices.positions[:, None, None]
    stage.access(Content.ACCUMULATOR, writes=working * sums)
    fan_in = slices.in_channels * slices.geometry.kernel**2
    words = stage.packing(Content.INPUT, task.recorded.input_bits).words(fan_in)[:, None, None]
    stage.access(Content.INPUT, reads=working * words, run=words)


def receive(stage: StageBuilder, traffic: Traffic, arrivals: tuple[IntArray, IntArray]) -> None:
    """Packets enter the queue of each core and leave it; `arrivals` are cores and packets `(n, S, T)`."""
    rows = stage.at_cores(*arrivals)
    words = stage.packing(Content.INPUT, traffic.packet_bits).per_value[:, None, None]
    stage.access(Content.INPUT, reads=rows * words, writes=rows * words, run=words)


def _load_input(stage: StageBuilder, task: LayerTask, traffic: Traffic) -> None:
    """The sample is read from DRAM, address and value as they are sent."""
    port = traffic.source < 0
    bits = traffic.packets[port].sum(axis=0) * (traffic.packet_bits - task.machine.chip.noc.header_bits)
    rows = np.zeros((len(task.slices), *task.shape), np.int64)
    rows[0] = bits
    stage.dram(read_bits=rows)


def _spikes(task: LayerTask, sources: dict[int, LayerTask]) -> Traffic | None:
    """Packets of spikes, or of the network's input values, to every core that needs them."""
    classes, targets = _target_classes(task)
    flows: list[Flow] = []
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
        flows += _flows(mask, reaches, owners, classes, targets, task.shape)
    kept = [(source, cores, _first_step_only(task, packets)) for source, cores, packets in flows]
    return Traffic.of(task.machine, kept, bits)


def _target_classes(task: LayerTask) -> tuple[IntArray, list[tuple[int, ...]]]:
    """Inputs by the set of cores that need them: class of each input `(M,)`, and the cores of each class.

    A stride may leave rows and columns that no kernel sees: they belong to a class without cores.
    """
    slices, geometry = task.slices, task.recorded.geometry
    shape = geometry.in_shape
    bounds = np.stack([slices.i0, slices.i1, slices.r0, slices.r1])
    boxes, inverse = np.unique(bounds, axis=1, return_inverse=True)
    classes = np.zeros(shape[:2], np.int64)
    members: list[tuple[int, ...]] = [()]
    for box, (i0, i1, r0, r1) in enumerate(boxes.T):
        cores = tuple(slices.core[inverse.reshape(-1) == box].tolist())
        inside = np.zeros(shape[:2], np.int64)
        inside[i0:i1] = geometry.row_links[r0:r1].any(axis=0)
        kinds, classes = np.unique(2 * classes + inside, return_inverse=True)
        classes = classes.reshape(shape[:2])
        members = [members[kind // 2] + cores * int(kind % 2) for kind in kinds]
    seen = geometry.column_links.any(axis=0)
    flat = np.where(seen, classes[:, :, None], len(members)).reshape(-1)
    return flat, [*(tuple(sorted(set(cores))) for cores in members), ()]


def _flows(
    mask: NDArray[np.bool_], reaches: IntArray, owners: IntArray, classes: IntArray,
    targets: list[tuple[int, ...]], shape: tuple[int, int],
) -> list[Flow]:  # fmt: skip
    """One flow per source core and set of target cores: the ones of a mask `(S, T, N)` counted by group."""
    group = np.where(reaches >= 0, (owners + 1) * len(targets) + classes[reaches], -1)
    order = np.argsort(group, kind="stable") if (np.diff(group) < 0).any() else np.arange(len(group))
    sorted_groups = group[order]
    starts = np.flatnonzero(np.diff(sorted_groups, prepend=-2))
    ones = mask if (order[:-1] < order[1:]).all() else mask[..., order]
    counts = np.add.reduceat(ones, starts, axis=-1, dtype=np.int64)
    counts = np.broadcast_to(counts, (*shape, len(starts)))
    return [
        (int(key) // len(targets) - 1, targets[int(key) % len(targets)], counts[..., i])
        for i, key in enumerate(sorted_groups[starts])
        if key >= 0
    ]


def reduce(task: LayerTask) -> Stage | None:
    """Partial sums of a split fan-in, from every slice with a share of the inputs to the neurons' owner."""
    slices = task.slices
    if slices.owner.all():
        return None
    stage = task.stage(Phase.INTEGRATE, StageKind.REDUCE)
    sums = np.zeros((len(slices), *task.shape), np.int64)
    joined = np.zeros_like(sums)
    flows: list[Flow] = []
    for owner, row, box in slices.shared_neurons:
        partial = _partial_sums(task, row, box)
        sums[row] += partial
        joined[owner] += partial
        flows.append((int(slices.core[row]), (int(slices.core[owner]),), partial))
    words = stage.packing(Content.ACCUMULATOR, task.current_bits).per_value[:, None, None]
    stage.access(Content.ACCUMULATOR, reads=sums * words, run=words)
    stage.compute(Action.ADD, joined, Lane.ACCUMULATE, task.current_bits)
    stage.access(Content.ACCUMULATOR, reads=joined * words, writes=joined * words, run=words)
    traffic = Traffic.of(
        task.machine, merge_flows(flows), address_bits(task.layer.neurons) + task.current_bits
    )
    if traffic is not None:
        receive(stage, traffic, traffic.ejected)
    return stage.build(traffic)


def _partial_sums(task: LayerTask, row: int, box: tuple[int, int, int, int]) -> IntArray:
    """Neurons of a box that any input of a slice's share reaches `(S, T)`."""
    c0, c1, r0, r1 = box
    seen = task.recorded.seen(task.inputs, int(task.slices.i0[row]), int(task.slices.i1[row]))
    positions = (seen[:, :, r0:r1] > 0).sum(axis=(2, 3))
    return _first_step_only(task, np.broadcast_to(positions * (c1 - c0), task.shape))


def merge_flows(flows: list[Flow]) -> list[Flow]:
    """Flows of the same cores added up."""
    merged: dict[tuple[int, tuple[int, ...]], IntArray] = defaultdict(lambda: np.zeros((1, 1), np.int64))
    for source, targets, packets in flows:
        merged[source, targets] = merged[source, targets] + packets
    return [(source, targets, packets) for (source, targets), packets in merged.items()]
