"""Gradient: deltas times traces, accumulated, applied at once, or kept as factors."""

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.counts import Action, Phase
from nmsim.errors import ConfigError
from nmsim.perf.census import Mask
from nmsim.perf.layer import RANDOM_BITS, RATE_BITS, LayerTask
from nmsim.perf.machine import Lane
from nmsim.perf.phases import stored
from nmsim.perf.phases.neuron import biases
from nmsim.perf.skipping import PackedVector
from nmsim.perf.stage import Stage, StageKind
from nmsim.perf.stage_builder import StageBuilder

IntArray = NDArray[np.int64]


def placement(task: LayerTask) -> str:
    """Where the weight gradient of a layer lives; factors exist for dense layers only, others accumulate.

    Raises:
        ConfigError: in-place updates where several cores hold the same weights, with STBP, or with a scalar trace.
    """
    kind = task.options.weight_gradient
    if kind in {"factored", "in_place"} and task.stored is not None:
        raise ConfigError(
            f"options.weight_gradient '{kind}' does not go with options.synapses {task.options.synapses.text}, whose"
            " gradients are stored as the weights are; keep gradients on chip, or use synapses of format dense"
        )
    if kind == "factored" and task.slices.geometry.shares_weights:
        return "on_chip"
    if kind == "in_place" and task.scalar:
        raise ConfigError(
            f"options.weight_gradient 'in_place' does not work for layer {task.index}, whose scalar trace gives gradients at"
            " the end of a sample; keep gradients on chip"
        )
    if kind == "in_place" and (task.needs.carries == "history" or spread_weights(task)):
        reason = (
            "STBP"
            if task.needs.carries == "history"
            else f"layer {task.index}, whose weights several cores hold"
        )
        raise ConfigError(
            f"options.weight_gradient 'in_place' does not work for {reason}; keep gradients on chip, or map whole"
            " rows of maps to one core"
        )
    return kind


def spread_weights(task: LayerTask) -> bool:
    """Whether several cores hold copies of the same weights."""
    return task.slices.spreads_weights


def gradient(task: LayerTask) -> Stage:
    """Weight gradient from pairs of a non-zero delta and a non-zero trace; threshold and leak gradients."""
    stage = task.stage(Phase.GRADIENT, StageKind.GRADIENT)
    kind = placement(task)
    if task.scalar:
        _add_scaled(stage, task)
    elif kind == "factored":
        _store_factors(stage, task)
    else:
        _weights(stage, task, in_place=kind == "in_place")
    _decay_used_traces(stage, task)
    if task.layer.bias:
        _biases(stage, task, in_place=kind == "in_place")
    return stage.build()


def _biases(stage: StageBuilder, task: LayerTask, *, in_place: bool) -> None:
    """Delta c, one multiply-accumulate per neuron with a delta (STBP: an addition), into one accumulator per bias."""
    slices, precision, count = task.slices, task.precision, biases(task)
    hot = task.deltas.count(*slices.neuron_box) * slices.owner[:, None, None]
    total = precision.bias_gradient.format.total_bits
    if task.needs.carries == "history":
        stage.compute(Action.ADD, hot, Lane.ACCUMULATE, total)
    else:
        trace = precision.constant_trace.format.total_bits
        stage.compute(Action.MAC, hot, Lane.MAC, task.delta_bits, trace, total)
    if in_place:
        stage.compute(Action.MULTIPLY, count, Lane.UPDATE, RATE_BITS, total)
        stage.compute(Action.ADD, count, None, task.weight_bits)
        stage.compute(Action.RANDOM_DRAW, count, None, RANDOM_BITS)
        stage.sweep(Content.WEIGHT, count, task.weight_bits)
    else:
        stage.sweep(Content.WEIGHT_GRADIENT, count, total)


def _weights(stage: StageBuilder, task: LayerTask, *, in_place: bool) -> None:
    slices = task.slices
    every = in_place and task.options.skip.in_place == "none"
    deltas, traces = (task.full.deltas, task.full.traces) if every else (task.deltas, task.traces)
    if task.stored is not None:
        _stored_weights(stage, task, deltas, traces)
        return
    pairs = task.recorded.couplings(deltas, traces, slices, slices.c0, slices.c1)
    multiply(stage, task, pairs)
    if in_place:
        stage.compute(Action.MULTIPLY, pairs, Lane.UPDATE, RATE_BITS, task.gradient_bits)
        stage.compute(Action.ADD, pairs, None, task.weight_bits)
        stage.compute(Action.RANDOM_DRAW, pairs, None, RANDOM_BITS)
    content, bits = (
        (Content.WEIGHT, task.weight_bits) if in_place else (Content.WEIGHT_GRADIENT, task.gradient_bits)
    )
    words = _accumulate(stage, task, content, bits, deltas, traces)
    if in_place:
        fill_words(stage, task, words, pairs)


