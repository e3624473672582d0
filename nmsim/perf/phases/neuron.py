"""Neuron: leak, fire, and the traces that carry time forward; for STBP the history that does it instead."""

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.counts import Action, Phase
from nmsim.network.state import FORWARD_STATE
from nmsim.perf.layer import LayerTask, draw
from nmsim.perf.machine import Lane
from nmsim.perf.skipping import PackedVector
from nmsim.perf.stage import Stage, StageKind
from nmsim.perf.stage_builder import StageBuilder

IntArray = NDArray[np.int64]


def neuron(task: LayerTask, history: NDArray[np.bool_] | None = None) -> Stage:
    """One update of every neuron and trace; `history (T,)`: at which steps STBP's states are kept (none if absent)."""
    stage = task.stage(Phase.NEURON, StageKind.NEURON)
    if task.needs.artificial:
        _activations(stage, task)
        return stage.build()
    _membranes(stage, task)
    if task.needs.carries == "traces":
        _neuron_traces(stage, task)
        if not task.scalar:
            _weight_traces(stage, task)
    if history is not None:
        _history(stage, task, history)
    return stage.build()


def clear(task: LayerTask) -> Stage | None:
    """State that a sample leaves behind is written over, word by word; nothing where the first write does it."""
    if task.options.clear_state == "free" or task.needs.artificial:
        return None
    stage = task.stage(Phase.NEURON, StageKind.CLEAR, "sample")
    for variable in FORWARD_STATE:
        if not variable.kept_by(task.needs.learning_rule):
            continue
        if variable.per == "neuron":
            values = task.slices.owned
        elif task.scalar:  # one trace for all inputs is a register
            continue
        else:
            values = task.kept_inputs(variable.content)
        stage.sweep(variable.content, values, variable.bits(task.precision), read=False)
    return stage.build()


def _membranes(stage: StageBuilder, task: LayerTask) -> None:
    """R = U - theta s; U = alpha R + I; s = (U >= theta)."""
    neurons, slices, bits = task.slices.owned, task.slices, task.membrane_bits
    stage.compute(Action.ADD, neurons, Lane.NEURON, bits)
    stage.compute(Action.MAC, neurons, None, task.leak_bits, bits, task.current_bits)
    stage.compute(Action.COMPARE, neurons, None, bits)
    draw(stage, task.precision.membrane, neurons)
    kept = task.static and task.options.static_input_once
    stage.sweep(Content.INPUT_SUM, neurons, task.current_bits, write=not kept, at=task.current_at)
    stage.sweep(Content.MEMBRANE, neurons, bits)
    stage.sweep(Content.THRESHOLD, thresholds(task), bits, write=False)
    stage.sweep(Content.SPIKE, neurons, 1)
    box = slices.neuron_box
    spikes = task.recorded.spikes.count(*box) * slices.owner[:, None, None]
    stage.event(Action.SPIKE_OUT, spikes)
    active = _active_neurons(task)
    stage.event(Action.NEURON_UPDATE_ACTIVE, active)
    stage.event(Action.NEURON_UPDATE_INACTIVE, neurons[:, None, None] - active)


def _activations(stage: StageBuilder, task: LayerTask) -> None:
    """Y = clip(round(scale I), 0, T): one multiplication by the scale, kept where thresholds are, and one comparison."""
    neurons, bits = task.slices.owned, task.membrane_bits
    stage.compute(Action.MULTIPLY, neurons, Lane.NEURON, task.current_bits, bits)
    stage.compute(Action.COMPARE, neurons, None, bits)
    stage.sweep(Content.INPUT_SUM, neurons, task.current_bits, at=task.current_at)
    stage.sweep(Content.THRESHOLD, thresholds(task), bits, write=False)


def thresholds(task: LayerTask) -> IntArray:
    """Thresholds that each slice holds; shared ones are copied to every slice that uses them."""
    slices, layer = task.slices, task.layer
    if layer.threshold_count == 1:
        return np.minimum(slices.owned, 1)
    return slices.channels * slices.owner if layer.threshold_count == layer.out_shape[0] else slices.owned


def biases(task: LayerTask) -> IntArray:
    """Biases that each slice holds, a copy in every slice whose neurons use them."""
    return np.asarray(task.slices.channels * task.slices.owner * task.layer.bias)


