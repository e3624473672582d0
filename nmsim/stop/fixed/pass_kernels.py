"""The kernels of a pass, each with the arrays that it reads and writes bound to it by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nmsim.fixedpoint.compiled import Kernel
from nmsim.stop.fixed.backward import BOUND_GRADIENTS, COUNT_SPIKES, LAYER_DELTAS, OUTPUT_ERRORS, SEND_ERRORS
from nmsim.stop.fixed.forward import FORWARD
from nmsim.stop.fixed.gradient import CLOSE_PANEL, COLLECT_MAPS, COLLECT_ROWS, MULTIPLY
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import ADD, AVERAGE, MAXIMUM, Held, Work
from nmsim.stop.fixed.ordered import ADD_NEURON_GRADIENTS, ADD_WEIGHT_GRADIENT
from nmsim.stop.fixed.pools import (
    ADD_BRANCHES,
    AVERAGE_POOL,
    COPY_ERRORS,
    LOAD_INPUTS,
    MAXIMUM_POOL,
    ROUTE_MAXIMUM_ERRORS,
    SPREAD_AVERAGE_ERRORS,
)  # fmt: skip
from nmsim.stop.fixed.static_gradient import ADD_STATIC_GRADIENT

Run = Callable[..., Any]
"""A kernel bound to its arrays: called with the layer or node it works on, and with what changes from call to call."""


class Loss(NamedTuple):
    """How errors of the output layer are formed: from squared errors or a softmax; `one` is 1.0 in their format."""

    squared: bool
    one: int


@dataclass(frozen=True)
class PassKernels:
    """Kernels in the order of a pass; sequences are by way of summing (`sums`), `between` and `back` by kind of node."""

    load_inputs: Run
    forward: Sequence[Run]
    between: dict[int, Run]
    count_spikes: Run
    output_errors: Run
    layer_deltas: Run
    send_errors: Sequence[Run]
    back: dict[int, Run]
    collect_rows: Run
    collect_maps: Run
    close_panel: Run
    multiply: Sequence[Run]
    bound_gradients: Run
    add_weight_gradient: Run
    add_neuron_gradients: Run
    add_static_gradient: Run


def pass_kernels(layout: Layout, held: Held, work: Work, loss: Loss) -> PassKernels:
    """The kernels of one worker: of a plan, with the parameters `held` and the memory `work`."""

    def bound(kernel: Kernel) -> Run:
        return kernel.bound(layout.plan, held, work, loss, interpreted=layout.storage is object)

    def by_way(kernels: Sequence[Kernel]) -> tuple[Run, ...]:
        return tuple(bound(kernel) for kernel in kernels)

    return PassKernels(
        load_inputs=bound(LOAD_INPUTS),
        forward=by_way(FORWARD),
        between={AVERAGE: bound(AVERAGE_POOL), MAXIMUM: bound(MAXIMUM_POOL), ADD: bound(ADD_BRANCHES)},
        count_spikes=bound(COUNT_SPIKES),
        output_errors=bound(OUTPUT_ERRORS),
        layer_deltas=bound(LAYER_DELTAS),
        send_errors=by_way(SEND_ERRORS),
        back={
            AVERAGE: bound(SPREAD_AVERAGE_ERRORS),
            MAXIMUM: bound(ROUTE_MAXIMUM_ERRORS),
            ADD: bound(COPY_ERRORS),
        },
        collect_rows=bound(COLLECT_ROWS),
        collect_maps=bound(COLLECT_MAPS),
        close_panel=bound(CLOSE_PANEL),
        multiply=by_way(MULTIPLY),
        bound_gradients=bound(BOUND_GRADIENTS),
        add_weight_gradient=bound(ADD_WEIGHT_GRADIENT),
        add_neuron_gradients=bound(ADD_NEURON_GRADIENTS),
        add_static_gradient=bound(ADD_STATIC_GRADIENT),
    )
