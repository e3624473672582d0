"""The phases of a layer whose synapses are stored compressed: rows of inputs are walked, and only what is there is done.

Integrate serves the row of every input. Errors need the synapses of a neuron, so that they walk the whole store, or follow
a second list (docs/structure.md). Gradients walk the rows of inputs with a trace. Finding the neuron of an entry costs an
addition of the width of its number.
"""

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.counts import Action
from nmsim.hardware.synapse_memory import bits_for
from nmsim.perf.census import Mask
from nmsim.perf.layer import LayerTask
from nmsim.perf.machine import Lane
from nmsim.perf.stage_builder import StageBuilder
from nmsim.perf.stored_synapses import StoredSynapses

IntArray = NDArray[np.int64]


def _stored(task: LayerTask) -> StoredSynapses:
    assert task.stored is not None
    return task.stored


def _find(stage: StageBuilder, task: LayerTask, entries: IntArray) -> None:
    """Whose each entry is."""
    stage.compute(Action.ADD, entries, None, bits_for(int(task.slices.channels.max())))


def serve(stage: StageBuilder, task: LayerTask, *, once: bool) -> IntArray:
    """Synaptic operations of every input that arrives, `(n, S, T)`; `once`: at the first time step only."""
    stored, inputs = _stored(task), task.inputs

    def counted(values: IntArray) -> IntArray:
        values = np.broadcast_to(values, (len(task.slices), *task.shape))
        return np.where(np.arange(task.shape[1]) > 0, 0, values) if once else values

    operations = counted(stored.over_rows(inputs, lambda store: store.present))
    lane = Lane.ACCUMULATE if task.recorded.input_bits == 1 else Lane.MAC
    if lane is Lane.ACCUMULATE:
        stage.compute(Action.SOP, operations, lane, task.current_bits)
    else:
        stage.compute(
            Action.MAC, operations, lane, task.recorded.input_bits, task.used_bits, task.current_bits
        )
    stage.event(Action.SYNAPTIC_OP, operations, task.layer.kind)
    stage.occupy(lane, counted(stored.slots_over_rows(inputs)) - operations)
    _find(stage, task, counted(stored.over_rows(inputs, lambda store: store.entries)))
    stage.access(
        Content.WEIGHT, reads=counted(stored.over_rows(inputs, lambda store: store.row_words)), run=1
    )
    sums = task.input_sums
    packing = stage.packing(Content.INPUT_SUM, task.current_bits, at=sums.at)
    per_word = int(packing.per_word.max())
    met = counted(stored.over_rows(inputs, lambda store: store.runs_met(per_word)))
    words = met * packing.per_value[:, None, None]
    stage.access(Content.INPUT_SUM, reads=words, writes=words, run=1, at=sums.at)
    return operations


def propagate(stage: StageBuilder, task: LayerTask) -> tuple[IntArray, IntArray]:
    """Errors back through the synapses that are there.

    Returns:
        Sweeps over the error sums of all inputs `(n, S, T)`, 0 where single ones are met, and those.
    """
    stored, slices, geometry = _stored(task), task.slices, task.slices.geometry
    operations = stored.errors(task.deltas)
    stage.compute(Action.MAC, operations, Lane.MAC, task.used_bits, task.delta_bits, task.error_bits)
    positions, g0, g1 = task.deltas.grouped(slices.c0, slices.c1, slices.channels)
    walks = positions.count(g0, g1, slices.r0, slices.r1)
    stage.wait(walks * task.machine.row_cycles["propagate"][slices.core][:, None, None])
    if stored.stores[0].memory.transposed == "index":
        _find(stage, task, operations)
        words = np.stack([_listed(task, index) for index in range(len(slices))])
        stage.access(Content.WEIGHT, reads=words, run=1)
        return np.zeros_like(operations), operations
    entries, words = stored.total(lambda store: store.entries), stored.total(lambda store: store.row_words)
    cycles = np.array([int(stored.cycles(index).sum()) * lanes for index, lanes in enumerate(stored.lanes)])
    stage.occupy(Lane.MAC, walks * cycles[:, None, None] - operations)
    _find(stage, task, walks * entries[:, None, None])
    stage.access(Content.WEIGHT, reads=walks * words[:, None, None], run=words[:, None, None])
    sweeps = positions.weighted(geometry.taps, g0, g1, slices.r0, slices.r1)
    return sweeps, np.zeros_like(operations)


def _listed(task: LayerTask, index: int) -> IntArray:
    """Words read for the deltas of a slice `(S, T)`: a pointer, the list of a neuron's places, and a word at each."""
    store, slices = _stored(task).stores[index], task.slices
    fan_in = np.asarray(store.mask.sum(axis=0), np.int64)
    lists = -(-fan_in // max(1, store.word_bits // bits_for(store.stored_entries)))
    box = slice(slices.r0[index], slices.r1[index])
    hot = task.deltas.ones[:, :, slices.c0[index] : slices.c1[index], box].sum(axis=(3, 4), dtype=np.int64)
    return np.asarray(hot @ (lists + fan_in + 1), np.int64)


def gradient(
    stage: StageBuilder,
    task: LayerTask,
    deltas: Mask,
    traces: Mask,
    pairs: IntArray,
    *,
    accumulates: bool = True,
) -> None:
    """Rows of inputs with a trace are walked where any neuron has a delta; each finds gradients stored as its weights are.

    `accumulates`: whether the gradient is at home in a memory.
    """
    stored, bits = _stored(task), task.gradient_bits
    stage.occupy(Lane.MAC, stored.slots_over_rows(traces, deltas) - pairs)
    _find(stage, task, stored.over_rows(traces, lambda store: store.entries, deltas))
    stage.access(Content.WEIGHT, reads=stored.over_rows(traces, lambda store: store.row_words, deltas), run=1)
    if accumulates:
        values = stored.over_rows(traces, lambda store: store.value_words(bits), deltas)
        stage.access(Content.WEIGHT_GRADIENT, reads=values, writes=values, run=1)
    packing = stage.packing(Content.DELTA, task.delta_bits)
    per_word = int(packing.per_word.max())
    met = stored.over_rows(traces, lambda store: store.runs_met(per_word), deltas)
    stage.access(Content.DELTA, reads=met * packing.per_value[:, None, None], run=1)