def _active_neurons(task: LayerTask) -> IntArray:
    """Neurons whose state changed, else those that receive an input or fire in the step, per slice `(n, S, T)`."""
    slices = task.slices
    found = task.recorded.active.count(*slices.neuron_box) * slices.owner[:, None, None]
    return np.broadcast_to(found, (len(slices), *task.shape))


def _neuron_traces(stage: StageBuilder, task: LayerTask) -> None:
    """a~ = alpha a~ + R and th~ = alpha (th~ - s), in the lanes that update the membrane."""
    neurons, precision = task.slices.owned, task.precision
    if task.layer.bias or task.scalar:  # one trace for all, in a register
        own, bits = task.slices.leads.astype(np.int64), precision.constant_trace.format.total_bits
        stage.compute(Action.MAC, own, None, task.leak_bits, bits, bits)
        draw(stage, precision.constant_trace, own)
    if task.needs.leak:
        bits = precision.leak_trace.format.total_bits
        stage.compute(Action.MAC, neurons, None, task.leak_bits, bits, bits)
        stage.sweep(Content.LEAK_TRACE, neurons, bits)
        draw(stage, precision.leak_trace, neurons)
    if task.needs.thresholds:
        bits = precision.threshold_trace.format.total_bits
        stage.compute(Action.ADD, neurons, None, bits)
        stage.compute(Action.MULTIPLY, neurons, None, task.leak_bits, bits)
        stage.sweep(Content.THRESHOLD_TRACE, neurons, bits)
        draw(stage, precision.threshold_trace, neurons)


def _weight_traces(stage: StageBuilder, task: LayerTask) -> None:
    """w~ = alpha w~ + x, one per input that a slice needs; lazily: only where an input arrives."""
    bits = task.trace_bits
    if task.options.trace_decay == "eager":
        inputs = task.kept_inputs(Content.WEIGHT_TRACE)
        if task.precision.trace_threshold > 0:
            stage.compute(Action.COMPARE, inputs, None, bits)
        stage.compute(Action.MAC, inputs, Lane.NEURON, task.leak_bits, bits, bits)
        stage.sweep(Content.WEIGHT_TRACE, inputs, bits)
        draw(stage, task.precision.weight_trace, inputs)
        _list_traces(stage, task)
        return
    touched = task.kept_ones(Content.WEIGHT_TRACE)
    if task.precision.trace_threshold > 0:
        stage.compute(Action.COMPARE, touched, None, bits)
    stage.compute(Action.LOOKUP, touched, Lane.NEURON, task.leak_bits)
    stage.compute(Action.MAC, touched, None, task.leak_bits, bits, bits)
    draw(stage, task.precision.weight_trace, touched)
    words = stage.packing(Content.WEIGHT_TRACE, bits).per_value[:, None, None]
    stage.access(Content.WEIGHT_TRACE, reads=touched * words, writes=touched * words, run=words)
    _list_traces(stage, task)


def _list_traces(stage: StageBuilder, task: LayerTask) -> None:
    """The list of traces that are not zero is kept up to date as they change."""
    if task.needs.carries == "traces":
        skip = task.options.skip.traces
        PackedVector.of(
            stage, task, Content.WEIGHT_TRACE, skip, task.trace_bits, task.traces, out=False
        ).keep(stage)


def _history(stage: StageBuilder, task: LayerTask, steps: NDArray[np.bool_]) -> None:
    """Membranes, spikes and inputs of a step are kept for the way back through time.

    An input that is the same at every step stays where it is, in the input memory, and is not copied.
    """
    owned, kept = task.slices.owned, steps.astype(np.int64)
    states = [(owned, task.membrane_bits), (owned, 1)]
    if task.gradient_operand is Content.HISTORY:
        states.append((task.kept_inputs(Content.HISTORY), task.recorded.input_bits))
    for values, bits in states:
        words = stage.packing(Content.HISTORY, bits).words(values)[:, None, None] * kept
        stage.access(Content.HISTORY, writes=words)
    if task.gradient_operand is Content.HISTORY:
        skip = task.options.skip.traces
        listed = PackedVector.of(
            stage, task, Content.HISTORY, skip, task.trace_bits, task.traces, out=False
        ).listed
        stage.access(Content.HISTORY, writes=listed * kept)