def _stored_weights(stage: StageBuilder, task: LayerTask, deltas: Mask, traces: Mask) -> None:
    """Pairs across synapses that are there; rows with a trace are walked, and find their gradients beside them."""
    assert task.stored is not None
    pairs = task.stored.pairs(deltas, traces)
    multiply(stage, task, pairs)
    stored.gradient(stage, task, deltas, traces, pairs)
    skip = task.options.skip
    operands = PackedVector.of(
        stage, task, task.gradient_operand, skip.traces, task.trace_bits, traces, out=False
    )
    deltas_read = PackedVector.of(stage, task, Content.DELTA, skip.deltas, task.delta_bits, deltas, out=True)
    operands.visit(stage, operands.words[:, None, None])
    deltas_read.visit(stage, deltas_read.words[:, None, None])


def _add_scaled(stage: StageBuilder, task: LayerTask) -> None:
    """`g += delta c`: one multiply-accumulate per neuron with a delta, and the words of its sum read and written back."""
    slices, precision = task.slices, task.precision
    content, bits = _summed(task)
    trace = precision.constant_trace.format.total_bits
    stage.compute(Action.MAC, task.deltas.count(*slices.neuron_box), Lane.MAC, task.delta_bits, trace, bits)
    packing = stage.packing(content, bits)
    groups, g0, g1 = task.deltas.grouped(slices.c0, slices.c1, packing.per_word)
    run = packing.per_value[:, None, None]
    words = groups.count(g0, g1, slices.r0, slices.r1) * run
    stage.access(content, reads=words, writes=words, run=run)
    deltas = PackedVector.of(
        stage, task, Content.DELTA, task.options.skip.deltas, task.delta_bits, task.deltas, out=True
    )
    deltas.visit(stage, deltas.words[:, None, None])


def _summed(task: LayerTask) -> tuple[Content, int]:
    """Where the sums g of a scalar trace are kept, and their width."""
    home = Content.FACTOR if placement(task) == "factored" else Content.WEIGHT_GRADIENT
    return home, task.precision.static_gradient.format.total_bits


def multiply(stage: StageBuilder, task: LayerTask, pairs: IntArray) -> None:
    """One multiply-accumulate per pair; an addition where the trace is one bit, as with STBP's spikes."""
    if task.trace_bits == 1:
        stage.compute(Action.ADD, pairs, Lane.ACCUMULATE, task.gradient_bits)
    else:
        stage.compute(Action.MAC, pairs, Lane.MAC, task.delta_bits, task.trace_bits, task.gradient_bits)
    stage.event(Action.SYNAPTIC_UPDATE, pairs)


