"""The plan: a network laid out in flat memory, as records that kernels read.

Kernels take arrays of `Plan`, `Held` and `Work` by the names of their fields (`Kernel.bound`), so a name occurs once in
the three.

A *slot* holds every stored tensor of one sample at one time step. Each sample owns `group` consecutive slots, used in turn:
time step t lives in slot `sample * group + t mod group` and reads its predecessor's state from the slot before it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmsim.network.state import NEURON_TRACES

INPUT, DENSE, CONV, AVERAGE, MAXIMUM, ADD = range(6)
"""Kinds of nodes; a global pool is a pool whose window is the map."""

LAYER_FIELDS = (
    "node", "source", "inputs", "input_channels", "input_height", "input_width", "neurons", "channels", "height", "width",
    "positions", "kernel", "stride", "padding", "fan_in", "depth", "error_depth", "thresholds", "permuted", "output",
    "words", "error_words", "group", "time_steps", "learns_thresholds", "learns_leak", "resets_to_zero",
    "values", "weight_trace", "membrane", "residual", *(trace.name for trace in NEURON_TRACES), "error", "delta",
    "source_values",
    "own_error", "source_error", "error_left", "error_writes", "sends_error",
    "used", "backward", "theta", "weight", "threshold", "order", "error_order", "error_terms",
    "sums", "static", "panel", "panel_rows", "panel_slots",
    "plane", "pitch", "trace_stride", "trace_rows", "largest_input", "log", "factored", "rows", "shared", "narrow",
    "biased", "bias_left", "counted_trace", "trace_threshold", "scalar", "static_sum", "listed",
    "trace_in_lanes", "threshold_in_lanes",
)  # fmt: skip
"""One synaptic layer: sizes of its input, output, kernel and sums; sizes of slots; places in a slot; places of errors;
places in the parameters and in the orders of addition; places of kept sums (`static`: its input may be constant over time)
and of its gradient panel; `shared`: the used weights are the stored ones; `narrow`: integers are stored in
16 bits; `listed`: the largest input, where active inputs may be listed (see active.py), else 0; `*_in_lanes`: the trace of
weights or of thresholds advances in 32-bit lanes."""

NODE_FIELDS = (
    "kind", "layer", "first", "second", "channels", "height", "width", "size", "window_height", "window_width",
    "values", "static", "error", "needs_error", "left_first", "left_second", "error_left_first", "error_left_second",
    "writes_first", "writes_second", "factor", "words", "error_words", "group",
)  # fmt: skip
"""One node of the graph. `values`: place of its output in a slot; `error`: place of the exact error sum of its output;
`left_*`: alignment of a branch; `error_left_*`: alignment of the error sent to a source; `writes_*`: this node is the first
to send to that source in a backward step, hence writes instead of adding; `factor`: what the sum over a window is
multiplied by."""


class Plan(NamedTuple):
    """Everything about a run that never changes. Maps are stored channels last.

    `numbers (L, tensors, steps)`; `surrogates (L, entries)`, padded with their last entry; `probabilities (2, C+1)`;
    `orders` stored places in the order of addition; `draw_table` the unrolled table of draws.
    """

    layers: Any
    nodes: Any
    numbers: NDArray[Any]
    surrogates: NDArray[Any]
    probabilities: NDArray[Any]
    orders: NDArray[np.int64]
    draw_table: NDArray[Any]


class Held(NamedTuple):
    """Parameters as kernels read them, constant within a batch.

    `used` rows of `w_use` `(C_out, depth)` per layer, terms as stored; `backward` rows `(inputs or C_in, error_depth)`,
    which currents of a `factored` layer, and of active inputs, read, too; `theta (N,)` one per neuron as stored;
    `alpha (L,)`;
    `weight_bounds (L, 5)` largest sum of absolute used weights of a current and of an error, and of their squares of an
    error (0 if unknown); in column 3 the largest addend of a bias, in column 4 the largest magnitude of a used weight (of
    layers whose active inputs may be listed); `bias (rows,)` what biases add to currents, exact, by
    output channel; `row_sums` (bounds on) sums of absolute used weights of every output channel; `synapses (P,)` 0 where
    pruned, C order; `masked (L,)` 1 where any synapse is pruned.
    """

    used: NDArray[Any]
    backward: NDArray[Any]
    theta: NDArray[Any]
    alpha: NDArray[Any]
    weight_bounds: NDArray[Any]
    row_sums: NDArray[Any]
    bias: NDArray[Any]
    synapses: NDArray[np.uint8]
    masked: NDArray[np.int64]


class Work(NamedTuple):
    """Memory of one worker: slots of its samples, scratch, and its share of sums and counts.

    `memory (slots * words,)`; `errors (slots * error_words,)` exact error sums; `kept` sums of layers with constant input;
    `block`, `gathered`, `factors`, `exact`, `nonzero`, `transposed` scratch; `entries`, `marks`, `segments` the active
    inputs of a layer; `draws (slots of draws, widest)`, row 0 zeros;
    `panels` rows of deltas and traces of `filled (L,)` slots whose product is still due; `weight_sums (P,)` dW, C order;
    `threshold_sums (N,)` dTheta per neuron as stored; `group_sums (G,)` dTheta per threshold (ordered sums);
    `leak_sums (L,)` dAlpha;
    `bias_sums (rows,)` gradients of biases by output channel; `constants (slots * L,)` scalar traces;
    `static_sums` g of the samples by layer, `(S, N)` each as stored;
    `magnitudes (N,)` sums of |delta|; `bounds (L, 4)` bounds on dW, dTheta, dAlpha, db so far; `largest (L,)` largest |w~|;
    `counts (L, tensors)` overflows;
    `tally (2, C+1)` time steps by spike of the label's output and by number of spikes;
    `spikes (S, C)` as stored; `current_log (N,)`, `error_log (M,)` as stored: sums of the latest slot,
    empty unless they are watched.
    """

    memory: NDArray[Any]
    errors: NDArray[Any]
    kept: NDArray[Any]
    block: NDArray[Any]
    gathered: NDArray[Any]
    factors: NDArray[Any]
    exact: NDArray[Any]
    nonzero: NDArray[np.int64]
    entries: NDArray[np.int32]
    marks: NDArray[np.int32]
    segments: NDArray[np.int64]
    transposed: NDArray[Any]
    draws: NDArray[Any]
    panels: NDArray[Any]
    filled: NDArray[np.int64]
    weight_sums: NDArray[Any]
    threshold_sums: NDArray[Any]
    group_sums: NDArray[Any]
    leak_sums: NDArray[Any]
    bias_sums: NDArray[Any]
    constants: NDArray[Any]
    static_sums: NDArray[Any]
    magnitudes: NDArray[Any]
    bounds: NDArray[Any]
    largest: NDArray[Any]
    counts: NDArray[np.int64]
    tally: NDArray[np.int64]
    spikes: NDArray[np.int64]
    current_log: NDArray[Any]
    error_log: NDArray[Any]
