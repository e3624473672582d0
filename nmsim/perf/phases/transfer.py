"""Transfer: what lives off chip is loaded at the start of a slice's turn and written back if it changed."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import HashedTuple
from nmsim.contents import Content
from nmsim.counts import Phase
from nmsim.network.state import FORWARD_STATE, NEURON_TRACES
from nmsim.perf.geometry import LayerSlices
from nmsim.perf.layer import LayerTask
from nmsim.perf.phases.gradient import placement
from nmsim.perf.stage import Stage, StageKind
from nmsim.perf.stage_builder import StageBuilder

IntArray = NDArray[np.int64]
OffChip = HashedTuple[tuple[tuple[int, Content], int]]
"""Bits of a layer off chip, each with its core and content: a key of what is kept, and made a dictionary of where needed."""

_STATE = tuple(variable.content for variable in FORWARD_STATE)
READS: Mapping[StageKind, tuple[Content, ...]] = {
    StageKind.INTEGRATE: (Content.WEIGHT, Content.INPUT),
    StageKind.NEURON: (*_STATE, Content.THRESHOLD, Content.INPUT, Content.INPUT_SUM),
    StageKind.DELTA: (
        Content.MEMBRANE, Content.THRESHOLD, Content.TEMPORAL_ERROR, Content.HISTORY, Content.THRESHOLD_GRADIENT,
        *(trace.content for trace in NEURON_TRACES),
    ),
    StageKind.PROPAGATE: (Content.WEIGHT,),
    StageKind.GRADIENT: (Content.WEIGHT_GRADIENT, Content.WEIGHT_TRACE),
    StageKind.OUTER_PRODUCT: (Content.FACTOR, Content.WEIGHT_GRADIENT),
    StageKind.UPDATE: (
        Content.WEIGHT, Content.WEIGHT_GRADIENT, Content.VELOCITY, Content.THRESHOLD, Content.THRESHOLD_GRADIENT,
    ),
}  # fmt: skip
WRITES: Mapping[StageKind, tuple[Content, ...]] = {
    StageKind.INTEGRATE: (Content.INPUT_SUM,),
    StageKind.NEURON: (*_STATE, Content.HISTORY),
    StageKind.DELTA: (Content.TEMPORAL_ERROR, Content.THRESHOLD_GRADIENT),
    StageKind.GRADIENT: (Content.WEIGHT_GRADIENT, Content.FACTOR),
    StageKind.OUTER_PRODUCT: (Content.WEIGHT_GRADIENT,),
    StageKind.UPDATE: READS[StageKind.UPDATE],
}


def load(
    task: LayerTask, stage: Stage, off_chip: OffChip, history: NDArray[np.bool_] | None = None
) -> Stage | None:
    """Transfers on behalf of a stage, before it: bits in, bits out; None if all its data is on chip.

    `history (T,)`: at which steps a forward pass keeps STBP's states; all of them if absent.
    """
    reads, writes = _moves(task, stage.part)
    held = dict(off_chip)
    contents = {content for _, content in held} & {*reads, *writes}
    if not contents:
        return None
    cores = np.unique(task.slices.core)
    builder = StageBuilder(
        task.machine, Phase.TRANSFER, task.index, StageKind.LOAD, cores, task.shape, stage.cadence
    )
    rows = np.searchsorted(stage.cores, cores)
    busy = stage.uses.at_work[rows]
    for content in sorted(contents):
        bits = _bits(task, stage.part, cores, content, held)[:, None, None] * busy
        if content is Content.HISTORY and content in writes and history is not None:
            bits = bits * history
        if content is Content.WEIGHT_GRADIENT and stage.cadence == "step":
            bits = _touched_rows(task, cores, bits)
        bits_in, bits_out = bits * (content in reads), bits * (content in writes)
        builder.dram(read_bits=bits_in, write_bits=bits_out)
        word_bits = task.machine.word_bits[cores, task.machine.memory_index(cores, content)][:, None, None]
        builder.access(content, reads=-(-bits_out // word_bits), writes=-(-bits_in // word_bits))
    return builder.build()


def _moves(task: LayerTask, part: StageKind) -> tuple[tuple[Content, ...], tuple[Content, ...]]:
    """Contents that a part needs loaded, and those it changes."""
    reads, writes = READS.get(part, ()), WRITES.get(part, ())
    if task.needs.carries == "history" and task.gradient_operand is Content.INPUT:
        # a static input is not copied into the history: the gradient, not the neuron phase, reads it
        if part is StageKind.NEURON:
            return tuple(content for content in reads if content is not Content.INPUT), writes
        if part is StageKind.GRADIENT:
            reads = (*reads, Content.INPUT)
    if part is StageKind.DELTA and task.needs.carries == "history":
        return tuple(content for content in reads if content is not Content.MEMBRANE), writes
    if part is StageKind.GRADIENT and task.scalar:  # what every step changes is small and stays
        return tuple(content for content in reads if content is not Content.WEIGHT_GRADIENT), ()
    if part is StageKind.GRADIENT and placement(task) == "in_place":
        return (*reads, Content.WEIGHT), (*writes, Content.WEIGHT)
    return reads, writes


def _bits(
    task: LayerTask,
    part: StageKind,
    cores: IntArray,
    content: Content,
    held: Mapping[tuple[int, Content], int],
) -> IntArray:
    """Bits of a content off chip by core; one step's share of what is kept over T.

    What the slices of a core share is there once: the forward pass changes weight traces and the history of inputs
    once, the way back reads them for each slice in its turn; the update changes shared weights once.
    """
    bits = np.array([held.get((core, content), 0) for core in cores.tolist()], np.int64)
    slices = task.slices
    inputs = _by_core(slices, cores, task.kept_inputs(content) if part is StageKind.NEURON else slices.inputs)
    match content:
        case Content.WEIGHT_TRACE:
            step = inputs * task.trace_bits
        case Content.HISTORY:
            states = _by_core(slices, cores, slices.owned) * (task.membrane_bits + 1)
            step = states + inputs * task.recorded.input_bits * (task.gradient_operand is content)
        case Content.FACTOR:
            step = _by_core(slices, cores, slices.neurons) * task.delta_bits + inputs * task.trace_bits
        case Content.WEIGHT | Content.WEIGHT_GRADIENT | Content.VELOCITY if part is StageKind.UPDATE:
            whole, once = (
                _by_core(slices, cores, slices.weights * rows) for rows in (1, slices.first_copies)
            )
            return bits * once // whole
        case _:
            return bits
    return np.where(bits > 0, step, 0)


def _by_core(slices: LayerSlices, cores: IntArray, values: IntArray) -> IntArray:
    """Values of the slices `(n,)` added up by core."""
    total = np.zeros(len(cores), np.int64)
    np.add.at(total, np.searchsorted(cores, slices.core), values)
    return total


def _touched_rows(task: LayerTask, cores: IntArray, bits: IntArray) -> IntArray:
    """Only gradients of output channels with a non-zero delta move."""
    slices = task.slices
    every = np.zeros_like(slices.c0), np.full_like(slices.c1, task.deltas.ones.shape[3])
    touched = task.deltas.channels_with_any(slices.c0, slices.c1, *every)
    index = np.searchsorted(cores, slices.core)
    active, channels = np.zeros((len(cores), *touched.shape[1:]), np.int64), np.zeros(len(cores), np.int64)
    np.add.at(active, index, touched)
    np.add.at(channels, index, slices.channels)
    return -(-bits * active // channels[:, None, None])
