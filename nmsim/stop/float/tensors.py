"""What happened at every time step, in C-order: all tensors, or the masks of an activity record."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from nmsim.stop.float.chunk import to_c_order
from nmsim.stop.float.step import StopSteps
from nmsim.stop.protocol import FloatArray, LayerRecord


@dataclass(frozen=True)
class LayerTensors:
    """One synaptic layer, all real numbers: M inputs after pooling, N neurons.

    `input` and `weight_trace` are `(B, T, M)`, all others `(B, T, N)`. A trace that the rule does not keep
    is zero.
    """

    input: FloatArray
    weight_trace: FloatArray
    current: FloatArray
    membrane: FloatArray
    spikes: FloatArray
    threshold_trace: FloatArray
    leak_trace: FloatArray
    error: FloatArray
    delta: FloatArray


def all_tensors(steps: StopSteps, layer: int) -> LayerTensors:
    """The tensors of one layer as its last time step left them, `(B, M)` and `(B, N)`."""
    state, out_shape = steps.states[layer], steps.graph.layers[layer].out_shape
    neurons = (
        state.current,
        state.membrane,
        state.spikes,
        state.threshold_trace,
        state.leak_trace,
        state.error,
        state.delta,
    )
    return LayerTensors(
        *_inputs(steps, layer),
        *(
            to_c_order(tensor, out_shape).astype(np.float64)
            if tensor is not None and tensor.size
            else np.zeros(state.membrane.shape)
            for tensor in neurons
        ),
    )


def activity(steps: StopSteps, layer: int) -> LayerRecord:
    """Masks of one layer's last time step, `(B, M)` and `(B, N)`."""
    state, out_shape = steps.states[layer], steps.graph.layers[layer].out_shape
    assert state.delta is not None
    values, traces = _inputs(steps, layer)
    return LayerRecord(
        values != 0,
        to_c_order(state.spikes != 0, out_shape),
        traces != 0,
        to_c_order(state.delta != 0, out_shape),
    )


def _inputs(steps: StopSteps, layer: int) -> tuple[FloatArray, FloatArray]:
    """A layer's input and weight trace in C-order, copies."""
    source = steps.graph.source(steps.graph.layers[layer].node)
    shape, state = steps.graph.nodes[source].out_shape, steps.states[layer]
    values = to_c_order(steps.values[source], shape).astype(np.float64)
    trace = values * state.gain if state.weight_trace is None else to_c_order(state.weight_trace, shape)
    return values, trace.astype(np.float64)


Seen = TypeVar("Seen", LayerTensors, LayerRecord)


def joined(parts: Sequence[Sequence[Seen]]) -> Seen:
    """Join records of single steps `(B, n)`, listed by chunk and then by time step, into one `(B, T, n)`."""
    kind = type(parts[0][0])
    arrays = {
        field.name: np.concatenate(
            [np.stack([getattr(step, field.name) for step in part], axis=1) for part in parts]
        )
        for field in fields(kind)
    }
    return kind(**arrays)