def _accumulate(
    stage: StageBuilder, task: LayerTask, content: Content, bits: int, visited: Mask, traces: Mask
) -> IntArray:
    """Words of gradients (or weights) read and written back for `visited` deltas and traces, and their operands read."""
    slices, geometry = task.slices, task.slices.geometry
    packing = stage.packing(content, bits)
    groups, g0, g1 = visited.grouped(slices.c0, slices.c1, packing.per_word)
    hot = groups.count(g0, g1, slices.r0, slices.r1)
    stage.wait(hot * task.machine.row_cycles["gradient"][slices.core][:, None, None])
    per_value = packing.per_value[:, None, None]
    operand, trace_bits = task.gradient_operand, task.trace_bits
    skip = task.options.skip
    operands = PackedVector.of(stage, task, operand, skip.traces, trace_bits, traces, out=False)
    if geometry.shares_weights and task.flow.gradient != "input_stationary":
        channels = traces.channels_with_any(*slices.input_box)
        held = (
            groups.channels_with_any(g0, g1, slices.r0, slices.r1) * channels * geometry.kernel**2 * per_value
        )
        stage.access(content, reads=held, writes=held)
        operands.visit(stage, operands.words[:, None, None])
        meetings = task.recorded.couplings(groups, traces, slices, g0, g1)
        words = stage.packing(Content.DELTA, task.delta_bits)
        run = -(-packing.per_word // words.per_word) * words.per_value
        stage.access(Content.DELTA, reads=meetings * run[:, None, None], run=run)
        return held
    met = task.recorded.couplings(groups, traces, slices, g0, g1) * per_value
    stage.access(content, reads=met, writes=met, run=per_value)
    deltas = PackedVector.of(stage, task, Content.DELTA, skip.deltas, task.delta_bits, task.deltas, out=True)
    deltas.visit(stage, deltas.words[:, None, None])
    touched = groups.weighted(geometry.taps, g0, g1, slices.r0, slices.r1)
    row = stage.packing(operand, trace_bits).words(slices.in_channels)[:, None, None]
    operands.visit(stage, touched * row, run=row)
    return met


def fill_words(stage: StageBuilder, task: LayerTask, words: IntArray, weights: IntArray) -> None:
    """Lanes that work word by word run empty where a word is not filled; words and weights `(n,)` or `(n, S, T)`."""
    packing = stage.packing(Content.WEIGHT, task.weight_bits)
    by_words = task.machine.update_by_words[task.slices.core] & (packing.per_value == 1)
    shape = (-1,) + (1,) * (words.ndim - 1)
    slots = words * packing.per_word.reshape(shape) - weights
    stage.occupy(Lane.UPDATE, np.where(by_words.reshape(shape), slots, 0))


def _decay_used_traces(stage: StageBuilder, task: LayerTask) -> None:
    """Traces that decay when an event touches them are brought up to date as they are used."""
    if task.needs.carries != "history" and not task.scalar and task.options.trace_decay == "lazy":
        used = task.recorded.traces.count(*task.slices.input_box)
        stage.compute(Action.LOOKUP, used, Lane.NEURON, task.leak_bits)
        stage.compute(Action.MULTIPLY, used, None, task.leak_bits, task.trace_bits)


def _store_factors(stage: StageBuilder, task: LayerTask) -> None:
    """Deltas and traces of the step are kept until the end of the sample."""
    slices = task.slices
    for content, values, bits in (
        (Content.DELTA, slices.neurons, task.delta_bits),
        (task.gradient_operand, slices.inputs, task.trace_bits),
    ):
        stage.sweep(content, values, bits, write=False)
        stage.sweep(Content.FACTOR, values, bits, read=False)


def outer_product(task: LayerTask) -> Stage | None:
    """Once per sample: the sum over T of delta times trace for every weight, from stored factors or with a scalar trace."""
    if task.scalar:
        return _scalar_product(task)
    if placement(task) != "factored":
        return None
    stage = task.stage(Phase.GRADIENT, StageKind.OUTER_PRODUCT, "sample")
    slices = task.slices
    multiply(
        stage,
        task,
        _over_time(task, task.recorded.couplings(task.deltas, task.traces, slices, slices.c0, slices.c1)),
    )
    packing = stage.packing(Content.WEIGHT, task.weight_bits)
    groups, g0, g1 = task.deltas.grouped(slices.c0, slices.c1, packing.per_word)
    touched = _over_time(task, groups.count(g0, g1, slices.r0, slices.r1))
    row = stage.packing(Content.FACTOR, task.trace_bits).words(slices.in_channels)[:, None, None]
    stage.access(Content.FACTOR, reads=touched * row, run=row)
    words = stage.packing(Content.FACTOR, task.delta_bits).words(slices.neurons)
    stage.access(Content.FACTOR, reads=words * task.shape[1])
    return stage.build()


def _scalar_product(task: LayerTask) -> Stage:
    """`dW += g x^T`: pairs of a neuron that had a delta and an input that is not zero, once per sample."""
    stage = task.stage(Phase.GRADIENT, StageKind.OUTER_PRODUCT, "sample")
    slices, content, bits = task.slices, *_summed(task)
    summed = Mask(np.asarray(task.deltas.ones.any(axis=1, keepdims=True)))
    inputs = Mask(task.traces.ones[:, :1])
    if task.stored is None:
        pairs = task.recorded.couplings(summed, inputs, slices, slices.c0, slices.c1)
    else:
        pairs = task.stored.pairs(summed, inputs)
    stage.compute(Action.MAC, pairs, Lane.MAC, bits, task.recorded.input_bits, task.gradient_bits)
    stage.event(Action.SYNAPTIC_UPDATE, pairs)
    packing = stage.packing(Content.WEIGHT_GRADIENT, task.gradient_bits)
    groups, g0, g1 = summed.grouped(slices.c0, slices.c1, packing.per_word)
    per_value = packing.per_value[:, None, None]
    sample = PackedVector.of(
        stage, task, Content.INPUT, task.options.skip.traces, task.recorded.input_bits, inputs, out=False
    )
    sample.keep(stage)
    stage.sweep(content, slices.neurons, bits)  # every sum is read, and cleared for the next sample
    if task.stored is not None:
        stored.gradient(stage, task, summed, inputs, pairs, accumulates=content is Content.WEIGHT_GRADIENT)
        sample.visit(stage, sample.words[:, None, None])
        return stage.build()
    if slices.geometry.shares_weights and task.flow.gradient != "input_stationary":
        met = groups.channels_with_any(g0, g1, slices.r0, slices.r1)
        met = met * inputs.channels_with_any(*slices.input_box) * slices.geometry.kernel**2 * per_value
        sample.visit(stage, sample.words[:, None, None])
    else:
        met = task.recorded.couplings(groups, inputs, slices, g0, g1) * per_value
        touched = groups.weighted(slices.geometry.taps, g0, g1, slices.r0, slices.r1)
        row = stage.packing(Content.INPUT, task.recorded.input_bits).words(slices.in_channels)[:, None, None]
        sample.visit(stage, touched * row, run=row)
    if content is Content.WEIGHT_GRADIENT:
        stage.access(content, reads=met, writes=met, run=per_value)
    return stage.build()


def _over_time(task: LayerTask, counts: IntArray) -> IntArray:
    total: IntArray = np.broadcast_to(counts, (counts.shape[0], *task.shape)).sum(axis=-1, keepdims=True)
    return total
