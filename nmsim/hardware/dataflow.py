"""Dataflow: which operand of a phase stays in place while the others stream past it."""

from typing import Literal, get_args

from nmsim.config import Record

Flow = Literal["weight_stationary", "output_stationary", "input_stationary"]
FLOWS: tuple[Flow, ...] = get_args(Flow)
FlowChoice = Literal["searched", "weight_stationary", "output_stationary", "input_stationary"]


class Dataflow(Record):
    """What each phase holds still; `searched` leaves it to the mapping, layer by layer (docs/machine.md).

    In the phase integrate the inputs are spikes and the outputs input sums; in error, deltas and error sums; in
    gradient, traces (with deltas) and weight gradients. A weight of a dense layer serves one position, so that
    `weight_stationary` there is `input_stationary`.
    """

    integrate: FlowChoice = "searched"
    """Inputs times weights."""
    error: FlowChoice = "searched"
    """Deltas times transposed weights."""
    gradient: FlowChoice = "searched"
    """Deltas times traces; what is held over the positions of a convolution is the gradient, unless inputs are."""
